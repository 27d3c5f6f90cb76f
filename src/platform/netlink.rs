//! Changes of the network from the kernel (rtnetlink(7)), on Linux without the platform's library.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::{logging, runtime};

/// One change of the network causes many notices. Those within this time make one call of `on_change`.
const SETTLE: Duration = Duration::from_millis(50);

/// Its drop ends the watch.
pub(crate) struct KernelWatch(
    #[expect(dead_code, reason = "its drop ends the watch")] oneshot::Sender<Infallible>,
);

/// Calls `on_change` on a worker of the runtime at each change of the network, until the result is dropped. Returns
/// `None` if the kernel refuses the socket or no worker can be started.
pub(super) fn watch(on_change: impl Fn() + Send + 'static) -> Option<KernelWatch> {
    let socket = open()
        .inspect_err(|cause| {
            logging::info(format_args!("the kernel does not report changes of the network: {cause}"));
        })
        .ok()?;
    let (end, ended) = oneshot::channel();
    runtime::spawn(async move {
        tokio::select! {
            outcome = listen(socket, on_change) => if let Err(cause) = outcome {
                logging::warn(format_args!("the kernel has stopped reporting changes of the network: {cause}"));
            },
            _ = ended => {}
        }
    })
    .ok()?;
    Some(KernelWatch(end))
}

fn open() -> io::Result<Socket> {
    let kind = Type::RAW.nonblocking().cloexec();
    let socket =
        Socket::new(Domain::from(libc::AF_NETLINK), kind, Some(Protocol::from(libc::NETLINK_ROUTE)))?;
    let groups = libc::RTMGRP_LINK
        | libc::RTMGRP_IPV4_IFADDR
        | libc::RTMGRP_IPV6_IFADDR
        | libc::RTMGRP_IPV4_ROUTE
        | libc::RTMGRP_IPV6_ROUTE;
    // SAFETY: the storage is large enough for every kind of address. It is zeroed, which is valid for the other fields.
    let ((), address) = unsafe {
        SockAddr::try_init(|storage, length| {
            let address = storage.cast::<libc::sockaddr_nl>();
            (*address).nl_family = libc::AF_NETLINK as libc::sa_family_t;
            (*address).nl_groups = groups.unsigned_abs();
            *length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
            Ok(())
        })
    }?;
    socket.bind(&address)?;
    Ok(socket)
}

async fn listen(socket: Socket, on_change: impl Fn()) -> io::Result<()> {
    // SAFETY: the socket owns its descriptor, which stays the same until the drop.
    let socket = unsafe { AsyncFd::register(socket) }?;
    loop {
        drop(socket.readable().await?);
        tokio::time::sleep(SETTLE).await;
        discard(&socket).await?;
        on_change();
    }
}

/// Reads and drops all pending notices. The sessions find out by themselves what has changed.
async fn discard(socket: &AsyncFd<Socket>) -> io::Result<()> {
    let mut guard = socket.readable().await?;
    let mut notice = [std::mem::MaybeUninit::uninit(); 4_096];
    loop {
        match guard.try_io(|socket| socket.get_ref().recv(&mut notice)) {
            Err(_would_block) => return Ok(()),
            // The kernel dropped notices because its buffer was full.
            Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(outcome) => drop(outcome?),
        }
    }
}
