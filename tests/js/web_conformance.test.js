'use strict';

// What the web platform tests of `websockets/` ask of the interface and web.test.js does not, in words of our own.

const { assert, test } = require('./harness.js');
const { library } = require('./support.js');
const { answering, listen } = require('./server.js');

const { WS_URL } = process.env;
const { web } = library;
const { WebSocket, CloseEvent } = web;

const HANDLERS = ['onopen', 'onmessage', 'onerror', 'onclose'];

const next = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

function connect({ cleanup }, ...rest) {
  const ws = new WebSocket(...rest);
  cleanup(() => ws.close());
  ws.binaryType = 'arraybuffer';
  return ws;
}

function nameOfFailure(call) {
  try {
    call();
  } catch ({ name }) {
    return name;
  }
  return 'none';
}

const char = (code) => `U+${code.toString(16).padStart(4, '0')}`;

test('web conformance: a sub-protocol is a token', (context) => {
  const range = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const forbidden = [...range(0, 0x20), ...range(0x7f, 0xff), ...Buffer.from('()<>@,;:\\"/[]?={}')];
  for (const code of forbidden) {
    assert.strictEqual(nameOfFailure(() => new WebSocket(WS_URL, `a${String.fromCharCode(code)}b`)), 'SyntaxError', char(code));
  }
  for (const protocols of ['', [''], ['echo', 'echo'], ['echo', 'eCho'], ['a, b']]) {
    assert.strictEqual(nameOfFailure(() => new WebSocket(WS_URL, protocols)), 'SyntaxError', JSON.stringify(protocols));
  }
  const allowed = range(0x21, 0x7e).filter((code) => !forbidden.includes(code));
  for (const code of allowed) connect(context, WS_URL, `a${String.fromCharCode(code)}b`).close();
});

test('web conformance: parses URLs as the URL standard does', async (context) => {
  const { host } = new URL(WS_URL);
  const refused = ['ws://foo bar.com/', `ftp://${host}/`, 'mailto:example@example.org', 'about:blank', `ws://${host}/#`, `http://${host}/#test`, ''];
  for (const url of refused) {
    assert.strictEqual(nameOfFailure(() => new WebSocket(url)), 'SyntaxError', url);
  }
  for (const [given, seen] of [
    [`WS://${host.toUpperCase()}/echo`, `ws://${host}/echo`],
    [`ws:/${host}/echo`, `ws://${host}/echo`],
    [`ws:${host}`, `ws://${host}/`],
    [`http://${host}/?x\0y`, `ws://${host}/?x%00y`],
    [`ws://${host}/?åäö`, `ws://${host}/?%C3%A5%C3%A4%C3%B6`],
    [{ toString: () => `ws://${host}/a/../b` }, `ws://${host}/b`],
    [`  ws://${host}/ \n`, `ws://${host}/`],
    ['wss://example.invalid:443/', 'wss://example.invalid/'],
    ['ws://example.invalid:80/', 'ws://example.invalid/'],
    ['ws://example.invalid:443/', 'ws://example.invalid:443/'],
  ]) {
    const ws = connect(context, given);
    assert.strictEqual(ws.url, seen);
    ws.close();
  }
  assert.strictEqual(nameOfFailure(() => new WebSocket()), 'TypeError');
  assert.strictEqual(nameOfFailure(() => WebSocket(WS_URL)), 'TypeError');
});

test('web conformance: the request target of a URL', async (context) => {
  const server = await answering(context, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  const ws = connect(context, `ws://user:pass%40word@127.0.0.1:${server.port}/a b?x\0y\0&ö`);
  await next(ws, 'close');
  const [line, ...headers] = server.requests[0].split('\r\n');
  assert.strictEqual(line, 'GET /a%20b?x%00y%00&%C3%B6 HTTP/1.1');
  assert(headers.some((header) => /^authorization: Basic dXNlcjpwYXNzQHdvcmQ=$/i.test(header)), 'no Authorization');
  assert(!headers.some((header) => /^referer:/i.test(header)), 'a Referer');
});

test('web conformance: attributes are read-only, and methods can be replaced', (context) => {
  const ws = connect(context, WS_URL);
  for (const holder of [WebSocket, WebSocket.prototype]) {
    assert.strictEqual(nameOfFailure(() => Object.defineProperty(holder, 'OPEN', { get: () => 5 })), 'TypeError');
    assert.strictEqual(Reflect.deleteProperty(holder, 'OPEN'), false);
    assert.strictEqual(Reflect.set(holder, 'OPEN', 5), false);
  }
  for (const name of ['OPEN', 'url', 'readyState', 'bufferedAmount', 'protocol', 'extensions']) {
    const before = ws[name];
    assert.strictEqual(Reflect.set(ws, name, 5), false, name);
    assert.strictEqual(Reflect.deleteProperty(ws, name), true, name);
    assert.strictEqual(ws[name], before, name);
  }
  ws.send = 5;
  assert.strictEqual(ws.send, 5);
  assert.strictEqual('URL' in ws, false);
  // A getter of the prototype may be another, or none.
  for (const name of ['url', 'readyState', 'bufferedAmount']) {
    const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, name);
    Object.defineProperty(WebSocket.prototype, name, { get: () => 'foo' });
    assert.strictEqual(ws[name], 'foo');
    delete WebSocket.prototype[name];
    assert.strictEqual(ws[name], undefined);
    Object.defineProperty(WebSocket.prototype, name, own);
  }
});

