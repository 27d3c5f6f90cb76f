'use strict';

// The ArkTS face as an app sees it, against the echo server.

const net = require('node:net');

const { assert, test, uncaughtException } = require('./harness.js');
const {
  ALREADY_EXISTS, HTTP_STATUS, OTHER, PARAMETER, Recorder, URL_INVALID, assertError, assertSameBytes, bytes, callbackOf,
  codeAndReason, connectFailure, failureOf, library, socketTest, unusedPort,
} = require('./support.js');

const { WS_URL, WSS_URL, CA_FILE } = process.env;

// ---- objects ----

test('creates sockets without a receiver', () => {
  const { createWebSocket } = library;
  const first = createWebSocket();
  const second = createWebSocket();
  assert.notStrictEqual(first, second);
  for (const name of ['connect', 'send', 'close', 'on', 'off']) assert.strictEqual(typeof first[name], 'function');
});

// ---- connect ----

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
  socketTest(`takes ${nothing} for options, with a promise`, async (socket) => {
    await socket.open(WS_URL, nothing);
    assert.strictEqual(await socket.ws.close(nothing), true);
    assert.strictEqual((await socket.closed()).code, 1000);
  });

  socketTest(`takes ${nothing} for options, with a callback`, async (socket) => {
    const connected = await callbackOf((callback) => socket.ws.connect(WS_URL, nothing, callback));
    assert.strictEqual(connected.value, true);
    await socket.next('open');
    const closed = await callbackOf((callback) => socket.ws.close(nothing, callback));
    assert.strictEqual(closed.value, true);
    assert.strictEqual((await socket.closed()).code, 1000);
  });

  socketTest(`takes ${nothing} for each option`, async (socket) => {
    const names = ['header', 'caPath', 'protocol', 'skipServerCertVerification', 'pingInterval', 'pongTimeout', 'proxy', 'clientCert'];
    await socket.open(WS_URL, Object.fromEntries(names.map((name) => [name, nothing])));
    assert.strictEqual(await socket.ws.close({ code: nothing, reason: nothing }), true);
    assert.strictEqual((await socket.closed()).code, 1000);
  });
}

