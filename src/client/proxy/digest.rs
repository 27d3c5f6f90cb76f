//! Authentication to an HTTP proxy: Basic (RFC 7617) and Digest (RFC 7616).

use md5::{Digest, Md5};
use ring::digest;

use super::server::Credentials;
use crate::client::destination::basic_authorization;
use crate::client::rfc4648::base16;

/// Random bytes of a client nonce.
const CNONCE_BYTES: usize = 16;

/// One challenge of a proxy (RFC 9110 section 11.3).
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    /// In lower case.
    scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

/// The value of `Proxy-Authorization`: an answer to the strongest challenge in the `Proxy-Authenticate` headers. `None`
/// if the client can answer none of them.
pub(super) fn authorization<'a>(
    headers: impl Iterator<Item = &'a str>,
    credentials: &Credentials,
    method: &str,
    uri: &str,
) -> Option<String> {
    let cnonce = base16(&rand::random::<[u8; CNONCE_BYTES]>());
    let mut challenges = Vec::new();
    headers.for_each(|header| challenges.append(&mut parse(header)));
    let tunnel = Tunnel { credentials, method, uri, cnonce: &cnonce };
    let by = |algorithm: Algorithm| {
        challenges
            .iter()
            .filter(|challenge| challenge.scheme == "digest")
            .find_map(|challenge| algorithm.response(challenge, &tunnel))
    };
    let basic = || {
        challenges.iter().any(|challenge| challenge.scheme == "basic").then(|| {
            let Credentials { username, password } = credentials;
            basic_authorization(username.as_bytes(), password.as_bytes())
        })
    };
    [Algorithm::Sha256, Algorithm::Md5].into_iter().find_map(by).or_else(basic)
}

/// The request to authorize.
struct Tunnel<'a> {
    credentials: &'a Credentials,
    method: &'a str,
    uri: &'a str,
    cnonce: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Md5,
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Sha256 => base16(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()),
            Self::Md5 => base16(&Md5::digest(text)),
        }
    }

    /// RFC 7616 section 3.4, for a challenge of this algorithm.
    fn response(self, challenge: &Challenge, tunnel: &Tunnel<'_>) -> Option<String> {
        let Tunnel { credentials: Credentials { username, password }, method, uri, cnonce } = *tunnel;
        let named = challenge.parameter("algorithm").unwrap_or("MD5");
        let upper = named.to_ascii_uppercase();
        let (plain, session) = match upper.strip_suffix("-SESS") {
            Some(plain) => (plain, true),
            None => (upper.as_str(), false),
        };
        let own = match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        };
        let (realm, nonce) = (challenge.parameter("realm")?, challenge.parameter("nonce")?);
        let qop = challenge.parameter("qop");
        let auth = qop.map(|qop| qop.split(',').any(|known| known.trim().eq_ignore_ascii_case("auth")));
        if plain != own || auth == Some(false) {
            return None;
        }
        let mut secret = self.hash(&format!("{username}:{realm}:{password}"));
        if session {
            secret = self.hash(&format!("{secret}:{nonce}:{cnonce}"));
        }
        let request = self.hash(&format!("{method}:{uri}"));
        let response = match auth {
            Some(_) => self.hash(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{request}")),
            // Without a quality of protection, RFC 2069 applies.
            None => self.hash(&format!("{secret}:{nonce}:{request}")),
        };
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\", algorithm={named}",
            quoted(username),
            quoted(realm),
            quoted(nonce),
            quoted(uri)
        );
        if auth.is_some() {
            value.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = challenge.parameter("opaque") {
            value.push_str(&format!(", opaque={}", quoted(opaque)));
        }
        // The proxy's values must not break out of the header.
        (!value.contains(|c: char| c.is_ascii_control())).then_some(value)
    }
}

impl Challenge {
    fn parameter(&self, wanted: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The challenges of one header (RFC 9110 section 11.6.1). A comma separates both challenges and parameters. A word
/// before `=` is a parameter, another word begins a challenge. The parser stops at anything else.
fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() {
            return challenges;
        }
        let Some(value) = behind.trim_start().strip_prefix('=').map(str::trim_start) else {
            challenges.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
            rest = skip_token68(behind);
            continue;
        };
        let Some(challenge) = challenges.last_mut() else { return challenges };
        let (value, behind) = match value.strip_prefix('"') {
            None => {
                let (value, behind) = value.split_at(value.find([' ', '\t', ',']).unwrap_or(value.len()));
                (value.to_owned(), behind)
            }
            Some(text) => match unquote(text) {
                Some(unquoted) => unquoted,
                None => return challenges,
            },
        };
        challenge.parameters.push((word.to_ascii_lowercase(), value));
        rest = behind;
    }
}

