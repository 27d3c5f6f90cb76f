'use strict';

// Calls of `connect`: their forms, options and refusals, attempts that fail, and connecting again.

const { assert, test } = require('./harness.js');
const {
  ALREADY_EXISTS, HTTP_STATUS, OTHER, URL_INVALID, assertError, callbackOf, codeAndReason, failureOf, library,
  socketTest, unusedPort,
} = require('./support.js');

const { listen } = require('./server.js');

const { WS_URL } = process.env;

test('creates sockets without a receiver', () => {
  const { createWebSocket } = library;
  const first = createWebSocket();
  const second = createWebSocket();
  assert.notStrictEqual(first, second);
  for (const name of ['connect', 'send', 'close', 'on', 'off']) assert.strictEqual(typeof first[name], 'function');
});

socketTest('connects with a promise', async (socket) => {
  const result = await socket.open(WS_URL);
  assert.strictEqual(result.status, 101);
  assert.strictEqual(typeof result.message, 'string');
  await socket.shut();
});

socketTest('connects with a callback', async (socket) => {
  const { err, value } = await callbackOf((callback) => socket.ws.connect(WS_URL, callback));
  assert.strictEqual(err, undefined);
  assert.strictEqual(value, true);
  await socket.next('open');
  await socket.shut();
});

socketTest('connects with options and a callback', async (socket) => {
  const options = { header: { 'x-form': 'callback' } };
  const { err, value } = await callbackOf((callback) => socket.ws.connect(`${WS_URL}/headers`, options, callback));
  assert.strictEqual(err, undefined);
  assert.strictEqual(value, true);
  assert.match(await socket.message(), /^x-form: callback$/m);
  await socket.shut();
});

for (const nothing of [undefined, null]) {
  socketTest(`accepts ${nothing} as options, with a promise`, async (socket) => {
    await socket.open(WS_URL, nothing);
    assert.strictEqual(await socket.ws.close(nothing), true);
    assert.strictEqual((await socket.closed()).code, 1000);
  });

  socketTest(`accepts ${nothing} as options, with a callback`, async (socket) => {
    const connected = await callbackOf((callback) => socket.ws.connect(WS_URL, nothing, callback));
    assert.strictEqual(connected.value, true);
    await socket.next('open');
    const closed = await callbackOf((callback) => socket.ws.close(nothing, callback));
    assert.strictEqual(closed.value, true);
    assert.strictEqual((await socket.closed()).code, 1000);
  });

  socketTest(`accepts ${nothing} as each option`, async (socket) => {
    const names = ['header', 'caPath', 'protocol', 'skipServerCertVerification', 'pingInterval', 'pongTimeout', 'proxy', 'clientCert'];
    await socket.open(WS_URL, Object.fromEntries(names.map((name) => [name, nothing])));
    assert.strictEqual(await socket.ws.close({ code: nothing, reason: nothing }), true);
    assert.strictEqual((await socket.closed()).code, 1000);
  });
}

socketTest('returns no promise when a callback is given', async (socket) => {
  assert.strictEqual(socket.ws.connect(WS_URL, () => {}), undefined);
  await socket.next('open');
  assert.strictEqual(socket.ws.send('x', () => {}), undefined);
  await socket.message();
  assert.strictEqual(socket.ws.close(() => {}), undefined);
  await socket.closed();
});

socketTest('a response header of any name is a property like any other', async (socket) => {
  const names = ['__proto__', 'constructor', 'hasownproperty', 'x-plain'];
  const server = await listen(() => {}, names.map((name) => `${name}: a\r\n`).join(''));
  await socket.ws.connect(server.url);
  const [headers] = await socket.next('headerReceive');
  server.close();
  assert.strictEqual(Object.getPrototypeOf(headers), Object.prototype);
  for (const name of names) {
    assert.deepStrictEqual(Object.getOwnPropertyDescriptor(headers, name), {
      value: 'a', writable: true, enumerable: true, configurable: true,
    }, name);
  }
  await socket.next('open');
  await socket.shut();

  const twice = await listen(() => {}, '__proto__: a\r\n__proto__: b\r\n');
  await socket.ws.connect(twice.url);
  const [both] = await socket.next('headerReceive');
  twice.close();
  assert.strictEqual(Object.getPrototypeOf(both), Object.prototype);
  assert.deepStrictEqual(Object.getOwnPropertyDescriptor(both, '__proto__').value, ['a', 'b']);
  await socket.shut();
});