test('web conformance: a handler can be a function or an object, and an object is not called', (context) => {
  const ws = connect(context, WS_URL);
  for (const name of HANDLERS) {
    assert.strictEqual(ws[name], null);
    const listener = () => {};
    for (const nothing of [undefined, null, 1, ';', Symbol.iterator, true, 0n]) {
      ws[name] = listener;
      assert.strictEqual(ws[name], listener);
      ws[name] = nothing;
      assert.strictEqual(ws[name], null, String(nothing));
    }
    const object = { handleEvent: () => assert.fail('handleEvent was called') };
    ws[name] = object;
    assert.strictEqual(ws[name], object);
    ws.dispatchEvent(new web.Event(name.slice(2)));
    ws[name] = null;
  }
});

test('web conformance: each event neither bubbles nor cancels, and has its socket as target during dispatch', async (context) => {
  const seen = [];
  // One message, then a frame with an opcode that does not exist.
  const ws = connect(context, `${WS_URL}/wire/810474657374830130`);
  for (const type of ['open', 'message', 'error', 'close']) {
    ws.addEventListener(type, function listener(event) {
      assert.strictEqual(this, ws);
      assert.deepStrictEqual([event.target, event.currentTarget, event.eventPhase], [ws, ws, 2]);
      assert.deepStrictEqual([event.bubbles, event.cancelable, event.composed, event.defaultPrevented], [false, false, false, false]);
      seen.push(`${type} ${event} ${ws.readyState}`);
    });
  }
  const { wasClean, currentTarget, eventPhase } = await next(ws, 'close');
  assert.deepStrictEqual([wasClean, currentTarget, eventPhase], [false, null, 0]);
  assert.deepStrictEqual(seen, ['open [object Event] 1', 'message [object MessageEvent] 1', 'error [object Event] 3', 'close [object CloseEvent] 3']);
});

test('web conformance: scripts can construct a CloseEvent', () => {
  const plain = new CloseEvent('foo');
  assert.deepStrictEqual([plain.type, plain.wasClean, plain.code, plain.reason, plain.bubbles, plain.cancelable], ['foo', false, 0, '', false, false]);
  const full = new CloseEvent('foo', { bubbles: true, cancelable: true, wasClean: true, code: 7, reason: 'x' });
  assert.deepStrictEqual([full.wasClean, full.code, full.reason, full.bubbles, full.cancelable], [true, 7, 'x', true, true]);
  assert.strictEqual(nameOfFailure(() => new CloseEvent()), 'TypeError');
  assert.strictEqual('initCloseEvent' in CloseEvent.prototype, false);
});

test('web conformance: views of every kind send their own part of the buffer', async (context) => {
  const ws = connect(context, WS_URL);
  await next(ws, 'open');
  const buffer = Uint8Array.from({ length: 64 }, (_, index) => index).buffer;
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array,
    BigUint64Array, globalThis.Float16Array, DataView].filter(Boolean);
  for (const Kind of kinds) {
    for (const view of [new Kind(buffer), new Kind(buffer, 8), new Kind(buffer, 16, 2), new Kind(buffer, 64)]) {
      ws.send(view);
      const { data } = await next(ws, 'message');
      const expected = new Uint8Array(buffer, view.byteOffset, view.byteLength);
      assert.deepStrictEqual([...new Uint8Array(data)], [...expected], `${Kind.name} at ${view.byteOffset}`);
    }
  }
  for (const value of [globalThis, {}, [], ws, function named() {}, new Error('text'), 1n, NaN, true]) {
    ws.send(value);
    assert.strictEqual((await next(ws, 'message')).data, String(value));
  }
});

