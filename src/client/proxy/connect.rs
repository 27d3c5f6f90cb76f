//! A tunnel through an HTTP proxy (RFC 9110 section 9.3.6).

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use url::Host;

use super::digest;
use super::error::ProxyError;
use super::server::{Credentials, authority};
use crate::client::destination::basic_authorization;
use crate::client::http::{self, Head, HeadError, USER_AGENT};
use crate::client::retry_after::retry_after;

const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;

/// The credentials for the next connection to a proxy that requires them.
pub(in crate::client) struct ProxyAuthorization(String);

impl ProxyAuthorization {
    fn basic(Credentials { username, password }: &Credentials) -> Self {
        Self(basic_authorization(username.as_bytes(), password.as_bytes()))
    }
}

/// Requests a tunnel to a destination. Credentials are first sent when the proxy asks, because it may accept a scheme
/// that hides the password. The request is then repeated on a new connection. A proxy that refuses or hangs up without
/// naming a scheme gets Basic credentials.
pub(in crate::client) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    (host, port): (&Host<String>, u16),
    credentials: Option<&Credentials>,
    authorization: Option<&ProxyAuthorization>,
) -> Result<Option<ProxyAuthorization>, ProxyError> {
    let destination = authority(host, port);
    let untold = credentials.filter(|_| authorization.is_none());
    let (head, received) = match ask(stream, &destination, authorization).await {
        Ok(answer) => answer,
        Err(error @ (HeadError::Eof | HeadError::Io(_))) => {
            return untold.map(|own| Some(ProxyAuthorization::basic(own))).ok_or_else(|| error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let challenges = || head.values("proxy-authenticate");
    match (head.status, untold) {
        // The destination sends nothing before it gets a request.
        (200..300, _) if received.is_empty() => Ok(None),
        (200..300, _) => Err(ProxyError::Garbage),
        (PROXY_AUTHENTICATION_REQUIRED, Some(credentials)) if challenges().next().is_some() => {
            digest::authorization(challenges(), credentials, "CONNECT", &destination)
                .map(|value| Some(ProxyAuthorization(value)))
                .ok_or(ProxyError::AuthenticationScheme)
        }
        (401 | 403 | PROXY_AUTHENTICATION_REQUIRED, Some(credentials)) => {
            Ok(Some(ProxyAuthorization::basic(credentials)))
        }
        (PROXY_AUTHENTICATION_REQUIRED, None) if credentials.is_none() => Err(ProxyError::CredentialsMissing),
        (PROXY_AUTHENTICATION_REQUIRED, None) => Err(ProxyError::CredentialsRefused),
        (status, _) => {
            let retry_after = retry_after(head.headers.iter());
            Err(ProxyError::Status { status, reason: head.reason, retry_after })
        }
    }
}

/// The head of the proxy's answer, and the bytes after it.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    destination: &str,
    authorization: Option<&ProxyAuthorization>,
) -> Result<(Head, Vec<u8>), HeadError> {
    let mut request =
        format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\nUser-Agent: {USER_AGENT}\r\n");
    if let Some(ProxyAuthorization(value)) = authorization {
        request.push_str(&format!("Proxy-Authorization: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(HeadError::Io)?;
    stream.flush().await.map_err(HeadError::Io)?;
    let mut received = Vec::new();
    let head = http::read_head(stream, &mut received).await?;
    Ok((head, received))
}
