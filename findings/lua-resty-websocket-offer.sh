#!/usr/bin/env bash
# lua-resty-websocket answers an offer of sub-protocols with the whole offer, and ends TCP at a message over 65,535 bytes.
#
# A good guess: without a list of its own it chooses none, and a message over the limit ends with 1009. It returns the
# request's header unchanged. So a client with one offer believes that it is supported, and a client with two must end
# the connection (RFC 6455 section 4.1). `recv_frame` returns an error for the long message; the application would have
# to write the close frame itself.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian nginx=1.22.1-9+deb12u11 libnginx-mod-http-lua=1:0.10.23-1+deb12u1 lua-nginx-websocket=0.08-1
# Its worker runs as another user.
chmod 755 "$work"
modules=$work/debian/usr/lib/nginx/modules
cat >"$work/nginx.conf" <<CONF
load_module $modules/ndk_http_module.so;
load_module $modules/ngx_http_lua_module.so;
daemon off;
pid $work/pid;
error_log $work/errors;
events {}
http {
    access_log off;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    lua_package_path "$work/debian/usr/share/lua/5.1/?.lua;;";
    server {
        listen 127.0.0.1:16848;
        location / {
            content_by_lua_block {
                local server = require "nginx.websocket.server"
                local client = server:new {}
                while true do
                    local data = client:recv_frame()
                    if not data then return end
                    client:send_text(#data .. " bytes")
                end
            }
        }
    }
}
CONF
serve "$work/debian/usr/sbin/nginx" -p "$work" -c "$work/nginx.conf" -e "$work/errors"

python3 - <<'PY' | compare "one is offered: ['chat']
two are offered: ['chat, superchat']
two, in a header each: ['chat']
65535 bytes: text b'65535 bytes'
65536 bytes: FIN"
from raw import *

def chosen(*headers):
    return Raw(16848, headers=[f"Sec-WebSocket-Protocol: {header}" for header in headers]).header("Sec-WebSocket-Protocol")

print("one is offered:", chosen("chat"))
print("two are offered:", chosen("chat, superchat"))
print("two, in a header each:", chosen("chat", "superchat"))
print("65535 bytes:", Raw(16848).send(TEXT, b"a" * 65535).read())
print("65536 bytes:", Raw(16848).send(TEXT, b"a" * 65536).read().replace("RST", "FIN"))
PY
