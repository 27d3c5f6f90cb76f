'use strict';

// nats.ws with Debian's nats-server.

const { BYTES, Queue, TEXT, assert, assertBytes, importFile, libraryTest, next, web } = require('./support.js');

libraryTest('nats.ws: text and binary, the server lost and found, close', { server: 'nats', needs: ['TextEncoder', 'TextDecoder', 'URL', 'queueMicrotask'] }, async ({ cleanup, host, lose, back }) => {
  const { connect } = await importFile('nats.ws/esm/nats.js');
  const client = await connect({ servers: `ws://${host}`, reconnectTimeWait: 50, reconnectJitter: 0, maxReconnectAttempts: -1 });
  cleanup(() => client.close());
  assert(client.protocol.transport.socket instanceof web.WebSocket, 'not our WebSocket');
  const messages = new Queue();
  client.subscribe('room', { callback: (_, { data }) => messages.push(data) });
  const states = new Queue();
  const watch = async () => {
    for await (const { type } of client.status()) if (type === 'disconnect' || type === 'reconnect') states.push(type);
  };
  // It has no end, not even after `close`.
  watch();

  client.publish('room', TEXT);
  assert.strictEqual(new TextDecoder().decode(await messages.shift()), TEXT);
  client.publish('room', BYTES);
  assertBytes(await messages.shift(), BYTES);

  await lose();
  assert.strictEqual(await states.shift(), 'disconnect');
  await back();
  assert.strictEqual(await states.shift(), 'reconnect');
  client.publish('room', 'later');
  assert.strictEqual(new TextDecoder().decode(await messages.shift()), 'later');

  const { socket } = client.protocol.transport;
  const closed = next((listener) => socket.addEventListener('close', listener, { once: true }));
  await client.close();
  assert.strictEqual((await closed)[0].wasClean, true);
});
