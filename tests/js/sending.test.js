'use strict';

// The promise of `send`, and the limits and policies of the send queue.

const net = require('node:net');

const { assert } = require('./harness.js');
const {
  HTTP_STATUS, OTHER, PARAMETER, assertError, assertSameBytes, bytes, callbackOf, failureOf, library, socketTest,
} = require('./support.js');

const { WS_URL } = process.env;

socketTest('send resolves when the kernel has the message, and rejects with the connection', async (socket) => {
  const { ws } = socket;
  const early = [];
  await ws.connect(WS_URL);
  const first = ws.send('first').then((value) => early.push(value));
  await socket.next('open');
  await first;
  assert.deepStrictEqual(early, [true]);
  assert.strictEqual(await socket.message(), 'first');
  assert.deepStrictEqual(await Promise.all([ws.send('a'), ws.send(bytes(100_000)), ws.send('c')]), [true, true, true]);
  await socket.shut();

  await ws.connect(`${WS_URL}/hang`);
  const hung = [ws.send('never'), ws.send('neither')];
  await ws.close();
  for (const promise of hung) assertError(await failureOf(() => promise), OTHER, /^send: the connection ended.*: closed by the application \(1000\): CLOSE_NORMAL$/);
  await socket.closed();
  // The same with a callback, which reports the acceptance.
  await ws.connect(`${WS_URL}/hang`);
  assert.deepStrictEqual(await callbackOf((callback) => ws.send('x', callback)), { err: undefined, value: true });
  await ws.close();
  await socket.closed();
});

socketTest('sends a long message in fragments by default', async (socket) => {
  const { ws } = socket;
  for (const [options, expected] of [
    [{}, [[2, false, 262_130], [0, false, 262_130], [0, false, 262_130], [0, false, 262_130], [0, true, 251_480]]],
    [{ fragmentMessages: false }, [[2, true, 1_300_000]]],
  ]) {
    const frames = [];
    ws.on('frame', ({ direction, opcode, fin, length }) => {
      if (direction === 'sent') frames.push([opcode, fin, length]);
    });
    await socket.open(WS_URL, { perMessageDeflate: false, pingInterval: 0, ...options });
    await ws.send(bytes(1_300_000));
    assertSameBytes(await socket.message(), bytes(1_300_000));
    ws.off('frame');
    assert.deepStrictEqual(frames, expected);
    await socket.shut();
  }
});

socketTest('a full queue refuses a send, and ready resolves when there is room', async (socket) => {
  const { ws } = socket;
  const drained = new Promise((resolve) => ws.on('drain', resolve));
  const block = bytes(50_000);
  // A server that never answers keeps all of it in the queue.
  await ws.connect(`${WS_URL}/hang`, { sendQueueLimit: 200_000 });
  const lost = [ws.send(block), ws.send(block), ws.send(block)].map((promise) => promise.then(() => 'sent', () => 'lost'));
  assertError(await failureOf(() => ws.send(block)), OTHER, /too much/);
  assert(ws.bufferedAmount > 150_000);
  const never = ws.ready().then(() => 'ready', (error) => error);
  await ws.close();
  assert.deepStrictEqual(await Promise.all(lost), ['lost', 'lost', 'lost']);
  assertError(await never, OTHER, /^ready: the connection ended/);
  await socket.closed();

  await socket.open(`${WS_URL}/opcode`, { sendQueueLimit: 200_000 });
  const sent = ws.send(bytes(180_000));
  assert.strictEqual(await ws.ready(), true);
  assert(ws.bufferedAmount <= 50_000);
  await drained;
  assert.strictEqual(await sent, true);
  assert.strictEqual(await socket.message(), 'binary 180000');
  assert.strictEqual(await ws.ready(), true);
  // A message that can never fit is refused at once.
  assertError(await failureOf(() => ws.send(bytes(200_000))), OTHER, /^send: the message is longer than sendQueueLimit$/);
  assert.strictEqual(await ws.ready(), true);
  await socket.shut();
});

socketTest('with sendQueuePolicy wait, sends wait for room in order', async (socket) => {
  const { ws } = socket;
  const limits = { sendQueueLimit: 100_000, sendQueuePolicy: 'wait' };
  await socket.open(WS_URL, limits);
  // Small ones in between would find room that the large ones do not have.
  const payloads = Array.from({ length: 60 }, (_, index) => `${index} `.padEnd(index % 3 === 0 ? 90_000 : 9, 'x'));
  const sent = payloads.map((payload) => ws.send(payload));
  assert(ws.bufferedAmount <= 100_000);
  assertError(await failureOf(() => ws.send('x'.repeat(100_000))), OTHER, /^send: .* longer than sendQueueLimit$/);
  const { err } = await callbackOf((callback) => ws.send('overtakes', callback));
  if (err) assertError(err, OTHER, /^send: too much/);
  for (const payload of payloads) assert.strictEqual(await socket.message(), payload);
  assert.deepStrictEqual(await Promise.all(sent), sent.map(() => true));
  if (!err) assert.strictEqual(await socket.message(), 'overtakes');
  await socket.shut();
});

