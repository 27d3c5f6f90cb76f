// npm's ws: a WebSocketServer behind a node http server, with the check for broken connections that its README has, or `quiet`.
'use strict';
const http = require('node:http');
const https = require('node:https');
const fs = require('node:fs');
const { WebSocketServer } = require('ws');

const [port, how, key] = process.argv.slice(2);
const certificate = how !== 'quiet' && how;
const handleProtocols = (offered) => (offered.has('chat') ? 'chat' : false);
const plain = new WebSocketServer({ noServer: true, handleProtocols });
const compressed = new WebSocketServer({ noServer: true, handleProtocols, perMessageDeflate: true });

const server = certificate
  ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  : http.createServer();
server.on('upgrade', (request, socket, head) => {
  const status = Number(request.url.slice(1));
  if (status === 500) throw new Error('as asked');
  if (status) {
    socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nLocation: /\r\nConnection: close\r\n\r\n`);
    return;
  }
  const chosen = request.url === '/compressed' ? compressed : plain;
  chosen.handleUpgrade(request, socket, head, (client) => echo(client));
});

function echo(client) {
  client.isAlive = true;
  client.on('pong', () => { client.isAlive = true; });
  client.on('message', (data, binary) => {
    const text = binary ? '' : String(data);
    if (text === 'close') client.close(4001, 'bye');
    else if (text === 'raise') throw new Error('as asked');
    else client.send(data, { binary });
  });
  client.on('error', () => {});
}

if (how !== 'quiet') setInterval(() => {
  for (const client of [...plain.clients, ...compressed.clients]) {
    if (!client.isAlive) client.terminate();
    client.isAlive = false;
    client.ping();
  }
}, 20_000);
server.listen(Number(port), '127.0.0.1');
