'use strict';

// What frameworks and apps do with the platform's module, retold in their manner: each leans on something that no declaration says.

const { assert, test } = require('./harness.js');
const { listen } = require('./server.js');
const { assertWarns, failureOf, library, logOf, unusedPort } = require('./support.js');

const { WS_URL } = process.env;

const { createWebSocket } = library;

/** A promise, and what settles it. */
function promised() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

/** A server, and the next connection that it gets. */
async function peerOf(context) {
  const { promise, resolve } = promised();
  const { url, close } = await listen(resolve);
  context.cleanup(close);
  return { url, peer: promise };
}

// ---- a layer that gives mini-programs their socket: a task object, callbacks in options, events by the names of its own methods ----

class SocketTask {
  constructor({ url, header, success, fail, complete }) {
    this.ws = createWebSocket();
    this.ws.connect(url, { header }, (err) => {
      (err ? fail : success)?.({ errMsg: err ? err.message : 'ok' });
      complete?.();
    });
  }

  on(name, callback) {
    this.ws.on(name, (err, value) => callback(value));
  }

  close(options) {
    this.ws.close(options, (err) => {
      (err ? options.fail : options.success)?.({ errMsg: err ? err.message : 'ok' });
      options.complete?.();
    });
  }
}

test('frameworks: a mini-program connects with numbers as header values, and gets its close event', async (context) => {
  const { url, peer } = await peerOf(context);
  const log = [];
  const opened = promised();
  const over = promised();
  const task = new SocketTask({
    url, header: { 'content-type': 'application/json', 'x-version': 30 },
    success: () => log.push('success'), fail: ({ errMsg }) => log.push(errMsg), complete: () => log.push('complete'),
  });
  const told = await logOf('warn', () => task.on('onMessage', () => log.push('onMessage')));
  if (told) assert.match(told.join(), /'onMessage'.*nearest known name is message/);
  task.on('open', opened.resolve);
  task.on('close', over.resolve);
  await opened.promise;
  assert.deepStrictEqual(log, ['success', 'complete'], 'the callback of connect comes before open');
  const callbacks = { success: () => log.push('closed'), fail: ({ errMsg }) => log.push(errMsg), complete: () => log.push('complete') };
  task.close({ code: 1000, reason: 'done', ...callbacks });
  assert.strictEqual(await (await peer).closed, 1000);
  assert.deepStrictEqual((({ code, reason }) => [code, reason])(await over.promise), [1000, 'done']);
  assert.deepStrictEqual(log.slice(2), ['closed', 'complete']);
});

// ---- a game engine's adapter: it keeps the methods and calls them as its own ----

test('frameworks: a game engine that calls close as its own method continues, and can still close', async (context) => {
  const { url, peer } = await peerOf(context);
  const ws = createWebSocket();
  const opened = promised();
  const adapter = { close: ws.close, send: ws.send, onopen: undefined };
  ws.on('open', opened.resolve);
  await ws.connect(url);
  await opened.promise;
  await assertWarns(() => assert.strictEqual(adapter.close(1000, 'over'), undefined), /close: `this` is not a WebSocket/);
  await assertWarns(() => assert.strictEqual(adapter.send('x'), undefined), /send: `this` is not a WebSocket/);
  assert.strictEqual(await ws.close(), true);
  assert.strictEqual(await (await peer).closed, 1000);
});

// ---- an adapter with the interface of the web: states of its own, and a code where the page gives none ----

class WebLike {
  constructor(url, protocols = []) {
    this.readyState = 0;
    this.ws = createWebSocket();
    this.ws.on('open', (err) => this.enter(1, 'onopen', { error: err }));
    this.ws.on('message', (err, data) => this.onmessage?.({ data }));
    this.ws.on('close', (err, { code, reason }) => this.enter(3, 'onclose', { code, reason }));
    this.ws.on('error', (err) => this.enter(3, 'onerror', { message: JSON.stringify(err) }));
    this.ws.connect(url, protocols.length > 0 ? { protocol: protocols.join(',') } : {}).catch((err) => this.enter(3, 'onerror', err));
  }

  enter(state, handler, event) {
    this.readyState = state;
    this[handler]?.(event);
  }

  send(data) {
    this.ws.send(ArrayBuffer.isView(data) ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data);
  }

  close(code = 1005, reason = '') {
    this.readyState = 2;
    this.ws.close({ code, reason });
  }
}

test('frameworks: an adapter with the web\'s interface can close without a code', async (context) => {
  const { url, peer } = await peerOf(context);
  const socket = new WebLike(url, ['chat']);
  const opened = promised();
  const over = promised();
  socket.onopen = opened.resolve;
  socket.onclose = over.resolve;
  await opened.promise;
  socket.close();
  assert.strictEqual(await (await peer).closed, 1000);
  assert.deepStrictEqual(await over.promise, { code: 1000, reason: '' });
  assert.strictEqual(socket.readyState, 3);
});

test('frameworks: an adapter with the web\'s interface gets the cause of a failed attempt', async () => {
  const socket = new WebLike(`ws://127.0.0.1:${await unusedPort()}/`);
  const failed = promised();
  socket.onerror = failed.resolve;
  const { message } = await failed.promise;
  assert.match(JSON.parse(message).message, /refused/);
  assert.strictEqual(socket.readyState, 3);
});

