//! Proxies: the choice for a destination, and the tunnel.
//!
//! Knows nothing of WebSockets. The result is a connection to the destination.

mod connect;
mod digest;
mod environment;
mod error;
mod exclusions;
mod server;
mod socks5;

use url::Host;

pub use self::error::{ProxyError, ProxyOptionError};
pub use self::server::{Credentials, Proxy, ProxyProtocol, ProxyServer};

pub(super) use self::connect::open as connect;
pub(super) use self::server::ResolvedProxy;
pub(super) use self::socks5::open as socks5;

use self::exclusions::{Exclusions, NameMatch};
use self::server::{SOCKS5_CREDENTIAL_BYTES_MAX, WrittenHost, parse_written, warn_of};

impl ProxyServer {
    /// The error that [`super::Request::parse`] would return.
    pub fn check(&self) -> Result<(), ProxyOptionError> {
        ProxySelection::parse(Proxy::Server(self.clone())).map(|_| ())
    }
}

/// How to reach servers, validated.
#[derive(Clone, Debug)]
pub(super) enum ProxySelection {
    System,
    Direct,
    Server(Box<ResolvedProxy>),
}

impl ProxySelection {
    pub(super) fn parse(proxy: Proxy) -> Result<Self, ProxyOptionError> {
        let ProxyServer { protocol, host, port, exclusions, credentials } = match proxy {
            Proxy::System => return Ok(Self::System),
            Proxy::None => return Ok(Self::Direct),
            Proxy::Server(server) => server,
        };
        let refused = |field, why| ProxyOptionError { field, why };
        let written = parse_written(&host);
        let WrittenHost { protocol: scheme, credentials: own, host, port: own_port } =
            written.map_err(|_| refused("host", "neither a name nor an address"))?;
        if scheme.is_some_and(|scheme| scheme != protocol) {
            return Err(refused("host", "its scheme does not match its type"));
        }
        let credentials = credentials.or(own);
        // As on the platform.
        let port = own_port.unwrap_or(port);
        if port == 0 {
            return Err(refused("port", "must be 1 to 65535"));
        }
        if let Some(Credentials { username, password }) = &credentials {
            for (field, text) in [("username", username), ("password", password)] {
                if text.contains(|c: char| c.is_ascii_control()) {
                    return Err(refused(field, "holds a control character"));
                }
                if protocol == ProxyProtocol::Socks5 && text.len() > SOCKS5_CREDENTIAL_BYTES_MAX {
                    return Err(refused(field, "longer than 255 bytes (RFC 1929 2)"));
                }
            }
            if username.is_empty() {
                return Err(refused("username", "empty, but a password is set"));
            }
        }
        let (exclusions, meaningless) =
            Exclusions::parse(exclusions.iter().map(String::as_str), NameMatch::Exact);
        warn_of(&meaningless);
        Ok(Self::Server(Box::new(ResolvedProxy { protocol, host, port, credentials, exclusions })))
    }

    /// The proxy for a destination, if any. It calls the system, so not on an async thread.
    pub(super) fn for_destination(
        &self,
        secure: bool,
        host: &Host<String>,
        port: u16,
    ) -> Result<Option<ResolvedProxy>, ProxyError> {
        let server = match self {
            Self::Direct => None,
            Self::Server(server) => Some((**server).clone()),
            Self::System => match crate::platform::default_proxy() {
                Some(settings) => of_platform(settings)?,
                None => environment::proxy(secure, |name| std::env::var(name).ok())?,
            },
        };
        Ok(server.filter(|server| !server.exclusions.cover(host, port)))
    }

    /// Whether [`ProxySelection::for_destination`] may be called on an async thread.
    pub(super) fn is_immediate(&self) -> bool {
        match self {
            Self::Direct | Self::Server(_) => true,
            Self::System => !crate::platform::has_default_proxy(),
        }
    }
}