test('web conformance: lengths at the limits of a frame header', async (context) => {
  const ws = connect(context, WS_URL);
  await next(ws, 'open');
  for (const length of [125, 126, 0xffff, 0x10000]) {
    ws.send('a'.repeat(length));
    assert.strictEqual(ws.bufferedAmount >= length, true);
    assert.strictEqual((await next(ws, 'message')).data.length, length);
  }
});

test('web conformance: the arguments of close', async (context) => {
  const ws = connect(context, WS_URL);
  await next(ws, 'open');
  for (const code of [0, 500, 999, 1001, 1005, 1006, 1015, 2999, 5000, -1, NaN, null, 'string', 0x10000 + 1000, {}]) {
    assert.strictEqual(nameOfFailure(() => ws.close(code)), 'InvalidAccessError', String(code));
  }
  assert.strictEqual(nameOfFailure(() => ws.close(1000, 'a'.repeat(124))), 'SyntaxError');
  assert.strictEqual(nameOfFailure(() => ws.close(1000, 'ä'.repeat(62))), 'SyntaxError');
  assert.strictEqual(ws.readyState, 1);
  // The nearest whole number.
  assert.strictEqual(ws.close(3000.9, `${'ä'.repeat(60)}\uD807`), undefined);
  const { code, reason, wasClean } = await next(ws, 'close');
  assert.deepStrictEqual([code, reason, wasClean], [3001, `${'ä'.repeat(60)}\uFFFD`, true]);
  // Nothing is left to close, and nothing to send to.
  assert.strictEqual(ws.close(), undefined);
  assert.strictEqual(ws.send('late'), undefined);
  assert.strictEqual(ws.readyState, 3);
});

test('web conformance: an answer other than an upgrade fails the connection', async (context) => {
  const attempts = [];
  const attempt = (url, what, ...protocols) => {
    const ws = new WebSocket(url, ...protocols);
    const types = [];
    for (const name of HANDLERS) ws[name] = ({ type }) => types.push(type);
    attempts.push(next(ws, 'close').then(({ code, reason, wasClean }) => {
      assert.deepStrictEqual([types, code, reason, wasClean, ws.readyState], [['error', 'close'], 1006, '', false, 3], what);
    }));
  };
  for (const answer of ['FOO BAR BAZ\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '']) {
    attempt((await answering(context, answer)).url, answer);
  }
  attempt(`${WS_URL}/bad-accept`, 'a wrong key');
  // Every path but `/protocol` takes none.
  attempt(WS_URL, 'no sub-protocol', 'echo');
  // An unrequested sub-protocol, and one in another case.
  const foobar = await listen(() => {}, 'Sec-WebSocket-Protocol: foobar\r\n');
  context.cleanup(foobar.close);
  attempt(foobar.url, 'a sub-protocol of its own');
  attempt(foobar.url, 'a sub-protocol in another case', 'FOOBAR');
  await Promise.all(attempts);
});

test('web conformance: twenty-five sockets each get their own messages', async (context) => {
  const sockets = Array.from({ length: 25 }, () => connect(context, WS_URL));
  await Promise.all(sockets.map(async (ws, index) => {
    await next(ws, 'open');
    ws.send(index);
    assert.strictEqual((await next(ws, 'message')).data, String(index));
    ws.close();
    assert.strictEqual((await next(ws, 'close')).code, 1005);
  }));
});

test('web conformance: a close frame in the same bytes as the answer is reported after open', async (context) => {
  const ws = connect(context, `${WS_URL}/wire/880603e950415353`);
  const open = next(ws, 'open');
  const close = next(ws, 'close');
  await open;
  assert.strictEqual(ws.close(), undefined);
  const { code, reason, wasClean } = await close;
  assert.deepStrictEqual([code, reason, wasClean], [1001, 'PASS', true]);
});

test('web conformance: close can be called again, and inside its own event', async (context) => {
  const ws = new WebSocket(WS_URL);
  let told = 0;
  const closed = new Promise((resolve) => {
    ws.onclose = () => {
      told += 1;
      ws.close();
      assert.strictEqual(ws.readyState, 3);
      // Were there another event, it would be told before this.
      setTimeout(resolve, 50);
    };
  });
  for (let times = 0; times < 3; times += 1) ws.close();
  assert.strictEqual(ws.readyState, 2);
  await closed;
  assert.strictEqual(told, 1);
});
