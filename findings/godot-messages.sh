#!/usr/bin/env bash
# Godot drops messages without an error when its buffer is full, and ends each close reason with a NUL byte.
#
# A good guess: a server that is behind makes the client wait. A game that reads once a frame, as here, has at most
# 65,535 bytes between two frames. The rest of a burst vanishes, and so does one message of 65,536 bytes. One byte more
# gets 1009. An offer of a sub-protocol to a server without any ends TCP without an answer.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian godot3-server=3.2.3-stable-1+b3
mkdir "$work/home"
cat >"$work/server.gd" <<'GD'
extends SceneTree

var server = WebSocketServer.new()
var received = {}


func _init():
	server.bind_ip = "127.0.0.1"
	server.connect("client_connected", self, "_connected")
	server.listen(16904)


func _connected(id, _protocol):
	received[id] = 0


func _idle(_delta):
	server.poll()
	for id in received:
		if not server.has_peer(id):
			continue
		var peer = server.get_peer(id)
		while peer.get_available_packet_count() > 0:
			var packet = peer.get_packet()
			var text = packet.get_string_from_ascii()
			if text == "count":
				peer.put_packet(str(received[id]).to_utf8())
			elif text == "close":
				server.disconnect_peer(id, 4000, "bye")
			else:
				received[id] += packet.size()
	return false
GD
HOME=$work/home serve "$work/debian/usr/bin/godot3-server" --script "$work/server.gd"

python3 - <<'PY' | compare "one message of 65535 bytes: received binary b'65535'
one message of 65536 bytes: received binary b'0'
one message of 65537 bytes: received close 1009 b''
300 messages of 1000 bytes, slowly: received binary b'300000'
3000 messages of 1000 bytes, at once: fewer bytes
a sub-protocol: '', then FIN
a close by the server: close 4000 b'bye\x00'"
from raw import *


def received(size, count=1, gap=0.0):
    opened, mask = Raw(16904), bytes(4)
    head = struct.pack("!BBH", 0x82, 0xFE, size) if size < 65536 else struct.pack("!BBQ", 0x82, 0xFF, size)
    frame = head + mask + b"a" * size
    if gap:
        for _ in range(count):
            opened.sock.sendall(frame)
            time.sleep(gap)
    else:
        opened.sock.sendall(frame * count)
    time.sleep(1)  # Several of the server's frames.
    return opened.send(TEXT, b"count").read()


for size in (65535, 65536, 65537):
    print(f"one message of {size} bytes: received", received(size))
print("300 messages of 1000 bytes, slowly: received", received(1000, 300, gap=0.02))
burst = int(received(1000, 3000).split("'")[1])
print("3000 messages of 1000 bytes, at once:", "fewer bytes" if burst < 3000000 else burst)
print("a sub-protocol:", Raw(16904, headers=["Sec-WebSocket-Protocol: game"]).head)
print("a close by the server:", Raw(16904).send(TEXT, b"close").read())
PY