// ---- a native module of a JavaScript framework: sockets by number, all headers of the page handed on ----

class SocketModule {
  constructor(emit) {
    this.sockets = new Map();
    this.emit = emit;
  }

  connect(url, protocols, { headers }, id) {
    const ws = createWebSocket();
    this.sockets.set(id, ws);
    ws.on('open', (err, value) => this.emit('websocketOpen', { id, status: value.status }));
    ws.on('message', (err, data) => this.emit('websocketMessage', typeof data === 'string'
      ? { id, type: 'text', data } : { id, type: 'binary', data: Buffer.from(data).toString('base64') }));
    ws.on('close', (err, { code, reason }) => {
      this.sockets.delete(id);
      this.emit('websocketClosed', { id, code, reason });
    });
    ws.on('error', (err) => {
      this.emit('websocketFailed', { id, message: err.message ?? JSON.stringify(err) });
      // A failed one is closed as well, to be sure.
      ws.close((failure, value) => this.emit('closeAfterFailure', { id, failure, value }));
    });
    const header = { ...headers, 'Sec-WebSocket-Protocol': protocols.join(', ') };
    ws.connect(url, { header }, (err, value) => this.emit('connect', { id, err, value }));
  }
}

test('frameworks: a native module passes on the headers of a handshake, and each is sent once', async () => {
  const events = [];
  const over = promised();
  const module = new SocketModule((name, event) => {
    events.push(name);
    if (name === 'websocketMessage') over.resolve(event);
  });
  const ofHandshake = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13' };
  const headers = { ...ofHandshake, Host: 'chat.example', Cookie: 'a=b', Origin: 'https://app.example' };
  module.connect(`${WS_URL}/headers`, ['chat'], { headers }, 7);
  const { id, type, data } = await over.promise;
  assert.deepStrictEqual([id, type], [7, 'text']);
  const lines = data.toLowerCase().split('\n').filter((line) => line !== '').map((line) => line.split(': '));
  const names = lines.map(([name]) => name);
  assert.deepStrictEqual(names, [...new Set(names)], 'none goes out twice');
  const sent = Object.fromEntries(lines);
  const wanted = { host: 'chat.example', cookie: 'a=b', origin: 'https://app.example', 'sec-websocket-protocol': 'chat' };
  assert.deepStrictEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, sent[name]])), wanted);
  assert.deepStrictEqual(events, ['connect', 'websocketOpen', 'websocketMessage']);
  assert.strictEqual(await module.sockets.get(7).close(), true);
});

test('frameworks: a native module can close inside the error listener', async () => {
  const over = promised();
  const module = new SocketModule((name, event) => {
    if (name === 'closeAfterFailure') over.resolve(event);
  });
  module.connect(`ws://127.0.0.1:${await unusedPort()}/`, [], { headers: {} }, 1);
  assert.deepStrictEqual(await over.promise, { id: 1, failure: undefined, value: true });
});

// ---- an app's class that comes back by itself: one object, and another listener for each attempt ----

test('frameworks: an app that reconnects its object with new listeners gets each event once', async (context) => {
  const connections = [];
  const { url, close } = await listen((connection) => connections.push(connection));
  context.cleanup(close);
  const ws = createWebSocket();
  const opened = [];
  const begin = (attempt, done) => {
    ws.on('open', () => {
      opened.push(attempt);
      ws.close({ code: 1000, reason: String(attempt) });
    });
    ws.on('close', (err, { reason }) => (attempt < 3 ? begin(attempt + 1, done) : done(reason)));
    const clientCert = { certPath: '', keyPath: '', keyPassword: '' };
    ws.connect(url, { clientCert, caPath: [undefined, null, ''][attempt - 1] });
  };
  assert.strictEqual(await new Promise((resolve) => begin(1, resolve)), '3');
  assert.deepStrictEqual(opened, [1, 2, 3]);
  assert.strictEqual(connections.length, 3);
});

// ---- a socket of XMPP (RFC 7395): a sub-protocol, framing elements as messages, a close that both sides say ----

test('frameworks: an XMPP stream is opened, answered and closed by elements', async (context) => {
  const ws = createWebSocket();
  const seen = [];
  const accepted = promised();
  const over = promised();
  context.cleanup(() => ws.close().catch(() => {}));
  ws.on('open', () => ws.send('<open xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>'));
  ws.on('message', (err, text) => {
    seen.push(String(text).slice(1, 6));
    if (seen.length === 1) ws.send('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>', (failure, value) => accepted.resolve([failure, value]));
    else ws.close();
  });
  ws.on('close', (err, { code }) => over.resolve(code));
  assert.strictEqual(await ws.connect(WS_URL, { protocol: 'xmpp' }), true);
  assert.strictEqual(await over.promise, 1000);
  assert.deepStrictEqual(await accepted.promise, [undefined, true]);
  assert.deepStrictEqual(seen, ['open ', 'close']);
  assert.strictEqual((await failureOf(() => ws.send('late'))).code, 2302999);
});
