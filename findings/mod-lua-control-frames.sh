#!/usr/bin/env bash
# Apache's mod_lua passes pings and close frames to the script as messages, and ends the connection at an empty message.
#
# A good guess: `r:wsread` yields messages, and the module itself answers pings and the closing handshake. It yields the
# payload of any frame without its kind, and answers nothing. So an echo returns a ping's payload as text, and a client
# with a keepalive loses the connection. Each fragment is a message, and binary ones return as text.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian apache2-bin=2.4.71-1~deb12u1 liblua5.3-0=5.3.6-2
# Its children run as another user.
chmod 755 "$work"
cat >"$work/echo.lua" <<'LUA'
function handle(r)
    if r:wsupgrade() then
        while true do
            local message = r:wsread()
            if not message then break end
            r:wswrite(message)
        end
        r:wsclose()
    end
    return apache2.OK
end
LUA
cat >"$work/apache.conf" <<CONF
ServerRoot $work/debian/usr/lib/apache2
ServerName 127.0.0.1
Listen 127.0.0.1:16841
PidFile $work/pid
DefaultRuntimeDir $work
ErrorLog $work/errors
Mutex posixsem
User nobody
Group nogroup
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule lua_module modules/mod_lua.so
LuaMapHandler / $work/echo.lua
CONF
serve "$work/debian/usr/sbin/apache2" -D FOREGROUND -f "$work/apache.conf"

python3 - <<'PY' | compare "text: text b'one', silence
binary: text b'one', silence
two fragments: text b'one', text b'two', silence
a ping: text b'a', silence
close 1000 bye: text b'\x03\xe8bye', silence
an empty message: FIN"
from raw import *

print("text:", Raw(16841).send(TEXT, b"one").rest(1))
print("binary:", Raw(16841).send(BINARY, b"one").rest(1))
print("two fragments:", Raw(16841).send(TEXT, b"one", fin=False).send(CONTINUATION, b"two").rest(1))
print("a ping:", Raw(16841).send(PING, b"a").rest(1))
print("close 1000 bye:", Raw(16841).close(1000, b"bye").rest(1))
print("an empty message:", Raw(16841).send(TEXT).rest(1))
PY