socketTest('takes no promise for a callback given', async (socket) => {
  assert.strictEqual(socket.ws.connect(WS_URL, () => {}), undefined);
  await socket.next('open');
  assert.strictEqual(socket.ws.send('x', () => {}), undefined);
  await socket.message();
  assert.strictEqual(socket.ws.close(() => {}), undefined);
  await socket.closed();
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

socketTest('refuses a URL that is none', async (socket) => {
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

// ---- connections that fail ----

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

socketTest('gives up an attempt that is closed', async (socket) => {
  await socket.ws.connect(`${WS_URL}/hang`);
  assert.strictEqual(await socket.ws.close(), true);
  assertError(await socket.error(), OTHER);
  await socket.open(WS_URL);
  assert.deepStrictEqual(socket.log, ['error', 'headerReceive', 'open']);
  await socket.shut();
});

// ---- messages ----

socketTest('echoes text', async (socket) => {
  await socket.open(WS_URL);
  for (const text of ['hello', 'héllo 世界 🦀', 'zero\0inside', '', ' '.repeat(70_000)]) {
    assert.strictEqual(await socket.ws.send(text), true);
    assert.strictEqual(await socket.message(), text);
  }
  await socket.shut();
});

socketTest('echoes binary', async (socket) => {
  await socket.open(WS_URL);
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 1_048_576]) {
    const data = bytes(length);
    assert.strictEqual(await socket.ws.send(data), true);
    assertSameBytes(await socket.message(), data);
  }
  await socket.shut();
});

socketTest('sends with a callback', async (socket) => {
  await socket.open(WS_URL);
  for (const data of ['text', bytes(10)]) {
    const { err, value } = await callbackOf((callback) => socket.ws.send(data, callback));
    assert.strictEqual(err, undefined);
    assert.strictEqual(value, true);
    const echo = await socket.message();
    if (typeof data === 'string') assert.strictEqual(echo, data);
    else assertSameBytes(echo, data);
  }
  await socket.shut();
});

socketTest('sends strings as text and buffers as binary', async (socket) => {
  await socket.open(`${WS_URL}/opcode`);
  await socket.ws.send('é');
  assert.strictEqual(await socket.message(), 'text 2');
  await socket.ws.send(bytes(3));
  assert.strictEqual(await socket.message(), 'binary 3');
  await socket.shut();
});

socketTest('sends what the buffer holds at the call', async (socket) => {
  await socket.open(WS_URL);
  const data = bytes(100_000);
  const sent = data.slice(0);
  const accepted = socket.ws.send(data);
  new Uint8Array(data).fill(255);
  await accepted;
  assertSameBytes(await socket.message(), sent);
  await socket.shut();
});

socketTest('sends the part of a buffer that a view shows', async (socket) => {
  await socket.open(WS_URL);
  const data = bytes(100);
  for (const view of [new Uint8Array(data, 10, 20), new Uint16Array(data, 10, 10), new Float64Array(data, 16, 0), new DataView(data, 7, 9)]) {
    await socket.ws.send(view);
    assertSameBytes(await socket.message(), data.slice(view.byteOffset, view.byteOffset + view.byteLength));
  }
  await socket.shut();
});

socketTest('turns a lone surrogate into the replacement character', async (socket) => {
  await socket.open(WS_URL);
  await socket.ws.send('a\ud800b');
  assert.match(await socket.message(), /^a\ufffd+b$/);
  await socket.shut();
});

socketTest('gives a buffer of its own for each message', async (socket) => {
  await socket.open(WS_URL);
  await socket.ws.send(bytes(8));
  await socket.ws.send(bytes(8));
  const first = await socket.message();
  new Uint8Array(first).fill(9);
  assertSameBytes(await socket.message(), bytes(8));
  await socket.shut();
});

socketTest('delivers messages sent while connecting', async (socket) => {
  const connected = socket.ws.connect(WS_URL);
  const sent = [socket.ws.send('one'), socket.ws.send('two')];
  assert.strictEqual(await connected, true);
  assert.deepStrictEqual(await Promise.all(sent), [true, true]);
  assert.strictEqual(await socket.message(), 'one');
  assert.strictEqual(await socket.message(), 'two');
  assert.deepStrictEqual(socket.log.slice(0, 3), ['headerReceive', 'open', 'message']);
  await socket.shut();
});

socketTest('delivers messages sent right before close', async (socket) => {
  await socket.open(WS_URL);
  const last = [socket.ws.send('last'), socket.ws.send('words'), socket.ws.close()];
  assert.deepStrictEqual(await Promise.all(last), [true, true, true]);
  assert.strictEqual(await socket.message(), 'last');
  assert.strictEqual(await socket.message(), 'words');
  assert.strictEqual((await socket.closed()).code, 1000);
});

socketTest('receives many messages in order', async (socket) => {
  const count = 10_000;
  await socket.open(`${WS_URL}/flood/${count}/32`);
  for (let index = 0; index < count; index += 1) {
    const data = await socket.message();
    assert.strictEqual(data.byteLength, 32);
    assert.strictEqual(new DataView(data).getUint32(0, true), index);
  }
  await socket.shut();
});

socketTest('sends many messages in order', async (socket) => {
  const count = 5_000;
  await socket.open(WS_URL);
  const sent = [];
  for (let index = 0; index < count; index += 1) sent.push(socket.ws.send(`message ${index}`));
  await Promise.all(sent);
  for (let index = 0; index < count; index += 1) assert.strictEqual(await socket.message(), `message ${index}`);
  await socket.shut();
});

socketTest('receives a large message', async (socket) => {
  await socket.open(`${WS_URL}/large/5000000`);
  assertSameBytes(await socket.message(), bytes(5_000_000));
  await socket.shut();
});

test('serves 20 sockets at once', async (context) => {
  await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const socket = new Recorder(context);
    await socket.open(index % 2 ? WSS_URL : WS_URL, { caPath: CA_FILE });
    for (let round = 0; round < 10; round += 1) {
      await socket.ws.send(`${index}/${round}`);
      assert.strictEqual(await socket.message(), `${index}/${round}`);
    }
    await socket.shut();
  }));
});

// ---- events ----

socketTest('orders the events of a connection', async (socket) => {
  await socket.open(WS_URL);
  await socket.ws.send('a');
  await socket.message();
  await socket.ws.send(bytes(1));
  await socket.message();
  await socket.shut();
  assert.deepStrictEqual(socket.log, ['headerReceive', 'open', 'message', 'dataEnd', 'message', 'dataEnd', 'close']);
});

