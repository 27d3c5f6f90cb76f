//! Connections through proxies that write literal bytes. `real_proxies.rs` tests independent proxies.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use net_websocket::internals::client::{
    CloseStart, Credentials, MessageType, Options, Proxy, ProxyProtocol, ProxyServer, RESPONSE_HEAD_BYTES_MAX,
};
use support::{DEADLINE, Peer, Recorded, Seen, Wire, quiet};

/// No host has this name, so only the proxy can resolve it.
const DESTINATION: &str = "ws://server.invalid:8080/path?secret";

fn by(peer: &Peer, protocol: ProxyProtocol, credentials: Option<(&str, &str)>) -> Options {
    let address = peer.address();
    Options {
        proxy: Proxy::Server(ProxyServer {
            protocol,
            host: address.ip().to_string(),
            port: address.port(),
            exclusions: Vec::new(),
            credentials: credentials.map(|(username, password)| Credentials {
                username: username.to_owned(),
                password: password.to_owned(),
            }),
        }),
        ..quiet()
    }
}

fn http(peer: &Peer, credentials: Option<(&str, &str)>) -> Options {
    by(peer, ProxyProtocol::Http, credentials)
}

/// The text of a failure, which contains no credentials.
fn failure(recorded: &Recorded) -> String {
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(!text.contains("secret") && !text.contains("open sesame"), "{text}");
    text
}

/// Sends an echo through the tunnel.
fn echo(recorded: &Recorded, wire: &mut Wire) {
    let request = wire.upgrade(b"\x81\x02hi");
    assert!(request.starts_with("GET /path?secret HTTP/1.1\r\nHost: server.invalid:8080\r\n"), "{request}");
    assert!(!request.contains("Proxy-"), "{request}");
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Text("hi".to_owned()));
    recorded.client.send(MessageType::Text, b"there").expect("open");
    assert_eq!(wire.frame(), (0x81, b"there".to_vec()));
}

#[test]
fn asks_an_http_proxy_for_a_tunnel_by_host_name() {
    let peer = Peer::bind();
    let recorded = Recorded::connect_to(DESTINATION, http(&peer, Some(("alice", "open sesame"))));
    let mut wire = peer.accept();
    let request = wire.read_request();
    assert!(
        request.starts_with("CONNECT server.invalid:8080 HTTP/1.1\r\nHost: server.invalid:8080\r\n"),
        "{request}"
    );
    assert!(!request.contains("Authorization"), "nothing of the credentials unasked: {request}");
    wire.send(b"HTTP/1.0 200 Connection established\r\nX: y\r\n\r\n");
    echo(&recorded, &mut wire);
    recorded.finish(wire);
}

