//! Connections through independent proxies, for ws and wss: tinyproxy, squid and microsocks. `scripts/setup.sh --servers`
//! installs them. A test without its proxy is skipped and says so.

mod support;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use net_websocket::internals::client::{
    Credentials, MessageType, Options, Proxy, ProxyProtocol, ProxyServer,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::{DEADLINE, Recorded, Seen, quiet};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const ALICE: (&str, &str) = ("alice", "open sesame");

/// A proxy process, which ends with this value.
struct Running {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts a program with its own address and folder. `None` when it is not installed.
fn start(program: &str, arguments: impl FnOnce(SocketAddr, &Path) -> Vec<String>) -> Option<Running> {
    static STARTED: AtomicU8 = AtomicU8::new(0);
    // No other process listens on this address, so a free port stays free.
    let [low, high, ..] = process::id().to_le_bytes();
    let own = Ipv4Addr::new(127, 64 + STARTED.fetch_add(1, Ordering::Relaxed), high, low);
    let listener = TcpListener::bind((own, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let folder = env::temp_dir().join(format!("net_websocket-{program}-{own}"));
    fs::create_dir(&folder).expect("a folder");
    // A proxy that drops its root privileges reads it too.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("the folder's owner");
    let arguments = arguments(address, &folder);
    let path = format!("{}:/usr/sbin:/usr/bin", env::var("PATH").unwrap_or_default());
    let spawned = Command::new(program)
        .args(arguments)
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = spawned else {
        let _ = fs::remove_dir_all(&folder);
        // A macro would print into the test harness's buffer.
        let _ = writeln!(std::io::stderr(), "skip: {program} is not installed");
        return None;
    };
    let mut running = Running { child, address, folder };
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert_eq!(running.child.try_wait().expect("a child"), None, "{program} has ended");
        assert!(start.elapsed() < DEADLINE, "{program} does not listen");
        // The program has no other way to report that it listens.
        thread::sleep(Duration::from_millis(10));
    }
    Some(running)
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("room for a file");
    path.to_str().expect("UTF-8").to_owned()
}

fn by(running: &Running, protocol: ProxyProtocol, credentials: Option<(&str, &str)>) -> Options {
    let credentials = credentials.map(|(username, password)| Credentials {
        username: username.to_owned(),
        password: password.to_owned(),
    });
    let (host, port) = (running.address.ip().to_string(), running.address.port());
    let server = ProxyServer { protocol, host, port, exclusions: Vec::new(), credentials };
    Options { proxy: Proxy::Server(server), ..quiet() }
}

/// Serves one connection: upgrades it, says hello, and closes.
fn serve(stream: &mut (impl Read + Write)) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a request");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    stream.write_all(answer.as_bytes()).expect("connected");
    // The client's "hello", masked, and its answer to the close frame.
    let mut hello = [0; 11];
    stream.read_exact(&mut hello).expect("a message");
    assert_eq!(hello[..2], [0x81, 0x85]);
    stream.write_all(b"\x81\x02hi\x88\x02\x03\xe8").expect("connected");
    let _ = stream.read(&mut [0; 8]);
}

/// One connection by ws and one by wss to a server whose name only the proxy knows.
fn passes(options: &Options) {
    for tls in [false, true] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let server = thread::spawn(move || {
            let (mut tcp, _) = listener.accept().expect("a connection");
            tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
            if !tls {
                return serve(&mut tcp);
            }
            let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_no_client_auth()
                .with_single_cert(vec![own.cert.der().clone()], key)
                .expect("its key");
            let connection = ServerConnection::new(Arc::new(config)).expect("a configuration");
            serve(&mut StreamOwned::new(connection, tcp));
        });
        let scheme = if tls { "wss" } else { "ws" };
        let mut options = options.clone();
        options.tls.skip_server_verification = true;
        let recorded = Recorded::connect_to(&format!("{scheme}://localhost:{port}/"), options);
        assert_eq!(recorded.next(), Seen::Opened);
        recorded.client.send(MessageType::Text, b"hello").expect("open");
        assert_eq!(recorded.next(), Seen::Text("hi".to_owned()));
        assert_eq!(recorded.next(), Seen::Closed(1_000, String::new()));
        server.join().expect("a good server");
        recorded.finish(());
    }
}

fn fails(options: Options, expected: &str) {
    let recorded = Recorded::connect_to("ws://localhost:9/", options);
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.starts_with("proxy tunnel to localhost:9 by ") && text.contains(expected), "{text}");
    assert!(!text.contains(ALICE.1), "{text}");
    recorded.finish(());
}

