//! The world of this thread. A test owns it.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::ReadBuf;
use tokio::time::Instant;

/// A result that comes later.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The surroundings of a client.
pub trait World: Send + Sync {
    /// Makes a connection.
    fn connect(&self, to: SocketAddr) -> Later<io::Result<Box<dyn Wire>>>;

    /// Looks up the addresses of a name in one family.
    fn look_up(&self, name: &str, v6: bool) -> Later<io::Result<Vec<SocketAddr>>>;

    /// Runs a task of the library.
    fn spawn(&self, task: Later<()>);

    /// A random number.
    fn chance(&self) -> u64;

    /// The instant from which all clients count their intervals.
    fn origin(&self) -> Instant;
}

/// The client's end of a connection.
pub trait Wire: Send {
    /// As [`tokio::io::AsyncRead::poll_read`], when the runtime knows of data.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;

    /// Reads what is there, even if the runtime does not know of it. `None` if nothing is there yet.
    fn read_now(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>>;

    /// Writes as much as there is room for.
    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Ends this side's stream.
    fn shut_down(&mut self) -> io::Result<()>;

    /// How many of the written bytes have not arrived.
    fn unacknowledged(&self) -> u64;
}

thread_local! {
    static WORLD: RefCell<Option<Arc<dyn World>>> = const { RefCell::new(None) };
}

/// Makes a world the world of this thread. Returns the previous one.
pub fn enter(world: Option<Arc<dyn World>>) -> Option<Arc<dyn World>> {
    WORLD.replace(world)
}

/// The world of this thread. Without a world a client can do nothing.
pub(super) fn here() -> Arc<dyn World> {
    WORLD.with_borrow(|world| world.clone()).expect("a world was entered on this thread")
}

pub(crate) fn look_up(name: &str, v6: bool) -> Later<io::Result<Vec<SocketAddr>>> {
    here().look_up(name, v6)
}

pub(crate) fn chance() -> StdRng {
    StdRng::seed_from_u64(here().chance())
}

pub(crate) fn origin() -> Instant {
    here().origin()
}
