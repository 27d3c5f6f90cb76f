'use strict';

// What can be watched of a connection: its frames, its statistics, and a number in its log lines.

const fs = require('node:fs');
const zlib = require('node:zlib');

const { assert, test } = require('./harness.js');
const { PARAMETER, assertError, bytes, failureOf, library, socketTest } = require('./support.js');
const { listen } = require('./server.js');

const { WS_URL } = process.env;

/** Blocks this thread, as a listener with much to do. */
function block(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

const header = (direction, opcode, length, more) => ({ direction, fin: true, rsv1: false, opcode, masked: direction === 'sent', length, ...more });

/** The next connection to a server of our own. */
async function observed({ cleanup }, headers) {
  let connected;
  const connection = new Promise((resolve) => (connected = resolve));
  const server = await listen(connected, headers);
  cleanup(server.close);
  return { url: server.url, connection };
}

/** Keeps what `frame` and `message` tell, in order; `until(count)` resolves when there is so much. */
function watch(ws) {
  const log = [];
  let heard = () => {};
  const note = (entry) => {
    log.push(entry);
    heard();
  };
  const listen = (frame) => note(frame);
  ws.on('frame', listen);
  ws.on('message', (_, data) => note(data));
  const until = async (count) => {
    while (log.length < count) await new Promise((resolve) => (heard = resolve));
    return log.splice(0, count);
  };
  return { log, until, listen };
}

test('reports every frame with its header, before the message it ends', async (context) => {
  const { url, connection } = await observed(context);
  const ws = library.createWebSocket();
  const { until } = watch(ws);
  await ws.connect(url, { pingInterval: 0 });
  const { socket } = await connection;
  socket.write(Buffer.from('\x01\x02ab\x89\x01p\x80\x01c\x82\x00', 'latin1'));
  const received = [];
  const answered = [];
  // The pong goes out at any time after its ping.
  for (const entry of await until(7)) (entry.direction === 'sent' ? answered : received).push(entry);
  assert.deepStrictEqual(answered, [header('sent', 10, 1)]);
  const [empty] = received.splice(-1);
  assert.strictEqual(empty.byteLength, 0);
  assert.deepStrictEqual(received, [
    header('received', 1, 2, { fin: false }), header('received', 9, 1), header('received', 0, 1), 'abc', header('received', 2, 0),
  ]);
  await ws.send(bytes(300));
  await ws.sendPiece('x', false);
  await ws.sendPiece('yz', true);
  // Each frame was reported before its promise resolved.
  assert.deepStrictEqual(await until(3), [header('sent', 2, 300), header('sent', 1, 1, { fin: false }), header('sent', 0, 2)]);
  const closed = new Promise((resolve) => ws.on('close', resolve));
  await ws.close({ code: 1000, reason: 'bye' });
  assert.deepStrictEqual(await until(2), [header('sent', 8, 5), header('received', 8, 5)]);
  await closed;
});

test('reports a compressed frame with its length on the wire', async (context) => {
  const { url, connection } = await observed(context, 'Sec-WebSocket-Extensions: permessage-deflate\r\n');
  const ws = library.createWebSocket();
  const { until } = watch(ws);
  // Earlier messages are not compressed, because the server has not agreed yet.
  const open = new Promise((resolve) => ws.on('open', resolve));
  await ws.connect(url, { pingInterval: 0 });
  const { socket } = await connection;
  await open;
  const text = 'x'.repeat(10_000);
  await ws.send(text);
  const [sent] = await until(1);
  assert.deepStrictEqual(sent, header('sent', 1, sent.length, { rsv1: true }));
  assert(sent.length < 1_000, `${sent.length} bytes`);
  const compressed = zlib.deflateRawSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
  socket.write(Buffer.concat([Buffer.from([0xc1, compressed.length]), compressed]));
  assert.deepStrictEqual(await until(2), [header('received', 1, compressed.length, { rsv1: true }), text]);
  const closed = new Promise((resolve) => ws.on('close', resolve));
  await ws.close();
  await closed;
});

socketTest('reports frames while there is a listener', async (socket) => {
  const { ws } = socket;
  await socket.open(WS_URL, { perMessageDeflate: false });
  const exchange = async (text) => {
    await ws.send(text);
    assert.strictEqual(await socket.message(), text);
  };
  await exchange('unseen');
  const { until, log, listen } = watch(ws);
  await ws.send('seen');
  assert.deepStrictEqual(await until(3), [header('sent', 1, 4), header('received', 1, 4), 'seen']);
  ws.on('message', (...args) => socket.record({ type: 'message', args }));
  ws.off('frame', () => {});
  await exchange('still');
  assert.deepStrictEqual(log.splice(0), [header('sent', 1, 5), header('received', 1, 5)]);
  ws.off('frame', listen);
  await exchange('unseen again');
  assert.deepStrictEqual(log, []);
  await socket.shut();
});

/** Unsolicited pongs to a listener of `event` that is slow at first; it `counts` each once. */
const floodOfPongs = async (context, event, counts) => {
  const count = 150_000;
  const { url, connection } = await observed(context);
  const ws = library.createWebSocket();
  let told = 0;
  let ahead = 0;
  const closed = new Promise((resolve) => ws.on('close', resolve));
  ws.on(event, (data) => {
    if (!counts(data)) return;
    if (told === 0) {
      block(200);
      ahead = ws.stats().bytesReceived;
    }
    told += 1;
    if (told === count) ws.close();
  });
  await ws.connect(url);
  // Of two bytes each.
  (await connection).socket.write(Buffer.alloc(2 * count, Buffer.from([0x8a, 0])));
  await closed;
  assert.strictEqual(told, count);
  // One read of the socket, on top of what may wait.
  assert(ahead < 200_000, `${ahead} bytes were read ahead of the listener`);
};

test('a flood of frames waits in the socket for a slow listener', (context) =>
  floodOfPongs(context, 'frame', ({ direction, opcode }) => direction === 'received' && opcode === 10));

test('sends wait for a slow listener of frames, and for no reader of messages', async (context) => {
  const count = 50_000;
  const { url, connection } = await observed(context);
  const ws = library.createWebSocket();
  let told = 0;
  ws.on('frame', ({ direction, opcode }) => {
    if (direction === 'sent' && opcode === 2) told += 1;
  });
  await ws.connect(url, { pingInterval: 0 });
  const peer = await connection;
  // Unread messages for `next`, more than enough to pause reading.
  const first = ws.next();
  peer.socket.write(Buffer.alloc(3 * 5_000, Buffer.from([0x81, 1, 0x61])));
  await first;
  const payload = new ArrayBuffer(1);
  for (let index = 0; index < count; index += 1) ws.send(payload, () => {});
  block(200);
  const waiting = ws.bufferedAmount;
  assert(waiting > 100_000, `${waiting} of ${7 * count} bytes were left`);
  await ws.send('last');
  assert.strictEqual(told, count);
  const closed = new Promise((resolve) => ws.on('close', resolve));
  ws.close();
  for (let index = 1; index < 5_000; index += 1) assert.deepStrictEqual(await ws.next(), { done: false, value: 'a' });
  await closed;
});

socketTest('reports only the latest statistics after the thread was busy', async (socket) => {
  const { ws } = socket;
  await socket.open(WS_URL, { statisticsInterval: 1, pingInterval: 0 });
  let told = [];
  let heard = () => {};
  ws.on('stats', (stats) => {
    told.push(stats);
    heard();
  });
  await new Promise((resolve) => (heard = resolve));
  await new Promise(setImmediate);
  told = [];
  const { messagesReceived } = ws.stats();
  ws.send('while nobody listens');
  do block(50); while (ws.stats().messagesReceived === messagesReceived);
  block(50);
  await socket.message();
  // Some could be told between the message and now, but none of those that waited.
  assert(told.length >= 1 && told.length < 10, `${told.length} events`);
  assert.strictEqual(told[0].messagesReceived, messagesReceived + 1);
  await socket.shut();
});

test('a flood of pongs waits in the socket for a slow listener', (context) => floodOfPongs(context, 'pong', () => true));

socketTest('the log lines of an object carry its trace id', async (socket) => {
  const isFile = fs.fstatSync(2).isFile();
  library.setLogLevel('info');
  const ids = [[0xa92ab1d3f2en, 'a92ab1d3f2e'], [0xabcdef, 'abcdef'], [2n ** 64n - 1n, 'f'.repeat(16)], [2 ** 53 - 1, '1fffffffffffff'], [0n], [0], [undefined]];
  for (const [traceId, hex] of ids) {
    await socket.open(WS_URL, { traceId });
    await socket.shut();
    if (!isFile) continue;
    const lines = fs.readFileSync('/proc/self/fd/2', 'latin1').trimEnd().split('\n').filter((line) => /\] open at /.test(line));
    assert.match(lines.at(-1), hex ? new RegExp(`\\[c\\d+ ${hex}\\] open`) : /\[c\d+\] open/);
  }
  library.setLogLevel('off');
  if (!isFile) console.log('skip: the number in log lines (stderr is no file)');
});

