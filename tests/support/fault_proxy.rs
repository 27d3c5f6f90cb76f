//! A TCP proxy that disturbs a connection as networks do, at a chosen byte.
//!
//! Counts bytes. Knows nothing of WebSocket or TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// The fault of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The direction ends after this many bytes, as when a peer shuts down its side. The other direction continues.
    HalfClose(usize),
    /// Both directions end after this many bytes of this one.
    Truncate(usize),
    /// Both directions are reset after this many bytes of this one.
    Reset(usize),
    /// No byte of this direction passes after this many bytes.
    Stall(usize),
    /// After this many bytes, no byte passes in either direction.
    BlackHole(usize),
    /// The byte at this place is sent twice.
    Duplicate(usize),
    /// The byte at this place is changed: these bits of it are flipped.
    Flip(usize, u8),
    /// From this place on all bytes are replaced by bytes from the seed.
    Garbage(usize, u64),
    /// At this place, a pause.
    Delay(usize, Duration),
    /// One byte at a time.
    Drip,
    /// This many bytes at a time, with a pause after each.
    Slow(usize, Duration),
}

impl Fault {
    /// The place in the stream up to which bytes pass unchanged.
    fn at(self) -> usize {
        match self {
            Self::None | Self::Drip | Self::Slow(..) => usize::MAX,
            Self::HalfClose(at)
            | Self::Truncate(at)
            | Self::Reset(at)
            | Self::Stall(at)
            | Self::BlackHole(at)
            | Self::Duplicate(at)
            | Self::Flip(at, _)
            | Self::Garbage(at, _)
            | Self::Delay(at, _) => at,
        }
    }
}

/// A pseudo-random byte, the same for the same seed and place (the end of SplitMix64).
pub fn noise(seed: u64, at: usize) -> u8 {
    let mixed = (seed << 32 ^ at as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) >> 56) as u8
}

/// The faults of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub to_client: Fault,
    pub to_server: Fault,
}

impl Plan {
    pub const CLEAN: Self = Self { to_client: Fault::None, to_server: Fault::None };

    pub fn to_client(fault: Fault) -> Self {
        Self { to_client: fault, ..Self::CLEAN }
    }

    pub fn to_server(fault: Fault) -> Self {
        Self { to_server: fault, ..Self::CLEAN }
    }
}

/// How a direction ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its sender ended it, and the end was forwarded.
    Passed,
    HalfClosed,
    Truncated,
    Reset,
    Stalled,
    BlackHole,
    /// One of the two sockets failed.
    Broken,
}

/// The bytes of a direction, as its sender sent them.
pub type Tap = Arc<Mutex<Vec<u8>>>;

/// Serves one connection of a client to `server`. `taps` record the bytes to the client and the bytes to the server.
pub async fn serve(client: TcpStream, server: SocketAddr, plan: Plan, taps: Option<[Tap; 2]>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let mut client = client;
    for socket in [&client, &server] {
        let _ = socket.set_nodelay(true);
    }
    let end = forward(&mut client, &mut server, plan, taps).await;
    match end {
        End::Reset => {
            // Without a linger time, the kernel sends a reset (RFC 9293 section 3.10.4).
            for socket in [&client, &server] {
                let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
            }
        }
        End::Truncated => {
            let _ = client.shutdown().await;
            let _ = server.shutdown().await;
            tokio::join!(discard(&mut client), discard(&mut server));
        }
        // The client detects it by itself. The server learns of it later.
        End::BlackHole => discard(&mut client).await,
        End::Passed | End::HalfClosed | End::Stalled | End::Broken => {}
    }
}

/// Moves bytes until both directions are done, or one of them ends both.
async fn forward(client: &mut TcpStream, server: &mut TcpStream, plan: Plan, taps: Option<[Tap; 2]>) -> End {
    let [down_tap, up_tap] = taps.map_or([None, None], |taps| taps.map(Some));
    let (client_read, client_write) = client.split();
    let (server_read, server_write) = server.split();
    let mut down = std::pin::pin!(pump(server_read, client_write, plan.to_client, down_tap));
    let mut up = std::pin::pin!(pump(client_read, server_write, plan.to_server, up_tap));
    let (mut down_end, mut up_end) = (None, None);
    loop {
        tokio::select! {
            end = &mut down, if down_end.is_none() => down_end = Some(end),
            end = &mut up, if up_end.is_none() => up_end = Some(end),
        }
        for end in [down_end, up_end].into_iter().flatten() {
            match end {
                End::Truncated | End::Reset | End::BlackHole | End::Broken => return end,
                End::Passed | End::HalfClosed | End::Stalled => {}
            }
        }
        match (down_end, up_end) {
            // The client is gone, and the server is not notified.
            (_, Some(End::Stalled)) => return End::Stalled,
            (Some(_), Some(end)) => return end,
            (None, _) | (_, None) => {}
        }
    }
}

