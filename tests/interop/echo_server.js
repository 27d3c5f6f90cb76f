'use strict';

// An echo server by createWebSocketServer, for clients of others: prints its URL, and ends with its standard input.

const path = require('node:path');

const library = { exports: {} };
process.dlopen(library, path.resolve(process.env.NET_WEBSOCKET_LIB));
const server = library.exports.createWebSocketServer();

server.on('messageReceive', ({ data, clientConnection }) => {
  if (data === 'close me') server.close(clientConnection, { code: 4001, reason: 'as you wish' });
  else server.send(data, clientConnection);
});
server.on('close', (connection, { code, reason }) => console.log(`closed ${code} ${reason}`));
server.start({
  serverIP: '127.0.0.1', serverPort: 0, maxConnectionsForOneClient: 100, protocol: 'chat', perMessageDeflate: process.argv[2] === 'deflate',
}).then(() => console.log(`ws://127.0.0.1:${server.stats().serverPort}/`));
process.stdin.resume().on('end', () => server.stop());
