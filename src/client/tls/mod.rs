//! TLS: an application's options, the configuration made from them, and the handshake.

mod app_config;
mod app_package;
mod config;
mod der;
mod error;
mod file;
mod key;
mod options;
mod pem;
mod server;
mod store;
mod trust;
mod verify;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt;
use url::Host;

pub use self::error::{TlsError, TrustError};
pub use self::options::{
    AlpnProtocols, ClientCertificate, DeclaredTrust, NetworkSecurityConfig, Password, Pin, PinError,
    TlsOptions, TlsServerName,
};

pub use self::server::{ServerFile, ServerTls};

pub(crate) use self::server::{accept_tls, server_config};

pub(super) use self::config::{config, file_stamp, known_config};

use self::config::ClientTls;
use super::transport::{Socket, TlsStream};

/// Performs the TLS handshake. Verifies the certificate for the name in the options, or else for `host`.
pub(super) async fn handshake(
    tcp: Socket,
    tls: ClientTls,
    options: &TlsOptions,
    host: &Host<String>,
) -> Result<Box<TlsStream>, TlsError> {
    let name = match (&options.server_name, host) {
        (Some(TlsServerName(name)), _) => name.clone(),
        (None, Host::Domain(name)) => ServerName::try_from(name.clone())
            .map_err(|_| {
                rustls::Error::General(format!("{name:?} is not a host name that a certificate can have"))
            })
            .map_err(TlsError::Handshake)?,
        (None, Host::Ipv4(address)) => ServerName::from(std::net::IpAddr::from(*address)),
        (None, Host::Ipv6(address)) => ServerName::from(std::net::IpAddr::from(*address)),
    };
    let session =
        UnbufferedClientConnection::new(tls.config.clone(), name.clone()).map_err(TlsError::Handshake)?;
    TlsStream::connect(tcp, session).await.map_err(|error| {
        let error = TlsError::from(error);
        if let TlsError::Handshake(rustls::Error::DecryptError) = error {
            tls.forget_session(&name);
        }
        error
    })
}

/// The server's TLS alert that ended the connection during the upgrade. A TLS 1.3 server checks the client's
/// certificate after the client's side of the handshake is complete (RFC 8446 section 4.4.2.4). So the alert may be the
/// cause of a failed write.
pub(super) async fn late_alert(mut stream: Box<TlsStream>) -> Option<TlsError> {
    let mut buffer = [0; 1_024];
    loop {
        match stream.read(&mut buffer).await {
            Ok(1..) => {}
            Ok(0) => return None,
            Err(error) => return error.downcast().ok().map(TlsError::Handshake),
        }
    }
}
