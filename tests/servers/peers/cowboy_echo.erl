%% Cowboy: a websocket handler with its defaults.
-module(cowboy_echo).
-export([start/1, init/2, websocket_init/1, websocket_handle/2, websocket_info/2]).

start(Port) ->
    {ok, _} = application:ensure_all_started(cowboy),
    Routes = cowboy_router:compile([{'_', [{"/", ?MODULE, echo}, {"/compressed", ?MODULE, compressed}, {"/:status", ?MODULE, refuse}]}]),
    {ok, _} = cowboy:start_clear(echo, [{ip, {127, 0, 0, 1}}, {port, Port}], #{env => #{dispatch => Routes}}).

init(Request, refuse) ->
    refuse(binary_to_integer(cowboy_req:binding(status, Request)), Request);
init(Request, How) ->
    Offered = cowboy_req:parse_header(<<"sec-websocket-protocol">>, Request, []),
    Chosen = case lists:member(<<"chat">>, Offered) of
        true -> cowboy_req:set_resp_header(<<"sec-websocket-protocol">>, <<"chat">>, Request);
        false -> Request
    end,
    {cowboy_websocket, Chosen, none, #{compress => How =:= compressed}}.

refuse(500, _) -> error(as_asked);
refuse(Status, Request) -> {ok, cowboy_req:reply(Status, #{<<"location">> => <<"/">>}, <<"not here">>, Request), none}.

websocket_init(State) -> {[], State}.

websocket_handle({text, <<"close">>}, State) -> {[{close, 4001, <<"bye">>}], State};
websocket_handle({text, <<"raise">>}, _) -> error(as_asked);
websocket_handle({text, _} = Message, State) -> {[Message], State};
websocket_handle({binary, _} = Message, State) -> {[Message], State};
websocket_handle(_, State) -> {[], State}.

websocket_info(_, State) -> {[], State}.
