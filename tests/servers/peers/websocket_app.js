// npm's websocket: as its README has it.
'use strict';
const http = require('node:http');
const { server: WebSocketServer } = require('websocket');

const server = http.createServer((request, response) => response.writeHead(404).end());
server.listen(Number(process.argv[2]), '127.0.0.1');
new WebSocketServer({ httpServer: server }).on('request', (request) => {
  const status = Number(request.resource.slice(1));
  if (status) {
    request.reject(status, 'not here', { Location: '/' });
    return;
  }
  const connection = request.accept(request.requestedProtocols.includes('chat') ? 'chat' : null, request.origin);
  connection.on('message', (message) => {
    if (message.type === 'binary') connection.sendBytes(message.binaryData);
    else if (message.utf8Data === 'close') connection.close(4001, 'bye');
    else if (message.utf8Data === 'raise') throw new Error('as asked');
    else connection.sendUTF(message.utf8Data);
  });
});
