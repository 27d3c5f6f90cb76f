#!/usr/bin/env bash
# Cowboy closes a client that only listens with 1000, however much it sends to that client.
#
# A good guess: `idle_timeout` (60 s by default) ends a connection without traffic, with a matching code. But only data
# from the client counts. So a feed of five messages a second ends, and with 1000, a normal closure. A pong to a ping of
# the server keeps it open. The timeout is set to 2 s here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian erlang-base=1:25.2.3+dfsg-1+deb12u4 rabbitmq-server=3.10.8-1.1+deb12u1
cat >"$work/feed.erl" <<'ERL'
-module(feed).
-export([start/0, init/2, websocket_init/1, websocket_handle/2, websocket_info/2]).

start() ->
    {ok, _} = application:ensure_all_started(cowboy),
    Routes = cowboy_router:compile([{'_', [{"/text", ?MODULE, {text, <<"news">>}}, {"/ping", ?MODULE, ping}]}]),
    {ok, _} = cowboy:start_clear(feed, [{ip, {127, 0, 0, 1}}, {port, 16847}], #{env => #{dispatch => Routes}}).

init(Request, Frame) -> {cowboy_websocket, Request, Frame, #{idle_timeout => 2000}}.

websocket_init(Frame) ->
    timer:send_interval(200, next),
    {[], Frame}.

websocket_handle(_, Frame) -> {[], Frame}.

websocket_info(next, Frame) -> {[Frame], Frame}.
ERL
export ROOTDIR=$work/debian/usr/lib/erlang EMU=beam PROGNAME=erl
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
export BINDIR
plugins=$(echo "$work"/debian/usr/lib/rabbitmq/lib/*/plugins)
echo "cowboy: $(basename "$plugins"/cowboy-*)"
serve "$BINDIR/erlexec" -noshell -pa "$plugins"/{cowboy,cowlib,ranch}-*/ebin \
    -eval '{ok, M, B} = compile:file("feed", [binary]), {module, M} = code:load_binary(M, M, B), M:start().'

python3 - <<'PY' | compare "five messages a second, nothing sent: 9 or more, then close 1000 b''
five pings a second, answered: still there after 4 s"
from raw import *

client, seen = Raw(16847, "/text"), []
while not seen or seen[-1].startswith("text"):
    seen.append(client.read())
print("five messages a second, nothing sent:", "9 or more," if len(seen) > 9 else f"{len(seen)},", "then", seen[-1])
client, began, words = Raw(16847, "/ping"), time.monotonic(), ""
while time.monotonic() < began + 4 and (not words or words.startswith("ping")):
    words = client.read()
    client.send(PONG)
print("five pings a second, answered:", "still there after 4 s" if words.startswith("ping") else words)
PY
