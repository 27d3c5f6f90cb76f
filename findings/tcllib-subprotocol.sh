#!/usr/bin/env bash
# tcllib's WebSocket server fails for each client that offers no sub-protocol.
#
# A good guess: sub-protocols are optional, and the module's documentation treats them so: a handler has `*` by default.
# But its test of a request reads the list of offers without looking whether there is one. The Tcl error takes the
# place of an answer. With any offer the handler `*` takes the first. A close frame is answered by the end of TCP.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian tcllib=1.21+dfsg-1 tcl8.6
cat >"$work/echo.tcl" <<'TCL'
lappend auto_path [file join [pwd] debian/usr/share/tcltk]
package require websocket

proc handle {socket type message} {
    if {$type in {text binary}} { ::websocket::send $socket $type $message }
}

proc accept {socket address port} {
    fconfigure $socket -translation crlf
    set path [lindex [gets $socket] 1]
    set headers {}
    while {[gets $socket line] > 0} {
        regexp {^([^:]+): *(.*)$} $line -> name value
        lappend headers $name $value
    }
    if {[catch {::websocket::test $::server $socket $path $headers} result]} {
        puts $socket "HTTP/1.1 500 $result\n"
        close $socket
    } elseif {$result} {
        ::websocket::upgrade $socket
    } else {
        puts $socket "HTTP/1.1 400 Bad Request\n"
        close $socket
    }
}

set server [socket -server accept -myaddr 127.0.0.1 16869]
::websocket::server $server
::websocket::live $server * handle
vwait forever
TCL
export TCL_LIBRARY=$work/debian/usr/share/tcltk/tcl8.6
serve "$work/debian/usr/bin/tclsh8.6" echo.tcl

python3 - <<'PY' | compare "no offer: HTTP/1.1 500 key \"protocols\" not known in dictionary
one, two are offered: HTTP/1.1 101 Switching Protocols, ['one']
a message: text b'hello'
close 4001: FIN"
from raw import *

print("no offer:", Raw(16869).status)
client = Raw(16869, headers=["Sec-WebSocket-Protocol: one, two"])
print(f"one, two are offered: {client.status}, {client.header('Sec-WebSocket-Protocol')}")
print("a message:", client.send(TEXT, b"hello").read())
print("close 4001:", client.close(4001, b"bye").rest())
PY
