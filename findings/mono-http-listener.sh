#!/usr/bin/env bash
# Mono's HttpListener takes no upgrade for one, and its ClientWebSocket goes on with pings after both close frames.
#
# A good guess: a program of .NET runs the same on Mono, or the method is missing. Here the property is there and always
# false, and accepting throws. No frame may follow a close frame (RFC 6455 section 5.5.1). The client sends its pings
# until the server ends TCP, so a server that keeps TCP open for a while sees frames of a connection that has ended.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian mono-mcs=6.8.0.105+dfsg-3.3+deb12u1 mono-runtime=6.8.0.105+dfsg-3.3+deb12u1 libmono-system4.0-cil
cat >"$work/listen.cs" <<'CS'
using System;
using System.Net;

static class Listen
{
    static void Main()
    {
        var listener = new HttpListener();
        listener.Prefixes.Add("http://127.0.0.1:16924/");
        listener.Start();
        while (true)
        {
            var context = listener.GetContext();
            Console.WriteLine("IsWebSocketRequest: " + context.Request.IsWebSocketRequest);
            try
            {
                context.AcceptWebSocketAsync(null).Wait();
            }
            catch (Exception error)
            {
                Console.WriteLine("AcceptWebSocketAsync: " + error.GetBaseException().GetType());
            }
            context.Response.Close();
        }
    }
}
CS
cat >"$work/talk.cs" <<'CS'
using System;
using System.Net.WebSockets;
using System.Threading;

static class Talk
{
    static void Main(string[] arguments)
    {
        var client = new ClientWebSocket();
        client.Options.KeepAliveInterval = TimeSpan.FromSeconds(1);
        client.ConnectAsync(new Uri(arguments[0]), CancellationToken.None).Wait();
        client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None).Wait();
    }
}
CS
export MONO_PATH=$work/debian/usr/lib/mono/4.5 MONO_CFG_DIR=$work/debian/etc MONO_GAC_PREFIX=$work/debian/usr
mono=$work/debian/usr/bin/mono
for program in listen talk; do
    "$mono" "$MONO_PATH/mcs.exe" -r:System.dll -out:"$work/$program.exe" "$work/$program.cs"
done
serve "$mono" listen.exe

{
    python3 -c 'from raw import *; print("an upgrade:", Raw(16924).status)'
    cat "$work/server.log"
    python3 - "$mono" "$work/talk.exe" <<'PY'
import hashlib
import subprocess
import sys

from raw import *

listener = socket.create_server(("127.0.0.1", 0))
client = subprocess.Popen([*sys.argv[1:], f"ws://127.0.0.1:{listener.getsockname()[1]}/"])
lines = (connection := listener.accept()[0]).makefile("rb")
head = dict(line.split(b": ", 1) for line in iter(lines.readline, b"\r\n") if b": " in line)
accept = hashlib.sha1(head[b"Sec-WebSocket-Key"].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   + b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n")


def frame():
    start, size = lines.read(2)
    lines.read(4 + (size & 0x7F))
    return NAMES[start & 0x0F]


while (name := frame()) != "close":
    pass
connection.sendall(b"\x88\x02\x03\xe8")
print("the client sends: close, then", ", ".join(frame() for _ in range(3)))
client.kill()
PY
} | compare "an upgrade: HTTP/1.1 200 OK
IsWebSocketRequest: False
AcceptWebSocketAsync: System.NotImplementedException
the client sends: close, then ping, ping, ping"
