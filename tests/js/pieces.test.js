'use strict';

// Messages piece by piece, both ways.

const { assert, test } = require('./harness.js');
const { OTHER, PARAMETER, assertError, assertSameBytes, bytes, connectFailure, failureOf, library, socketTest } = require('./support.js');
const { listen } = require('./server.js');

const { WS_URL } = process.env;
const MIB = 1_048_576;

/** The next message of a socket with `receivePieces`: the arguments of its events, and the whole message. */
function pieceReader(ws) {
  const pieces = [];
  let heard = () => {};
  ws.on('piece', (piece) => {
    pieces.push(piece);
    heard();
  });
  return async () => {
    while (!pieces.some(({ last }) => last)) await new Promise((resolve) => (heard = resolve));
    const message = pieces.splice(0, pieces.findIndex(({ last }) => last) + 1);
    message.forEach(({ first }, index) => assert.strictEqual(first, index === 0));
    const parts = message.map(({ data }) => data);
    const type = typeof parts[0];
    for (const part of parts) assert.strictEqual(typeof part, type);
    return { count: parts.length, parts, data: type === 'string' ? parts.join('') : Buffer.concat(parts.map((part) => new Uint8Array(part))) };
  };
}

socketTest('sends text and binary messages in pieces', async (socket) => {
  const { ws } = socket;
  await socket.open(WS_URL);
  const sent = [ws.sendPiece('one, ', false), ws.sendPiece('', false), ws.sendPiece('two 🎉', true)];
  assert.deepStrictEqual(await Promise.all(sent), [true, true, true]);
  assert.strictEqual(await socket.message(), 'one, two 🎉');
  await ws.sendPiece(bytes(1000), false);
  await ws.sendPiece(new Uint8Array(bytes(3000), 1000, 1000), false);
  await ws.ping();
  await ws.sendPiece(new DataView(bytes(3000), 2000), true);
  assertSameBytes(await socket.message(), Buffer.concat([new Uint8Array(bytes(1000)), new Uint8Array(bytes(3000), 1000)]));
  await ws.sendPiece('alone', true);
  assert.strictEqual(await socket.message(), 'alone');
  assert.strictEqual(ws.stats().messagesSent, 3);
  await socket.shut();
});

socketTest('refuses other messages between pieces, and the message continues', async (socket) => {
  const { ws } = socket;
  assertError(await failureOf(() => ws.sendPiece('x', true)), OTHER, /^sendPiece: not connected/);
  await socket.open(WS_URL);
  await ws.sendPiece('be', false);
  assertError(await failureOf(() => ws.send('x')), OTHER, /^send: a message in pieces/);
  assertError(await failureOf(() => ws.sendPiece(bytes(1), true)), OTHER, /^sendPiece: .* other type/);
  assertError(await failureOf(() => ws.sendPiece(1, true)), PARAMETER, /^data: /);
  assertError(await failureOf(() => ws.sendPiece('x')), PARAMETER, /^last: /);
  await ws.sendPiece('gun', true);
  assert.strictEqual(await socket.message(), 'begun');
  await ws.send('next');
  assert.strictEqual(await socket.message(), 'next');
  await socket.shut();
  assertError(await failureOf(() => ws.sendPiece('x', true)), OTHER, /^sendPiece: .* closed/);
});

socketTest('a refused piece can be sent once the queue has drained', async (socket) => {
  const { ws } = socket;
  await socket.open(`${WS_URL}/sink`, { sendQueueLimit: 200_000 });
  const block = bytes(65_536);
  let [refused, sent] = [0, 0];
  const send = () => ws.sendPiece(block, false).then(() => (sent += 1), (error) => {
    assertError(error, OTHER, /^sendPiece: too much/);
    refused += 1;
  });
  while (sent < 256) {
    await ws.ready();
    await Promise.all(Array.from({ length: 256 }, send));
  }
  assert(refused > 0);
  await ws.ready();
  await ws.sendPiece(new ArrayBuffer(0), true);
  assert.strictEqual(await socket.message(), `sunk ${sent * block.byteLength}`);
  await socket.shut();
});

