-- lua-http: a stream that becomes a websocket.
local websocket = require "http.websocket"
local headers = require "http.headers"

local server = require "http.server".listen {
  host = "127.0.0.1",
  port = tonumber(arg[1]),
  onerror = function() end,
  onstream = function(_, stream)
    local request = stream:get_headers()
    local status = request:get(":path"):match("^/(%d+)$")
    if status then
      local answer = headers.new()
      answer:append(":status", status)
      answer:append("location", "/")
      stream:write_headers(answer, true)
      return
    end
    local socket = websocket.new_from_stream(stream, request)
    socket:accept { protocols = { "chat" } }
    for data, kind in socket:each() do
      if data == "close" then
        socket:close(4001, "bye")
      elseif data == "raise" then
        error("as asked")
      else
        socket:send(data, kind)
      end
    end
    socket:close()
  end,
}
assert(server:listen())
assert(server:loop())
