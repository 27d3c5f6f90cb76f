//! No error text and no log line contains a secret of an application or a peer, whatever fails.
//!
//! The clients run in their own process at the most detailed log level.

mod support;

use std::net::TcpListener;
use std::process::Command;

use net_websocket::internals::client::{
    Credentials, MessageType, Options, Proxy, ProxyProtocol, ProxyServer, Request,
};

use support::{Peer, Recorded, Seen, quiet};

/// A part of every secret in these tests.
const MARK: &str = "s3cr3t";
/// The prefix of the lines with error texts.
const TOLD: &str = "told: ";

fn url(peer: &Peer) -> String {
    format!("ws://user-{MARK}:password-{MARK}@{}/room?token={MARK}#{MARK}", peer.address())
}

fn options() -> Options {
    let header = |name: &str, value: String| (name.as_bytes().to_vec(), value.into_bytes());
    Options {
        headers: vec![
            header("Cookie", format!("session={MARK}")),
            header("X-Api-Key", MARK.to_owned()),
            header("Authorization", format!("Bearer {MARK}")),
        ],
        max_redirects: 1,
        ..quiet()
    }
}

/// Reports the attempt or the connection until its end. A close reason is text of the peer, not of the library.
fn tell(recorded: &Recorded) {
    loop {
        match recorded.next() {
            Seen::Failed(text) => {
                println!("\n{TOLD}{text}");
                return;
            }
            Seen::Closed(..) => return,
            _ => {}
        }
    }
}

#[test]
#[ignore = "the clients of the other test"]
fn clients() {
    let answers = [
        format!("HTTP/1.1 401 No\r\nSet-Cookie: a={MARK}\r\nContent-Length: 6\r\n\r\n{MARK}"),
        format!("HTTP/1.1 403 No\r\nSec-WebSocket-Protocol: a b {MARK}\r\n\r\n{MARK}"),
        format!("HTTP/1.1 302 Found\r\nLocation: ftp://u:{MARK}@h/?{MARK}\r\n\r\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: ws://u:{MARK}@127.0.0.1:1/?{MARK}\r\n\r\n"),
        format!("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nSet-Cookie: a={MARK}\r\n\r\n"),
        format!("HTTP/1.1 101 Yes\r\nSet-Cookie {MARK}\r\n\r\n"),
        format!("HTTP/1.1 101 Yes\r\nSet-Cookie: a={MARK}\x01\r\n\r\n"),
        String::new(),
    ];
    for answer in answers {
        let peer = Peer::bind();
        let recorded = Recorded::connect_to(&url(&peer), options());
        peer.accept().answer(&answer);
        tell(&recorded);
    }
    // Frames that break an open connection, after payloads of both sides.
    let text = |first: u8, text: String| [&[first, text.len() as u8], text.as_bytes()].concat();
    let reason =
        |code: u16| [&[0x88, 2 + MARK.len() as u8], &code.to_be_bytes()[..], MARK.as_bytes()].concat();
    for behind in [
        text(0xc1, MARK.to_owned()),
        text(0x83, MARK.to_owned()),
        reason(1005),
        reason(1001),
        reason(4000),
        Vec::new(),
    ] {
        let peer = Peer::bind();
        let recorded = Recorded::connect_to(&url(&peer), options());
        recorded.client.send(MessageType::Text, format!("message {MARK}").as_bytes()).expect("room");
        let mut wire = peer.accept();
        wire.upgrade_with(
            &format!("Set-Cookie: a={MARK}\r\n"),
            &[text(0x81, format!("hi {MARK}")), behind].concat(),
        );
        wire.frame();
        drop(wire);
        tell(&recorded);
    }
    for (protocol, answer) in [
        (
            ProxyProtocol::Http,
            format!("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"{MARK}\"\r\n\r\n{MARK}"),
        ),
        (ProxyProtocol::Http, format!("HTTP/1.1 502 No\r\nX-A: {MARK}\r\n\r\n{MARK}")),
        (ProxyProtocol::Http, format!("HTTP/1.1 200 {MARK}\x01\r\n\r\n")),
    ] {
        let proxy = Peer::bind();
        let server = ProxyServer {
            protocol,
            host: proxy.address().ip().to_string(),
            port: proxy.address().port(),
            exclusions: Vec::new(),
            credentials: Some(Credentials {
                username: format!("proxy-{MARK}"),
                password: format!("proxy-{MARK}"),
            }),
        };
        let by = Proxy::Server(server);
        let peer = Peer::bind();
        let recorded = Recorded::connect_to(&url(&peer), Options { proxy: by, ..options() });
        // The proxy can get a second request, with credentials.
        std::thread::spawn(move || {
            loop {
                proxy.accept().answer(&answer);
            }
        });
        tell(&recorded);
    }
    // Where nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    tell(&Recorded::connect_to(&format!("ws://u:{MARK}@{free}/?{MARK}"), options()));
    // Calls that are refused.
    for url in [
        "ws://u:s3cr3t@h:99999/?s3cr3t",
        "ftp://u:s3cr3t@h/?s3cr3t",
        "ws://u:s3cr3t@/?s3cr3t",
        "ws://h/\0s3cr3t",
    ] {
        let refused = Request::parse(url, options()).err().map(|error| error.to_string());
        println!("\n{TOLD}{}", refused.unwrap_or_default());
    }
    let headers = vec![(b"X-A".to_vec(), format!("{MARK}\r\n").into_bytes())];
    let refused = Request::parse("ws://h/", Options { headers, ..quiet() }).err();
    println!("\n{TOLD}{}", refused.map(|error| error.to_string()).unwrap_or_default());
}

#[test]
fn no_error_text_and_no_log_line_contains_a_secret() {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "clients", "--ignored", "--nocapture"])
        .env("NET_WEBSOCKET_LOG", "debug")
        .output()
        .expect("a process");
    let told = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{log}");
    assert!(told.matches(TOLD).count() >= 20, "{told}");
    assert!(log.contains("connecting to 127.0.0.1:"), "{log}");
    for line in told.lines().chain(log.lines()) {
        assert!(!line.contains(MARK), "{line}");
    }
}