socketTest('gives the response headers once, in lower case, repeated ones as an array', async (socket) => {
  await socket.ws.connect(`${WS_URL}/headers`);
  const args = await socket.next('headerReceive');
  assert.strictEqual(args.length, 1);
  const [headers] = args;
  assert.strictEqual(headers['x-test'], 'one');
  assert.deepStrictEqual(headers['set-cookie'], ['a=1', 'b=2']);
  assert.strictEqual(headers.upgrade.toLowerCase(), 'websocket');
  for (const name of Object.keys(headers)) assert.strictEqual(name, name.toLowerCase());
  await socket.next('open');
  await socket.shut();
  assert.strictEqual(socket.log.filter((type) => type === 'headerReceive').length, 1);
});

socketTest('tells the chosen sub-protocol in openInfo', async (socket) => {
  const results = [];
  socket.ws.on('openInfo', (err, result) => results.push([err, result]));
  for (const [options, expected] of [[{ protocol: 'chat' }, 'chat'], [undefined, undefined]]) {
    const { status, message } = await socket.open(`${WS_URL}/protocol`, options);
    await socket.shut();
    const [err, info] = results.pop();
    assert.strictEqual(err, undefined);
    assert.strictEqual(info.protocol, expected);
    assert.strictEqual(info.status, status);
    assert.strictEqual(info.message, message);
    assert.strictEqual(results.length, 0);
  }
});

socketTest('replaces a listener by a later one', async (socket) => {
  const heard = [];
  socket.ws.on('message', (err, data) => heard.push(`replaced ${data}`));
  socket.ws.on('message', (...args) => {
    heard.push(args[1]);
    socket.record({ type: 'message', args });
  });
  await socket.open(WS_URL);
  await socket.ws.send('once');
  await socket.message();
  await socket.shut();
  assert.deepStrictEqual(heard, ['once']);
});

socketTest('removes a listener by type', async (socket) => {
  socket.ws.off('message');
  await socket.open(WS_URL);
  await socket.ws.send('unheard');
  await socket.next('dataEnd');
  await socket.shut();
  assert(!socket.log.includes('message'));
});

socketTest('removes a listener only when the same function is given', async (socket) => {
  const heard = [];
  const listener = (err, data) => heard.push(data);
  socket.ws.on('message', listener);
  socket.ws.off('message', () => {});
  await socket.open(WS_URL);
  await socket.ws.send('heard');
  await socket.next('dataEnd');
  socket.ws.off('message', listener);
  await socket.ws.send('unheard');
  await socket.next('dataEnd');
  await socket.shut();
  assert.deepStrictEqual(heard, ['heard']);
});

socketTest('takes listeners off and on inside a listener', async (socket) => {
  const heard = [];
  socket.ws.on('message', (err, data) => {
    heard.push(`first ${data}`);
    socket.ws.off('message');
    socket.ws.on('message', (err, data) => heard.push(`second ${data}`));
  });
  await socket.open(WS_URL);
  for (const text of ['a', 'b']) {
    await socket.ws.send(text);
    await socket.next('dataEnd');
  }
  await socket.shut();
  assert.deepStrictEqual(heard, ['first a', 'second b']);
});

test('works without listeners for most events', async () => {
  const ws = library.createWebSocket();
  const closed = new Promise((resolve) => ws.on('close', (err, result) => resolve(result)));
  assert.strictEqual(await ws.connect(`${WS_URL}/close/4002/alone`), true);
  assert.deepStrictEqual(codeAndReason(await closed), { code: 4002, reason: 'alone' });
});

socketTest('goes on after a listener has thrown', async (socket) => {
  const uncaught = uncaughtException();
  socket.ws.on('message', () => {
    socket.ws.on('message', (...args) => socket.record({ type: 'message', args }));
    throw new Error('thrown by the listener');
  });
  await socket.open(WS_URL);
  await socket.ws.send('one');
  assert.strictEqual((await uncaught).message, 'thrown by the listener');
  await socket.ws.send('two');
  assert.strictEqual(await socket.message(), 'two');
  await socket.shut();
  assert.deepStrictEqual(socket.log, ['headerReceive', 'open', 'dataEnd', 'message', 'dataEnd', 'close']);
});

// ---- close ----

socketTest('closes with code and reason', async (socket) => {
  await socket.open(WS_URL);
  assert.strictEqual(await socket.ws.close({ code: 4000, reason: 'done 世界' }), true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 4000, reason: 'done 世界' });
});

