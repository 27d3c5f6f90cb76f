#!/usr/bin/env bash
# WeeChat's relay does not answer an upgrade for another path, and accepts every version of the protocol.
#
# A good guess: an unknown path gets 404. The relay reads the request as the first bytes of its own protocol, keeps the
# connection and sends nothing. So a client with a misspelt URL gets a timeout instead of a refusal.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian weechat-headless=3.8-1 weechat-plugins=3.8-1
export WEECHAT_EXTRA_LIBDIR=$work/debian/usr/lib/x86_64-linux-gnu/weechat
serve "$work/debian/usr/bin/weechat-headless" --dir "$work/home" \
    -r "/set relay.network.allow_empty_password on" -r "/relay add weechat 16811"

python3 - <<'PY' | compare "/weechat: HTTP/1.1 101 Switching Protocols
/other: '', then silence
a text message is answered in: binary"
from raw import *

print("/weechat:", Raw(16811, "/weechat").status)
print("/other:", Raw(16811, "/other", timeout=10).head)
client = Raw(16811, "/weechat").send(TEXT, b"init password=,compression=off\ninfo version\n")
print("a text message is answered in:", client.read().split()[0])
PY
