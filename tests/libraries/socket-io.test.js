'use strict';

// socket.io-client's bundle for browsers, with the socket.io server.

const { BYTES, TEXT, assert, assertBytes, libraryTest, next, requireFile, web } = require('./support.js');

libraryTest('socket.io-client: text and binary, the server lost and found, close', { server: 'socket.io' }, async ({ cleanup, host, lose, back }) => {
  const { io } = requireFile('socket.io-client/dist/socket.io.js');
  // Long polling needs XMLHttpRequest, so the WebSocket is the only transport.
  const socket = io(`http://${host}`, { transports: ['websocket'], reconnectionDelay: 10, reconnectionDelayMax: 50 });
  cleanup(() => socket.disconnect());

  await next((listener) => socket.once('connect', listener));
  assert(socket.io.engine.transport.ws instanceof web.WebSocket, 'not our WebSocket');
  assert.strictEqual(await socket.emitWithAck('echo', TEXT), TEXT);
  assertBytes(await socket.emitWithAck('echo', BYTES), BYTES);
  // An event with two attachments is three messages, which have to stay together.
  const back2 = next((listener) => socket.once('back', listener));
  socket.emit('twice', BYTES);
  for (const bytes of await back2) assertBytes(bytes, BYTES);
  // The server sends a ping, and the client answers it.
  await next((listener) => socket.io.once('ping', listener));

  const lost = next((listener) => socket.once('disconnect', listener));
  await lose();
  assert.match((await lost)[0], /^transport (close|error)$/);
  const again = next((listener) => socket.once('connect', listener));
  await back();
  await again;
  assert.strictEqual(await socket.emitWithAck('echo', TEXT), TEXT);

  const { ws } = socket.io.engine.transport;
  const closed = next((listener) => ws.addEventListener('close', listener, { once: true }));
  socket.disconnect();
  const [{ wasClean }] = await closed;
  assert.strictEqual(wasClean, true);
});
