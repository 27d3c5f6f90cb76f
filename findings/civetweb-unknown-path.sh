#!/usr/bin/env bash
# CivetWeb answers an upgrade for a path without a handler with a line of text that is not HTTP.
#
# A good guess: 404, as it answers any other request for that path. Instead of a status line and headers it sends the
# words "Error 404: Not Found". So a client can only report that the answer is not HTTP. A connect handler that refuses
# gives no answer at all. Needs gcc.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libcivetweb-dev=1.15+dfsg-4
cat >"$work/server.c" <<'C'
#include <civetweb.h>
#include <unistd.h>

static int refuse(const struct mg_connection *connection, void *unused)
{
    (void)connection;
    (void)unused;
    return 1;
}

static int ignore(struct mg_connection *connection, int flags, char *data, size_t length, void *unused)
{
    (void)connection;
    (void)flags;
    (void)data;
    (void)length;
    (void)unused;
    return 1;
}

int main(void)
{
    const char *options[] = { "listening_ports", "127.0.0.1:16842", NULL };
    struct mg_context *context;
    mg_init_library(0);
    context = mg_start(NULL, NULL, options);
    mg_set_websocket_handler(context, "/open$", NULL, NULL, ignore, NULL, NULL);
    mg_set_websocket_handler(context, "/refused$", refuse, NULL, ignore, NULL, NULL);
    pause();
}
C
debian=$work/debian/usr
gcc "$work/server.c" -I"$debian/include" -L"$debian/lib/x86_64-linux-gnu" -lcivetweb -o "$work/server"
serve ./server

python3 - <<'PY' | compare "a path with a handler: HTTP/1.1 101 Switching Protocols
a path without one, upgrade: 'Error 404: Not Found\nNot found', then FIN
the same path, GET: HTTP/1.1 404 Not Found
a handler that refuses: '', then FIN"
from raw import *

print("a path with a handler:", Raw(16842, path="/open").status)
print("a path without one, upgrade:", Raw(16842, path="/other").head)
plain = Raw._dial(16842)
plain.sendall(b"GET /other HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
print("the same path, GET:", plain.recv(4096).split(b"\r\n")[0].decode())
print("a handler that refuses:", Raw(16842, path="/refused").head)
PY
