// Deno.serve with Deno.upgradeWebSocket and its defaults.
Deno.serve({ hostname: '127.0.0.1', port: Number(Deno.args[0]), onListen() {} }, (request) => {
  const status = Number(new URL(request.url).pathname.slice(1));
  if (status === 500) throw new Error('as asked');
  if (status) return new Response('not here', { status, headers: status === 302 ? { location: '/' } : {} });
  const offered = request.headers.get('sec-websocket-protocol') ?? '';
  const { socket, response } = Deno.upgradeWebSocket(request, offered.includes('chat') ? { protocol: 'chat' } : {});
  socket.onmessage = ({ data }) => {
    if (data === 'close') socket.close(4001, 'bye');
    else if (data === 'raise') throw new Error('as asked');
    else socket.send(data);
  };
  return response;
});
