'use strict';

// @stomp/stompjs with the broker stomp-broker-js. The broker sends nobody what he has published himself, so the server answers each
// message on another topic: in bytes, since the broker counts text in UTF-16 units where STOMP counts bytes, and as text when it is asked to.
// It reads every body as text, so what it gets in bytes is ASCII.

const { Queue, TEXT, assert, assertBytes, importFile, libraryTest, next, web } = require('./support.js');

libraryTest('@stomp/stompjs: text and binary, the server lost and found, close', { server: 'stomp', needs: ['TextEncoder', 'TextDecoder'] }, async ({ cleanup, host, lose, back }) => {
  const { Client } = await importFile('@stomp/stompjs/esm6/index.js');
  const messages = new Queue();
  const connections = new Queue();
  const client = new Client({ brokerURL: `ws://${host}/stomp`, reconnectDelay: 20, heartbeatIncoming: 0, heartbeatOutgoing: 0 });
  client.onConnect = () => {
    client.subscribe('/topic/answer', (message) => messages.push(message));
    connections.push(client.webSocket);
  };
  cleanup(() => client.deactivate());
  client.activate();

  const socket = await connections.shift();
  assert(socket instanceof web.WebSocket, 'not our WebSocket');
  assert.match(socket.protocol, /^v1\d\.stomp$/);
  client.publish({ destination: '/topic/question', body: TEXT });
  assert.strictEqual((await messages.shift()).body, TEXT);
  client.publish({ destination: '/topic/question', body: 'plain', headers: { as: 'text' } });
  assert.strictEqual((await messages.shift()).body, 'plain');
  const bytes = Uint8Array.from({ length: 50_000 }, (_, index) => 0x61 + (index % 26));
  client.publish({ destination: '/topic/question', binaryBody: bytes });
  assertBytes((await messages.shift()).binaryBody, bytes);

  const lost = next((listener) => (client.onWebSocketClose = listener));
  await lose();
  assert.strictEqual((await lost)[0].code, 1006);
  await back();
  const second = await connections.shift();
  assert.notStrictEqual(second, socket);
  client.publish({ destination: '/topic/question', body: 'later' });
  assert.strictEqual((await messages.shift()).body, 'later');

  const closed = next((listener) => second.addEventListener('close', listener, { once: true }));
  await client.deactivate();
  await closed;
});