socketTest('closes with the default code and reason of the system module', async (socket) => {
  await socket.open(WS_URL);
  assert.strictEqual(await socket.ws.close(), true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 1000, reason: 'CLOSE_NORMAL' });
});

socketTest('closes with a callback', async (socket) => {
  await socket.open(WS_URL);
  const { err, value } = await callbackOf((callback) => socket.ws.close(callback));
  assert.strictEqual(err, undefined);
  assert.strictEqual(value, true);
  assert.strictEqual((await socket.closed()).code, 1000);
});

socketTest('closes with options and a callback', async (socket) => {
  await socket.open(WS_URL);
  const { err, value } = await callbackOf((callback) => socket.ws.close({ code: 3001, reason: 'bye' }, callback));
  assert.strictEqual(err, undefined);
  assert.strictEqual(value, true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 3001, reason: 'bye' });
});

socketTest('reports how the server closed', async (socket) => {
  for (const [path, result] of [
    ['/close/4001/bye', { code: 4001, reason: 'bye' }],
    ['/close/1001', { code: 1001, reason: '' }],
    // RFC 6455 section 7.1.5: a close frame without a code.
    ['/close/0', { code: 1005, reason: '' }],
  ]) {
    await socket.open(WS_URL + path);
    assert.deepStrictEqual(codeAndReason(await socket.closed()), result);
  }
});

socketTest('reports a connection that was cut', async (socket) => {
  await socket.open(`${WS_URL}/drop`);
  await socket.ws.send('cut');
  const { error, result } = await socket.broken();
  if (error) assertError(error, OTHER);
  assert.strictEqual(result.code, 1006);
  const ended = socket.log.length;
  await socket.open(WS_URL);
  assert.deepStrictEqual(socket.log.slice(ended), ['headerReceive', 'open']);
  await socket.shut();
});

for (const [path, code] of [['/bad-frame', 1002], ['/bad-utf8', 1007]]) {
  socketTest(`ends a connection whose server breaks the protocol with ${path}`, async (socket) => {
    await socket.open(WS_URL + path);
    const { error, result } = await socket.broken();
    assertError(error, OTHER);
    assert.strictEqual(result.code, code);
    assert(!socket.log.includes('message'), socket.log.join());
  });
}

socketTest('refuses close codes that must not be sent', async (socket) => {
  await socket.open(WS_URL);
  for (const code of [-1, 0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 66_536, 1000.5, NaN]) {
    const error = await failureOf(() => socket.ws.close({ code })).catch(() => assert.fail(`code ${code} was taken`));
    assertError(error, PARAMETER, /code/);
  }
  await socket.ws.send('still open');
  assert.strictEqual(await socket.message(), 'still open');
  await socket.shut();
});

socketTest('cuts a close reason that no frame can hold, between characters', async (socket) => {
  await socket.open(WS_URL);
  assert.strictEqual(await socket.ws.close({ code: 1000, reason: 'é'.repeat(62) }), true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 1000, reason: 'é'.repeat(61) });
});

socketTest('refuses send and close before connect', async (socket) => {
  assertError(await failureOf(() => socket.ws.send('too early')), OTHER);
  assertError(await failureOf(() => socket.ws.close()), OTHER);
  const sent = await callbackOf((callback) => socket.ws.send('too early', callback));
  assertError(sent.err, OTHER);
  assert.strictEqual(sent.value, undefined);
});

socketTest('refuses send after close', async (socket) => {
  await socket.open(WS_URL);
  await socket.shut();
  assertError(await failureOf(() => socket.ws.send('too late')), OTHER);
});

// ---- arguments ----

