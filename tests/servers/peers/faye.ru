# Ruby's faye-websocket in a Rack application, which puma serves, with pings as its README has them.
require 'faye/websocket'
require 'eventmachine'

# Two first requests at once would both start the reactor, and then every request fails with 500.
Thread.new { EventMachine.run }
Thread.pass until EventMachine.reactor_running?

run(lambda do |env|
  return [404, {}, ['']] unless Faye::WebSocket.websocket?(env)

  status = env['PATH_INFO'][1..].to_i
  raise 'as asked' if status == 500
  return [status, { 'Location' => '/' }, ['not here']] if status != 0

  client = Faye::WebSocket.new(env, ['chat'], { ping: 20 })
  client.on :message do |event|
    case event.data
    when 'close' then client.close(4001, 'bye')
    when 'raise' then raise 'as asked'
    else client.send(event.data)
    end
  end
  client.rack_response
end)
