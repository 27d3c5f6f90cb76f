#!/usr/bin/env bash
# Go's golang.org/x/net/websocket refuses a client that offers two sub-protocols with 400, and one without `Origin` with
# 403.
#
# A good guess: a server without sub-protocols ignores offers, and `Origin` is for browsers (RFC 6455 section 4.2.2).
# This package of the Go project chooses a single offer, whatever it is, and fails on two. It gives each fragment as a
# message, so a character that two fragments share is torn. A close frame is answered by the end of TCP.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian golang-golang-x-net-dev=1:0.7.0+dfsg-1 golang-1.19-go golang-1.19-src
cat >"$work/echo.go" <<'GO'
package main

import (
	"net/http"

	"golang.org/x/net/websocket"
)

func main() {
	http.Handle("/", websocket.Handler(func(client *websocket.Conn) {
		var text string
		for websocket.Message.Receive(client, &text) == nil {
			websocket.Message.Send(client, text)
		}
	}))
	http.ListenAndServe("127.0.0.1:16874", nil)
}
GO
share=$work/debian/usr/share
ln -sfn "$share/go-1.19/src" "$work/debian/usr/lib/go-1.19/src"
export GOROOT=$work/debian/usr/lib/go-1.19 GOPATH=$share/gocode GO111MODULE=off GOCACHE=$work/cache CGO_ENABLED=0
"$GOROOT/bin/go" version
"$GOROOT/bin/go" build -o "$work/echo" "$work/echo.go"
serve ./echo

python3 - <<'PY' | compare "without Origin: HTTP/1.1 403 Forbidden
with Origin: HTTP/1.1 101 Switching Protocols, []
one is offered: HTTP/1.1 101 Switching Protocols, ['one']
one, two are offered: HTTP/1.1 400 Bad Request, []
the fragments of a character: text b'\xe7\xbd', text b'\x91', silence
close 4001: FIN"
from raw import *


def client(*headers):
    return Raw(16874, headers=["Origin: http://page.example", *headers])


print("without Origin:", Raw(16874).status)
for name, headers in (("with Origin", []), ("one is offered", ["Sec-WebSocket-Protocol: one"]),
                      ("one, two are offered", ["Sec-WebSocket-Protocol: one, two"])):
    opened = client(*headers)
    print(f"{name}: {opened.status}, {opened.header('Sec-WebSocket-Protocol')}")
character = "网".encode()
print("the fragments of a character:",
      client().send(TEXT, character[:2], fin=False).send(CONTINUATION, character[2:]).rest(1))
print("close 4001:", client().close(4001, b"bye").rest())
PY