#[test]
fn answers_a_challenge_on_a_new_connection() {
    let peer = Peer::bind();
    let recorded = Recorded::connect_to(DESTINATION, http(&peer, Some(("alice", "open sesame"))));
    let mut wire = peer.accept();
    wire.read_request();
    wire.send(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\r\nbody");
    let mut wire = peer.accept();
    let request = wire.read_request();
    assert!(request.contains("\r\nProxy-Authorization: Basic YWxpY2U6b3BlbiBzZXNhbWU=\r\n"), "{request}");
    wire.send(b"HTTP/1.1 200 OK\r\n\r\n");
    echo(&recorded, &mut wire);
    recorded.finish(wire);
}

#[test]
fn names_the_fault_of_an_http_proxy() {
    let too_long = format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(RESPONSE_HEAD_BYTES_MAX / 6 + 1));
    let challenge = "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n";
    for (answer, credentials, expected) in [
        (challenge, None, "asks for a user name and a password, but none are set"),
        (
            "HTTP/1.1 407 Who?\r\nProxy-Authenticate: NTLM\r\n\r\n",
            Some(("a", "b")),
            "authentication that is not supported",
        ),
        ("HTTP/1.1 403 Filtered\r\n\r\n<html>", None, "answered HTTP 403 Filtered"),
        ("HTTP/1.1 502 Bad\r\nX: y\r\n\r\n", None, "answered HTTP 502 Bad"),
        ("SSH-2.0-OpenSSH_9\r\n", None, "not HTTP/1"),
        ("\0\x01\x02", None, "not HTTP/1"),
        ("\x15\x03\x01\0\x02\x02\x0a", None, "not HTTP/1 but TLS"),
        ("HTTP/1.1 200 OK\r\nX-A : y\r\n\r\n", None, "not HTTP/1: line 2 (X-A) has a space before the colon"),
        ("HTTP/1.1 502 Bad\r\nX-A: b\r\n c\r\n\r\n", None, "answered HTTP 502 Bad"),
        ("HTTP/1.1 200 OK\r\nX: y\r\n", None, "closed the connection before it answered"),
        ("", None, "closed the connection before it answered"),
        ("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101", None, "sent data after its answer"),
        (&too_long, None, "over 65536 bytes or 256 headers"),
    ] {
        let peer = Peer::bind();
        let recorded = Recorded::connect_to(DESTINATION, http(&peer, credentials));
        let mut wire = peer.accept();
        wire.read_request();
        // The client may close before all bytes are written.
        let _ = wire.0.write_all(answer.as_bytes());
        let _ = wire.0.shutdown(Shutdown::Write);
        let text = failure(&recorded);
        let start = format!("proxy tunnel to server.invalid:8080 by {} failed: ", peer.address());
        assert!(text.starts_with(&start) && text.contains(expected), "{text}");
        recorded.finish(wire);
    }
}

#[test]
fn sends_basic_credentials_once_to_a_proxy_that_names_no_scheme() {
    const BASIC: &str = "\r\nProxy-Authorization: Basic YWxpY2U6b3BlbiBzZXNhbWU=\r\n";
    for (answer, refusal) in [
        ("HTTP/1.1 401 Who?\r\n\r\n", "answered HTTP 401 Who?"),
        ("HTTP/1.1 403 No\r\n\r\n", "answered HTTP 403 No"),
        ("HTTP/1.1 407 Who?\r\n\r\n", "refused the user name and the password"),
        ("HTTP/1.1 407", "closed the connection before it answered"),
        ("", "closed the connection before it answered"),
    ] {
        for accepts in [true, false] {
            let peer = Peer::bind();
            let recorded = Recorded::connect_to(DESTINATION, http(&peer, Some(("alice", "open sesame"))));
            let mut wire = peer.accept();
            let request = wire.read_request();
            assert!(!request.contains("Authorization"), "{request}");
            wire.send(answer.as_bytes());
            let _ = wire.0.shutdown(Shutdown::Write);
            let mut wire = peer.accept();
            let request = wire.read_request();
            assert!(request.contains(BASIC), "{answer}: {request}");
            if accepts {
                wire.send(b"HTTP/1.1 200 OK\r\n\r\n");
                echo(&recorded, &mut wire);
            } else {
                wire.send(answer.as_bytes());
                let _ = wire.0.shutdown(Shutdown::Write);
                let text = failure(&recorded);
                assert!(text.contains(refusal), "{text}");
            }
            recorded.finish(wire);
        }
    }
    // An answer that is not about credentials causes no second request.
    let peer = Peer::bind();
    let recorded = Recorded::connect_to(DESTINATION, http(&peer, Some(("alice", "open sesame"))));
    peer.accept().answer("HTTP/1.1 502 Bad\r\n\r\n");
    assert!(failure(&recorded).contains("answered HTTP 502 Bad"));
    recorded.finish(peer);
}

