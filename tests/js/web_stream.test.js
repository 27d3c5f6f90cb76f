'use strict';

// The WebSocketStream of the web: its streams, its promises and how both hold the other side back.

const { Worker } = require('node:worker_threads');

const { collect, collectUntil, turn } = require('./collecting.js');
const { assert, test } = require('./harness.js');
const { answering, listen } = require('./server.js');
const { Recorder, library, unusedPort } = require('./support.js');

const WS_URL = new URL(process.env.WS_URL).href;
const { NET_WEBSOCKET_LIB } = process.env;
const { web } = library;
const { WebSocketError, WebSocketStream } = web;
const QUIET_ROUNDS = 100;

/** A stream that is closed after the test. */
function connect({ cleanup }, url = WS_URL, ...rest) {
  const stream = new WebSocketStream(url, ...rest);
  cleanup(() => stream.close());
  return stream;
}

/** A server of tests/js/server.js, and the next connection to it. */
async function observed({ cleanup }, headers) {
  const waiting = [];
  const server = await listen((connection) => waiting.shift()?.(connection), headers);
  cleanup(server.close);
  return { url: server.url, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

/** A stream and the server's end of it. */
async function pair(context, ...rest) {
  const server = await observed(context);
  const connection = server.next();
  const stream = connect(context, server.url, ...rest);
  const { readable, writable } = await stream.opened;
  return { stream, readable, writable, peer: await connection };
}

const failure = (promise) => promise.then((value) => { throw new Error(`this succeeded: ${JSON.stringify(value)}`); }, (error) => error);

function assertThrows(call, name, pattern) {
  try {
    call();
  } catch (error) {
    assert.strictEqual(error.name, name, error.stack);
    assert.match(error.message, pattern);
    return;
  }
  throw new Error(`this succeeded: ${call}`);
}

/** Pings and pongs of another connection: what has not happened after them waits for something else than time. */
async function quiet(context) {
  const clock = new Recorder(context);
  await clock.open(WS_URL);
  for (let round = 0; round < QUIET_ROUNDS; round += 1) await clock.ws.ping();
  await clock.shut();
}

/** A binary frame of zeros without a mask. */
function frameOf(length) {
  const frame = Buffer.alloc(10 + length);
  frame.set([0x82, 127]);
  frame.writeBigUInt64BE(BigInt(length), 2);
  return frame;
}

test('stream: sends and receives text and binary', async (context) => {
  const stream = connect(context);
  assert.strictEqual(stream.url, WS_URL);
  const { readable, writable, protocol, extensions } = await stream.opened;
  assert(readable instanceof ReadableStream && writable instanceof WritableStream);
  assert.deepStrictEqual([protocol, typeof extensions], ['', 'string']);
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  const view = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
  for (const [sent, expected] of [['text', 'text'], ['中文 \ud83d', '中文 \ufffd'], ['', ''], [7, '7'], [view, view], [view.slice().buffer, view], [new Uint8Array(0), new Uint8Array(0)]]) {
    await writer.write(sent);
    assert.deepStrictEqual(await reader.read(), { value: expected, done: false });
  }
  // Several unread messages arrive in order.
  await Promise.all(Array.from({ length: 100 }, (_, index) => writer.write(String(index))));
  for (let index = 0; index < 100; index += 1) assert.strictEqual((await reader.read()).value, String(index));
  stream.close({ closeCode: 3456, reason: 'over' });
  assert.deepStrictEqual(await stream.closed, { closeCode: 3456, reason: 'over' });
  assert.deepStrictEqual(await reader.read(), { value: undefined, done: true });
  assert.strictEqual((await failure(writer.ready)).name, 'InvalidStateError');
});

test('stream: the members are those of the class', async (context) => {
  const stream = connect(context);
  assert.strictEqual(stream.opened, stream.opened);
  assert.strictEqual(Object.prototype.toString.call(stream), '[object WebSocketStream]');
  assert.deepStrictEqual(Object.keys(WebSocketStream.prototype).sort(), ['close', 'closed', 'opened', 'url']);
  assertThrows(() => WebSocketStream(WS_URL), 'TypeError', /must be called with new/);
  assertThrows(() => WebSocketStream.prototype.close.call({}), 'TypeError', /this is not an instance of WebSocketStream/);
  await stream.opened;
});

test('stream: refuses invalid arguments of the constructor', () => {
  for (const [args, name, pattern] of [
    [[], 'TypeError', /the url is missing/],
    [['none'], 'SyntaxError', /url: /],
    [[`${WS_URL}#a`], 'SyntaxError', /fragment/],
    [[WS_URL, true], 'TypeError', /second argument must be an object/],
    [[WS_URL, 'chat'], 'TypeError', /second argument must be an object/],
    [[WS_URL, { protocols: 'chat' }], 'TypeError', /protocols: must be an array/],
    [[WS_URL, { protocols: ['a', 'a'] }], 'SyntaxError', /protocols: .*twice/],
    [[WS_URL, { signal: {} }], 'TypeError', /signal: must be an AbortSignal/],
    [[WS_URL, {}, { connectTimeout: 0 }], 'TypeError', /connectTimeout/],
    [[WS_URL, {}, { receivePieces: true }], 'TypeError', /receivePieces: a web WebSocketStream delivers whole messages only/],
    [[WS_URL, {}, { reconnect: {} }], 'TypeError', /reconnect: a WebSocketStream has one connection only/],
  ]) assertThrows(() => new WebSocketStream(...args), name, pattern);
});

test('stream: accepts a sub-protocol and the options of connect', async (context) => {
  const server = await observed(context, 'Sec-WebSocket-Protocol: two\r\n');
  const stream = connect(context, new URL(server.url), { protocols: ['one', 'two'] }, { perMessageDeflate: false });
  const { protocol, extensions } = await stream.opened;
  assert.deepStrictEqual([protocol, extensions], ['two', '']);
});

test('stream: an attempt that fails rejects both promises with one error', async (context) => {
  const refusing = await answering(context, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  for (const [url, pattern] of [[refusing.url, /404/], [`ws://127.0.0.1:${await unusedPort()}`, /refused/i]]) {
    const stream = connect(context, url);
    const error = await failure(stream.opened);
    assert.strictEqual(await failure(stream.closed), error);
    assert(error instanceof WebSocketError && error instanceof web.DOMException);
    assert.deepStrictEqual([error.closeCode, error.reason], [1006, '']);
    assert.match(error.message, pattern);
  }
});

test('stream: close before opened cancels the attempt', async (context) => {
  const stream = connect(context);
  stream.close();
  const error = await failure(stream.opened);
  assert.deepStrictEqual([error.name, error.closeCode], ['WebSocketError', 1006]);
  assert.strictEqual(await failure(stream.closed), error);
});

test('stream: a signal cancels the attempt, and has no effect afterwards', async (context) => {
  const server = await observed(context);
  const before = new AbortController();
  before.abort();
  let stream = connect(context, server.url, { signal: before.signal });
  assert.strictEqual(stream.url, server.url);
  for (const promise of [stream.opened, stream.closed]) assert.strictEqual((await failure(promise)).name, 'AbortError');

  const during = new AbortController();
  stream = connect(context, `${WS_URL}hang`, { signal: during.signal });
  const reason = new Error('mine');
  during.abort(reason);
  for (const promise of [stream.opened, stream.closed]) assert.strictEqual(await failure(promise), reason);

  const ours = library.createAbortSignal();
  stream = connect(context, `${WS_URL}hang`, { signal: ours });
  ours.abort();
  assert.strictEqual((await failure(stream.opened)).name, 'AbortError');

  const after = new AbortController();
  stream = connect(context, WS_URL, { signal: after.signal });
  const { readable, writable } = await stream.opened;
  after.abort();
  await writable.getWriter().write('still there');
  assert.strictEqual((await readable.getReader().read()).value, 'still there');
});

test('stream: removes its listener from the signal once the attempt is over', async (context) => {
  for (const url of [WS_URL, `ws://127.0.0.1:${await unusedPort()}`]) {
    const listeners = new Set();
    const signal = { aborted: false, addEventListener: (_, listener) => listeners.add(listener), removeEventListener: (_, listener) => listeners.delete(listener) };
    const stream = connect(context, url, { signal });
    assert.strictEqual(listeners.size, 1);
    await stream.opened.catch(() => {});
    assert.strictEqual(listeners.size, 0);
  }
});

test('stream: how close ends the stream', async (context) => {
  for (const [argument, closeCode, reason] of [
    [undefined, 1005, ''], [null, 1005, ''], [{}, 1005, ''], [{ reason: '' }, 1005, ''], [{ reason: 'why' }, 1000, 'why'], [{ closeCode: 4999 }, 4999, ''],
    [{ closeCode: 1000.9 }, 1000, ''],
  ]) {
    const stream = connect(context);
    await stream.opened;
    stream.close(argument);
    stream.close({ closeCode: 4000 });
    assert.deepStrictEqual(await stream.closed, { closeCode, reason });
  }
  const stream = connect(context);
  await stream.opened;
  for (const [argument, name, pattern] of [
    [true, 'TypeError', /close: must be given an object/],
    [{ closeCode: 999 }, 'InvalidAccessError', /closeCode: must be 1000 or from 3000 to 4999, but is 999/],
    [{ closeCode: 1001 }, 'InvalidAccessError', /1001/],
    [{ closeCode: 65_536 }, 'TypeError', /closeCode: must be a number from 0 to 65535/],
    [{ closeCode: NaN }, 'TypeError', /closeCode/],
    [{ reason: 'x'.repeat(124) }, 'SyntaxError', /at most 123 bytes/],
  ]) assertThrows(() => stream.close(argument), name, pattern);
});

test('stream: a WebSocketError has a code and a reason', () => {
  for (const [args, message, closeCode, reason] of [
    [[], '', null, ''], [['text'], 'text', null, ''], [['', { closeCode: 3333 }], '', 3333, ''], [['', { reason: 'why' }], '', 1000, 'why'],
    [['a', { closeCode: 4000, reason: 'b' }], 'a', 4000, 'b'],
  ]) {
    const error = new WebSocketError(...args);
    assert(error instanceof WebSocketError && error instanceof web.DOMException && error instanceof Error);
    assert.deepStrictEqual([error.name, error.code, error.message, error.closeCode, error.reason], ['WebSocketError', 0, message, closeCode, reason]);
  }
  assertThrows(() => new WebSocketError('', { closeCode: 1001 }), 'InvalidAccessError', /1001/);
  assertThrows(() => new WebSocketError('', { reason: '🔌'.repeat(32) }), 'SyntaxError', /123 bytes of UTF-8, but is 128/);
  assertThrows(() => WebSocketError(), 'TypeError', /new/);
  assert.deepStrictEqual([WebSocketError.name, WebSocketError.length, String(new WebSocketError('a'))], ['WebSocketError', 0, 'WebSocketError: a']);
  assert.strictEqual(Object.prototype.toString.call(new WebSocketError()), '[object WebSocketError]');
  class Derived extends WebSocketError {}
  assert.deepStrictEqual([new Derived('', { closeCode: 3000 }).closeCode, new Derived() instanceof Derived], [3000, true]);
  assertThrows(() => Object.getOwnPropertyDescriptor(WebSocketError.prototype, 'reason').get.call(new Error('no')), 'TypeError', /this is not an instance of WebSocketError/);
});

test('stream: cancel and abort close with the code and reason of a WebSocketError', async (context) => {
  for (const [stream, end] of [['readable', 'cancel'], ['writable', 'abort']]) {
    for (const [argument, closeCode, reason] of [
      [undefined, 1005, ''], [{ closeCode: 3333, reason: 'no' }, 1005, ''], [new Error('no'), 1005, ''], [new WebSocketError('no', { closeCode: 3333 }), 3333, ''],
      [new WebSocketError('no', { reason: 'why' }), 1000, 'why'],
    ]) {
      const made = connect(context);
      await (await made.opened)[stream][end](argument);
      assert.deepStrictEqual(await made.closed, { closeCode, reason });
    }
  }
});

test('stream: closing the writable waits for the closing handshake', async (context) => {
  const { stream, writable, peer } = await pair(context);
  // The server does not answer the close frame until it is told to.
  let answer;
  peer.frame = (frame) => (answer = () => Object.getPrototypeOf(peer).frame.call(peer, frame));
  const writer = writable.getWriter();
  let over = false;
  const closed = writer.close().then(() => (over = true));
  while (!answer) await new Promise((resolve) => setImmediate(resolve));
  assert.strictEqual(over, false);
  answer();
  await closed;
  assert.deepStrictEqual(await stream.closed, { closeCode: 1005, reason: '' });
});

test('stream: how the server ends the stream', async (context) => {
  const closing = await pair(context);
  closing.peer.text('last');
  closing.peer.socket.write(Buffer.from([0x88, 7, 0x0f, 0xa0, ...Buffer.from('robot')]));
  assert.deepStrictEqual(await closing.stream.closed, { closeCode: 4000, reason: 'robot' });
  // What came before is still there to be read.
  const reader = closing.readable.getReader();
  assert.deepStrictEqual([await reader.read(), await reader.read()], [{ value: 'last', done: false }, { value: undefined, done: true }]);
  assert.strictEqual((await failure(closing.writable.getWriter().write('late'))).name, 'InvalidStateError');

  const lost = await pair(context);
  lost.peer.socket.destroy();
  const error = await failure(lost.stream.closed);
  assert.deepStrictEqual([error.name, error.closeCode, error.reason], ['WebSocketError', 1006, '']);
  assert.strictEqual(await failure(lost.readable.getReader().read()), error);
  assert.strictEqual(await failure(lost.writable.getWriter().ready), error);
});

test('stream: reads every message after the server has closed', async (context) => {
  const { stream, readable, peer } = await pair(context);
  for (let index = 0; index < 1000; index += 1) peer.text(String(index));
  peer.socket.write(Buffer.from([0x88, 2, 0x03, 0xe8]));
  assert.deepStrictEqual(await stream.closed, { closeCode: 1000, reason: '' });
  let count = 0;
  for await (const message of readable) assert.strictEqual(message, String(count++));
  assert.strictEqual(count, 1000);
});

test('stream: pauses the server while nobody reads', async (context) => {
  const { readable, peer } = await pair(context);
  const [messages, bytes] = [64, 1_048_576];
  let sent = 0;
  const frame = frameOf(bytes);
  const all = (async () => {
    for (; sent < messages; sent += 1) if (!peer.socket.write(frame)) await new Promise((resolve) => peer.socket.once('drain', resolve));
  })();
  // Until the kernel's buffers and the library's queue are full.
  for (let before = -1; before !== sent;) {
    before = sent;
    await quiet(context);
  }
  assert(sent < messages / 2, `${sent} of ${messages} messages were taken, which nobody has read`);
  const reader = readable.getReader();
  for (let count = 0; count < messages; count += 1) {
    const { value } = await reader.read();
    assert(value instanceof Uint8Array && value.length === bytes);
  }
  await all;
});

test('stream: a write waits for a slow server, and abort does not', async (context) => {
  const { stream, writable, peer } = await pair(context, {}, { closeTimeout: 200 });
  peer.socket.pause();
  const writer = writable.getWriter();
  let written = false;
  const write = writer.write(new Uint8Array(16 * 1024 * 1024)).then(() => (written = true));
  await quiet(context);
  assert.strictEqual(written, false);
  assert(writer.desiredSize <= 0, 'the stream has room');
  const reason = new Error('enough');
  const rejected = failure(write);
  await writer.abort(reason);
  assert.strictEqual(await rejected, reason);
  peer.socket.destroy();
  assert.strictEqual((await failure(stream.closed)).name, 'WebSocketError');
});

test('stream: an unsent message when the server closes makes the end unclean', async (context) => {
  const { stream, readable, writable, peer } = await pair(context);
  peer.socket.pause();
  const writer = writable.getWriter();
  const write = failure(writer.write(new Uint8Array(16 * 1024 * 1024)));
  peer.socket.write(Buffer.from([0x88, 2, 0x11, 0xd7]));
  peer.socket.destroySoon();
  const error = await failure(stream.closed);
  assert.deepStrictEqual([error.name, error.closeCode], ['WebSocketError', 4567]);
  const refused = await write;
  assert.strictEqual(refused.name, 'InvalidStateError');
  assert.strictEqual(await failure(writer.write('word')), refused);
  assert.strictEqual(await failure(readable.getReader().read()), error);
});

test('stream: a write after the close frame of the server makes the end unclean', async ({ cleanup }) => {
  const body = `
    const { parentPort, workerData: { server, flag } } = require('node:worker_threads');
    require(server).listen((connection) => {
      parentPort.once('message', () => connection.socket.write(Buffer.from([0x88, 2, 0x11, 0xd7])));
      connection.closed.then(() => {
        Atomics.store(flag, 0, 1);
        Atomics.notify(flag, 0);
      });
    }).then(({ url }) => parentPort.postMessage(url));
  `;
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(body, { eval: true, workerData: { server: require.resolve('./server.js'), flag } });
  cleanup(() => worker.terminate());
  const url = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const stream = new WebSocketStream(url);
  const writer = (await stream.opened).writable.getWriter();
  await writer.ready;
  worker.postMessage('close');
  // The library has answered, and its event waits for this script.
  Atomics.wait(flag, 0, 0);
  const write = failure(writer.write('late'));
  const error = await failure(stream.closed);
  assert.deepStrictEqual([error.name, error.closeCode], ['WebSocketError', 4567]);
  assert.strictEqual((await write).name, 'InvalidStateError');
});

test('stream: a script that awaits opened writes before a close frame received with it is processed', async ({ cleanup }) => {
  const server = await listen(({ socket }) => {
    socket.pause();
    socket.write(Buffer.from([0x88, 2, 0x11, 0xd7]));
  });
  cleanup(server.close);
  for (let round = 0; round < 20; round += 1) {
    const stream = new WebSocketStream(server.url, {}, { closeTimeout: 50 });
    const { writable } = await stream.opened;
    const write = failure(writable.getWriter().write(new Uint8Array(16 * 1024 * 1024)));
    const error = await failure(stream.closed);
    assert.deepStrictEqual([error.name, error.closeCode], ['WebSocketError', 4567]);
    assert.strictEqual((await write).name, 'InvalidStateError');
  }
});

/* Bun cannot make a resizable buffer on arm64 under emulation: its engine aborts, since mprotect has no memory there. */
function resizable() {
  if (process.versions.bun && process.arch === 'arm64') {
    console.log('skip  stream: resizable buffers, which Bun cannot make on arm64 under emulation');
    return [];
  }
  const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
  return buffer.resizable ? [buffer, new Uint8Array(buffer)].map((chunk) => [chunk, /resizable/]) : [];
}

test('stream: write rejects values of other types with a TypeError', async (context) => {
  const detached = new ArrayBuffer(4);
  structuredClone(detached, { transfer: [detached] });
  for (const [chunk, pattern] of [
    [{ toString() { return this; } }, /./],
    [Symbol('none'), /./],
    [new Uint8Array(new SharedArrayBuffer(4)), /SharedArrayBuffer/],
    [detached, /detached/],
    ...resizable(),
  ]) {
    const stream = connect(context);
    const error = await failure((await stream.opened).writable.getWriter().write(chunk));
    assert.strictEqual(error.name, 'TypeError', error.stack);
    assert.match(error.message, pattern);
  }
});

test('stream: the connection outlives its object, and a finished one is collected', async (context) => {
  const server = await observed(context);
  const connection = server.next();
  const { reader, collected } = await (async () => {
    const stream = new WebSocketStream(server.url);
    let gone;
    const registry = new FinalizationRegistry(() => (gone = true));
    registry.register(stream, 1);
    return { reader: (await stream.opened).readable.getReader(), collected: () => registry && gone };
  })();
  const peer = await connection;
  for (let times = 0; times < 5; times += 1) {
    collect();
    await turn();
  }
  peer.text('still there');
  assert.strictEqual((await reader.read()).value, 'still there');
  peer.socket.destroy();
  assert.strictEqual((await failure(reader.read())).name, 'WebSocketError');
  await collectUntil(collected);
});

test('stream: an environment ends with streams in any state', async ({ cleanup }) => {
  const body = `
    const { parentPort, workerData } = require('node:worker_threads');
    const loaded = { exports: {} };
    process.dlopen(loaded, workerData.library);
    const { WebSocketStream } = loaded.exports.web;
    const made = () => new WebSocketStream(workerData.url);
    (async () => {
      const open = await Promise.all(Array.from({ length: 3 }, () => made().opened));
      for (const { writable } of open) writable.getWriter().write(new Uint8Array(1048576)).catch(() => {});
      open[0].readable.cancel();
      open[1].readable.getReader().read();
      const closing = made();
      await closing.opened;
      closing.close();
      new WebSocketStream(workerData.url + 'hang', { signal: new AbortController().signal });
      parentPort.postMessage('ready');
    })();`;
  const worker = new Worker(body, { eval: true, workerData: { url: WS_URL, library: require('node:path').resolve(NET_WEBSOCKET_LIB) } });
  cleanup(() => worker.terminate());
  assert.strictEqual(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)), 'ready');
  await worker.terminate();
});

test('stream: not exported in an engine without streams', async () => {
  const body = `
    const { parentPort, workerData } = require('node:worker_threads');
    for (const name of ['ReadableStream', 'WritableStream']) Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true });
    const loaded = { exports: {} };
    process.dlopen(loaded, workerData);
    const { web } = loaded.exports;
    const target = {};
    web.install(target);
    parentPort.postMessage([typeof web.WebSocketStream, typeof web.WebSocketError, 'WebSocketStream' in target, typeof target.WebSocket].join());
  `;
  const worker = new Worker(body, { eval: true, workerData: require('node:path').resolve(NET_WEBSOCKET_LIB) });
  const seen = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  assert.strictEqual(seen, 'undefined,undefined,false,function');
});
