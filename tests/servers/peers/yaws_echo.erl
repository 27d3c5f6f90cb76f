%% Yaws, embedded: a websocket callback with its defaults.
-module(yaws_echo).
-export([start/1, out/1, handle_message/1]).
-include_lib("yaws/include/yaws_api.hrl").

start(Port) ->
    Server = [{port, Port}, {listen, {127, 0, 0, 1}}, {servername, "localhost"}, {appmods, [{"/", ?MODULE}]}],
    ok = yaws:start_embedded(".", Server, [{logdir, "."}, {id, "echo"}], "echo").

out(#arg{req = {http_request, _, {abs_path, Asked}, _}}) ->
    case Asked of
        "/" -> {websocket, ?MODULE, [{origin, any}]};
        "/500" -> error(as_asked);
        "/302" -> {redirect, "/"};
        [$/ | Status] -> [{status, list_to_integer(Status)}, {content, "text/plain", "not here"}]
    end.

handle_message({text, <<"close">>}) -> {close, {4001, <<"bye">>}};
handle_message({text, <<"raise">>}) -> error(as_asked);
handle_message({text, Text}) -> {reply, {text, Text}};
handle_message({binary, Bytes}) -> {reply, {binary, Bytes}};
handle_message({close, _, _}) -> {close, normal}.
