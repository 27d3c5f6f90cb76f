'use strict';

// Messages by `next` and `for await`.

const { assert, test } = require('./harness.js');
const { OTHER, Recorder, assertError, assertSameBytes, bytes, failureOf, library, socketTest } = require('./support.js');

const { WS_URL } = process.env;

// Round trips of another connection during which nothing is read from one that is quiet.
const QUIET_ROUNDS = 100;

socketTest('next resolves with one message after the other, then done', async (socket) => {
  const { ws } = socket;
  const early = await failureOf(() => ws.next());
  assertError(early, OTHER, /^next: not connected/);
  ws.connect(WS_URL);
  const first = ws.next();
  await socket.next('open');
  ws.send('one');
  ws.send(bytes(3));
  ws.send('three');
  assert.deepStrictEqual(await first, { done: false, value: 'one' });
  const second = await ws.next();
  assert.strictEqual(second.done, false);
  assertSameBytes(second.value, bytes(3));
  const [third, fourth] = [ws.next(), ws.next()];
  assert.deepStrictEqual(await third, { done: false, value: 'three' });
  ws.close();
  assert.deepStrictEqual(await fourth, { done: true, value: undefined });
  assert.deepStrictEqual(await ws.next(), { done: true, value: undefined });
  await socket.closed();
  // None of them came to the listeners.
  assert.deepStrictEqual(socket.log, ['headerReceive', 'open', 'close']);
});

socketTest('for await reads until the connection ends, and can break and continue', async (socket) => {
  const { ws } = socket;
  ws.connect(`${WS_URL}/flood/1000/4`);
  const numbers = [];
  const read = async (until) => {
    for await (const message of ws) {
      numbers.push(new DataView(message).getUint32(0, true));
      if (numbers.length === until) break;
    }
  };
  await read(10);
  await read(1000);
  ws.close();
  await read();
  assert.deepStrictEqual(numbers, Array.from({ length: 1000 }, (_, index) => index));
});

socketTest('a reader can await its sends while answers queue', async (socket) => {
  const { ws } = socket;
  ws.connect(WS_URL);
  const first = ws.next();
  assert.strictEqual(await ws.send('0'), true);
  await ws.send('1');
  await ws.send('2');
  assert(await ws.ping() > 0);
  assert.strictEqual((await first).value, '0');
  let round = 0;
  for await (const message of ws) {
    round += 1;
    assert.strictEqual(message, `${round}`);
    if (round === 50) break;
    if (round > 1) await ws.send(`${round + 1}`);
  }
  await socket.shut();
});

socketTest('unread messages can be read after the end, and the next connection starts empty', async (socket) => {
  const { ws } = socket;
  ws.connect(WS_URL);
  const first = ws.next();
  for (const text of ['a', 'b', 'c']) await ws.send(text);
  assert.strictEqual((await first).value, 'a');
  ws.close();
  await socket.closed();
  assert.deepStrictEqual(await ws.next(), { done: false, value: 'b' });
  await ws.connect(WS_URL);
  await socket.next('open');
  // No `next` on this connection yet: the listener hears.
  await ws.send('d');
  assert.strictEqual(await socket.message(), 'd');
  const next = ws.next();
  await ws.send('e');
  assert.deepStrictEqual(await next, { done: false, value: 'e' });
  await socket.shut();
});

socketTest('next rejects once when the connection fails', async (socket) => {
  const { ws } = socket;
  ws.connect(`${WS_URL}/bad-utf8`);
  const both = [ws.next(), ws.next()];
  assertError(await failureOf(() => both[0]), OTHER, /protocol/);
  assert.strictEqual((await both[1]).done, true);
  await socket.broken();
  ws.connect(`${WS_URL}/status/404`);
  assertError(await failureOf(() => ws.next()), 200, /404/);
  assert.strictEqual((await ws.next()).done, true);
});

socketTest('a reader that does not read pauses the server and loses no message', async (socket, context) => {
  const { ws } = socket;
  const [count, size] = [2_000, 16_384];
  ws.connect(`${WS_URL}/flood/${count}/${size}`);
  const first = ws.next();
  await first;
  // A pong behind the flood would need the whole flood to be read. So another connection to the same server detects the pause:
  // while its pings are answered, no more of the flood is read.
  const clock = new Recorder(context);
  await clock.open(WS_URL);
  let before;
  do {
    before = ws.stats().bytesReceived;
    for (let round = 0; round < QUIET_ROUNDS; round += 1) await clock.ws.ping();
  } while (ws.stats().bytesReceived !== before);
  await clock.shut();
  assert(before < count * size / 2, `${before} bytes were read although nobody asked for them`);
  for (let index = 1; index < count; index += 1) {
    const { value } = await ws.next();
    assert.strictEqual(value.byteLength, size);
    assert.strictEqual(new DataView(value).getUint32(0, true), index);
  }
  await socket.shut();
});

test('a socket is its own async iterator', () => {
  const ws = library.createWebSocket();
  assert.strictEqual(ws[Symbol.asyncIterator](), ws);
});