socketTest('names the parameter that has a wrong type', async (socket) => {
  const { ws } = socket;
  const header = { 'x-bad': 5 };
  for (const [call, name] of [
    [() => ws.connect(), /url/],
    [() => ws.connect(5), /url/],
    [() => ws.connect(WS_URL, 5), /options/],
    [() => ws.connect(WS_URL, { header: 5 }), /header/],
    [() => ws.connect(WS_URL, { header }), /header/],
    [() => ws.connect(WS_URL, { caPath: 5 }), /caPath/],
    [() => ws.connect(WS_URL, { protocol: 5 }), /protocol/],
    [() => ws.connect(WS_URL, { skipServerCertVerification: 'yes' }), /skipServerCertVerification/],
    [() => ws.connect(WS_URL, { pingInterval: 'often' }), /pingInterval/],
    [() => ws.connect(WS_URL, {}, 5), /callback/],
    [() => ws.on('open'), /callback/],
    [() => ws.on('open', 5), /callback/],
    [() => ws.on('opened', () => {}), /type/],
    [() => ws.on(5, () => {}), /type/],
    [() => ws.off('opened'), /type/],
    [() => ws.off('open', 5), /callback/],
  ]) {
    assertError(await failureOf(call), PARAMETER, name);
  }
  await socket.open(WS_URL);
  for (const [call, name] of [
    [() => ws.send(), /data/],
    [() => ws.send(5), /data/],
    [() => ws.send(null), /data/],
    [() => ws.send({}), /data/],
    [() => ws.send('x', 5), /callback/],
    [() => ws.close(5), /options/],
    [() => ws.close({ code: '1000' }), /code/],
    [() => ws.close({ reason: 5 }), /reason/],
    [() => ws.close({}, 5), /callback/],
  ]) {
    assertError(await failureOf(call), PARAMETER, name);
  }
  await socket.ws.send('still open');
  assert.strictEqual(await socket.message(), 'still open');
  await socket.shut();
});

socketTest('refuses header names and values that would break the request', async (socket) => {
  for (const header of [{ 'x y': 'a' }, { '': 'a' }, { 'x-split': 'a\r\nx-injected: b' }]) {
    assertError(await failureOf(() => socket.ws.connect(WS_URL, { header })), PARAMETER, /header/);
  }
});

socketTest('refuses a sub-protocol that is no token', async (socket) => {
  assertError(await failureOf(() => socket.ws.connect(WS_URL, { protocol: 'a\r\nb' })), PARAMETER, /protocol/);
});

socketTest('refuses intervals out of range', async (socket) => {
  for (const [name, value] of [['pingInterval', -1], ['pingInterval', 30_001], ['pongTimeout', -1], ['pongTimeout', NaN]]) {
    assertError(await failureOf(() => socket.ws.connect(WS_URL, { [name]: value })), PARAMETER, new RegExp(name));
  }
});

// Beyond the platform.

const LISTENER_METHODS = {
  open: ['onOpen', 'offOpen'],
  message: ['onMessage', 'offMessage'],
  close: ['onWebSocketClose', 'offWebSocketClose'],
  error: ['onWebSocketError', 'offWebSocketError'],
  dataEnd: ['onDataEnd', 'offDataEnd'],
  headerReceive: ['onHeaderReceive', 'offHeaderReceive'],
};

test('onOpen and its like are the same listeners as on', async ({ cleanup }) => {
  const ws = library.createWebSocket();
  cleanup(() => ws.close().catch(() => {}));
  const seen = [];
  const done = new Promise((resolve) => {
    for (const [type, [on, off]] of Object.entries(LISTENER_METHODS)) {
      ws.on(type, () => seen.push(`replaced ${type}`));
      const removed = () => seen.push(`removed ${type}`);
      ws[on](removed);
      ws[off](() => {});
      ws[off](removed);
      ws[on](() => {
        seen.push(type);
        if (type === 'open') ws.send('x');
        if (type === 'dataEnd') ws.close();
        if (type === 'close') resolve();
      });
    }
  });
  await ws.connect(WS_URL);
  await done;
  assert.deepStrictEqual(seen, ['headerReceive', 'open', 'message', 'dataEnd', 'close']);
  for (const [on, off] of Object.values(LISTENER_METHODS)) {
    assertError(await failureOf(() => ws[on](1)), PARAMETER, /^callback/);
    assertError(await failureOf(() => ws[off](1)), PARAMETER, /^callback/);
  }
});

socketTest('readyState, url, protocol and extensions follow the connection', async (socket) => {
  const { ws } = socket;
  assert.deepStrictEqual([ws.readyState, ws.url, ws.protocol, ws.extensions, ws.bufferedAmount], [3, '', '', '', 0]);
  const url = `${WS_URL}/protocol`;
  const connecting = ws.connect(url, { protocol: 'one, two' });
  assert.strictEqual(ws.readyState, 0);
  await connecting;
  await socket.next('open');
  assert.deepStrictEqual([ws.readyState, ws.url, ws.protocol, ws.extensions], [1, url, 'one', '']);
  const closing = ws.close();
  assert(ws.readyState >= 2);
  await closing;
  await socket.closed();
  assert.strictEqual(ws.readyState, 3);
});