fn tinyproxy(extra: &'static str) -> Option<Running> {
    start("tinyproxy", |address, folder| {
        let (ip, port) = (address.ip(), address.port());
        let text =
            format!("Port {port}\nListen {ip}\nAllow 127.0.0.0/8\nTimeout 60\nMaxClients 20\n{extra}\n");
        vec!["-d".to_owned(), "-c".to_owned(), write(folder, "tinyproxy.conf", &text)]
    })
}

#[test]
fn passes_tinyproxy() {
    let Some(running) = tinyproxy("") else { return };
    passes(&by(&running, ProxyProtocol::Http, None));
    fails(by(&running, ProxyProtocol::Http, None), "answered HTTP 50");
}

#[test]
fn passes_tinyproxy_with_basic_authentication() {
    let Some(running) = tinyproxy("BasicAuth alice opensesame") else { return };
    let good = Some((ALICE.0, "opensesame"));
    passes(&by(&running, ProxyProtocol::Http, good));
    fails(by(&running, ProxyProtocol::Http, None), "asks for a user name and a password");
    fails(by(&running, ProxyProtocol::Http, Some(ALICE)), "answered HTTP 401");
}

#[test]
fn passes_squid_with_digest_authentication() {
    let helper = "/usr/lib/squid/digest_file_auth";
    let running = start("squid", |address, folder| {
        let users = write(folder, "users", &format!("{}:{}\n", ALICE.0, ALICE.1));
        let text = format!(
            "http_port {address}\npid_filename none\ncache_log /dev/null\naccess_log none\ncache deny all\n\
             visible_hostname localhost\nshutdown_lifetime 0 seconds\nauth_param digest program {helper} {users}\n\
             auth_param digest realm net_websocket\nacl known proxy_auth REQUIRED\n\
             http_access allow known\nhttp_access deny all\n"
        );
        // Its shared memory is named after the service, and remains when the process is killed.
        let service = format!("test{}", address.port());
        vec!["-N".to_owned(), "-n".to_owned(), service, "-f".to_owned(), write(folder, "squid.conf", &text)]
    });
    let Some(running) = running else { return };
    passes(&by(&running, ProxyProtocol::Http, Some(ALICE)));
    fails(by(&running, ProxyProtocol::Http, None), "asks for a user name and a password");
    fails(by(&running, ProxyProtocol::Http, Some(("alice", "x"))), "refused the user name");
    fails(by(&running, ProxyProtocol::Http, Some(ALICE)), "answered HTTP 503");
}

fn microsocks(extra: &'static [&'static str]) -> Option<Running> {
    start("microsocks", |address, _| {
        let own = ["-i".to_owned(), address.ip().to_string(), "-p".to_owned(), address.port().to_string()];
        own.into_iter().chain(extra.iter().map(|text| (*text).to_owned())).collect()
    })
}

#[test]
fn passes_microsocks() {
    let Some(running) = microsocks(&[]) else { return };
    passes(&by(&running, ProxyProtocol::Socks5, None));
    fails(by(&running, ProxyProtocol::Socks5, None), "replied 5, connection refused");
}

#[test]
fn passes_microsocks_with_credentials() {
    let Some(running) = microsocks(&["-u", "alice", "-P", "open sesame"]) else { return };
    passes(&by(&running, ProxyProtocol::Socks5, Some(ALICE)));
    fails(by(&running, ProxyProtocol::Socks5, None), "asks for a user name and a password");
    fails(by(&running, ProxyProtocol::Socks5, Some(("alice", "x"))), "refused the user name");
}
