'use strict';

// The WebSocket of the web: its members, its events and its states, as the WHATWG standard has them.

const util = require('node:util');

const { assert, test, uncaughtException } = require('./harness.js');
const { assertSameBytes, bytes, library, unusedPort } = require('./support.js');
const { answering, listen } = require('./server.js');

// As a URL parser writes it.
const WS_URL = new URL(process.env.WS_URL).href;
const { web } = library;
const { WebSocket, Event, MessageEvent, CloseEvent, EventTarget } = web;

/** A socket that is closed after the test. */
function connect({ cleanup }, url = WS_URL, ...rest) {
  const ws = new WebSocket(url, ...rest);
  ws.binaryType = 'arraybuffer';
  cleanup(() => ws.close());
  return ws;
}

/** The next event of that type. */
const next = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

async function opened(context, ...rest) {
  const ws = connect(context, ...rest);
  await next(ws, 'open');
  return ws;
}

/** A server of tests/js/server.js, and the next connection to it. */
async function observed({ cleanup }, headers) {
  const waiting = [];
  const server = await listen((connection) => waiting.shift()?.(connection), headers);
  cleanup(server.close);
  return { url: server.url, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

function assertThrows(call, name, pattern) {
  try {
    call();
  } catch (error) {
    assert.strictEqual(error.name, name, error.stack);
    assert.match(error.message, pattern);
    if (name !== 'TypeError') assert(error instanceof web.DOMException, 'no DOMException');
    return;
  }
  throw new Error(`this succeeded: ${call}`);
}

test('web: the class has the members of the standard', () => {
  const constants = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
  for (const [name, value] of Object.entries(constants)) {
    for (const holder of [WebSocket, WebSocket.prototype]) {
      assert.deepStrictEqual(Object.getOwnPropertyDescriptor(holder, name), { value, writable: false, enumerable: true, configurable: false });
    }
  }
  for (const [name, length] of Object.entries({ send: 1, close: 0 })) {
    const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(WebSocket.prototype, name);
    assert.deepStrictEqual([value.name, value.length, writable, enumerable, configurable], [name, length, true, true, true]);
  }
  for (const name of ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol', 'onopen', 'onmessage', 'onerror', 'onclose', 'binaryType']) {
    const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(WebSocket.prototype, name);
    assert.deepStrictEqual([get.name, get.length, enumerable, configurable], [`get ${name}`, 0, true, true]);
    assert.strictEqual(set?.name, /^on|^binary/.test(name) ? `set ${name}` : undefined);
    assertThrows(() => get.call({}), 'TypeError', /instance of WebSocket/);
    assertThrows(() => get.call(library.createWebSocket()), 'TypeError', /instance of WebSocket/);
  }
  assert.deepStrictEqual([WebSocket.name, WebSocket.length], ['WebSocket', 1]);
  assert.strictEqual(Object.getPrototypeOf(WebSocket), EventTarget);
  assert.strictEqual(Object.getPrototypeOf(WebSocket.prototype), EventTarget.prototype);
  assert.strictEqual(Object.prototype.toString.call(WebSocket.prototype), '[object WebSocket]');
  for (const name of ['Event', 'EventTarget', 'MessageEvent', 'DOMException']) {
    if (globalThis[name]) assert.strictEqual(web[name], globalThis[name], `${name} is not the engine's own`);
  }
  assert.strictEqual(typeof CloseEvent, 'function');
});

test('web: echoes text and bytes, and readyState follows the events', async (context) => {
  const ws = connect(context);
  assert(ws instanceof WebSocket && ws instanceof EventTarget);
  assert.deepStrictEqual([ws.url, ws.readyState, ws.protocol, ws.extensions, ws.bufferedAmount], [WS_URL, 0, '', '', 0]);
  assertThrows(() => ws.send('early'), 'InvalidStateError', /not open yet/);
  const open = await next(ws, 'open');
  assert.deepStrictEqual([open.type, open.target, ws.readyState], ['open', ws, 1]);
  for (const text of ['', 'text', 'ünïcödé 🎉', 'x'.repeat(70_000)]) {
    ws.send(text);
    assert.strictEqual((await next(ws, 'message')).data, text);
  }
  ws.send('a\uDC00xb\uD800xc\uDC00\uD800x');
  assert.strictEqual((await next(ws, 'message')).data, 'a\uFFFDxb\uFFFDxc\uFFFD\uFFFDx');
  for (const [value, text] of [[7, '7'], [null, 'null'], [undefined, 'undefined'], [{ toString: () => 'made' }, 'made']]) {
    ws.send(value);
    assert.strictEqual((await next(ws, 'message')).data, text);
  }
  for (const length of [0, 1, 1000, 70_000]) {
    ws.send(bytes(length));
    assertSameBytes((await next(ws, 'message')).data, bytes(length));
  }
  const buffer = bytes(16);
  for (const view of [new Uint8Array(buffer, 3, 5), new Uint16Array(buffer, 2, 3), new DataView(buffer, 4, 7), new Float64Array(buffer)]) {
    ws.send(view);
    assertSameBytes((await next(ws, 'message')).data, buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  }
  if (globalThis.SharedArrayBuffer) {
    assertThrows(() => ws.send(new Uint8Array(new SharedArrayBuffer(4))), 'TypeError', /SharedArrayBuffer/);
  }
  assertThrows(() => ws.send(), 'TypeError', /data is missing/);
  assertThrows(() => ws.send(Symbol('s')), 'TypeError', /./);
  ws.close(3001, 'done');
  assert.strictEqual(ws.readyState, 2);
  const { code, reason, wasClean } = await next(ws, 'close');
  assert.deepStrictEqual([code, reason, wasClean, ws.readyState], [3001, 'done', true, 3]);
});

test('web: a Blob is sent in order, and binaryType \'blob\' delivers Blobs', async (context) => {
  if (!globalThis.Blob) {
    assert.strictEqual(new WebSocket(WS_URL).binaryType, 'arraybuffer');
    return;
  }
  const ws = new WebSocket(WS_URL);
  assert.strictEqual(ws.binaryType, 'blob');
  await next(ws, 'open');
  ws.send(new Blob(['blob ', 'one']));
  ws.send('between');
  ws.send(new Blob([bytes(300)]));
  assert.strictEqual(ws.bufferedAmount, 8 + 7 + 300);
  const received = [];
  ws.onmessage = ({ data }) => received.push(data);
  while (received.length < 3) await next(ws, 'message');
  assert(received[0] instanceof Blob && received[2] instanceof Blob);
  assert.strictEqual(await received[0].text(), 'blob one');
  assert.strictEqual(received[1], 'between');
  assertSameBytes(await received[2].arrayBuffer(), bytes(300));
  ws.binaryType = 'other';
  assert.strictEqual(ws.binaryType, 'blob');
  ws.close();
  // What was sent before `close` goes out before the close frame.
  const server = await observed(context);
  const connection = server.next();
  const other = await opened(context, server.url);
  const peer = await connection;
  other.send(new Blob(['last']));
  other.send('text');
  other.close(3000);
  assert.strictEqual(await peer.closed, 3000);
  assert.deepStrictEqual(peer.messages.map(String), ['last', 'text']);
});

test('web: the constructor refuses what the standard refuses', () => {
  const syntax = [
    ['/relative'], ['ws://a b/'], ['ftp://h/'], ['mailto:a@b'], ['ws://h/#'], ['ws://h/#part'], [''], ['ws://'],
    [WS_URL, ''], [WS_URL, 'a b'], [WS_URL, ['a', 'A']], [WS_URL, ['a', 'b', 'a']], [WS_URL, 'ä'], [WS_URL, {}], [WS_URL, 'a,b'],
  ];
  for (const given of syntax) assertThrows(() => new WebSocket(...given), 'SyntaxError', /^(url|protocols): \S+ \S/);
  assertThrows(() => new WebSocket(), 'TypeError', /url is missing/);
  assertThrows(() => WebSocket(WS_URL), 'TypeError', /with new/);
  assertThrows(() => new WebSocket(Symbol('s')), 'TypeError', /./);
  assertThrows(() => new WebSocket(WS_URL, [Symbol('s')]), 'TypeError', /./);
  assertThrows(() => new WebSocket(WS_URL, [], { connectTimeout: 'soon' }), 'TypeError', /connectTimeout/);
  assertThrows(() => new WebSocket(WS_URL, [], { receivePieces: true }), 'TypeError', /receivePieces/);
});

test('web: url has the scheme ws or wss, and the form of a URL parser', async (context) => {
  const url = new URL(WS_URL);
  const shown = (text) => {
    const ws = new WebSocket(text);
    context.cleanup(() => ws.close());
    return ws.url;
  };
  assert.strictEqual(shown(`http://${url.host}/a b?ü`), `ws://${url.host}/a%20b?%C3%BC`);
  assert.strictEqual(shown(`https://${url.host}`), `wss://${url.host}/`);
  assert.strictEqual(shown(`WS:${url.host}/x`), `ws://${url.host}/x`);
  assert.strictEqual(shown({ toString: () => WS_URL }), WS_URL);
  assert.strictEqual(shown(url), url.href);
});

test('web: the server chooses one of the sub-protocols', async (context) => {
  for (const given of ['one', ['one', 'two'], new Set(['one'])]) {
    const ws = await opened(context, new URL('/protocol', WS_URL), given);
    assert.strictEqual(ws.protocol, 'one');
  }
  // Without a choice the connection fails.
  const ws = connect(context, WS_URL, 'one');
  const log = [];
  for (const type of ['open', 'error', 'close']) ws.addEventListener(type, () => log.push(type));
  const { code, wasClean } = await next(ws, 'close');
  assert.deepStrictEqual([log, code, wasClean, ws.protocol], [['error', 'close'], 1006, false, '']);
});

test('web: listeners and handler attributes are called in the order they were set', async (context) => {
  const ws = connect(context);
  const log = [];
  const note = (name) => () => log.push(name);
  const twice = note('twice');
  ws.addEventListener('open', note('first'));
  ws.onopen = note('attribute that is replaced');
  ws.addEventListener('open', twice);
  ws.addEventListener('open', twice);
  ws.addEventListener('open', twice, { capture: true });
  ws.onopen = note('attribute');
  const removed = note('removed');
  ws.addEventListener('open', removed);
  ws.removeEventListener('open', removed, true);
  ws.removeEventListener('open', removed);
  const object = {
    handleEvent(event) {
      log.push(this === object && event.type);
      ws.removeEventListener('open', late);
      ws.addEventListener('open', note('too late'));
    },
  };
  const late = note('removed meanwhile');
  ws.addEventListener('open', object);
  ws.addEventListener('open', late);
  ws.addEventListener('open', null);
  ws.addEventListener('other', note('other'));
  ws.addEventListener('open', function last() { log.push(this === ws); });
  await next(ws, 'open');
  assert.deepStrictEqual(log, ['first', 'attribute', 'twice', 'twice', 'open', true]);
  for (const [value, kept] of [[1, null], ['text', null], [undefined, null], [object, object], [note, note], [null, null]]) {
    ws.onmessage = value;
    assert.strictEqual(ws.onmessage, kept);
  }
  assertThrows(() => ws.addEventListener('open'), 'TypeError', /needs a type and a listener/);
  assertThrows(() => ws.addEventListener('open', 1), 'TypeError', /must be a function or an object/);
  assertThrows(() => ws.addEventListener('open', note, { signal: {} }), 'TypeError', /signal/);
  assertThrows(() => ws.addEventListener('open', note, { signal: null }), 'TypeError', /signal/);
  assertThrows(() => ws.addEventListener.call({}, 'open', note), 'TypeError', /instance of EventTarget/);
});

test('web: a listener can have the options once and signal', async (context) => {
  const ws = await opened(context);
  const log = [];
  const controller = new AbortController();
  ws.addEventListener('message', () => log.push('once'), { once: true });
  ws.addEventListener('message', () => log.push('signal'), { signal: controller.signal });
  ws.addEventListener('message', () => log.push('aborted before'), { signal: AbortSignal.abort() });
  ws.addEventListener('message', () => log.push('|'));
  ws.send('1');
  ws.send('2');
  await next(ws, 'message');
  await next(ws, 'message');
  controller.abort();
  ws.send('3');
  await next(ws, 'message');
  assert.deepStrictEqual(log, ['once', 'signal', '|', 'signal', '|', '|']);
});

test('web: an event has its type, its target and its time', async (context) => {
  const ws = await opened(context);
  const before = performance.now();
  let during;
  ws.onmessage = (event) => {
    during = [event.currentTarget, event.eventPhase, event.composedPath(), event.timeStamp];
  };
  ws.send('data');
  const event = await next(ws, 'message');
  assert.deepStrictEqual([during[0] === ws, during[1], during[2].length, during[2][0] === ws], [true, 2, 1, true]);
  assert(before <= during[3] && during[3] <= performance.now(), `${before} ${during[3]}`);
  assert.strictEqual(event.timeStamp, during[3]);
  assert.deepStrictEqual([event.currentTarget, event.eventPhase, event.composedPath()], [null, 0, []]);
  assert(event instanceof MessageEvent && event instanceof Event);
  assert.strictEqual(String(event), '[object MessageEvent]');
  const { type, data, origin, lastEventId, source, ports, target, srcElement } = event;
  assert.deepStrictEqual([type, data, origin, lastEventId, source, target === ws, srcElement === ws], ['message', 'data', new URL(WS_URL).origin, '', null, true, true]);
  assert(Array.isArray(ports) && ports.length === 0);
  const { bubbles, cancelable, composed, defaultPrevented, isTrusted, cancelBubble, returnValue } = event;
  assert.deepStrictEqual([bubbles, cancelable, composed, defaultPrevented, isTrusted, cancelBubble, returnValue], [false, false, false, false, true, false, true]);
  event.preventDefault();
  event.stopPropagation();
  assert.strictEqual(event.defaultPrevented, false);
  assert.match(util.inspect(event), /message/);
  // As libraries do that hand an event on.
  const copy = new event.constructor(event.type, event);
  assert.deepStrictEqual([copy instanceof MessageEvent, copy.type, copy.data, copy.origin], [true, 'message', 'data', origin]);
  ws.close(4000, 'end');
  const close = await next(ws, 'close');
  assert.deepStrictEqual([close instanceof CloseEvent, close instanceof Event, String(close), close.isTrusted], [true, true, '[object CloseEvent]', true]);
  const again = new close.constructor(close.type, close);
  assert.deepStrictEqual([again instanceof CloseEvent, again.type, again.code, again.reason, again.wasClean], [true, 'close', 4000, 'end', true]);
  assert.match(util.inspect(close), /4000/);
});

test('web: stopImmediatePropagation ends the calls of one event', async (context) => {
  const ws = await opened(context);
  const log = [];
  ws.addEventListener('message', (event) => {
    log.push(event.data);
    if (event.data === 'stop') event.stopImmediatePropagation();
  });
  ws.addEventListener('message', (event) => log.push(`second ${event.data}`));
  const third = new Promise((resolve) => ws.addEventListener('message', ({ data }) => data === 'go' && resolve()));
  ws.send('stop');
  ws.send('go');
  await third;
  assert.deepStrictEqual(log, ['stop', 'go', 'second go']);
});

test('web: dispatches events made by scripts, of the engine\'s classes and of ours', async (context) => {
  const ws = connect(context);
  const log = [];
  ws.addEventListener('own', function listener(event) {
    log.push(this === ws, event.target === ws, event.currentTarget === ws, event.eventPhase, event.isTrusted);
    assertThrows(() => ws.dispatchEvent(event), 'InvalidStateError', /dispatched already/);
    event.preventDefault();
  });
  ws.addEventListener('own', (event) => event.stopImmediatePropagation());
  ws.addEventListener('own', () => log.push('stopped'));
  const event = new Event('own', { cancelable: true });
  assert.strictEqual(ws.dispatchEvent(event), false);
  assert.deepStrictEqual(log, [true, true, true, 2, false]);
  assert.deepStrictEqual([event.target === ws, event.currentTarget, event.eventPhase], [true, null, 0]);
  assert.strictEqual(ws.dispatchEvent(new Event('unheard')), true);
  let code;
  ws.onclose = (each) => (code ??= each.code);
  ws.dispatchEvent(new CloseEvent('close', { code: 4321 }));
  assert.strictEqual(code, 4321);
  ws.onmessage = () => false;
  assert.strictEqual(ws.dispatchEvent(new Event('message', { cancelable: true })), false);
  ws.onmessage = ({ data }) => log.push(data);
  ws.dispatchEvent(new MessageEvent('message', { data: 'of a script' }));
  assert.strictEqual(log.pop(), 'of a script');
  ws.addEventListener('passive', (each) => each.preventDefault(), { passive: true });
  for (const wrong of [undefined, {}, 'own']) assertThrows(() => ws.dispatchEvent(wrong), 'TypeError', /must be an Event/);
  // The engine's own targets accept a CloseEvent of either class.
  const target = new EventTarget();
  target.addEventListener('close', (each) => log.push(each.reason));
  target.dispatchEvent(new CloseEvent('close', { reason: 'elsewhere' }));
  assert.strictEqual(log.pop(), 'elsewhere');
});

test('web: a function is called whatever properties it has', async (context) => {
  const ws = await opened(context);
  const heard = new Promise((resolve) => {
    ws.onmessage = Object.setPrototypeOf(Object.assign(function listener({ data }) { resolve([this === ws, data]); }, { call: 1 }), null);
  });
  ws.send('x');
  assert.deepStrictEqual(await heard, [true, 'x']);
});

test('web: a listener that throws is reported, and the others are called', async (context) => {
  const ws = await opened(context);
  const reports = [uncaughtException(), uncaughtException()];
  const log = [];
  ws.addEventListener('message', () => { throw new Error('of a function'); });
  ws.addEventListener('message', { handleEvent: 1 });
  ws.addEventListener('message', () => log.push('called'));
  ws.send('x');
  await next(ws, 'message');
  assert.strictEqual((await reports[0]).message, 'of a function');
  assert.match((await reports[1]).message, /handleEvent/);
  assert.deepStrictEqual(log, ['called']);
});

test('web: a script that awaits one message after the other misses none', async (context) => {
  const server = await observed(context);
  for (const wait of [
    (ws) => next(ws, 'message'),
    (ws) => new Promise((resolve) => (ws.onmessage = resolve)),
  ]) {
    const connection = server.next();
    const ws = connect(context, server.url);
    const first = next(ws, 'open').then(() => wait(ws));
    const peer = await connection;
    peer.socket.cork();
    for (let index = 0; index < 100; index += 1) peer.text(`${index}`);
    peer.socket.uncork();
    assert.strictEqual((await first).data, '0');
    for (let index = 1; index < 100; index += 1) assert.strictEqual((await wait(ws)).data, `${index}`);
    ws.close();
  }
});

test('web: close sends code and reason, or neither', async (context) => {
  const server = await observed(context);
  for (const [given, code] of [[[], 1005], [[undefined, ''], 1005], [[1000], 1000], [[3000, 'reason'], 3000], [[undefined, 'reason'], 1000]]) {
    const connection = server.next();
    const ws = await opened(context, server.url);
    const peer = await connection;
    ws.close(...given);
    ws.close(4999, 'later calls do nothing');
    const event = await next(ws, 'close');
    assert.strictEqual(await peer.closed, code);
    assert.deepStrictEqual([event.code, event.reason, event.wasClean], [code, given[1] ?? '', true]);
  }
  const ws = await opened(context, server.url);
  for (const code of [0, 999, 1001, 1005, 2999, 5000, NaN, 'text', null, 65536 + 1000]) {
    assertThrows(() => ws.close(code), 'InvalidAccessError', /code: must be 1000 or from 3000 to 4999/);
  }
  assertThrows(() => ws.close(1000, 'ü'.repeat(62)), 'SyntaxError', /at most 123 bytes.*124/);
  assert.strictEqual(ws.readyState, 1);
  ws.close(4998.7, 'x'.repeat(123));
  assert.strictEqual((await next(ws, 'close')).code, 4999);
});

test('web: the close event has the code and reason of the server, whoever closed first', async (context) => {
  const server = await observed(context);
  const end = async (bytesOfServer, close) => {
    const connection = server.next();
    const ws = await opened(context, server.url);
    const log = [];
    ws.onerror = () => log.push(ws.readyState);
    const peer = await connection;
    if (close) {
      peer.frame = () => peer.socket.end(Buffer.from(bytesOfServer));
      ws.close(4001, 'ours');
    } else {
      peer.socket.end(Buffer.from(bytesOfServer));
    }
    const { code, reason, wasClean } = await next(ws, 'close');
    return [code, reason, wasClean, log];
  };
  const frame = (code, text) => [0x88, 2 + text.length, code >> 8, code & 255, ...Buffer.from(text)];
  assert.deepStrictEqual(await end(frame(1001, 'away')), [1001, 'away', true, []]);
  assert.deepStrictEqual(await end([0x88, 0]), [1005, '', true, []]);
  assert.deepStrictEqual(await end(frame(3456, 'theirs'), true), [3456, 'theirs', true, []]);
  assert.deepStrictEqual(await end([0x88, 0], true), [1005, '', true, []]);
  assert.deepStrictEqual(await end([]), [1006, '', false, [3]]);
  assert.deepStrictEqual(await end([], true), [1006, '', false, []]);
  // A frame with a reserved opcode.
  assert.deepStrictEqual(await end([0x83, 0]), [1006, '', false, [3]]);
});

test('web: a failed attempt reports error and close, once each and later', async (context) => {
  const refusing = await answering(context, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  const redirecting = await answering(context, `HTTP/1.1 301 Moved\r\nLocation: ${WS_URL}\r\nContent-Length: 0\r\n\r\n`);
  for (const url of [`ws://127.0.0.1:${await unusedPort()}/`, refusing.url, redirecting.url, 'ws://host.invalid/']) {
    const ws = new WebSocket(url);
    const log = [];
    for (const type of ['open', 'error', 'close']) ws[`on${type}`] = (event) => log.push(type, ws.readyState, event.code);
    assert.strictEqual(ws.readyState, 0);
    const close = await next(ws, 'close');
    assert.deepStrictEqual([log, close.reason, close.wasClean], [['error', 3, undefined, 'close', 3, 1006], '', false]);
  }
});

test('web: close while connecting reports error and close', async (context) => {
  const ws = connect(context);
  const log = [];
  for (const type of ['open', 'error', 'close']) ws[`on${type}`] = (event) => log.push(type, event.code);
  ws.close();
  assert.deepStrictEqual([ws.readyState, log], [2, []]);
  await next(ws, 'close');
  assert.deepStrictEqual([log, ws.readyState], [['error', undefined, 'close', 1006], 3]);
});

test('web: no message event follows close()', async (context) => {
  const server = await observed(context);
  const connection = server.next();
  const ws = await opened(context, server.url);
  const peer = await connection;
  ws.onmessage = () => { throw new Error('heard'); };
  ws.close();
  peer.text('late');
  await next(ws, 'close');
});

test('web: bufferedAmount grows at once, falls when the kernel has the data, and grows after the end', async (context) => {
  const ws = await opened(context);
  ws.send('ü');
  ws.send(new Uint8Array(1000));
  assert.strictEqual(ws.bufferedAmount, 1002);
  ws.send('x'.repeat(65_000));
  assert.strictEqual(ws.bufferedAmount, 66_002);
  for (let echoes = 0; echoes < 3; echoes += 1) await next(ws, 'message');
  while (ws.bufferedAmount > 0) await new Promise((resolve) => setTimeout(resolve));
  ws.onmessage = () => {
    ws.send('12345');
    assert.strictEqual(ws.bufferedAmount, 5);
    ws.onmessage = null;
  };
  ws.send('1');
  await next(ws, 'message');
  ws.close();
  ws.send('after');
  // Earlier data may have been sent by now; this has not.
  assert([5, 10].includes(ws.bufferedAmount), `${ws.bufferedAmount}`);
  await next(ws, 'close');
  ws.send('later');
  ws.send(new ArrayBuffer(90));
  assert.strictEqual(ws.bufferedAmount, 5 + 5 + 90);
});

test('web: the third argument takes our options, and other values are ignored', async (context) => {
  const headers = async (...rest) => {
    const ws = connect(context, new URL('/headers', WS_URL), ...rest);
    const { data } = await next(ws, 'message');
    ws.close();
    return data;
  };
  assert.match(await headers([], { header: { 'X-Mine': 'yes' } }), /^x-mine: yes$/m);
  assert.doesNotMatch(await headers(), /x-mine/);
  // The standard leaves further arguments unread.
  assert.doesNotMatch(await headers([], 'stray'), /stray/);
});

test('web: the class can be extended', async (context) => {
  class Mine extends WebSocket {
    constructor(url) {
      super(url);
      this.mine = true;
    }

    send(data) {
      super.send(`mine ${data}`);
    }
  }
  const ws = new Mine(WS_URL);
  context.cleanup(() => ws.close());
  assert(ws instanceof Mine && ws instanceof WebSocket && ws.mine);
  await next(ws, 'open');
  ws.send('text');
  assert.strictEqual((await next(ws, 'message')).data, 'mine text');
});

test('web: install sets missing globals and leaves the others', () => {
  const mine = function MyEvent() {};
  const target = { Event: mine };
  web.install(target);
  assert.deepStrictEqual(Object.keys(target), ['Event']);
  assert.strictEqual(target.Event, mine);
  for (const name of ['WebSocket', 'MessageEvent', 'CloseEvent', 'EventTarget', 'DOMException']) assert.strictEqual(target[name], web[name]);
  assertThrows(() => web.install(1), 'TypeError', /target: must be an object/);
});
