//! A tunnel through an HTTP proxy (RFC 9110 section 9.3.6).

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use url::Host;

use super::digest;
use super::error::ProxyError;
use super::server::{Credentials, authority};
use crate::client::http::{self, USER_AGENT};
use crate::client::retry_after::retry_after;

const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;

/// What a proxy that wants to know who asks is told, on its next connection.
pub(in crate::client) struct ProxyAuthorization(String);

/// Asks for a tunnel to a destination. Nothing of the credentials is sent unasked, since the proxy may take a scheme that
/// does not show the password; it asks by its answer, and is then to be asked again on a new connection.
pub(in crate::client) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    (host, port): (&Host<String>, u16),
    credentials: Option<&Credentials>,
    authorization: Option<&ProxyAuthorization>,
) -> Result<Option<ProxyAuthorization>, ProxyError> {
    let destination = authority(host, port);
    let mut request =
        format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\nUser-Agent: {USER_AGENT}\r\n");
    if let Some(ProxyAuthorization(value)) = authorization {
        request.push_str(&format!("Proxy-Authorization: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(ProxyError::Io)?;
    stream.flush().await.map_err(ProxyError::Io)?;

    let mut received = Vec::new();
    let head = http::read_head(stream, &mut received).await?;
    match (head.status, credentials) {
        // The destination speaks when it is spoken to.
        (200..300, _) if received.is_empty() => Ok(None),
        (200..300, _) => Err(ProxyError::Garbage),
        (PROXY_AUTHENTICATION_REQUIRED, None) => Err(ProxyError::CredentialsMissing),
        (PROXY_AUTHENTICATION_REQUIRED, Some(_)) if authorization.is_some() => {
            Err(ProxyError::CredentialsRefused)
        }
        (PROXY_AUTHENTICATION_REQUIRED, Some(credentials)) => {
            let challenges = head.values("proxy-authenticate");
            digest::authorization(challenges, credentials, "CONNECT", &destination)
                .map(|value| Some(ProxyAuthorization(value)))
                .ok_or(ProxyError::AuthenticationScheme)
        }
        (status, _) => {
            let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let retry_after = retry_after(headers);
            Err(ProxyError::Status { status, reason: head.reason, retry_after })
        }
    }
}