/// The proxy of OpenHarmony's settings. An empty host means no proxy.
fn of_platform(settings: crate::platform::DefaultProxy) -> Result<Option<ResolvedProxy>, ProxyError> {
    let crate::platform::DefaultProxy { host, port, exclusions } = settings;
    if host.is_empty() || port == 0 {
        return Ok(None);
    }
    let WrittenHost { protocol, credentials, host, port: own_port } = parse_written(&host)?;
    let (protocol, port) = (protocol.unwrap_or_default(), own_port.unwrap_or(port));
    let (exclusions, meaningless) =
        Exclusions::parse(exclusions.iter().map(String::as_str), NameMatch::Exact);
    warn_of(&meaningless);
    Ok(Some(ResolvedProxy { protocol, host, port, credentials, exclusions }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> ProxyServer {
        ProxyServer {
            protocol: ProxyProtocol::Http,
            host: "proxy.example".to_owned(),
            port: 3_128,
            exclusions: Vec::new(),
            credentials: None,
        }
    }

    #[test]
    fn refuses_an_invalid_proxy_and_names_the_field() {
        let credentials = |username: &str, password: &str| {
            Some(Credentials { username: username.to_owned(), password: password.to_owned() })
        };
        let socks5 = ProxyServer { protocol: ProxyProtocol::Socks5, ..server() };
        for (field, refused) in [
            ("host", ProxyServer { host: String::new(), ..server() }),
            ("host", ProxyServer { host: "a b".to_owned(), ..server() }),
            ("host", ProxyServer { host: "https://proxy".to_owned(), ..server() }),
            ("host", ProxyServer { host: "socks5://secret@proxy".to_owned(), ..server() }),
            ("host", ProxyServer { host: "http://proxy/path".to_owned(), ..server() }),
            ("host", ProxyServer { host: "u:secret@".to_owned(), ..server() }),
            ("host", ProxyServer { host: "proxy:secret".to_owned(), ..server() }),
            ("password", ProxyServer { host: "u:secret\r\nX: y@proxy".to_owned(), ..server() }),
            ("port", ProxyServer { port: 0, ..server() }),
            ("username", ProxyServer { credentials: credentials("", "secret"), ..server() }),
            ("password", ProxyServer { credentials: credentials("a", "secret\r\nX: y"), ..server() }),
            ("username", ProxyServer { credentials: credentials(&"x".repeat(256), ""), ..socks5 }),
        ] {
            let text = ProxySelection::parse(Proxy::Server(refused)).expect_err("a bad proxy").to_string();
            assert!(text.starts_with(&format!("proxy: {field}: ")) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn reads_a_proxy_host_like_the_platform() {
        let credentials = |username: &str, password: &str| {
            Some(Credentials { username: username.to_owned(), password: password.to_owned() })
        };
        for (text, endpoint, own) in [
            ("::1", "[::1]:3128", None),
            ("[::1]", "[::1]:3128", None),
            ("[::1]:81", "[::1]:81", None),
            ("10.0.0.1", "10.0.0.1:3128", None),
            (" proxy ", "proxy:3128", None),
            ("http://proxy", "proxy:3128", None),
            ("HTTP://proxy/", "proxy:3128", None),
            ("http://proxy:81/", "proxy:81", None),
            ("alice@proxy", "proxy:3128", credentials("alice", "")),
            ("alice:se:sa@me%40@proxy", "proxy:3128", credentials("alice", "se:sa@me%40")),
            ("http://alice:sesame@[::1]:81", "[::1]:81", credentials("alice", "sesame")),
            ("@proxy", "proxy:3128", None),
        ] {
            let proxy = Proxy::Server(ProxyServer { host: text.to_owned(), ..server() });
            let Ok(ProxySelection::Server(resolved)) = ProxySelection::parse(proxy) else {
                panic!("{text} is a host")
            };
            assert_eq!((resolved.endpoint().as_str(), &resolved.credentials), (endpoint, &own), "{text}");
            // The system's proxy in the same way.
            let settings =
                crate::platform::DefaultProxy { host: text.to_owned(), port: 3_128, exclusions: Vec::new() };
            let resolved = of_platform(settings).expect("good").expect("set");
            assert_eq!((resolved.endpoint().as_str(), &resolved.credentials), (endpoint, &own), "{text}");
        }
        // The proxy's separate fields override those in the host.
        let beside = ProxyServer {
            credentials: credentials("bob", "b"),
            host: "alice:a@proxy".to_owned(),
            ..server()
        };
        let Ok(ProxySelection::Server(resolved)) = ProxySelection::parse(Proxy::Server(beside.clone()))
        else {
            panic!("a good proxy")
        };
        assert_eq!(resolved.credentials, credentials("bob", "b"));
        assert!(!format!("{beside:?}").contains("alice"));
    }

    #[test]
    fn follows_the_settings_of_the_platform() {
        let of = |host: &str, port| {
            let exclusions = vec!["*.local".to_owned(), "10.0.0.0/99".to_owned()];
            of_platform(crate::platform::DefaultProxy { host: host.to_owned(), port, exclusions })
        };
        assert_eq!(of("", 0), Ok(None));
        let server = of("proxy.example", 8_080).expect("good").expect("set");
        assert_eq!(server.endpoint(), "proxy.example:8080");
        assert!(server.exclusions.cover(&Host::Domain("printer.local".to_owned()), 80));
        assert_eq!(of("socks5://p", 1).expect("good").expect("set").protocol, ProxyProtocol::Socks5);
        assert!(of("https://p", 1).is_err());
    }

    #[test]
    fn no_text_shows_credentials() {
        let credentials = Credentials { username: "alice".to_owned(), password: "secret".to_owned() };
        let text = format!("{credentials:?}");
        assert!(!text.contains("alice") && !text.contains("secret"));
    }
}
