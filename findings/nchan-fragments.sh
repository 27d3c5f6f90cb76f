#!/usr/bin/env bash
# nchan, nginx's publish and subscribe module, publishes the first fragment of a message as the whole message. It
# answers an offer of sub-protocols with an empty header.
#
# A good guess: fragments are invisible to applications (RFC 6455 section 5.4). Here every subscriber gets the first
# piece. The sender's connection ends at the second one, with two close frames: an empty one, and one whose reason is
# cut. The empty header is not a token, so a strict client refuses a usable server.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian nginx-core libnginx-mod-nchan=1:1.3.6+dfsg-2
cat >"$work/nginx.conf" <<CONF
load_module $work/debian/usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; master_process off; pid $work/pid; error_log $work/errors;
events {}
http {
    access_log off;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server {
        listen 127.0.0.1:16802;
        location / { nchan_pubsub; nchan_channel_id room; nchan_message_buffer_length 0; }
    }
}
CONF
serve "$work/debian/usr/sbin/nginx" -e "$work/errors" -c "$work/nginx.conf"

python3 - <<'PY' | compare "a message in one frame: text b'onetwo'
the first of two fragments: text b'one'
the second: close b'', close 1000 b'410 Gon', FIN
to the offer of a sub-protocol: HTTP/1.1 101 Switching Protocols, Sec-WebSocket-Protocol: '', Content-Length: '0'"
from raw import *

client = Raw(16802)
print("a message in one frame:", client.send(TEXT, b"onetwo").read())
print("the first of two fragments:", client.send(TEXT, b"one", fin=False).read())
print("the second:", client.send(CONTINUATION, b"two").rest())
offer = Raw(16802, headers=["Sec-WebSocket-Protocol: chat"])
answer = [f"{name}: {value!r}" for name in ("Sec-WebSocket-Protocol", "Content-Length") for value in offer.header(name)]
print("to the offer of a sub-protocol:", ", ".join([offer.status, *answer]))
PY
