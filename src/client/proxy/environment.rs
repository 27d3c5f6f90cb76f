//! The proxy in environment variables, by curl's rules.

use url::Url;

use super::error::ProxyError;
use super::exclusions::{Exclusions, NameMatch};
use super::server::{Credentials, ResolvedProxy, parse_host, protocol_of, warn_of};
use crate::client::destination::percent_decode;

/// The default port of a proxy, as in curl.
const DEFAULT_PORT: u16 = 1_080;

/// ws uses `ws_proxy` and `http_proxy`, wss uses `wss_proxy` and `https_proxy`. Both use `all_proxy` last. Lower case
/// comes before upper case. `HTTP_PROXY` is ignored, because a client of a CGI program can set it. `no_proxy` has the
/// exclusions.
pub(super) fn proxy(
    secure: bool,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<ResolvedProxy>, ProxyError> {
    let names: &[&str] = match secure {
        false => &["ws_proxy", "WS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"],
        true => &["wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
    };
    // An empty variable counts as unset.
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|text| !text.is_empty()));
    let Some(text) = first(names) else { return Ok(None) };
    let mut server = parse(text.trim())?;
    let exclusions = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    let (exclusions, meaningless) = Exclusions::parse([exclusions.as_str()], NameMatch::WithSubdomains);
    warn_of(&meaningless);
    server.exclusions = exclusions;
    Ok(Some(server))
}

/// `[scheme://][user[:password]@]host[:port][/]`.
fn parse(text: &str) -> Result<ResolvedProxy, ProxyError> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let protocol = protocol_of(scheme)?;
    let malformed = || ProxyError::Setting("it is not [scheme://][user[:password]@]host[:port]");
    // The parser does not know this scheme, so it keeps every port.
    let url = Url::parse(&format!("proxy://{rest}")).map_err(|_| malformed())?;
    let host = url.host_str().and_then(parse_host).ok_or_else(malformed)?;
    let decode = |text: &str| String::from_utf8(percent_decode(text)).map_err(|_| malformed());
    let credentials = match url.username() {
        "" => None,
        username => Some(Credentials {
            username: decode(username)?,
            password: decode(url.password().unwrap_or_default())?,
        }),
    };
    Ok(ResolvedProxy {
        protocol,
        host,
        port: url.port().unwrap_or(DEFAULT_PORT),
        credentials,
        exclusions: Exclusions::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::proxy::ProxyProtocol;

    fn of(secure: bool, variables: &[(&str, &str)]) -> Result<Option<ResolvedProxy>, ProxyError> {
        proxy(secure, |wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
        })
    }

    fn endpoint(secure: bool, variables: &[(&str, &str)]) -> Option<String> {
        of(secure, variables).expect("good variables").map(|server| server.endpoint())
    }

    #[test]
    fn each_scheme_has_its_variables() {
        let all = [
            ("all_proxy", "a:1"),
            ("http_proxy", "http://h:2/"),
            ("HTTPS_PROXY", "s:3"),
            ("HTTP_PROXY", "x:4"),
        ];
        assert_eq!(endpoint(false, &all).as_deref(), Some("h:2"));
        assert_eq!(endpoint(true, &all).as_deref(), Some("s:3"));
        assert_eq!(endpoint(true, &all[..2]).as_deref(), Some("a:1"));
        assert_eq!(endpoint(false, &all[3..]), None);
        assert_eq!(
            endpoint(false, &[("http_proxy", ""), ("ALL_PROXY", "[::1]:5")]).as_deref(),
            Some("[::1]:5")
        );
        assert_eq!(
            endpoint(true, &[("https_proxy", "low"), ("HTTPS_PROXY", "up")]).as_deref(),
            Some("low:1080")
        );
        assert_eq!(endpoint(false, &[("ws_proxy", "w:80"), ("http_proxy", "h")]).as_deref(), Some("w:80"));
    }

    #[test]
    fn reads_credentials_and_schemes() {
        let server = of(true, &[("all_proxy", "socks5h://al%40ice:p%3Ass@h:9")]).expect("good").expect("set");
        assert_eq!(server.protocol, ProxyProtocol::Socks5);
        let credentials = Credentials { username: "al@ice".to_owned(), password: "p:ss".to_owned() };
        assert_eq!(server.credentials, Some(credentials));
        for bad in ["https://h:1", "ftp://h", "http://", "http://h:99999", "http://a b", "http://u%ff@h"] {
            let refused = of(true, &[("https_proxy", bad)]);
            assert!(matches!(refused, Err(ProxyError::Setting(_))), "{bad}: {refused:?}");
        }
    }

    #[test]
    fn no_proxy_covers_domains_and_their_subdomains() {
        let variables = [("http_proxy", "h"), ("no_proxy", "example.org,10.0.0.0/8"), ("NO_PROXY", "*")];
        let server = of(false, &variables).expect("good").expect("set");
        assert!(server.exclusions.cover(&url::Host::Domain("a.example.org".to_owned()), 80));
        assert!(!server.exclusions.cover(&url::Host::Domain("example.net".to_owned()), 80));
    }
}