socketTest('receives a long binary message in pieces', async (socket) => {
  const { ws, log } = socket;
  const next = pieceReader(ws);
  const length = 40 * MIB;
  await socket.open(`${WS_URL}/large/${length}`, { receivePieces: true, maxMessageSize: length });
  assertError(await failureOf(() => ws.next()), OTHER, /^next: messages are delivered in pieces/);
  const { parts, count } = await next();
  let [offset, longest] = [0, 0];
  for (const part of parts) {
    const view = new Uint8Array(part);
    for (const at of [0, view.length - 1]) assert.strictEqual(view[at], (offset + at) % 251);
    offset += view.length;
    longest = Math.max(longest, view.length);
  }
  assert.strictEqual(offset, length);
  assert(count > 100 && longest <= 262_144, `${count} pieces, the longest of ${longest} bytes`);
  await ws.send('short');
  assert.deepStrictEqual((await next()).parts, ['short']);
  await ws.send(new ArrayBuffer(0));
  assertSameBytes((await next()).parts[0], new ArrayBuffer(0));
  // Each message has an event for its end, and none is delivered whole.
  await socket.shut();
  assert.deepStrictEqual(log, ['headerReceive', 'open', 'dataEnd', 'dataEnd', 'dataEnd', 'close']);
});

socketTest('a piece of text never ends inside a character', async (socket) => {
  const { ws } = socket;
  const next = pieceReader(ws);
  await socket.open(WS_URL, { receivePieces: true, perMessageDeflate: false });
  for (const start of ['', 'a', 'ab', 'abc']) {
    const text = start + '🎉€é'.repeat(100_000);
    await ws.send(text);
    const { count, data, parts } = await next();
    assert(count > 3);
    for (const part of parts) assert(!part.includes('\uFFFD'));
    assert(data === text, 'another text');
  }
  await socket.shut();
});

/** Frames, and the texts of the pieces that come of them. */
const FRAGMENTS = [
  // A character of four bytes, one byte a frame; then the end in an empty frame.
  { name: 'byte by byte', frames: [[0x01, 1, 0xf0], [0x00, 1, 0x9f], [0x00, 1, 0x8e], [0x00, 1, 0x89], [0x80, 0]], texts: ['🎉', ''] },
  { name: 'across two', frames: [[0x01, 2, 0x61, 0xe2], [0x80, 2, 0x82, 0xac]], texts: ['a', '€'] },
  { name: 'empty first', frames: [[0x01, 0], [0x00, 1, 0xc3], [0x80, 1, 0xa9]], texts: ['é'] },
];

for (const { name, frames, texts } of FRAGMENTS) {
  test(`fragments of a text, ${name}`, async ({ cleanup }) => {
    const server = await listen(({ socket }) => socket.write(Buffer.from(frames.flat())));
    cleanup(() => server.close());
    const ws = library.createWebSocket();
    cleanup(() => ws.close().catch(() => {}));
    const next = pieceReader(ws);
    await ws.connect(server.url, { receivePieces: true });
    assert.deepStrictEqual((await next()).parts, texts);
    const closed = new Promise((resolve) => ws.on('close', resolve));
    await ws.close();
    await closed;
  });
}

socketTest('the message limit applies to all pieces together', async (socket) => {
  const { ws } = socket;
  let pieces = 0;
  ws.on('piece', () => (pieces += 1));
  await socket.open(`${WS_URL}/large/300000`, { receivePieces: true, maxMessageSize: 299_999 });
  assert.strictEqual((await socket.broken()).result.code, 1009);
  assert.strictEqual(pieces, 0);
});

socketTest('the next connection delivers whole messages again, and an invalid option is refused', async (socket) => {
  const { ws } = socket;
  await socket.open(WS_URL, { receivePieces: true });
  await socket.shut();
  await socket.open(WS_URL);
  await ws.send('whole');
  assert.strictEqual(await socket.message(), 'whole');
  await socket.shut();
  assertError(await connectFailure(socket, WS_URL, { receivePieces: 1 }), PARAMETER, /^receivePieces: must be a boolean/);
});

test('a message in pieces starts again after its connection was lost', async ({ cleanup }) => {
  const connections = [];
  const server = await listen((connection) => {
    connections.push(connection);
    if (connections.length === 1) connection.socket.once('data', () => connection.socket.destroy());
  });
  cleanup(() => server.close());
  const ws = library.createWebSocket();
  cleanup(() => ws.close().catch(() => {}));
  const event = (type) => new Promise((resolve) => ws.on(type, resolve));
  const [opened, reconnected] = [event('open'), event('reconnected')];
  await ws.connect(server.url, { reconnect: { delay: 1 } });
  await opened;
  await ws.sendPiece('lost', false);
  await reconnected;
  assertError(await failureOf(() => ws.sendPiece('rest', true)), OTHER, /^sendPiece: .* send the message again/);
  await ws.sendPiece('from the ', false);
  await ws.sendPiece('beginning', true);
  const closed = event('close');
  await ws.close();
  await closed;
  assert.deepStrictEqual(connections[1].messages.map(String), ['from the ', 'beginning']);
});