/// The word after a scheme, if it is not a parameter. It may end in `=`.
fn skip_token68(text: &str) -> &str {
    let end = text.find(',').unwrap_or(text.len());
    let word = text[..end].trim();
    let bare = word.trim_end_matches('=');
    if bare.contains(['=', '"', ' ', '\t']) { text } else { &text[end..] }
}

/// Parses a quoted string without its first quote. Returns its text and the rest.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mufasa(password: &str) -> Credentials {
        Credentials { username: "Mufasa".to_owned(), password: password.to_owned() }
    }

    #[test]
    fn answers_as_the_rfc_does() {
        // RFC 7616 section 3.9.1.
        let challenge = |algorithm: &str| {
            format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, name, response) in [
            (Algorithm::Md5, "MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                Algorithm::Sha256,
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let challenges = parse(&challenge(name));
            let value = algorithm
                .response(
                    &challenges[0],
                    &Tunnel {
                        credentials: &mufasa("Circle of Life"),
                        method: "GET",
                        uri: "/dir/index.html",
                        cnonce,
                    },
                )
                .expect("it can be answered");
            assert!(value.contains(&format!("response=\"{response}\"")), "{value}");
            assert!(value.contains("qop=auth, nc=00000001") && value.contains("opaque=\"FQhe"), "{value}");
        }
        // RFC 2069 section 2.4, as corrected: without a quality of protection.
        let old = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let credentials = mufasa("CircleOfLife");
        let value = Algorithm::Md5.response(
            &parse(old)[0],
            &Tunnel { credentials: &credentials, method: "GET", uri: "/dir/index.html", cnonce: "" },
        );
        assert!(value.is_some_and(|value| value.contains("1949323746fe6a43ef61f9606e7febea")));
    }

    #[test]
    fn answers_the_strongest_supported_challenge() {
        let scheme = |headers: &[&str]| {
            let value = authorization(headers.iter().copied(), &mufasa("x"), "CONNECT", "h:80")?;
            let algorithm =
                value.split("algorithm=").nth(1).map(|rest| rest.split(',').next().unwrap_or_default());
            Some(algorithm.unwrap_or(value.as_str()).to_owned())
        };
        let md5 = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
        let sha = "Basic realm=\"a, b=c\", Digest realm=r,nonce=\"n\",qop=auth,algorithm=SHA-256";
        assert_eq!(scheme(&[md5, sha]).as_deref(), Some("SHA-256"));
        assert_eq!(scheme(&["Negotiate", md5]).as_deref(), Some("MD5"));
        assert_eq!(scheme(&["Digest realm=r, nonce=n, algorithm=md5-sess"]).as_deref(), Some("md5-sess"));
        assert_eq!(scheme(&["Negotiate abc==, Basic realm=\"x\""]).as_deref(), Some("Basic TXVmYXNhOng="));
        assert_eq!(
            scheme(&["Digest realm=r, nonce=n, qop=auth-int", "basic"]).as_deref(),
            Some("Basic TXVmYXNhOng=")
        );
        for none in [
            "Negotiate",
            "NTLM",
            "",
            "Digest nonce=n",
            "Digest realm=r, nonce=n, algorithm=SHA-512-256",
            "=x",
        ] {
            assert_eq!(scheme(&[none]), None, "{none}");
        }
    }

    #[test]
    fn parses_challenges_with_unusual_parameters() {
        let challenges = parse(",, A b= \"c \\\" , d\" ,E=f, Bearer , C tok==, D");
        let schemes: Vec<_> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["a", "bearer", "c", "d"]);
        assert_eq!(challenges[0].parameter("b"), Some("c \" , d"));
        assert_eq!(challenges[0].parameter("e"), Some("f"));
        for broken in ["A b=\"c", "A b=\"c\\", "= =", "A ==,=", "A é=ü \u{1f600}, B"] {
            parse(broken);
        }
    }
}
