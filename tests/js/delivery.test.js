'use strict';

// Many events at a time, and listeners that are slow, throw or change.

const { assert, test, uncaughtException } = require('./harness.js');
const { assertSameBytes, bytes, library, socketTest } = require('./support.js');

const { WS_URL } = process.env;

const indexOf = (data) => new DataView(data).getUint32(0, true);

/** Blocks this thread, as a listener with much to do. */
function block(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** A socket without listeners, and what ends the test. */
function plain({ cleanup }) {
  const ws = library.createWebSocket();
  cleanup(() => ws.close().catch(() => {}));
  const closed = new Promise((resolve, reject) => {
    ws.on('close', (_, result) => resolve(result));
    ws.on('error', (error) => reject(error));
  });
  return { ws, closed };
}

test('a listener added inside a listener gets the next message, and a removed one gets none', async (context) => {
  const { ws, closed } = plain(context);
  const log = [];
  const note = (name, then) => (_, data) => {
    log.push(`${name}${indexOf(data)}`);
    then?.(indexOf(data));
  };
  ws.on('dataEnd', () => log.push('end'));
  ws.on('message', note('a', () => {
    ws.on('message', note('b', (index) => {
      if (index === 2) ws.off('dataEnd');
      if (index === 4) {
        ws.off('message');
        ws.on('dataEnd', () => {
          log.push('end');
          ws.on('message', note('c', (index) => index === 7 && ws.close()));
          if (log.filter((entry) => entry === 'end').length === 4) ws.off('dataEnd');
        });
      }
    }));
  }));
  ws.connect(`${WS_URL}/flood/8/4`);
  assert.strictEqual((await closed).code, 1000);
  assert.deepStrictEqual(log, ['a0', 'end', 'b1', 'end', 'b2', 'b3', 'b4', 'end', 'c5', 'end', 'c6', 'c7']);
});

test('a listener that throws at each message misses none', async (context) => {
  const count = 50;
  const { ws, closed } = plain(context);
  const thrown = Array.from({ length: 2 * count }, uncaughtException);
  const log = [];
  ws.on('message', (_, data) => {
    log.push(indexOf(data));
    throw new Error(`message ${indexOf(data)}`);
  });
  ws.on('dataEnd', () => {
    log.push('end');
    if (log.length === 2 * count) ws.close();
    throw new Error('end');
  });
  ws.connect(`${WS_URL}/flood/${count}/4`);
  assert.strictEqual((await closed).code, 1000);
  assert.deepStrictEqual(log, Array.from({ length: count }, (_, index) => [index, 'end']).flat());
  const texts = (await Promise.all(thrown)).map(({ message }) => message);
  assert.deepStrictEqual(texts, Array.from({ length: count }, (_, index) => [`message ${index}`, 'end']).flat());
});

test('timers run during a flood', async (context) => {
  const count = 400;
  const { ws, closed } = plain(context);
  const ticks = { timeout: 0, immediate: 0 };
  let running = true;
  const tick = (name, next) => {
    const again = () => {
      ticks[name] += 1;
      if (running) next(again);
    };
    next(again);
  };
  ws.on('message', (_, data) => {
    // Other sockets' worth of work; all of it takes a hundred turns of the loop.
    block(1);
    if (indexOf(data) === 0) {
      tick('timeout', (again) => setTimeout(again, 1));
      tick('immediate', setImmediate);
    }
    if (indexOf(data) === count - 1) {
      running = false;
      ws.close();
    }
  });
  ws.connect(`${WS_URL}/flood/${count}/16`);
  assert.strictEqual((await closed).code, 1000);
  assert(ticks.timeout >= 10 && ticks.immediate >= 10, `while ${count} ms of messages came: ${JSON.stringify(ticks)}`);
});

for (const [kind, path] of [['binary', 'flood'], ['text', 'flood-text']]) {
  test(`a slow listener pauses the server and loses no message (${kind})`, async (context) => {
    const [count, size] = [1_024, 65_536];
    const { ws, closed } = plain(context);
    let seen = 0;
    let ahead = 0;
    ws.on('message', (_, data) => {
      const index = typeof data === 'string' ? Number(data.slice(0, 8)) : indexOf(data);
      assert.strictEqual(index, seen);
      assert.strictEqual(data.length ?? data.byteLength, size);
      seen += 1;
      // What the library has read of the socket and not yet delivered.
      ahead = Math.max(ahead, ws.stats().bytesReceived - seen * size);
      block(1);
      if (seen === count) ws.close();
    });
    ws.connect(`${WS_URL}/${path}/${count}/${size}`);
    assert.strictEqual((await closed).code, 1000);
    assert.strictEqual(seen, count);
    assert(ahead < 2_097_152, `${ahead} bytes were read ahead of the listener`);
  });
}

test('a listener that blocks longer than the pong timeout does not end the connection', async (context) => {
  const [count, size] = [64, 65_536];
  const { ws, closed } = plain(context);
  let seen = 0;
  ws.on('message', () => {
    seen += 1;
    if (seen === 1) block(2_500);
    if (seen === count) ws.close();
  });
  ws.connect(`${WS_URL}/flood/${count}/${size}`, { pingInterval: 1, pongTimeout: 1 });
  assert.strictEqual((await closed).code, 1000);
  assert.strictEqual(seen, count);
});

socketTest('messages of every size arrive as sent', async (socket) => {
  await socket.open(WS_URL);
  // Lengths around the limit at which messages are stored differently.
  const sizes = [0, 1, 125, 126, 16_383, 16_384, 16_385, 65_536, 131_071, 131_072, 131_073, 1_000_000];
  for (const size of sizes) socket.ws.send(bytes(size, 7));
  for (const size of sizes) assertSameBytes(await socket.message(), bytes(size, 7));
  for (const size of sizes) socket.ws.send('x'.repeat(size));
  for (const size of sizes) assert.strictEqual(await socket.message(), 'x'.repeat(size));
  await socket.shut();
});

socketTest('text of every script arrives as sent', async (socket) => {
  const pieces = ['ASCII', 'naïve café', 'Ω≈ç√', '你好，世界', '😀👩‍👩‍👧', '\u0000\u0001', '\u007f\u0080', '\ufeff', '\uffff', 'ÿ'];
  const texts = [...pieces, pieces.join(' '), ...pieces.map((piece) => `${'a'.repeat(20_000)}${piece}`), pieces.join('').repeat(3_000)];
  await socket.open(WS_URL);
  for (const text of texts) socket.ws.send(text);
  for (const text of texts) assert.strictEqual(await socket.message(), text);
  await socket.shut();
});

socketTest('a received ArrayBuffer is the application\'s own', async (socket) => {
  await socket.open(WS_URL);
  for (const size of [8, 1_000_000]) {
    socket.ws.send(bytes(size));
    socket.ws.send(bytes(size));
    const [first, second] = [await socket.message(), await socket.message()];
    new Uint8Array(first).fill(255);
    assertSameBytes(second, bytes(size));
    const moved = structuredClone(first, { transfer: [first] });
    assert.strictEqual(first.byteLength, 0);
    assert.strictEqual(moved.byteLength, size);
    assert(new Uint8Array(moved).every((value) => value === 255));
  }
  await socket.shut();
});

socketTest('the last event of a connection settles no promise of the next connection', async (socket) => {
  const { ws } = socket;
  /** Starts the next connection before this thread gets the end of the last one. */
  const again = (url, options) => {
    ws.close();
    let begun;
    do {
      block(5);
      begun = ws.connect(url, options);
      begun.catch(() => {});
    } while (ws.readyState !== 0);
  };
  await socket.open(WS_URL);
  // A server that never answers.
  again(`${WS_URL}/hang`, { sendQueueLimit: 1_000 });
  const unsent = ws.send(new ArrayBuffer(500)).catch((error) => error);
  let settled = false;
  const ready = ws.ready().catch((error) => error).finally(() => (settled = true));
  assert.strictEqual((await socket.closed()).code, 1000);
  await new Promise(setImmediate);
  assert.strictEqual(settled, false);
  ws.close();
  assert.strictEqual((await socket.closed()).unsent, 1);
  assert.match((await ready).message, /^ready: /);
  assert.match((await unsent).message, /^send: /);

  await socket.open(WS_URL);
  const { connections } = ws.stats();
  again(WS_URL);
  while (ws.stats().connections === connections) block(5);
  const roundTrip = ws.ping();
  assert.strictEqual((await socket.closed()).code, 1000);
  assert.strictEqual(typeof await roundTrip, 'number');
  await socket.next('open');
  await socket.shut();
});