socketTest('messages without a promise and a limit of one message do not block a waiting send', async (socket) => {
  const { ws } = socket;
  await socket.open(WS_URL, { sendQueueMessages: 1, sendQueuePolicy: 'wait' });
  const first = callbackOf((callback) => ws.send('first', callback));
  const others = ['second', 'third'].map((text) => ws.send(text));
  assert.deepStrictEqual(await Promise.all(others), [true, true]);
  assert.strictEqual((await first).value, true);
  for (const text of ['first', 'second', 'third']) assert.strictEqual(await socket.message(), text);
  await socket.shut();
});

socketTest('a send that waits for room rejects when its connection fails', async (socket) => {
  const { ws } = socket;
  const limits = { sendQueueLimit: 100_000, sendQueuePolicy: 'wait' };
  // A server that never answers keeps the first in the queue.
  await ws.connect(`${WS_URL}/hang`, limits);
  const lost = [1, 2, 3].map(() => failureOf(() => ws.send('x'.repeat(90_000))));
  const { err } = await callbackOf((callback) => ws.send('x'.repeat(90_000), callback));
  assertError(err, OTHER, /^send: too much/);
  assertError(await failureOf(() => ws.sendPiece('x', true)), OTHER, /^sendPiece: too much/);
  await ws.close();
  for (const error of await Promise.all(lost)) assertError(error, OTHER, /^send: the connection/);
  await socket.closed();
  await socket.open(WS_URL, limits);
  assert.strictEqual(await ws.send('next'), true);
  assert.strictEqual(await socket.message(), 'next');
  await socket.shut();
  assertError(await failureOf(() => ws.connect(WS_URL, { sendQueuePolicy: 'block' })), PARAMETER, /^sendQueuePolicy: /);
});

socketTest('promises rejected by an end have its code and cause, as the event does', async (socket, { cleanup }) => {
  const { ws } = socket;
  // A server that answers only what and when the test says.
  const waiting = [];
  const server = net.createServer((connection) => connection.once('data', () => waiting.shift()(connection)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  /** The errors of the promises of `make`, in order, when the server answers their attempt with `answer`. */
  const broken = async (answer, options, make) => {
    const asked = new Promise((resolve) => waiting.push(resolve));
    await ws.connect(`ws://127.0.0.1:${server.address().port}/`, options);
    const order = [];
    const errors = make().map((promise, index) => promise.catch((error) => {
      order.push(index);
      return error;
    }));
    (await asked).end(answer);
    await Promise.all(errors);
    assert.deepStrictEqual(order, [...order].sort());
    return Promise.all(errors);
  };
  for (const [answer, code, text] of [['', OTHER, /closed the connection before/], ['HTTP/1.1 503 No\r\n\r\n', HTTP_STATUS, /HTTP 503/]]) {
    const [first, second, ready, next] = await broken(answer, { sendQueueLimit: 100 }, () => [ws.send('a'), ws.send('x'.repeat(40)), ws.ready(), ws.next()]);
    const error = await socket.error();
    assert.match(error.message, text);
    if (answer === '') assert.strictEqual(error.cause, library.Cause.NO_ANSWER);
    assert.strictEqual(error.unsent, 2);
    for (const each of [first, second]) assertError(each, code, /^send: the connection ended before the message was sent: /);
    assertError(ready, code, /^ready: the connection ended: /);
    for (const each of [first, second, ready]) assert(each.message.endsWith(error.message), each.message);
    assert.deepStrictEqual([next.code, next.message], [error.code, error.message]);
  }

  const [piece] = await broken('', {}, () => [ws.sendPiece('a', false)]);
  assertError(piece, OTHER, /^sendPiece: the connection ended before the message was sent: WebSocket upgrade/);
  await socket.error();

  // One in the queue, and one that waits for room in it.
  const options = { sendQueueLimit: 100, sendQueuePolicy: 'wait' };
  for (const each of await broken('', options, () => [ws.send('x'.repeat(80)), ws.send('x'.repeat(80))])) assertError(each, OTHER, /^send: .*: WebSocket upgrade/);
  assert.strictEqual((await socket.error()).unsent, 1);

  await socket.open(`${WS_URL}/drop`);
  const lost = ws.ping().catch((error) => error);
  // The server can receive the ping and cut the connection before the message is sent or even accepted.
  const unsent = ws.send('x').then(() => 0, ({ message }) => Number(message.includes('ended before the message was sent')));
  const { error } = await socket.broken();
  assertError(await lost, OTHER, /^ping: the connection ended before the pong: open connection lost/);
  assert.strictEqual(error.unsent, await unsent);

  await socket.open(`${WS_URL}/silent`, { closeTimeout: 50 });
  const ping = ws.ping().catch((error) => error);
  await ws.close({ code: 1000, reason: 'enough' });
  assertError(await ping, OTHER, /^ping: the connection ended before the pong: closed by the application \(1006\): no close frame came/);
  await socket.closed();
});
