// Bun.serve, with its defaults.
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    const status = Number(pathname.slice(1));
    if (status === 500) throw new Error('as asked');
    if (status) return new Response('not here', { status, headers: status === 302 ? { Location: '/' } : {} });
    const offered = request.headers.get('sec-websocket-protocol') ?? '';
    const headers = offered.includes('chat') ? { 'Sec-WebSocket-Protocol': 'chat' } : {};
    return server.upgrade(request, { headers }) ? undefined : new Response('no upgrade', { status: 400 });
  },
  websocket: {
    message(socket, message) {
      if (message === 'close') socket.close(4001, 'bye');
      else if (message === 'raise') throw new Error('as asked');
      else socket.send(message);
    },
  },
});
