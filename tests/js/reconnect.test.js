'use strict';

// The option `reconnect` and its events, against the echo server.

const { assert } = require('./harness.js');
const { OTHER, PARAMETER, assertError, codeAndReason, failureOf, library, socketTest } = require('./support.js');
const { listen } = require('./server.js');

const { WS_URL } = process.env;
const LONG_MS = 20_000_000;

/** The next event of that type. */
const next = (ws, type) => new Promise((resolve) => ws.on(type, resolve));

socketTest('a lost connection reconnects with a prepared handshake', async ({ ws }) => {
  const seen = [];
  for (const type of ['open', 'close', 'error', 'reconnecting', 'reconnected']) ws.on(type, () => seen.push(type));
  const prepare = next(ws, 'prepare');
  const text = next(ws, 'message');
  const back = next(ws, 'reconnected');
  await ws.connect(`${WS_URL}/close/1012/restart`, { reconnect: { delay: 1, maxDelay: 1 } });
  const { attempt, cause, code, message } = await prepare;
  assert.deepStrictEqual([attempt, cause, code], [1, 11, 1012]);
  assert.match(message, /restart/);
  assert.strictEqual(ws.readyState, 0);
  assert.strictEqual(ws.url, `${WS_URL}/close/1012/restart`);
  assert.strictEqual(ws.prepareAttempt(attempt + 1), false);
  assert.strictEqual(ws.prepareAttempt(attempt, { url: `${WS_URL}/headers`, header: { 'X-Token': 'fresh' } }), true);
  const { attempts, downtime } = await back;
  assert.strictEqual(attempts, 1);
  assert.strictEqual(ws.url, `${WS_URL}/headers`);
  assert(downtime >= 0);
  await text;
  assert.deepStrictEqual(seen, ['open', 'reconnecting', 'open']);
});

// A close frame with a reason that is cut within a character, and with codes that must not be sent.
for (const [hex, cause, text] of [
  ['880303e9e4', 'RESTART', /close frame with the code 1001/],
  ['880203ee', 'LOST', /close frame carries the code 1006/],
]) {
  socketTest(`retries after an invalid close frame by its code: ${hex}`, async ({ ws }) => {
    const waits = next(ws, 'reconnecting');
    await ws.connect(`${WS_URL}/wire/${hex}`, { reconnect: { delay: LONG_MS, maxDelay: LONG_MS } });
    const told = await waits;
    assert.strictEqual(told.cause, library.Cause[cause]);
    assert.match(told.message, text);
    await ws.close();
  });
}
for (const [hex, code, text] of [
  ['880203ed', 1002, /close frame carries the code 1005/],
  ['880303e8e4', 1007, /close frame with the code 1000/],
]) {
  socketTest(`reports an invalid close frame without a retry with its code: ${hex}`, async (socket) => {
    await socket.open(`${WS_URL}/wire/${hex}`, { reconnect: { delay: 1, maxDelay: 1 } });
    const { error, result } = await socket.broken();
    assertError(error, OTHER, text);
    assert.deepStrictEqual([error.cause, result.cause, result.code], [library.Cause.CLOSED, library.Cause.CLOSED, code]);
  });
}

socketTest('retryNow starts the pending attempt, and close cancels it', async ({ ws }) => {
  assert.strictEqual(ws.retryNow(), false);
  const waits = next(ws, 'reconnecting');
  await ws.connect(`${WS_URL}/drop`, { reconnect: { delay: LONG_MS, maxDelay: LONG_MS } });
  const lost = ws.send('x').catch(() => {});
  assert.strictEqual((await waits).cause, 9);
  await lost;
  const again = next(ws, 'reconnected');
  assert.strictEqual(ws.retryNow(), true);
  await again;
  const waitsAgain = next(ws, 'reconnecting');
  await ws.send('x').catch(() => {});
  await waitsAgain;
  const closed = new Promise((resolve) => ws.on('close', (err, result) => resolve(result)));
  await ws.close({ code: 3999, reason: 'enough' });
  assert.deepStrictEqual(codeAndReason(await closed), { code: 3999, reason: 'enough' });
});