socketTest('sends the headers that the options name', async (socket) => {
  await socket.open(`${WS_URL}/headers`, { header: { 'X-Client': 'one two', authorization: 'Bearer token' } });
  const lines = (await socket.message()).split('\n');
  assert(lines.includes('x-client: one two'), lines.join(' | '));
  assert(lines.includes('authorization: Bearer token'), lines.join(' | '));
  await socket.shut();
});

socketTest('offers sub-protocols', async (socket) => {
  await socket.ws.connect(`${WS_URL}/protocol`, { protocol: 'chat, superchat' });
  const [headers] = await socket.next('headerReceive');
  assert.strictEqual(headers['sec-websocket-protocol'], 'chat');
  await socket.next('open');
  await socket.shut();
});

socketTest('offers sub-protocols of more than 1,024 bytes', async (socket) => {
  const longest = 'a'.repeat(1_500);
  await socket.ws.connect(`${WS_URL}/protocol`, { protocol: `${longest}, chat` });
  const [headers] = await socket.next('headerReceive');
  assert.strictEqual(headers['sec-websocket-protocol'], longest);
  await socket.next('open');
  await socket.shut();
});

socketTest('refuses an invalid URL', async (socket) => {
  for (const url of ['', 'nonsense', 'ws://', 'ftp://127.0.0.1/', 'ws://127.0.0.1:99999/', 'ws://a b/']) {
    assertError(await failureOf(() => socket.ws.connect(url)), URL_INVALID);
  }
  const { err, value } = await callbackOf((callback) => socket.ws.connect('nonsense', callback));
  assertError(err, URL_INVALID);
  assert.strictEqual(value, undefined);
  // Nothing of this was a connection.
  await socket.open(WS_URL);
  assert.deepStrictEqual(socket.log, ['headerReceive', 'open']);
  await socket.shut();
});

socketTest('refuses a second connect while open', async (socket) => {
  await socket.open(WS_URL);
  assertError(await failureOf(() => socket.ws.connect(WS_URL)), ALREADY_EXISTS);
  await socket.ws.send('still open');
  assert.strictEqual(await socket.message(), 'still open');
  await socket.shut();
});

socketTest('refuses a second connect while connecting', async (socket) => {
  const first = socket.ws.connect(WS_URL);
  assertError(await failureOf(() => socket.ws.connect(WS_URL)), ALREADY_EXISTS);
  assert.strictEqual(await first, true);
  await socket.next('open');
  await socket.shut();
});

socketTest('connects again after close', async (socket) => {
  for (const text of ['first', 'second', 'third']) {
    await socket.open(WS_URL);
    await socket.ws.send(text);
    assert.strictEqual(await socket.message(), text);
    await socket.shut();
  }
});

socketTest('connects again inside the close listener', async (socket) => {
  await socket.open(WS_URL);
  const connected = new Promise((resolve, reject) => {
    socket.ws.on('close', () => socket.ws.connect(`${WS_URL}/close/4001/again`).then(resolve, reject));
  });
  await socket.ws.close();
  assert.strictEqual(await connected, true);
  socket.ws.on('close', (...args) => socket.record({ type: 'close', args }));
  await socket.next('open');
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 4001, reason: 'again' });
});

socketTest('connects again inside the error listener', async (socket) => {
  const port = await unusedPort();
  const connected = new Promise((resolve, reject) => {
    socket.ws.on('error', () => socket.ws.connect(WS_URL).then(resolve, reject));
  });
  await socket.ws.connect(`ws://127.0.0.1:${port}/`);
  assert.strictEqual(await connected, true);
  await socket.next('open');
  await socket.shut();
});

