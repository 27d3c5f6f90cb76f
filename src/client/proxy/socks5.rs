//! A tunnel through a SOCKS proxy (RFC 1928), with or without a name and a password (RFC 1929). The proxy resolves
//! names.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use url::Host;

use super::error::ProxyError;
use super::server::Credentials;

const VERSION: u8 = 5;
/// The version of the sub-negotiation for a name and a password.
const CREDENTIALS_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const SUCCEEDED: u8 = 0;

const METHOD_NONE: u8 = 0;
const METHOD_CREDENTIALS: u8 = 2;
const METHOD_UNACCEPTABLE: u8 = 0xff;

const ADDRESS_IPV4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_IPV6: u8 = 4;

/// Requests a tunnel to a destination.
pub(in crate::client) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    (host, port): (&Host<String>, u16),
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let methods: &[u8] = match credentials {
        None => &[METHOD_NONE],
        Some(_) => &[METHOD_NONE, METHOD_CREDENTIALS],
    };
    send(stream, &[&[VERSION, methods.len() as u8], methods]).await?;
    let [version, method] = receive(stream).await?;
    match (method, credentials) {
        _ if version != VERSION => return Err(ProxyError::NotSocks5),
        (METHOD_NONE, _) => {}
        (METHOD_CREDENTIALS, Some(credentials)) => authenticate(stream, credentials).await?,
        (METHOD_UNACCEPTABLE | METHOD_CREDENTIALS, None) => return Err(ProxyError::CredentialsMissing),
        (METHOD_UNACCEPTABLE, Some(_)) => return Err(ProxyError::AuthenticationScheme),
        _ => return Err(ProxyError::NotSocks5),
    }

    let mut request = vec![VERSION, CONNECT, 0];
    match host {
        Host::Ipv4(address) => {
            request.push(ADDRESS_IPV4);
            request.extend(address.octets());
        }
        Host::Ipv6(address) => {
            request.push(ADDRESS_IPV6);
            request.extend(address.octets());
        }
        Host::Domain(name) => {
            request.push(ADDRESS_NAME);
            append(&mut request, name.as_bytes())?;
        }
    }
    request.extend(port.to_be_bytes());
    send(stream, &[&request]).await?;

    let [version, reply, _, address] = receive(stream).await?;
    if version != VERSION {
        return Err(ProxyError::NotSocks5);
    }
    if reply != SUCCEEDED {
        return Err(ProxyError::Reply(reply));
    }
    // The address from which the proxy connects is not needed.
    match address {
        ADDRESS_IPV4 => receive::<6, S>(stream).await.map(|_| ()),
        ADDRESS_IPV6 => receive::<18, S>(stream).await.map(|_| ()),
        ADDRESS_NAME => {
            let [length] = receive(stream).await?;
            let mut name = vec![0; usize::from(length) + 2];
            stream.read_exact(&mut name).await.map(|_| ()).map_err(broken)
        }
        _ => Err(ProxyError::NotSocks5),
    }
}

async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    Credentials { username, password }: &Credentials,
) -> Result<(), ProxyError> {
    let mut request = vec![CREDENTIALS_VERSION];
    append(&mut request, username.as_bytes())?;
    append(&mut request, password.as_bytes())?;
    send(stream, &[&request]).await?;
    match receive(stream).await? {
        [CREDENTIALS_VERSION, SUCCEEDED] => Ok(()),
        [CREDENTIALS_VERSION, _] => Err(ProxyError::CredentialsRefused),
        _ => Err(ProxyError::NotSocks5),
    }
}

/// A text after a byte with its length.
fn append(request: &mut Vec<u8>, text: &[u8]) -> Result<(), ProxyError> {
    request.push(u8::try_from(text.len()).map_err(|_| ProxyError::TooLong)?);
    request.extend(text);
    Ok(())
}

/// One write makes one packet.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, pieces: &[&[u8]]) -> Result<(), ProxyError> {
    stream.write_all(&pieces.concat()).await.map_err(ProxyError::Io)?;
    stream.flush().await.map_err(ProxyError::Io)
}

async fn receive<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> Result<[u8; N], ProxyError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(broken)?;
    Ok(bytes)
}

fn broken(error: io::Error) -> ProxyError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ProxyError::Eof,
        _ => ProxyError::Io(error),
    }
}
