#!/usr/bin/env bash
# The Rust crate embedded-websocket answers a ping that TCP cuts with two pongs, and fails if TCP cuts a frame's head.
#
# A good guess: a frame may come in any number of reads. The crate's Framer takes each piece of a ping for a ping, and
# the first piece of a close frame for the whole. If a read ends within the first bytes of a frame, the next one fails
# with `ReadFrameIncomplete`. Messages sent without a pause come to that at the end of the buffer. Needs Rust.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_crates embedded-websocket@0.9.5:std <<'RS'
use std::io::Read;
use std::net::{TcpListener, TcpStream};

use embedded_websocket::framer::{Framer, ReadResult};
use embedded_websocket::{read_http_header, WebSocketSendMessageType, WebSocketServer};

fn echo(mut stream: TcpStream) -> Result<(), String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).map_err(|error| error.to_string())?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let context = read_http_header(lines.map(|(name, value)| (name, value.as_bytes()))).unwrap().unwrap();
    let (mut received, mut cursor, mut sent, mut frame) = ([0; 1000], 0, [0; 2000], [0; 1000]);
    let mut socket = WebSocketServer::new_server();
    let mut framer = Framer::new(&mut received, &mut cursor, &mut sent, &mut socket);
    framer.accept(&mut stream, &context).map_err(|error| format!("{error:?}"))?;
    loop {
        match framer.read(&mut stream, &mut frame).map_err(|error| format!("{error:?}"))? {
            ReadResult::Text(text) => framer
                .write(&mut stream, WebSocketSendMessageType::Text, true, text.as_bytes())
                .map_err(|error| format!("{error:?}"))?,
            ReadResult::Closed => return Ok(()),
            _ => {}
        }
    }
}

fn main() {
    for stream in TcpListener::bind("127.0.0.1:16917").unwrap().incoming() {
        if let Err(error) = echo(stream.unwrap()) {
            println!("{error}");
        }
    }
}
RS
export work
serve "$work/program"

python3 - <<'PY' | compare "text cut in its payload: text b'hello', silence
a ping cut in its payload: pong b'hel', pong b'lo', silence
close 4001 cut in its reason: close 4001 b'b', FIN
text cut in its head: FIN
five messages, of which four fill the buffer: text b'end', silence
five messages, of which four fill the buffer but for 4 bytes: the connection ends
the server's errors: ['WebSocket(ReadFrameIncomplete)', 'WebSocket(ReadFrameIncomplete)']"
from raw import *


class Kept:
    """A client whose frames wait for `flush`. The server has one client at a time."""

    def __init__(self):
        self.client, self.frames = Raw(16917), b""
        self.sock, self.client.sock = self.client.sock, self
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def sendall(self, frame):
        self.frames += frame

    def flush(self, *cuts):
        for start, end in zip((0, *cuts), (*cuts, len(self.frames))):
            self.sock.sendall(self.frames[start:end])
            time.sleep(0.5)  # The server reads each part on its own.
        self.client.sock = self.sock
        words = self.client.rest(1)
        self.sock.close()
        return words


def cut(at, opcode, payload):
    kept = Kept()
    kept.client.send(opcode, payload)
    return kept.flush(at)


def five(size):
    kept = Kept()
    for payload in (*[b"a" * size] * 4, b"end"):
        kept.client.send(TEXT, payload)
    words = kept.flush().split(", ")
    return "the connection ends" if words[-1] in ("FIN", "RST") else ", ".join(words[-2:])


print("text cut in its payload:", cut(9, TEXT, b"hello"))
print("a ping cut in its payload:", cut(9, PING, b"hello"))
print("close 4001 cut in its reason:", cut(9, CLOSE, struct.pack("!H", 4001) + b"bye"))
print("text cut in its head:", cut(3, TEXT, b"hello"))
print("five messages, of which four fill the buffer:", five(242))
print("five messages, of which four fill the buffer but for 4 bytes:", five(241))
print("the server's errors:", open(f"{os.environ['work']}/server.log").read().split("\n")[:-1])
PY