socketTest('connects again before the event of the close', async (socket) => {
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
    await socket.error();
    await socket.next('open');
    assert.strictEqual(ws.readyState, 1);
    assertError(await failureOf(() => never), OTHER, /^next: another connection/);
    assert.deepStrictEqual(await next, { done: false, value: `round ${round}` });
    await socket.shut();
    assert.strictEqual(ws.readyState, 3);
  }
});

socketTest('the promise of send waits for the kernel, and fails with the connection', async (socket) => {
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
  for (const promise of hung) assertError(await failureOf(() => promise), OTHER, /^send: the connection ended/);
  await socket.error();
  // And as before with a callback, which is told of the acceptance.
  await ws.connect(`${WS_URL}/hang`);
  assert.deepStrictEqual(await callbackOf((callback) => ws.send('x', callback)), { err: undefined, value: true });
  await ws.close();
  await socket.error();
});

socketTest('ping gives the round trip, and pong tells of it', async (socket) => {
  const { ws } = socket;
  const pongs = [];
  ws.on('pong', (...args) => pongs.push(args));
  assertError(await failureOf(() => ws.ping()), OTHER, /not connected/);
  await socket.open(WS_URL);
  for (const data of [undefined, 'text', new Uint8Array([1, 2, 3]), new ArrayBuffer(0)]) {
    const time = await ws.ping(data);
    assert(typeof time === 'number' && time > 0 && time < 60_000, `${time}`);
  }
  assert.strictEqual(pongs.length, 4);
  const [{ data, roundTrip }] = pongs[2];
  assert.deepStrictEqual([...new Uint8Array(data)], [1, 2, 3]);
  assert(roundTrip > 0);
  const many = await Promise.all(Array.from({ length: 10 }, () => ws.ping()));
  assert.strictEqual(many.filter((time) => time > 0).length, 10);
  assertError(await failureOf(() => ws.ping('x'.repeat(126))), PARAMETER, /^data/);
  assertError(await failureOf(() => ws.ping(5)), PARAMETER, /^data/);
  await socket.shut();
});

