//! The answer to the upgrade, which is the first that a stranger can send.

use std::sync::LazyLock;

use net_websocket::internals::client::{
    Options, PerMessageDeflate, Request, SessionOptions, parse_response_head,
};

/// The key of RFC 6455 section 1.3 and its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

static REQUESTS: LazyLock<[Request; 2]> = LazyLock::new(|| {
    let request = |protocols: &str, per_message_deflate| {
        let options = Options {
            protocols: protocols.to_owned(),
            session: SessionOptions { per_message_deflate, ..SessionOptions::default() },
            ..Options::default()
        };
        Request::parse("ws://example.org/", options).expect("a good request")
    };
    let narrow = PerMessageDeflate {
        client_max_window_bits: 10,
        server_max_window_bits: 12,
        server_no_context_takeover: true,
        ..PerMessageDeflate::default()
    };
    [request("", None), request("chat, superchat", Some(narrow))]
});

/// The first byte decides the request and whether the rest is a whole head or follows the lines that every good one has.
pub fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let request = &REQUESTS[usize::from(choice & 1)];
    let head = if choice & 2 == 0 { rest.to_vec() } else { [GOOD.as_bytes(), rest].concat() };
    let parse = |head: &[u8]| parse_response_head(head, request, KEY);
    match parse(&head) {
        Ok(None) => {}
        Ok(Some((opened, len))) => {
            assert_eq!(opened.status, 101);
            let (head, behind) = head.split_at(len);
            assert!(head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n"));
            assert!(clean(&opened.reason));
            assert!(
                opened.headers.iter().all(|(name, _)| !name.bytes().any(|byte| byte.is_ascii_uppercase()))
            );
            if let Some(protocol) = &opened.protocol {
                assert!(choice & 1 != 0 && ["chat", "superchat"].contains(&&**protocol));
            }
            assert!(choice & 1 != 0 || opened.extensions.is_none());
            // Complete at its last byte and not before, and whatever comes behind.
            assert!(matches!(parse(&head[..len - 1]), Ok(None)));
            assert!(matches!(parse(&[head, behind, b"x"].concat()), Ok(Some((_, same))) if same == len));
            for cut in [len / 4, len / 2, len * 3 / 4] {
                assert!(matches!(parse(&head[..cut]), Ok(None)));
            }
        }
        // The text reaches logs and applications: a server must not put line ends or colours into it.
        Err(error) => assert!(clean(&error.to_string()), "{error}"),
    }
}

fn clean(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