for (const dropQueue of [false, true]) {
  socketTest(`a send that waits for room ${dropQueue ? 'is dropped with' : 'outlives'} the connection like the queue`, async ({ ws }) => {
    const waits = next(ws, 'reconnecting');
    const reconnect = { delay: LONG_MS, maxDelay: LONG_MS, dropQueue };
    // A server that reads nothing is lost for want of a pong.
    const health = { pingInterval: 1, pongTimeout: 1 };
    await ws.connect(`${WS_URL}/silent`, { ...health, reconnect, sendQueueLimit: 30_000_000, sendQueuePolicy: 'wait' });
    const large = new ArrayBuffer(20_000_000);
    const begun = failureOf(() => ws.send(large));
    let failed = false;
    const waiting = failureOf(() => ws.send(large)).then((error) => {
      failed = true;
      return error;
    });
    assert.strictEqual((await waits).cause, 9);
    assertError(await begun, OTHER, /lost/);
    if (!dropQueue) {
      assert.strictEqual(failed, false);
      assert(ws.bufferedAmount > 20_000_000);
      await ws.close();
    }
    assertError(await waiting, OTHER, dropQueue ? /lost/ : /^send: the connection/);
    assert.strictEqual(ws.bufferedAmount, 0);
    if (dropQueue) await ws.close();
  });
}

socketTest('a partly sent message fails with the cause of the loss, and the next connection sends the rest', async ({ ws }, { cleanup }) => {
  const waiting = [];
  const server = await listen((connection) => waiting.shift()(connection));
  cleanup(server.close);
  const connection = () => new Promise((resolve) => waiting.push(resolve));
  const [first, second] = [connection(), connection()];
  const lost = next(ws, 'reconnecting');
  await ws.connect(server.url, { reconnect: { delay: 1, maxDelay: 1 }, pingInterval: 0 });
  const peer = await first;
  peer.socket.pause();
  // More than the kernel takes.
  const begun = ws.send(new ArrayBuffer(32_000_000)).catch((error) => error);
  const behind = ws.send('behind it');
  while (ws.stats().bytesSent === 0) await new Promise(setImmediate);
  const ping = ws.ping().catch((error) => error);
  peer.socket.destroy();
  const { message, unsent } = await lost;
  assert.strictEqual(unsent, 1);
  assert.match(message, /^open connection lost/);
  assertError(await begun, OTHER);
  assert.strictEqual((await begun).message, `send: the connection ended before the message was sent: ${message}`);
  assert.strictEqual((await ping).message, `ping: the connection ended before the pong: ${message}`);
  assert.strictEqual(await behind, true);
  const closed = next(ws, 'close');
  await ws.close();
  await closed;
  assert.deepStrictEqual((await second).messages.map(String), ['behind it']);
});

socketTest('waits as long as Retry-After asks, and does not retry a refusal', async (socket) => {
  const { ws } = socket;
  const { Cause } = library;
  for (const [path, cause] of [['/status/429/600', Cause.HTTP_4XX], ['/status/503/600', Cause.HTTP_5XX]]) {
    const waits = next(ws, 'reconnecting');
    await ws.connect(`${WS_URL}${path}`, { reconnect: { delay: 1, maxDelay: 1 } });
    const told = await waits;
    assert.strictEqual(told.cause, cause);
    assert(told.delay >= 600_000 && told.delay <= 600_001, `${told.delay}`);
    await ws.close();
    assert.strictEqual((await socket.closed()).cause, Cause.APPLICATION);
  }
  for (const status of [403, 501, 505]) {
    await ws.connect(`${WS_URL}/status/${status}`, { reconnect: { delay: 1, maxDelay: 1 } });
    assert.strictEqual((await socket.error()).data, String(status));
  }
  await ws.connect(`${WS_URL}/no-answer`, { reconnect: { delay: 1, maxDelay: 1 } });
  assert.strictEqual((await socket.error()).cause, Cause.NO_ANSWER);
});

socketTest('names the invalid reconnect option', async ({ ws }) => {
  const wrong = {
    delay: 0, maxDelay: '1', maxAttempts: 1.5, maxTime: -1, atOnce: 1, dropQueue: 1, causes: [13], other: 1,
  };
  for (const [field, value] of Object.entries(wrong)) {
    const error = await failureOf(() => ws.connect(WS_URL, { reconnect: { [field]: value } }));
    assertError(error, PARAMETER, new RegExp(`^reconnect\\.${field}: `));
  }
  assertError(await failureOf(() => ws.prepareAttempt('1')), PARAMETER, /^attempt: /);
  assertError(await failureOf(() => ws.prepareAttempt(1, { other: 1 })), PARAMETER, /^change\.other: /);
});

socketTest('the queue can be limited by messages, and the log level set', async ({ ws }) => {
  // A server that never answers keeps them in the queue.
  await ws.connect(`${WS_URL}/hang`, { sendQueueMessages: 2 });
  const accepted = [ws.send('a'), ws.send('b')];
  assertError(await failureOf(() => ws.send('c')), OTHER, /too much/);
  await ws.close();
  for (const promise of accepted) assertError(await failureOf(() => promise), OTHER, /^send: the connection ended/);
  assert.strictEqual(ws.stats().pingsUnanswered, 0);
  library.setLogLevel('off');
  assertError(await failureOf(() => library.setLogLevel('loud')), PARAMETER, /^level: /);
});