#[test]
fn fails_when_the_proxy_refuses_the_credentials() {
    let peer = Peer::bind();
    let recorded = Recorded::connect_to(DESTINATION, http(&peer, Some(("alice", "open sesame"))));
    for _ in 0..2 {
        let mut wire = peer.accept();
        wire.read_request();
        wire.send(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
    }
    assert!(failure(&recorded).contains("refused the user name and the password"));
    recorded.finish(peer);
}

#[test]
fn asks_a_socks5_proxy_for_a_tunnel_with_and_without_credentials() {
    for credentials in [None, Some(("alice", "open sesame"))] {
        let peer = Peer::bind();
        let recorded = Recorded::connect_to(DESTINATION, by(&peer, ProxyProtocol::Socks5, credentials));
        let mut wire = peer.accept();
        match credentials {
            None => {
                wire.expect(b"\x05\x01\x00");
                wire.send(b"\x05\x00");
            }
            Some(_) => {
                wire.expect(b"\x05\x02\x00\x02");
                wire.send(b"\x05\x02");
                wire.expect(b"\x01\x05alice\x0bopen sesame");
                wire.send(b"\x01\x00");
            }
        }
        wire.expect(b"\x05\x01\x00\x03\x0eserver.invalid\x1f\x90");
        wire.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38");
        echo(&recorded, &mut wire);
        recorded.finish(wire);
    }
}

#[test]
fn names_the_fault_of_a_socks5_proxy() {
    let alice = Some(("alice", "open sesame"));
    for (answers, credentials, expected) in [
        (&[&b"\x05\xff"[..]][..], None, "asks for a user name and a password, but none are set"),
        (&[b"\x05\xff"], alice, "authentication that is not supported"),
        (&[b"\x05\x01"], None, "not SOCKS5"),
        (&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], None, "not SOCKS5"),
        (&[b"\x05\x02", b"\x01\x01"], alice, "refused the user name and the password"),
        (&[b"\x05\x00", b"\x05\x05\x00\x01\0\0\0\0\0\0"], None, "replied 5, connection refused"),
        (&[b"\x05\x00", b"\x05\x99\x00\x01\0\0\0\0\0\0"], None, "replied 153, unassigned"),
        (&[b"\x05\x00", b"\x05\x00\x00\x09"], None, "not SOCKS5"),
        (&[b"\x05\x00", b"\x05\x00\x00\x03\x09short"], None, "closed the connection before it answered"),
        (&[b"\x05"], None, "closed the connection before it answered"),
        (&[], None, "closed the connection before it answered"),
    ] {
        let peer = Peer::bind();
        let recorded = Recorded::connect_to(DESTINATION, by(&peer, ProxyProtocol::Socks5, credentials));
        let mut wire = peer.accept();
        let mut request = [0; 512];
        for answer in answers {
            assert_ne!(wire.0.read(&mut request).expect("a request"), 0);
            wire.send(answer);
        }
        if answers.is_empty() {
            assert_ne!(wire.0.read(&mut request).expect("a request"), 0);
        }
        // The client may have closed already.
        let _ = wire.0.shutdown(Shutdown::Write);
        let text = failure(&recorded);
        assert!(
            text.starts_with("proxy tunnel to server.invalid:8080 by ") && text.contains(expected),
            "{text}"
        );
        recorded.finish(wire);
    }
}

#[test]
fn connects_directly_to_excluded_hosts() {
    let (proxy, server) = (Peer::bind(), Peer::bind());
    let mut options = http(&proxy, None);
    if let Proxy::Server(settings) = &mut options.proxy {
        settings.exclusions = vec![format!("10.0.0.0/8, 127.*:{}", server.address().port())];
    }
    let recorded = Recorded::connect(&server, options);
    let wire = server.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.finish(wire);
}

#[test]
fn names_the_proxy_when_it_cannot_be_reached() {
    let address = Peer::bind().address();
    let mut options = quiet();
    options.proxy = Proxy::Server(ProxyServer {
        protocol: ProxyProtocol::Http,
        host: address.ip().to_string(),
        port: address.port(),
        exclusions: Vec::new(),
        credentials: None,
    });
    let recorded = Recorded::connect_to(DESTINATION, options);
    let text = failure(&recorded);
    assert!(text.starts_with(&format!("TCP connect to the proxy {address} failed: ")), "{text}");
    recorded.finish(());
}

