use proptest::prelude::*;
use proptest::{collection, sample};

use super::*;

fn parse(text: &str) -> Destination {
    Destination::parse(text).expect("a good URL")
}

/// All that there is to know of one.
fn parts(of: Destination) -> impl PartialEq + fmt::Debug {
    let Destination { secure, host, zone, port, authority, target, authorization } = of;
    (secure, host, zone, port, authority, target, authorization)
}

const SCHEMES: [&str; 6] = ["ws://", "wss://", "ws:/", "WS://", "http://", ""];
const HOSTS: [&str; 26] = [
    "h",
    "example",
    "org",
    "EXAMPLE",
    "xn--bcher-kva",
    "xn--",
    "xn",
    "--",
    "-",
    "_",
    "é",
    ".",
    "..",
    "0",
    "1",
    "09",
    "127.0.0.1",
    "1.2.3",
    "0x7f",
    "256",
    "1e3",
    "%41",
    "u:p@",
    "@",
    "[::1]",
    " ",
];
const PORTS: [&str; 14] =
    ["", "", "", ":80", ":443", ":8080", ":65535", ":65536", ":0", ":080", ":", ":+1", ":a", ":1:2"];
const TARGETS: [&str; 46] = [
    "/", "//", "/.", "/..", ".", "..", "%2e", "%2E%2e", "%", "%zz", "a", "Z", "9", "?", "&", "=", "'", "~",
    "\\", "@", "#", "é", " ", "\t", "\n", "|", "^", "{", "}", "`", "\"", "_", "*", "!", "$", "(", ")", "+",
    ",", ";", ":", "-", "<", ">", "[", "]",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_plain_url_has_the_parts_that_any_url_has(
        scheme in sample::select(&SCHEMES[..]),
        host in collection::vec(sample::select(&HOSTS[..]), 1..4),
        port in sample::select(&PORTS[..]),
        target in collection::vec(sample::select(&TARGETS[..]), 0..6),
    ) {
        let url = [scheme, &host.concat(), port, &target.concat()].concat();
        if let Some(plain) = PlainUrl::parse(&url) {
            let any = Destination::absolute(&url);
            prop_assert_eq!(any.map(parts), Ok(parts(Destination::of_plain(&plain))), "{}", url);
        }
    }
}

#[test]
fn urls_are_plain_unless_something_in_them_would_change() {
    for url in [
        "ws://127.0.0.1:8080/chat",
        "wss://example.org",
        "wss://a-b.example.org:8443/socket.io/?EIO=4&transport=websocket&t=a%20b",
        "ws://h/a/b_c/~d.e?x=/?y",
        "ws://localhost:443/",
    ] {
        assert!(PlainUrl::parse(url).is_some(), "{url}");
    }
    for url in [
        "WS://h/",
        " ws://h/",
        "http://h/",
        "ws://H/",
        "ws://h:80/",
        "wss://h:443/",
        "ws://h:080/",
        "ws://h./",
        "ws://[::1]/",
        "ws://1.2.3/",
        "ws://01.2.3.4/",
        "ws://a.0x1/",
        "ws://xn--a.example/",
        "ws://u@h/",
        "ws://h/a b",
        "ws://h/%2e%2e/",
        "ws://h/./a",
        "ws://h/.a",
        "ws://h/\\",
        "ws://h/?'",
        "ws://h/#",
        "ws://h?x",
        "ws://",
        "ws:///h",
        "ws://h:/",
        "ws://h/é",
    ] {
        assert!(PlainUrl::parse(url).is_none(), "{url}");
    }
}

#[test]
fn accepts_the_urls_of_the_web_platform() {
    for (text, href, origin) in [
        ("ws://h", "ws://h/", "ws://h"),
        (" WSS://H:443/a b?ü\u{0}x ", "wss://h/a%20b?%C3%BC%00x", "wss://h"),
        ("http://h:80/", "ws://h/", "ws://h"),
        ("https://u:p@h:8443/?", "wss://u:p@h:8443/?", "wss://h:8443"),
        ("ws:h:81/x", "ws://h:81/x", "ws://h:81"),
    ] {
        let url = parse_web_url(text, None).expect("a good URL");
        assert_eq!((url.href.as_str(), url.origin.as_str()), (href, origin), "{text}");
        assert!(Destination::parse(&url.href).is_ok(), "{href}");
    }
    for (text, error) in [
        ("ws://h/#", UrlError::Fragment),
        ("ws://h/#a", UrlError::Fragment),
        ("ftp://h/", UrlError::Scheme),
        ("mailto:a@b", UrlError::Scheme),
        ("about:blank", UrlError::Scheme),
        ("/chat", UrlError::NoScheme),
        ("", UrlError::NoScheme),
    ] {
        assert_eq!(parse_web_url(text, None), Err(error), "{text}");
    }
    for text in ["ws://a b/", "ws://[::1/", "ws://h:65536/"] {
        assert!(matches!(parse_web_url(text, None), Err(UrlError::Malformed(_))), "{text}");
    }
    let long = format!("ws://h/{}", "x".repeat(URL_BYTES_MAX));
    assert_eq!(parse_web_url(&long, None), Err(UrlError::TooLong));
    let of_page = parse_web_url("chat?x", Some("https://h:81/a/b?c#d")).expect("of a page");
    assert_eq!(of_page.href, "wss://h:81/a/chat?x");
    assert_eq!(parse_web_url("chat", Some("no URL")), Err(UrlError::NoScheme));
}

