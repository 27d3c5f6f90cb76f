-- lua-http: its server, with a websocket made of each stream. It compares no sub-protocols unless `accept` has a list.
local server = require "http.server"
local headers = require "http.headers"
local websocket = require "http.websocket"

local function refuse(stream, status)
    local answer = headers.new()
    answer:append(":status", status)
    answer:append("location", "/")
    stream:write_headers(answer, true)
end

local function echo(client)
    while true do
        local message, kind = client:receive()
        if message == nil then return end
        if message == "close" then
            client:close(4001, "bye")
        elseif message == "raise" then
            error "as asked"
        else
            client:send(message, kind)
        end
    end
end

local listener = assert(server.listen {
    host = "127.0.0.1", port = tonumber(arg[1]), tls = false,
    onstream = function(_, stream)
        local request = assert(stream:get_headers())
        local path = request:get ":path"
        if path == "/500" then error "as asked" end
        if path ~= "/" then return refuse(stream, path:sub(2)) end
        local client, why = websocket.new_from_stream(stream, request)
        if not client then error(why) end
        -- With a list, a client that offers none of it is refused.
        local offered = (request:get "sec-websocket-protocol" or ""):find("chat", 1, true)
        assert(client:accept { protocols = offered and { "chat" } or nil })
        echo(client)
    end,
    onerror = function() end,
})
assert(listener:listen())
assert(listener:loop())