#[test]
fn speaks_tls_with_the_server_behind_the_tunnel() {
    let peer = Peer::bind();
    let url = DESTINATION.replace("ws://", "wss://");
    let recorded = Recorded::connect_to(&url, http(&peer, None));
    let mut wire = peer.accept();
    wire.read_request();
    wire.send(b"HTTP/1.1 200 OK\r\n\r\n");
    // A handshake record with a ClientHello that contains the name of the server (RFC 8446 section 5.1).
    let mut header = [0; 5];
    wire.0.read_exact(&mut header).expect("a record");
    let mut hello = vec![0; usize::from(header[3]) << 8 | usize::from(header[4])];
    wire.0.read_exact(&mut hello).expect("a handshake");
    assert_eq!((header[0], hello[0]), (22, 1));
    assert!(hello.windows(14).any(|window| window == b"server.invalid"));
    wire.send(b"not TLS at all\r\n");
    assert!(failure(&recorded).starts_with("TLS handshake with server.invalid:8080 failed: "));
    recorded.finish(wire);
}

#[test]
fn closes_a_cancelled_tunnel_at_once() {
    let peer = Peer::bind();
    let recorded = Recorded::connect_to(DESTINATION, http(&peer, None));
    let mut wire = peer.accept();
    wire.read_request();
    assert_eq!(recorded.client.close(1_000, ""), Ok(CloseStart::Cancelled));
    assert!(failure(&recorded).contains("abandoned during the proxy tunnel"));
    wire.expect_end();
    recorded.finish(wire);
}

/// The environment belongs to the process, so a child process runs the ignored test below.
#[test]
fn follows_the_environment_variables() {
    let peer = Peer::bind();
    let program = std::env::current_exe().expect("a test program");
    let mut child = std::process::Command::new(program)
        .args(["--ignored", "--exact", "child_connects_by_the_environment", "--quiet"])
        .env_clear()
        .env("http_proxy", format!("http://alice:open%20sesame@{}/", peer.address()))
        .env("no_proxy", "other.invalid")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a process");
    let mut wire = peer.accept();
    let request = wire.read_request();
    assert!(request.starts_with("CONNECT server.invalid:8080 HTTP/1.1\r\n"), "{request}");
    wire.send(b"HTTP/1.1 200 OK\r\n\r\n");
    wire.upgrade(b"\x88\x02\x03\xe8");
    drop(wire);
    assert!(child.wait().expect("it ends").success());
}

#[test]
#[ignore = "the child process of follows_the_environment_variables"]
fn child_connects_by_the_environment() {
    if std::env::var_os("http_proxy").is_none() {
        return;
    }
    let recorded = Recorded::connect_to(DESTINATION, Options { proxy: Proxy::System, ..quiet() });
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Closed(1_000, String::new()));
    recorded.finish(());
}

/// One direction of a relay.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn sends_and_receives_through_a_relaying_proxy() {
    let (proxy, server) = (Peer::bind(), Peer::bind());
    let options = http(&proxy, None);
    let recorded = Recorded::connect(&server, options);
    let mut wire = proxy.accept();
    let request = wire.read_request();
    assert!(request.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address())), "{request}");
    let onward = TcpStream::connect(server.address()).expect("the server listens");
    wire.send(b"HTTP/1.1 200 OK\r\n\r\n");
    onward.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let copy = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
    let there = thread::spawn({
        let (from, to) = (copy(&wire.0), copy(&onward));
        move || pump(from, to)
    });
    let back = thread::spawn({
        let (from, to) = (copy(&onward), copy(&wire.0));
        move || pump(from, to)
    });
    let mut end = server.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.send(MessageType::Binary, &vec![7; 300_000]).expect("open");
    assert_eq!(end.frame(), (0x82, vec![7; 300_000]));
    end.send(b"\x88\x02\x03\xe8");
    assert_eq!(end.frame(), (0x88, b"\x03\xe8".to_vec()));
    drop(end);
    assert_eq!(recorded.next(), Seen::Closed(1_000, String::new()));
    recorded.finish(wire);
    there.join().expect("no panic");
    back.join().expect("no panic");
}
