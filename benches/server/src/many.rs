//! Many connections on one thread: each short frame comes back.

use std::io;
use std::net::TcpStream;
use std::sync::OnceLock;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

const FRAME_BYTES_MAX: usize = 2 + 4 + 125;
const OPCODE_CLOSE: u8 = 8;

/// Hands a connection, whose upgrade is over, to the thread.
pub fn serve(stream: TcpStream) -> io::Result<()> {
    static THREAD: OnceLock<UnboundedSender<TcpStream>> = OnceLock::new();
    let thread = THREAD.get_or_init(|| {
        let (sender, receiver) = unbounded_channel();
        std::thread::spawn(move || run(receiver));
        sender
    });
    thread.send(stream).map_err(io::Error::other)
}

fn run(mut streams: UnboundedReceiver<TcpStream>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async move {
        while let Some(stream) = streams.recv().await {
            // A client that goes away ends its own connection only.
            spawn_local(async move { drop(echo(stream).await) });
        }
        Ok(())
    })
}

async fn echo(stream: TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let stream = tokio::net::TcpStream::from_std(stream)?;
    let mut stream = BufReader::with_capacity(FRAME_BYTES_MAX, stream);
    let mut frame = [0; FRAME_BYTES_MAX];
    loop {
        stream.read_exact(&mut frame[..6]).await?;
        let length = usize::from(frame[1] & 0x7f);
        if length > 125 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let opcode = frame[0] & 0x0f;
        let key = [frame[2], frame[3], frame[4], frame[5]];
        frame[1] &= 0x7f;
        let payload = &mut frame[2..2 + length];
        stream.read_exact(payload).await?;
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        stream.write_all(&frame[..2 + length]).await?;
        if opcode == OPCODE_CLOSE {
            return Ok(());
        }
    }
}
