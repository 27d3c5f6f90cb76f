// npm's faye-websocket, with pings as its README has them.
'use strict';
const http = require('node:http');
const WebSocket = require('faye-websocket');

const server = http.createServer((request, response) => response.writeHead(404).end());
server.on('upgrade', (request, socket, head) => {
  if (!WebSocket.isWebSocket(request)) return;
  const client = new WebSocket(request, socket, head, ['chat'], { ping: 20 });
  client.on('message', ({ data }) => {
    if (data === 'close') client.close(4001, 'bye');
    else if (data === 'raise') throw new Error('as asked');
    else client.send(data);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