/// Moves bytes in one direction and applies the fault.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, fault: Fault, tap: Option<Tap>) -> End {
    let mut buffer = vec![0; 16_384];
    let mut passed = 0;
    loop {
        let most = match fault {
            Fault::Slow(most, _) => most,
            _ => buffer.len(),
        };
        // A fault at place 0 strikes before the first read.
        if passed == fault.at()
            && let Some(end) = ends(fault)
        {
            match end {
                End::HalfClosed => {
                    let _ = to.shutdown().await;
                    drain(&mut from).await;
                }
                End::Stalled => drain(&mut from).await,
                _ => {}
            }
            return end;
        }
        let room = most.min(buffer.len());
        let count = match from.read(&mut buffer[..room]).await {
            Ok(0) => {
                let _ = to.shutdown().await;
                return End::Passed;
            }
            Ok(count) => count,
            Err(_) => return End::Broken,
        };
        let bytes = &mut buffer[..count];
        if let Some(tap) = &tap {
            tap.lock().expect("no panic").extend_from_slice(bytes);
        }
        let before = fault.at().saturating_sub(passed).min(count);
        passed += count;
        if send(&mut to, &bytes[..before], fault).await.is_err() {
            return End::Broken;
        }
        if before == count {
            continue;
        }
        // The byte at the fault's place is the first of the rest.
        let rest = &mut bytes[before..];
        let first_time = passed - rest.len() == fault.at();
        let twice = matches!(fault, Fault::Duplicate(_)) && first_time;
        if twice && to.write_all(&rest[..1]).await.is_err() {
            return End::Broken;
        }
        match fault {
            Fault::Flip(_, bits) if first_time => rest[0] ^= bits,
            Fault::Garbage(_, seed) => {
                let from = passed - rest.len();
                rest.iter_mut().zip(from..).for_each(|(byte, at)| *byte = noise(seed, at));
            }
            Fault::Delay(_, pause) if first_time => tokio::time::sleep(pause).await,
            _ => {}
        }
        if ends(fault).is_some() {
            passed = fault.at();
            continue;
        }
        if send(&mut to, rest, fault).await.is_err() {
            return End::Broken;
        }
    }
}

/// How a fault ends its direction at its place, if it does.
fn ends(fault: Fault) -> Option<End> {
    match fault {
        Fault::HalfClose(_) => Some(End::HalfClosed),
        Fault::Truncate(_) => Some(End::Truncated),
        Fault::Reset(_) => Some(End::Reset),
        Fault::Stall(_) => Some(End::Stalled),
        Fault::BlackHole(_) => Some(End::BlackHole),
        Fault::None
        | Fault::Duplicate(_)
        | Fault::Flip(..)
        | Fault::Garbage(..)
        | Fault::Delay(..)
        | Fault::Drip
        | Fault::Slow(..) => None,
    }
}

async fn send(to: &mut WriteHalf<'_>, bytes: &[u8], fault: Fault) -> io::Result<()> {
    match fault {
        Fault::Drip => {
            for byte in bytes {
                to.write_all(std::slice::from_ref(byte)).await?;
                // Yields to the reader, so that it reads single bytes.
                tokio::task::yield_now().await;
            }
            Ok(())
        }
        Fault::Slow(_, pause) => {
            to.write_all(bytes).await?;
            tokio::time::sleep(pause).await;
            Ok(())
        }
        _ => to.write_all(bytes).await,
    }
}

/// Reads until the end.
async fn discard(socket: &mut TcpStream) {
    let (mut from, _to) = socket.split();
    drain(&mut from).await;
}

async fn drain(from: &mut ReadHalf<'_>) {
    let mut buffer = [0; 4_096];
    while from.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}
