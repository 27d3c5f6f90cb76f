#!/usr/bin/env bash
# By default CivetWeb answers no ping. It chooses the last offered sub-protocol although it has none.
#
# A good guess: a library answers pings by itself, and a server without sub-protocols leaves the header out. With the
# default of `enable_websocket_ping_pong`, control frames only go to the application. A client with a keepalive then
# loses each idle connection. Each fragment goes to the application as if it were a message.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libcivetweb-dev=1.15+dfsg-4
cat >"$work/echo.c" <<'C'
#include <civetweb.h>
#include <unistd.h>

static int received(struct mg_connection *connection, int flags, char *data, size_t length, void *unused)
{
    (void)unused;
    int opcode = flags & 0x0f;
    if (opcode <= MG_WEBSOCKET_OPCODE_BINARY) {
        mg_websocket_write(connection, MG_WEBSOCKET_OPCODE_TEXT, data, length);
    }
    return opcode != MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE;
}

int main(void)
{
    const char *options[] = { "listening_ports", "127.0.0.1:16814", NULL };
    mg_init_library(0);
    struct mg_context *context = mg_start(NULL, NULL, options);
    mg_set_websocket_handler(context, "/", NULL, NULL, received, NULL, NULL);
    pause();
}
C
debian=$work/debian/usr
gcc "$work/echo.c" -I"$debian/include" -L"$debian/lib/x86_64-linux-gnu" -lcivetweb -o "$work/echo"
serve ./echo

python3 - <<'PY' | compare "chat, superchat, other are offered: ['other']
two fragments: text b'one', text b'two', silence
a ping: silence"
from raw import *

print("chat, superchat, other are offered:",
      Raw(16814, headers=["Sec-WebSocket-Protocol: chat, superchat, other"]).header("Sec-WebSocket-Protocol"))
print("two fragments:", Raw(16814).send(TEXT, b"one", fin=False).send(CONTINUATION, b"two").rest(1))
print("a ping:", Raw(16814).send(PING, b"a").read(5))
PY
