//! No server but the floor: epoll, one recv and one send for a message that comes whole, and nothing of its payload looked at. The key
//! of its clients is 0, so that nothing is to be unmasked.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use bench_peers::echo::listen;

const READ_BYTES: usize = 131_072;
const KEY_BYTES: usize = 4;
/// What it answers to the one key that its clients have (RFC 6455 section 1.3).
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn main() {
    let listener = listen();
    // SAFETY: no pointer is given.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    let watch = |fd: i32| {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: fd as u64 };
        // SAFETY: open descriptors, and an event for the kernel to read.
        assert_eq!(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event) }, 0);
    };
    watch(listener.as_raw_fd());
    let mut clients: HashMap<i32, (TcpStream, bool)> = HashMap::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
    loop {
        // SAFETY: there is room for as many events.
        let count = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), events.len() as i32, -1) };
        for event in &events[..usize::try_from(count).expect("events")] {
            let fd = event.u64 as i32;
            if fd == listener.as_raw_fd() {
                let (stream, _) = listener.accept().expect("accepted");
                stream.set_nodelay(true).expect("set");
                watch(stream.as_raw_fd());
                clients.insert(stream.as_raw_fd(), (stream, false));
                continue;
            }
            let (stream, upgraded) = clients.get_mut(&fd).expect("one that is watched");
            let mut filled = stream.read(&mut buffer).unwrap_or(0);
            if filled == 0 {
                clients.remove(&fd);
                continue;
            }
            if !*upgraded {
                *upgraded = true;
                stream.write_all(UPGRADED).expect("written");
                continue;
            }
            let (header, length) = match buffer[1] & 0x7f {
                126 => (4, u64::from(u16::from_be_bytes([buffer[2], buffer[3]]))),
                127 => (10, u64::from_be_bytes(buffer[2..10].try_into().expect("eight bytes"))),
                length => (2, u64::from(length)),
            };
            let whole = header + KEY_BYTES + usize::try_from(length).expect("it fits");
            while filled < whole {
                filled += stream.read(&mut buffer[filled..]).expect("more");
            }
            buffer.copy_within(..header, KEY_BYTES);
            buffer[KEY_BYTES + 1] &= 0x7f;
            stream.write_all(&buffer[KEY_BYTES..whole]).expect("written");
        }
    }
}
