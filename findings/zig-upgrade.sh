#!/usr/bin/env bash
# Zig's std.http keeps the 101 in its buffer until the program writes, so a server that waits for a message never
# answers.
#
# A good guess: `respondWebSocket` answers as `respond` does. The client waits for the 101 and the server for the
# client, without an error. The program also gets the pings: an echo answers a ping by a ping. Only one frame is a
# message: the first of two fragments ends in `MessageOversize`. The code of a close frame cannot be read.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi ziglang==0.17.1
cat >"$work/echo.zig" <<'ZIG'
const std = @import("std");
const Io = std.Io;

fn serve(io: Io, stream: Io.net.Stream) void {
    defer stream.close(io);
    var received: [4096]u8 = undefined;
    var sent: [4096]u8 = undefined;
    var reader = stream.reader(io, &received);
    var writer = stream.writer(io, &sent);
    var server: std.http.Server = .init(&reader.interface, &writer.interface);
    echo(&server) catch |err| std.debug.print("{t}\n", .{err});
}

fn echo(server: *std.http.Server) !void {
    var request = try server.receiveHead();
    const key = switch (request.upgradeRequested()) {
        .websocket => |key| key orelse return,
        else => return,
    };
    const flushes = std.mem.eql(u8, request.head.target, "/flush");
    var socket = try request.respondWebSocket(.{ .key = key });
    if (flushes) try socket.flush();
    while (true) {
        const message = try socket.readSmallMessage();
        try socket.writeMessage(message.data, message.opcode);
    }
}

pub fn main(init: std.process.Init) !void {
    const address = try Io.net.IpAddress.parse("127.0.0.1", 16955);
    var listener = try address.listen(init.io, .{ .reuse_address = true });
    while (true) {
        const thread = try std.Thread.spawn(.{}, serve, .{ init.io, try listener.accept(init.io) });
        thread.detach();
    }
}
ZIG
(cd "$work" && python/bin/python -m ziglang build-exe echo.zig --cache-dir cache --global-cache-dir cache)
serve "$work/echo"

{
    python3 - <<'PY'
from raw import *

print("an upgrade:", (waiting := Raw(16955, "/")).head)
print("after a message all the same:", waiting.send(TEXT, b"hello").more(2) or waiting.received.split(b"\r\n")[0].decode())
print("with a flush:", (client := Raw(16955, "/flush")).status)
print("a ping:", client.send(PING, b"ping").read())
for size in (4096, 4097):
    print(f"{size} bytes:", Raw(16955, "/flush").send(TEXT, b"a" * size).read())
print("a fragment:", Raw(16955, "/flush").send(TEXT, b"one", fin=False).read())
print("close 4001:", Raw(16955, "/flush").close(4001, b"bye").rest())
PY
    grep -v EndOfStream "$work/server.log" | sort | uniq -c | sed 's/^ */errors: /'
} | compare "an upgrade: '', then silence
after a message all the same: HTTP/1.1 101 Switching Protocols
with a flush: HTTP/1.1 101 Switching Protocols
a ping: ping b'ping'
4096 bytes: text of 4096 bytes
4097 bytes: RST
a fragment: FIN
close 4001: FIN
errors: 1 ConnectionClose
errors: 2 MessageOversize"