socketTest('pings that no pong answers fail when the connection ends', async (socket) => {
  const { ws } = socket;
  await socket.open(`${WS_URL}/drop`);
  // The server cuts the connection at the first message, which goes out behind the ping.
  const ping = ws.ping();
  ws.send('cut', () => {});
  const outcome = await ping.then(() => undefined, (error) => error);
  if (outcome) assertError(outcome, OTHER, /^ping: the connection ended/);
  await socket.broken();
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

socketTest('a full queue is refused, and ready tells when to go on', async (socket) => {
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
  await socket.error();

  await socket.open(`${WS_URL}/opcode`, { sendQueueLimit: 200_000 });
  const sent = ws.send(bytes(180_000));
  assert.strictEqual(await ws.ready(), true);
  assert(ws.bufferedAmount <= 50_000);
  await drained;
  assert.strictEqual(await sent, true);
  assert.strictEqual(await socket.message(), 'binary 180000');
  assert.strictEqual(await ws.ready(), true);
  // One that never fits is told so, and nothing is waited for.
  assertError(await failureOf(() => ws.send(bytes(200_000))), OTHER, /^send: the message is longer than sendQueueLimit$/);
  assert.strictEqual(await ws.ready(), true);
  await socket.shut();
});

socketTest('with sendQueuePolicy wait a send waits for room, in order', async (socket) => {
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

socketTest('messages without a promise and a limit of one message hold up no send that waits', async (socket) => {
  const { ws } = socket;
  await socket.open(WS_URL, { sendQueueMessages: 1, sendQueuePolicy: 'wait' });
  const first = callbackOf((callback) => ws.send('first', callback));
  const others = ['second', 'third'].map((text) => ws.send(text));
  assert.deepStrictEqual(await Promise.all(others), [true, true]);
  assert.strictEqual((await first).value, true);
  for (const text of ['first', 'second', 'third']) assert.strictEqual(await socket.message(), text);
  await socket.shut();
});

socketTest('a send that waits for room fails with its connection', async (socket) => {
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
  await socket.error();
  await socket.open(WS_URL, limits);
  assert.strictEqual(await ws.send('next'), true);
  assert.strictEqual(await socket.message(), 'next');
  await socket.shut();
  assertError(await failureOf(() => ws.connect(WS_URL, { sendQueuePolicy: 'block' })), PARAMETER, /^sendQueuePolicy: /);
});

socketTest('with statisticsInterval the statistics are told again and again', async (socket) => {
  const { ws } = socket;
  const told = [];
  const enough = new Promise((resolve) => ws.on('stats', (stats) => told.push(stats) === 3 && resolve()));
  await socket.open(WS_URL, { statisticsInterval: 20 });
  await enough;
  const [first] = told;
  assert.strictEqual(first.connections, 1);
  assert.deepStrictEqual(Object.keys(first), Object.keys(ws.stats()));
  ws.off('stats');
  await socket.shut();
  assertError(await failureOf(() => ws.connect(WS_URL, { statisticsInterval: 0 })), PARAMETER, /^statisticsInterval: /);
});

socketTest('limits and timeouts are options', async (socket) => {
  const { ws } = socket;
  await ws.connect(`${WS_URL}/hang`, { connectTimeout: 200 });
  const error = await socket.error();
  assert.match(error.message, /timed out.* 200 ms/);
  await ws.connect(`${WS_URL}/large/1001`, { maxMessageSize: 1000 });
  await socket.next('open');
  const { result } = await socket.broken();
  assert.strictEqual(result.code, 1009);
  for (const [name, value] of [
    ['connectTimeout', 0], ['connectTimeout', '1'], ['closeTimeout', -1], ['closeTimeout', NaN],
    ['maxMessageSize', 0], ['maxMessageSize', 1.5], ['sendQueueLimit', Infinity], ['sendQueueLimit', 'much'],
  ]) {
    assertError(await failureOf(() => ws.connect(WS_URL, { [name]: value })), PARAMETER, new RegExp(`^${name}: `));
  }
});

socketTest('close tells the cause and the times', async (socket) => {
  const { Cause } = library;
  await socket.open(`${WS_URL}/close/1012/restart`);
  const restart = await socket.closed();
  assert.strictEqual(restart.cause, Cause.RESTART);
  assert(restart.idleTime >= 0 && restart.idleTime <= restart.elapsedTime, JSON.stringify(restart));
  assert.strictEqual(restart.unsent, 0);
  await socket.open(WS_URL);
  assert.strictEqual((await socket.shut()).cause, Cause.APPLICATION);
});

socketTest('error tells the cause, the phase and the times', async (socket) => {
  const { Cause } = library;
  await socket.ws.connect(`${WS_URL}/status/503`);
  const refused = await socket.error();
  assert.deepStrictEqual([refused.cause, refused.phase], [Cause.HTTP_5XX, 'upgrade']);
  assert(refused.idleTime >= 0 && refused.idleTime <= refused.elapsedTime, JSON.stringify(refused));
  const port = await unusedPort();
  await socket.ws.connect(`ws://127.0.0.1:${port}`);
  const unreachable = await socket.error();
  assert.deepStrictEqual([unreachable.cause, unreachable.phase, unreachable.idleTime], [Cause.CONNECT, 'tcp', undefined]);
  await socket.open(`${WS_URL}/drop`);
  socket.ws.send('x').catch(() => {});
  const { error, result } = await socket.broken();
  assert.deepStrictEqual([error.cause, error.phase, result.cause], [Cause.LOST, 'open', Cause.LOST]);
});

test('Cause has the numbers of the C face', () => {
  const { LOOKUP, LOST, INTERNAL } = library.Cause;
  assert.deepStrictEqual([LOOKUP, LOST, INTERNAL], [1, 9, 16]);
});

socketTest('promises that an end breaks name its code and its cause, as the event does', async (socket, { cleanup }) => {
  const { ws } = socket;
  // A server that answers nothing but what it is told to, and when.
  const waiting = [];
  const server = net.createServer((connection) => connection.once('data', () => waiting.shift()(connection)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  /** What the promises of `make` are rejected with, in order, when the server gives `answer` to the attempt that they are of. */
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
  ws.send('x').catch(() => {});
  const { error } = await socket.broken();
  assertError(await lost, OTHER, /^ping: the connection ended before the pong: open connection lost/);
  assert.strictEqual(error.unsent, 0);

  await socket.open(`${WS_URL}/silent`, { closeTimeout: 50 });
  const ping = ws.ping().catch((error) => error);
  await ws.close({ code: 1000, reason: 'enough' });
  assertError(await ping, OTHER, /^ping: the connection ended before the pong: closed by the application \(1006\): no close frame came/);
  await socket.closed();
});
