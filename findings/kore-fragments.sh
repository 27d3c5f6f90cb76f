#!/usr/bin/env bash
# Kore, a web framework in C, gives the first fragment of a message to its application and closes at the second one.
#
# A good guess: fragments are invisible to applications (RFC 6455 section 5.4). Here half a message is acted on before
# the connection ends. Each close frame of Kore is empty: its answer to 4001, and what it sends for a message over its
# limit of 16,384 bytes. So the cause is never seen. Its 101 on plain TCP has HSTS, which only HTTPS may send. Needs
# gcc.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian kore=4.1.0-6+b1
cat >"$work/echo.c" <<'C'
#include <kore/kore.h>
#include <kore/http.h>

int upgrade(struct http_request *);
void received(struct connection *, u_int8_t, void *, size_t);

void received(struct connection *client, u_int8_t opcode, void *payload, size_t size)
{
    kore_websocket_send(client, opcode, payload, size);
}

int upgrade(struct http_request *request)
{
    kore_websocket_handshake(request, NULL, "received", NULL);
    return KORE_RESULT_OK;
}
C
gcc -shared -fPIC "-I$work/debian/usr/include" -o "$work/echo.so" "$work/echo.c"
cat >"$work/kore.conf" <<'CONF'
seccomp_tracing no
workers 1
server plain {
    bind 127.0.0.1 16912
    tls no
}
load ./echo.so
domain * {
    attach plain
    route / upgrade
}
CONF
serve "$work/debian/usr/bin/kore" -frnc kore.conf

python3 - <<'PY' | compare "HTTP/1.1 101 Switching Protocols
strict-transport-security: max-age=31536000; includeSubDomains
a message in one frame: text b'onetwo'
the first of two fragments: text b'one'
the second: close b''
16384 bytes: text of 16384 bytes
16385 bytes: close b''
close 4001: close b''"
from raw import *

client = Raw(16912)
print(client.status)
print("strict-transport-security:", *client.header("strict-transport-security"))
print("a message in one frame:", client.send(TEXT, b"onetwo").read())
print("the first of two fragments:", client.send(TEXT, b"one", fin=False).read())
print("the second:", client.send(CONTINUATION, b"two").read())
for size in (16384, 16385):
    print(f"{size} bytes:", Raw(16912).send(TEXT, b"a" * size).read())
print("close 4001:", Raw(16912).close(4001, b"bye").read())
PY