socketTest('refuses an invalid trace id', async ({ ws }) => {
  for (const traceId of [-1n, 2n ** 64n, 2n ** 128n, -(2n ** 64n), -1, 1.5, 2 ** 53, NaN, Infinity, '1', true, {}]) {
    assertError(await failureOf(() => ws.connect(WS_URL, { traceId })), PARAMETER, /^traceId: must be a bigint of 64 bits/);
  }
});

socketTest('stats count what went over the wire', async (socket) => {
  const { ws } = socket;
  const before = ws.stats();
  assert.strictEqual(before.connections, 0);
  assert.strictEqual(before.roundTrip, undefined);
  await socket.open(WS_URL);
  await ws.send('12345678');
  await socket.message();
  await ws.ping('x');
  const stats = ws.stats();
  assert.deepStrictEqual(
    [stats.attempts, stats.connections, stats.messagesSent, stats.messagesReceived, stats.pingsSent, stats.pongsReceived],
    [1, 1, 1, 1, 1, 1]);
  assert.strictEqual(stats.bytesSent, 6 + 8 + 6 + 1);
  assert.strictEqual(stats.bytesReceived, 2 + 8 + 2 + 1);
  assert(stats.roundTrip > 0 && stats.minimumRoundTrip <= stats.smoothedRoundTrip);
  assert(stats.upgradeTime > 0 && stats.tcpTime >= 0 && stats.tlsTime === 0);
  await socket.shut();
});

socketTest('reports statistics at statisticsInterval', async (socket) => {
  const { ws } = socket;
  const told = [];
  const enough = new Promise((resolve) => ws.on('stats', (stats) => told.push(stats) === 3 && resolve()));
  // A ping between the two looks would add its round trip.
  await socket.open(WS_URL, { statisticsInterval: 20, pingInterval: 0 });
  await enough;
  const [first] = told;
  assert.strictEqual(first.connections, 1);
  assert.deepStrictEqual(Object.keys(first), Object.keys(ws.stats()));
  ws.off('stats');
  await socket.shut();
  assertError(await failureOf(() => ws.connect(WS_URL, { statisticsInterval: 0 })), PARAMETER, /^statisticsInterval: /);
});