socketTest('reports a refused connection', async (socket) => {
  const port = await unusedPort();
  assert.strictEqual(await socket.ws.connect(`ws://127.0.0.1:${port}/`), true);
  assertError(await socket.error(), OTHER, /refused/i);
  assert.deepStrictEqual(socket.log, ['error']);
  await socket.open(WS_URL);
  assert.deepStrictEqual(socket.log, ['error', 'headerReceive', 'open']);
  await socket.shut();
});

socketTest('reports an unknown host', async (socket) => {
  assert.strictEqual(await socket.ws.connect('ws://no-such-host.invalid/'), true);
  assertError(await socket.error(), OTHER, /no-such-host\.invalid|name|resolve|lookup|dns/i);
});

for (const status of [404, 503]) {
  socketTest(`reports the HTTP status ${status}`, async (socket) => {
    assert.strictEqual(await socket.ws.connect(`${WS_URL}/status/${status}`), true);
    const error = await socket.error();
    assertError(error, HTTP_STATUS, new RegExp(status));
    assert.strictEqual(error.data, String(status));
    assert(!socket.log.includes('open') && !socket.log.includes('close'), socket.log.join());
  });
}

socketTest('reports a wrong Sec-WebSocket-Accept', async (socket) => {
  assert.strictEqual(await socket.ws.connect(`${WS_URL}/bad-accept`), true);
  assertError(await socket.error(), OTHER);
  assert(!socket.log.includes('open') && !socket.log.includes('close'), socket.log.join());
});

socketTest('a closed attempt reports only the close event', async (socket) => {
  const { ws } = socket;
  const { Cause } = library;
  for (const [options, code, reason] of [
    [undefined, 1000, 'CLOSE_NORMAL'], [{ code: 4001, reason: 'enough' }, 4001, 'enough'], [{ code: 1005, reason: '' }, 1000, ''],
    [{ code: 1012, reason: 'é'.repeat(62) }, 1012, 'é'.repeat(61)],
  ]) {
    const from = socket.log.length;
    await ws.connect(`${WS_URL}/hang`);
    assert.strictEqual(await ws.close(options), true);
    // Closing again is not an error, before the event and after it.
    assert.strictEqual(await ws.close({ code: 4002 }), true);
    const result = await socket.closed();
    assert.deepStrictEqual(codeAndReason(result), { code, reason });
    assert.deepStrictEqual([result.cause, result.unsent], [Cause.APPLICATION, 0]);
    assert(result.elapsedTime >= 0 && result.idleTime >= 0);
    assert.strictEqual(await ws.close(), true);
    assert.deepStrictEqual(socket.log.slice(from), ['close']);
  }
  await socket.open(WS_URL);
  await socket.shut();
});

socketTest('an attempt that fails while closing reports only the close event', async (socket) => {
  const { ws } = socket;
  for (const url of [`ws://127.0.0.1:${await unusedPort()}/`, `${WS_URL}/status/404`, WS_URL]) {
    for (let round = 0; round < 10; round += 1) {
      const from = socket.log.length;
      await ws.connect(url);
      // The attempt may have failed in the same moment, and its event be on its way.
      const end = performance.now() + round / 4;
      while (performance.now() < end);
      ws.close({ code: 4003 }, () => {});
      assert.strictEqual((await socket.nextClose()).code, 4003);
      const told = socket.log.slice(from).join();
      assert(['close', 'headerReceive,open,close'].includes(told), told);
    }
  }
});

socketTest('connects again before the close event', async (socket) => {
  const { ws } = socket;
  for (let round = 0; round < 20; round += 1) {
    await ws.connect(`${WS_URL}/hang`);
    const never = ws.next();
    never.catch(() => {});
    ws.close();
    assert.strictEqual(ws.readyState, 2);
    await ws.connect(WS_URL);
    assert.strictEqual(ws.readyState, 0);
    const next = ws.next();
    await ws.send(`round ${round}`);
    await socket.closed();
    await socket.next('open');
    assert.strictEqual(ws.readyState, 1);
    assertError(await failureOf(() => never), OTHER, /^next: another connection/);
    assert.deepStrictEqual(await next, { done: false, value: `round ${round}` });
    await socket.shut();
    assert.strictEqual(ws.readyState, 3);
  }
});
