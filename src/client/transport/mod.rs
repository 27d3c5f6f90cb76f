//! The transport of bytes: sockets, TLS, routes, and changes of the network.
//!
//! Knows nothing of HTTP or WebSockets.

mod route;
mod socket;
mod stream;
#[cfg(not(feature = "simulation"))]
mod tcp;
mod tls;
mod watch;

#[cfg(feature = "simulation")]
use crate::simulation::tcp;

pub(super) use self::route::Endpoints;
pub(crate) use self::socket::Socket;
pub(crate) use self::stream::Stream;
pub(crate) use self::tcp::Tcp;
pub(crate) use self::tls::TlsStream;
#[cfg(not(feature = "simulation"))]
pub use self::tls::tls_client;

pub(super) use self::socket::LastActivity;
pub(super) use self::tcp::LentSocket;
pub(super) use self::watch::{Notified, Subscription, subscribe};

#[cfg(all(test, not(feature = "simulation")))]
pub(in crate::client) mod tests {
    use std::mem::MaybeUninit;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};

    use rcgen::generate_simple_self_signed;
    use rustls::client::UnbufferedClientConnection;
    use rustls::crypto::ring::default_provider;
    use rustls::pki_types::{PrivateKeyDer, ServerName, pem::PemObject};
    use rustls::server::UnbufferedServerConnection;
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use socket2::SockRef;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
    use tokio::net::{TcpListener, TcpStream};

    use crate::client::transport::{Socket, Tcp, TlsStream};

    /// A client and its server. The kernel takes some `send_buffer` bytes of the client at once.
    pub(in crate::client) async fn tls_pair(send_buffer: usize) -> (Box<TlsStream>, Box<TlsStream>) {
        let own = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(own.signing_key.serialize_pem().as_bytes()).expect("a key");
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).expect("an authority");
        let provider = Arc::new(default_provider());
        let server =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let server = server
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .expect("a certificate and its key");
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.expect("versions").with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let client = UnbufferedClientConnection::new(Arc::new(client), name).expect("a client");
        let server = UnbufferedServerConnection::new(Arc::new(server)).expect("a server");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let near = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
        SockRef::from(&near).set_send_buffer_size(send_buffer).expect("a size of the buffer");
        let (far, _) = listener.accept().await.expect("a connection");
        let socket = |tcp| Socket::accepted(Tcp::accepted(tcp));
        let client = async {
            let mut client = TlsStream::connect(socket(near), client).await.expect("a handshake");
            client.flush().await.expect("sent");
            client
        };
        let (client, server) = tokio::join!(client, TlsStream::accept(socket(far), server));
        (client, server.expect("a handshake"))
    }

    #[tokio::test]
    async fn a_connection_that_waits_for_its_end_keeps_no_memory() {
        let (mut client, mut server) = tls_pair(4_096).await;
        client.write_all(b"data").await.expect("sent");
        server.read_exact(&mut [0; 4]).await.expect("received");
        assert!(server.memory() > 0);
        server.shutdown().await.expect("the end");
        assert_eq!(server.memory(), 0);
    }

    #[tokio::test]
    async fn the_kernel_collects_what_is_missing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let near = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
        let kernel = SockRef::from(&near).try_clone().expect("a descriptor");
        let (mut far, _) = listener.accept().await.expect("a connection");
        let mut socket = Socket::accepted(Tcp::accepted(near));
        let mut room = vec![0; 100_000];
        // It had collected nothing.
        assert!(!socket.collect(40_000));
        assert!(socket.collects());
        far.write_all(&[1; 10_000]).await.expect("written");
        while kernel.peek(&mut [MaybeUninit::uninit(); 10_000]).map_or(true, |count| count < 10_000) {
            tokio::task::yield_now().await;
        }
        let mut cx = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut socket).poll_read(&mut cx, &mut ReadBuf::new(&mut room));
        // 30,000 bytes are missing.
        assert!(read.is_pending());
        far.write_all(&[1; 30_000]).await.expect("written");
        assert_eq!(socket.read(&mut room).await.ok(), Some(40_000));
        // The rest of another frame, of which the kernel has a part.
        assert!(!socket.collect(50_000));
        far.write_all(&[1; 9_000]).await.expect("written");
        while kernel.peek(&mut [MaybeUninit::uninit(); 9_000]).map_or(true, |count| count < 9_000) {
            tokio::task::yield_now().await;
        }
        // The kernel may have it already.
        assert!(socket.collect(0));
        assert!(!socket.collects());
        assert_eq!(socket.read(&mut room).await.ok(), Some(9_000));
        drop(far);
        assert!(!socket.collect(50_000));
        // The end is reported in any case.
        assert_eq!(socket.read(&mut room).await.ok(), Some(0));
    }

    #[tokio::test]
    async fn the_end_is_known_when_all_data_before_it_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let near = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
        let (mut far, _) = listener.accept().await.expect("a connection");
        let mut socket = Socket::accepted(Tcp::accepted(near));
        assert!(!socket.has_ended());
        far.write_all(b"x").await.expect("written");
        drop(far);
        assert_eq!([socket.has_ended(), socket.has_ended()], [false, true]);
    }
}