#[test]
fn keeps_the_zone_of_an_address_out_of_the_request() {
    for text in [
        "ws://[fe80::1%25eth0]:8080/a?b",
        "ws://u:p@[fe80::1%eth0]:8080/a?b",
        "ws://[fe80::1%25eth%30]:8080/a?b",
    ] {
        let destination = parse(text);
        assert_eq!(destination.zone.as_deref(), Some("eth0"), "{text}");
        assert_eq!(destination.authority, "[fe80::1]:8080");
        assert_eq!(destination.target, "/a?b");
        assert_eq!(destination.to_string(), "[fe80::1%eth0]:8080");
        assert_eq!(destination.url(), "ws://[fe80::1%25eth0]:8080/a?b");
    }
    assert_eq!(parse("ws://[fe80::1%2525]/").zone.as_deref(), Some("25"));
    assert_eq!(parse("ws://[::1]/%25?[a%b]").zone, None);
    assert_eq!(parse("wss://[fe80::1%251]").to_string(), "[fe80::1%1]:443");
    for text in
        ["ws://[fe80::1%]/", "ws://[fe80::1%25a%2fb]/", "ws://[fe80::1%25é]/", "ws://[fe80::1%25a b]/"]
    {
        assert!(Destination::parse(text).is_err(), "{text}");
    }
    assert!(Destination::parse("ws://[nothing%25eth0]/").is_err());
}

#[test]
fn resolves_references() {
    let base = parse("wss://u:p@example.org:8443/a/b?c");
    let of = |reference: &str| {
        let other = base.resolve(reference).expect("a good reference");
        assert_eq!(other.authorization, None);
        (other.url(), base.is_origin_of(&other))
    };
    assert_eq!(of("/x?y#z"), ("wss://example.org:8443/x?y".to_owned(), true));
    assert_eq!(of("x"), ("wss://example.org:8443/a/x".to_owned(), true));
    assert_eq!(of("https://example.org:8443/"), ("wss://example.org:8443/".to_owned(), true));
    assert_eq!(of("//other/"), ("wss://other/".to_owned(), false));
    assert_eq!(of("wss://example.org/"), ("wss://example.org/".to_owned(), false));
    assert_eq!(of("http://example.org:8443"), ("ws://example.org:8443/".to_owned(), false));
    for reference in ["ftp://x/", "mailto:a@b", "https://[", "wss://"] {
        assert!(base.resolve(reference).is_err(), "{reference}");
    }
}

#[test]
fn reports_a_missing_scheme_as_such() {
    let refused = |text: &str| Destination::parse(text).expect_err("not a URL");
    for text in [
        "www.example.com",
        "example.com:80/x",
        "127.0.0.1:8080",
        "[::1]:8080/",
        "localhost?token=1",
        "ws",
        "u:p@h",
    ] {
        assert_eq!(refused(text), UrlError::NoScheme, "{text}");
    }
    for text in
        ["", " ", "/chat", "//h/", "ws:h", "WSS:h", "ws:", "ftp://h/", "h:port", "h:65536", "a b", "?h"]
    {
        assert_ne!(refused(text), UrlError::NoScheme, "{text}");
    }
}

#[test]
fn recognizes_addresses_of_this_device() {
    let local = |url: &str| Destination::parse(url).expect("good").is_local();
    for url in [
        "ws://127.0.0.1/",
        "wss://127.3.2.1:8443/",
        "ws://[::1]/",
        "ws://[::ffff:127.0.0.1]/",
        "ws://localhost:1/",
        "ws://LocalHost./",
        "ws://a.localhost/",
    ] {
        assert!(local(url), "{url}");
    }
    for url in [
        "ws://192.168.1.1/",
        "ws://[fe80::1]/",
        "ws://0.0.0.0/",
        "ws://localhost.example/",
        "ws://notlocalhost/",
    ] {
        assert!(!local(url), "{url}");
    }
}
