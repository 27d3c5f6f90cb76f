# Ruby's em-websocket, with its defaults.
require 'em-websocket'

EM.run do
  EM::WebSocket.run(host: '127.0.0.1', port: ARGV[0].to_i) do |client|
    client.onbinary { |data| client.send_binary(data) }
    client.onmessage do |text|
      case text
      when 'close' then client.close(4001, 'bye')
      when 'raise' then raise 'as asked'
      else client.send(text)
      end
    end
  end
end
