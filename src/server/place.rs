//! The places of a server and of its clients: an address, or a path of the file system.
//!
//! Owns the listening socket and its file.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdTcpListener, TcpStream as StdTcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener};

/// The most clients that the kernel keeps while the server is busy. It may keep fewer.
const BACKLOG: i32 = 1_024;
/// The longest path of a socket in bytes (`unix(7)`). The kernel has room for 108, with a NUL at the end.
const PATH_BYTES_MAX: usize = 107;

/// The place of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remote {
    /// At the other end of a TCP connection.
    Address(SocketAddr),
    /// On this device, connected to the server's path. The number counts the path's clients, from 1.
    Path(u64),
}

impl Remote {
    /// The address. `None` for a client without one.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address.ip()),
            Self::Path(_) => None,
        }
    }

    /// The address as text. Empty for a client without one.
    pub fn ip_text(self) -> String {
        self.ip().map_or_else(String::new, |ip| ip.to_string())
    }

    /// The port. 0 for a client without one.
    pub fn port(self) -> u16 {
        match self {
            Self::Address(address) => address.port(),
            Self::Path(_) => 0,
        }
    }
}

/// For logs and error texts.
impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.ip().fmt(f),
            Self::Path(_) => f.write_str("at socketPath"),
        }
    }
}

/// A listening socket that the runtime does not know yet.
pub(super) enum Bound {
    Address(StdTcpListener),
    Path(SocketFile, StdUnixListener),
}

impl Bound {
    /// Listens at an address. The address for all of IPv6 also serves IPv4.
    pub(super) fn at_address(address: SocketAddr) -> io::Result<Self> {
        // A socket of IPv6 alone cannot have an IPv4 address in the form of IPv6.
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Connections of an earlier server may still be in the kernel, waiting for late packets.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(Self::Address(socket.into()))
    }

    /// Listens at a path where no file exists.
    pub(super) fn at_path(path: &Path) -> io::Result<Self> {
        let bytes = path.as_os_str().as_bytes();
        let unusable = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        match bytes.len() {
            0 => return unusable("the path is empty".to_owned()),
            length if length > PATH_BYTES_MAX => {
                return unusable(format!("the path has {length} bytes, {PATH_BYTES_MAX} are allowed"));
            }
            _ if bytes.contains(&0) => return unusable("the path contains a NUL byte".to_owned()),
            _ => {}
        }
        let listener = StdUnixListener::bind(path)?;
        let file = SocketFile::of(path)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Path(file, listener))
    }

    /// The address that it listens at. `None` for a path.
    pub(super) fn local(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Address(listener) => listener.local_addr().map(Some),
            Self::Path(..) => Ok(None),
        }
    }

    /// Passes it to the runtime. Call it within the runtime.
    pub(super) fn into_listening(self) -> io::Result<Listening> {
        Ok(match self {
            Self::Address(listener) => Listening::Address(TcpListener::from_std(listener)?),
            Self::Path(_file, listener) => {
                Listening::Path { _file, listener: UnixListener::from_std(listener)?, clients: 0 }
            }
        })
    }
}

/// A listening socket.
pub(super) enum Listening {
    Address(TcpListener),
    /// The file is dropped first, so nobody finds a file without a listener.
    Path {
        _file: SocketFile,
        listener: UnixListener,
        clients: u64,
    },
}

impl Listening {
    pub(super) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, Remote)>> {
        match self {
            Self::Address(listener) => {
                let (stream, remote) = ready!(listener.poll_accept(cx))?;
                let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                Poll::Ready(Ok((stream, Remote::Address(remote))))
            }
            Self::Path { listener, clients, .. } => {
                let (stream, _) = ready!(listener.poll_accept(cx))?;
                *clients += 1;
                // Both are streams of bytes. Calls that only TCP supports are not made for a client without an address.
                let socket = OwnedFd::from(stream.into_std()?);
                let stream = TcpStream::from_std(StdTcpStream::from(socket))?;
                Poll::Ready(Ok((stream, Remote::Path(*clients))))
            }
        }
    }
}

/// The file of a socket. Its drop removes the file, unless another file is there by now.
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity)
            && let Err(cause) = fs::remove_file(&self.path)
        {
            crate::logging::warn(format_args!("the file of the server's socket stays: {cause}"));
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}
