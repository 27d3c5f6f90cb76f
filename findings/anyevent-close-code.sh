#!/usr/bin/env bash
# Perl's AnyEvent::WebSocket::Client writes the code 1005 into each close frame, which strict servers report as 1006.
#
# A good guess: 1005 is what an API says when a close frame has no code; no frame may have it (RFC 6455 section 7.4.1).
# This client sends it when it closes, and as its answer to every close. To npm's ws that is a protocol error. The
# client also ends TCP, without a close frame, for a message over 65,536 bytes. Needs Perl.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libanyevent-websocket-client-perl=0.54-1
take_npm ws@8.23.0
cat >"$work/server.js" <<'JS'
const { WebSocketServer } = require('ws');
new WebSocketServer({ host: '127.0.0.1', port: 16903 }).on('connection', (socket, request) => {
  const [, what, value] = request.url.split('/');
  socket.on('error', (error) => console.log(`${request.url}: ${error.message}`));
  socket.on('close', (code) => console.log(`${request.url}: the server sees ${code}`));
  if (what === 'close') socket.close(Number(value), 'bye');
  if (what === 'send') socket.send('a'.repeat(Number(value)));
});
JS
cat >"$work/client.pl" <<'PL'
use strict;
use warnings;
use AnyEvent;
use AnyEvent::WebSocket::Client;

my ($path, $closes) = @ARGV;
my ($over, $client) = (AnyEvent->condvar, AnyEvent::WebSocket::Client->new);
my $connection;
$client->connect("ws://127.0.0.1:16903/$path")->cb(sub {
    $connection = shift->recv;
    $connection->on(each_message => sub {
        my (undef, $message) = @_;
        printf "/$path: the client has a message of %d bytes\n", length $message->body;
        $connection->close;
    });
    $connection->on(finish => sub { $over->send });
    $connection->close if $closes;
});
$over->recv;
PL
export PERL5LIB=$work/debian/usr/share/perl5:$work/debian/usr/lib/x86_64-linux-gnu/perl5/5.36
serve node server.js

cd "$work"
{
    python3 -c 'from raw import *; Raw._dial(16903).close()'  # Waits until the server is there.
    python3 - <<'PY'
import base64
import hashlib
import socket
import subprocess

# A server that shows the client's close frame.
listener = socket.create_server(("127.0.0.1", 0))
script = open("client.pl").read().replace("16903", str(listener.getsockname()[1]))
client = subprocess.Popen(["perl", "-e", script, "x", "closes"])
lines = (connection := listener.accept()[0]).makefile("rb")
head = dict(line.split(b": ") for line in iter(lines.readline, b"\r\n") if b": " in line)
accept = hashlib.sha1(head[b"Sec-WebSocket-Key"].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   + b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n")
start, size = lines.read(2)
mask = lines.read(4)
payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(lines.read(size & 0x7F)))
print("its close frame: opcode", start & 15, "code", int.from_bytes(payload[:2], "big"))
client.kill()
PY
    for arguments in 'x closes' close/1000 close/4000 send/65536 send/65537; do
        # shellcheck disable=SC2086
        perl client.pl $arguments
        until grep -q "/${arguments% *}: the server sees" server.log; do sleep 0.1; done
    done
    cat server.log
} | compare "its close frame: opcode 8 code 1005
/send/65536: the client has a message of 65536 bytes
/x: Invalid WebSocket frame: invalid status code 1005
/x: the server sees 1006
/close/1000: Invalid WebSocket frame: invalid status code 1005
/close/1000: the server sees 1006
/close/4000: Invalid WebSocket frame: invalid status code 1005
/close/4000: the server sees 1006
/send/65536: Invalid WebSocket frame: invalid status code 1005
/send/65536: the server sees 1006
/send/65537: the server sees 1006"
