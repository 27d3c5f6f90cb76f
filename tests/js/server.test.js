'use strict';

// `createWebSocketServer`: the platform's contract, point by point, with this library's own client and with literal bytes.

const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const { assert, test, uncaughtException } = require('./harness.js');
const {
  CERTIFICATE_FILE, OTHER, PARAMETER, Recorder, assertError, assertSameBytes, assertWarns, bytes, codeAndReason, failureOf, library, unusedPort,
} = require('./support.js');

const { CA_FILE, CLIENT_CERT_FILE, CLIENT_KEY_FILE } = process.env;

const ADDRESS = 2302004;
const PORT = 2302005;
const NO_CONNECTION = 2302006;
const PORT_TAKEN = 2302007;
const SERVER_EVENT = 200;

/** A server whose events are kept in order. */
class Serving {
  constructor({ cleanup }) {
    this.server = library.createWebSocketServer();
    this.log = [];
    this.unread = [];
    this.waiting = undefined;
    for (const type of ['connect', 'messageReceive', 'close', 'error']) this.server.on(type, (...args) => this.record({ type, args }));
    // A failed test must not keep the process alive.
    cleanup(() => this.server.stop().catch(() => {}));
  }

  record(event) {
    this.log.push(event.type);
    this.unread.push(event);
    this.waiting?.();
  }

  /** The arguments of the next event, which is of that type. */
  async next(type) {
    while (this.unread.length === 0) await new Promise((resolve) => (this.waiting = resolve));
    const event = this.unread.shift();
    assert.strictEqual(event.type, type, JSON.stringify(event.args));
    return event.args;
  }

  async start(config = {}) {
    this.port = config.serverPort ?? await unusedPort();
    const started = await this.server.start({
      serverIP: '127.0.0.1', maxConcurrentClientsNumber: 10, maxConnectionsForOneClient: 10, ...config, serverPort: this.port,
    });
    assert.strictEqual(started, true);
    this.url = `${config.serverCert ? 'wss' : 'ws'}://127.0.0.1:${this.port}/`;
  }

  /** A client that is connected, and its connection here. */
  async client(context, options) {
    const socket = new Recorder(context);
    await socket.open(this.url, options);
    const [connection] = await this.next('connect');
    return { socket, connection };
  }
}

function serverTest(name, body) {
  test(`server: ${name}`, (context) => body(new Serving(context), context));
}

/** A client of literal bytes, upgraded. */
function raw(serving) {
  return new Promise((resolve) => {
    const peer = net.connect(serving.port, '127.0.0.1', () => peer.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    ));
    peer.on('error', () => {});
    peer.once('data', (data) => resolve({ peer, answer: String(data) }));
    peer.once('close', () => resolve({ peer, answer: '' }));
  });
}

serverTest('messages go both ways', async (serving, context) => {
  await serving.start();
  const { socket, connection } = await serving.client(context);
  assert.strictEqual(connection.clientIP, '127.0.0.1');
  assert(Number.isInteger(connection.clientPort) && connection.clientPort > 0);
  assert.deepStrictEqual(Object.keys(connection), ['clientIP', 'clientPort']);
  for (const data of ['hello 世界', '', 'x'.repeat(200_000), bytes(1), bytes(0), bytes(200_000)]) {
    await socket.ws.send(data);
    const [message, ...more] = await serving.next('messageReceive');
    assert.strictEqual(more.length, 0);
    assert.strictEqual(message.clientConnection, connection, 'the same object each time');
    if (typeof data === 'string') assert.strictEqual(message.data, data);
    else assertSameBytes(message.data, data);
    assert.strictEqual(await serving.server.send(message.data, message.clientConnection), true);
    const echo = await socket.message();
    if (typeof data === 'string') assert.strictEqual(echo, data);
    else assertSameBytes(echo, data);
  }
});

serverTest('a connection is found by its address and port too', async (serving, context) => {
  await serving.start();
  const { socket, connection: { clientIP, clientPort } } = await serving.client(context);
  assert.strictEqual(await serving.server.send('found', { clientIP, clientPort }), true);
  assert.strictEqual(await socket.message(), 'found');
  for (const other of [{ clientIP: '127.0.0.2', clientPort }, { clientIP, clientPort: 1 }, { clientIP: '', clientPort }]) {
    assertError(await failureOf(() => serving.server.send('lost', other)), NO_CONNECTION, /^send: /);
    assertError(await failureOf(() => serving.server.close(other)), NO_CONNECTION, /^close: /);
  }
});

serverTest('refuses a connection object of another server', async (serving, context) => {
  await serving.start();
  const { socket } = await serving.client(context);
  const other = library.createWebSocketServer();
  context.cleanup(() => other.stop().catch(() => {}));
  const connected = new Promise((resolve) => other.on('connect', resolve));
  await other.start({ serverIP: '127.0.0.1', serverPort: 0 });
  const stranger = new Recorder(context);
  await stranger.open(`ws://127.0.0.1:${other.stats().serverPort}/`);
  const connection = await connected;
  assertError(await failureOf(() => serving.server.send('to a stranger', connection)), NO_CONNECTION, /^send: /);
  assertError(await failureOf(() => serving.server.broadcast('to strangers', [connection])), NO_CONNECTION, /^broadcast: /);
  assert.strictEqual(await serving.server.broadcast('to all'), 1);
  assert.strictEqual(await socket.message(), 'to all');
  assert.strictEqual(await other.send('by its own', connection), true);
  assert.strictEqual(await stranger.message(), 'by its own');
});

serverTest('accepts proxies of the server and of its connections', async (serving, context) => {
  await serving.start();
  const { socket, connection } = await serving.client(context);
  const proxy = new Proxy(serving.server, {});
  assert.strictEqual(await proxy.send('by a proxy', new Proxy(connection, {})), true);
  assert.strictEqual(await socket.message(), 'by a proxy');
});

serverTest('names invalid arguments', async (serving, context) => {
  await serving.start();
  const { connection } = await serving.client(context);
  const refused = async (pattern, call) => assertError(await failureOf(call), PARAMETER, pattern);
  for (const wrong of [undefined, null, 5, 'x', true]) {
    await refused(/^connection: /, () => serving.server.send('x', wrong));
    await refused(/^connection: /, () => serving.server.close(wrong));
  }
  await refused(/^connection\.clientIP: /, () => serving.server.send('x', { clientIP: 5, clientPort: 5 }));
  await refused(/^connection\.clientPort: /, () => serving.server.send('x', { clientIP: '::1', clientPort: '5' }));
  for (const wrong of [undefined, null, 5, true, {}]) await refused(/^data: /, () => serving.server.send(wrong, connection));
});

serverTest('the server closes a connection', async (serving, context) => {
  await serving.start();
  for (const [options, expected] of [
    [undefined, { code: 1000, reason: 'CLOSE_NORMAL' }],
    [{ code: 4001, reason: 'bye' }, { code: 4001, reason: 'bye' }],
    [{ code: 5, reason: 'x' }, { code: 1000, reason: 'x' }],
  ]) {
    const { socket, connection } = await serving.client(context);
    assert.strictEqual(await serving.server.close(connection, options), true);
    assert.deepStrictEqual(codeAndReason(await socket.closed()), expected);
    const [closed, result] = await serving.next('close');
    assert.strictEqual(closed, connection);
    assert.deepStrictEqual(codeAndReason(result), expected);
    assert.strictEqual(result.closeReason, expected.reason);
    assertError(await failureOf(() => serving.server.close(connection)), NO_CONNECTION);
    assertError(await failureOf(() => serving.server.send('x', connection)), NO_CONNECTION);
  }
});

serverTest('a client closes, without a code too, and the others stay', async (serving, context) => {
  await serving.start();
  const stays = await serving.client(context);
  const { socket } = await serving.client(context);
  await socket.ws.close({ code: 3001, reason: 'done' });
  const [, result] = await serving.next('close');
  assert.deepStrictEqual(codeAndReason(result), { code: 3001, reason: 'done' });
  const { peer } = await raw(serving);
  const [connection] = await serving.next('connect');
  peer.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  const [closed, none] = await serving.next('close');
  assert.strictEqual(closed, connection);
  assert.deepStrictEqual(codeAndReason(none), { code: 1000, reason: '' });
  assert.deepStrictEqual(await serving.server.listAllConnections(), [stays.connection]);
  assert.strictEqual(await serving.server.send('still there', stays.connection), true);
  assert.strictEqual(await stays.socket.message(), 'still there');
});

serverTest('a client that is lost is an error, then a close', async (serving) => {
  await serving.start();
  const { peer } = await raw(serving);
  const [connection] = await serving.next('connect');
  peer.destroy();
  const [error, ...more] = await serving.next('error');
  assert.strictEqual(more.length, 0);
  assertError(error, SERVER_EVENT, /lost/);
  assert.strictEqual(error.clientConnection, connection);
  const [closed, { code, reason, closeReason }] = await serving.next('close');
  assert.strictEqual(closed, connection);
  assert.deepStrictEqual([code, reason === closeReason, reason.length > 0], [1006, true, true]);
});

serverTest('lists the connections, oldest first', async (serving, context) => {
  await serving.start();
  assert.deepStrictEqual(await serving.server.listAllConnections(), []);
  const [first, second] = [await serving.client(context), await serving.client(context)];
  const list = serving.server.listAllConnections();
  assert(Array.isArray(list));
  assert.deepStrictEqual(list, [first.connection, second.connection]);
  assert(list[0] === first.connection && list[1] === second.connection);
  await first.socket.ws.close();
  await serving.next('close');
  await new Promise(setImmediate);
  assert.deepStrictEqual(serving.server.listAllConnections(), [second.connection]);
});

serverTest('the declared default applies: ten connections of one client', async (serving, context) => {
  const serverPort = await unusedPort();
  assert.strictEqual(await serving.server.start({ serverPort }), true);
  [serving.port, serving.url] = [serverPort, `ws://127.0.0.1:${serverPort}/`];
  for (let count = 0; count < 10; count += 1) await serving.client(context);
  assert.strictEqual((await raw(serving)).answer, '');
  const [error] = await serving.next('error');
  assertError(error, SERVER_EVENT, /^client 127\.0\.0\.1 refused: this client has the maximum number of connections$/);
});

serverTest('numbers beyond the platform\'s ten are taken', async (serving, context) => {
  await serving.start({ maxConnectionsForOneClient: 30, maxConcurrentClientsNumber: 1 });
  for (let count = 0; count < 30; count += 1) await serving.client(context);
  assert.strictEqual(serving.server.listAllConnections().length, 30);
});

serverTest('a sub-protocol is negotiated', async (serving, context) => {
  await serving.start({ protocol: 'chat, superchat' });
  const { socket } = await serving.client(context, { protocol: 'other, superchat' });
  assert.strictEqual(socket.ws.protocol, 'superchat');
  // A client without an offer is accepted, as on the platform.
  assert.strictEqual((await serving.client(context)).socket.ws.protocol, '');
});

serverTest('serverCert serves TLS', async (serving, context) => {
  const serverCert = { certPath: CLIENT_CERT_FILE, keyPath: CLIENT_KEY_FILE };
  await serving.start({ serverCert });
  const { socket } = await serving.client(context, { skipServerCertVerification: true });
  await socket.ws.send('over TLS');
  const [message] = await serving.next('messageReceive');
  assert.strictEqual(message.data, 'over TLS');
  // Nothing is served in plain text.
  const { answer } = await raw(serving);
  assert(!answer.startsWith('HTTP'), answer);
});

serverTest('serverCert without files serves ws, as on the platform, and a warning says so', async (serving, context) => {
  for (const serverCert of [{ certPath: '', keyPath: '' }, {}]) {
    const started = () => serving.start({ serverCert });
    await assertWarns(started, / start: serverCert: names no files, so that the server has ws, not wss$/m);
    serving.url = `ws://127.0.0.1:${serving.port}/`;
    const { socket } = await serving.client(context);
    await socket.shut();
    await serving.next('close');
    await serving.server.stop();
  }
  // What goes with it alone is refused, since the app would not know that it is not there.
  const config = { serverIP: '127.0.0.1', serverPort: serving.port, serverCert: { certPath: '', keyPath: '' } };
  assertError(await failureOf(() => serving.server.start({ ...config, tls13Only: true })), PARAMETER, /^tls13Only: needs serverCert/);
  assertError(await failureOf(() => serving.server.start({ ...config, clientCaPath: CA_FILE })), PARAMETER, /^clientCaPath: needs serverCert/);
});

serverTest('an invalid configuration is refused with its code', async ({ server }) => {
  const config = { serverIP: '127.0.0.1', serverPort: await unusedPort(), maxConcurrentClientsNumber: 10, maxConnectionsForOneClient: 10 };
  const refused = async (code, pattern, change) => assertError(await failureOf(() => server.start({ ...config, ...change })), code, pattern);
  for (const wrong of [undefined, null, 5, 'x']) assertError(await failureOf(() => server.start(wrong)), PARAMETER, /^config: /);
  await refused(PARAMETER, /^serverPort: /, { serverPort: undefined });
  await refused(PARAMETER, /^serverPort: /, { serverPort: '80' });
  for (const serverPort of [-1, 65_536, 80.5, NaN]) await refused(PORT, /^serverPort: /, { serverPort });
  for (const serverIP of ['localhost', '300.0.0.1', '']) await refused(ADDRESS, /^serverIP: /, { serverIP });
  await refused(PARAMETER, /^serverIP: /, { serverIP: 5 });
  // No host has this address (RFC 5737).
  await refused(ADDRESS, /^start: serverIP: cannot listen on 192\.0\.2\.1:\d+: /, { serverIP: '192.0.2.1' });
  // A group of addresses.
  await refused(ADDRESS, /^start: serverIP: cannot listen on \[ff02::1\]:\d+: /, { serverIP: 'ff02::1' });
  for (const number of [0, -1, 1.5, '10']) {
    await refused(PARAMETER, /^maxConcurrentClientsNumber: /, { maxConcurrentClientsNumber: number });
    await refused(PARAMETER, /^maxConnectionsForOneClient: /, { maxConnectionsForOneClient: number });
  }
  await refused(PARAMETER, /^protocol: /, { protocol: 5 });
  await refused(PARAMETER, /^serverCert: /, { serverCert: 'x' });
  await refused(PARAMETER, /^serverCert\.keyPath: /, { serverCert: { certPath: CLIENT_CERT_FILE } });
  await refused(PARAMETER, /^serverCert\.certPath: /, { serverCert: { certPath: '', keyPath: CLIENT_KEY_FILE } });
  await refused(CERTIFICATE_FILE, /^start: serverCert\.certPath: .*nowhere/, { serverCert: { certPath: '/nowhere', keyPath: CLIENT_KEY_FILE } });
  await refused(CERTIFICATE_FILE, /^start: serverCert\.keyPath: .*nowhere/, { serverCert: { certPath: CLIENT_CERT_FILE, keyPath: '/nowhere' } });
  const serverCert = { certPath: CLIENT_CERT_FILE, keyPath: CLIENT_KEY_FILE };
  await refused(CERTIFICATE_FILE, /^start: clientCaPath: .*nowhere/, { serverCert, clientCaPath: '/nowhere' });
  const foreignKey = { certPath: CLIENT_CERT_FILE, keyPath: path.join(__dirname, '..', 'keys', 'ec.pem') };
  await refused(CERTIFICATE_FILE, /^start: serverCert\.keyPath: .*it does not belong to the certificate/, { serverCert: foreignKey });
  await refused(CERTIFICATE_FILE, /contains a certificate, but no private key/, { serverCert: { certPath: CLIENT_CERT_FILE, keyPath: CA_FILE } });
  assert.strictEqual(await server.start(config), true, 'and nothing of it is left');
});

serverTest('a port in use has its own code', async (serving, context) => {
  await serving.start();
  const other = new Serving(context);
  const config = { serverIP: '127.0.0.1', serverPort: serving.port };
  assertError(await failureOf(() => other.server.start(config)), PORT_TAKEN, /^start: serverPort: cannot listen on 127\.0\.0\.1:\d+: /);
});

/** An upgraded client of a path: what it gets as text, and what sends a short text. */
function rawAtPath(socketPath) {
  return new Promise((resolve) => {
    const peer = net.connect({ path: socketPath }, () => peer.write(
      'GET /by-path HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    ));
    // Whoever is kept out may not get its request out.
    peer.on('error', () => {});
    peer.once('data', (data) => resolve({
      peer,
      answer: String(data),
      send: (text) => peer.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])),
      next: () => new Promise((got) => peer.once('data', got)),
    }));
    peer.once('close', () => resolve({ peer, answer: '' }));
  });
}

serverTest('listens at a path and removes its file', async (serving, context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nws-'));
  context.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  const socketPath = path.join(folder, 'socket');
  const { server } = serving;
  assert.strictEqual(await server.start({ socketPath, maxConnectionsForOneClient: 2 }), true);
  assert.strictEqual(server.stats().serverPort, 0);
  const clients = [];
  for (const clientPort of [1, 2]) {
    const client = await rawAtPath(socketPath);
    assert(client.answer.startsWith('HTTP/1.1 101 '), client.answer);
    const [connection] = await serving.next('connect');
    assert.deepStrictEqual({ ...connection }, { clientIP: '', clientPort });
    clients.push({ client, connection });
  }
  // They count as one client, with the limits of one.
  assert.strictEqual((await rawAtPath(socketPath)).answer, '');
  assertError((await serving.next('error'))[0], SERVER_EVENT, /^client at socketPath refused: /);
  const [{ client, connection }, second] = clients;
  client.send('by path');
  const [message] = await serving.next('messageReceive');
  assert.deepStrictEqual([message.data, message.clientConnection], ['by path', connection]);
  // By the object, and by another with the same number.
  for (const named of [connection, { clientIP: '', clientPort: 1 }]) {
    const got = client.next();
    assert.strictEqual(await server.send('back', named), true);
    assertSameBytes(new Uint8Array(await got).buffer, new Uint8Array([0x81, 4, ...Buffer.from('back')]).buffer);
  }
  assertError(await failureOf(() => server.send('lost', { clientIP: '', clientPort: 3 })), NO_CONNECTION, /^send: /);
  const sent = [client, second.client].map(({ next }) => next());
  assert.strictEqual(await server.broadcast('all'), 2);
  await Promise.all(sent);
  assert.strictEqual(await server.stop({ timeout: 50 }), true);
  for (const { peer } of [client, second.client]) peer.destroy();
  assert(!fs.existsSync(socketPath));
  assert.strictEqual(await server.start({ socketPath }), true, 'the path is free again');
});

serverTest('names the cause when it cannot listen at a path', async (serving, context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nws-'));
  context.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  const refused = async (code, pattern, config) => assertError(await failureOf(() => serving.server.start(config)), code, pattern);
  const socketPath = path.join(folder, 'socket');
  await refused(PARAMETER, /^socketPath: cannot be used with serverPort$/, { socketPath, serverPort: 0 });
  await refused(PARAMETER, /^socketPath: cannot be used with serverIP$/, { socketPath, serverIP: '127.0.0.1' });
  await refused(PARAMETER, /^socketPath: /, { socketPath: 5 });
  await refused(ADDRESS, /^start: socketPath: cannot listen on : the path is empty$/, { socketPath: '' });
  await refused(ADDRESS, /: the path contains a NUL byte$/, { socketPath: `${folder}/a\0b` });
  await refused(ADDRESS, /: the path has \d+ bytes, 107 are allowed$/, { socketPath: path.join(folder, 'x'.repeat(107)) });
  await refused(ADDRESS, /: its folder does not exist: /, { socketPath: path.join(folder, 'missing', 'socket') });
  fs.writeFileSync(socketPath, 'kept');
  await refused(PORT_TAKEN, /: a file with this name exists: /, { socketPath });
  assert.strictEqual(fs.readFileSync(socketPath, 'utf8'), 'kept');
});

serverTest('a stop closes all connections and frees the port', async (serving, context) => {
  await serving.start();
  const { socket, connection } = await serving.client(context);
  assert.strictEqual(await serving.server.stop(), true);
  assert.deepStrictEqual(codeAndReason(await socket.closed()), { code: 1001, reason: 'server is going away' });
  const [closed, result] = await serving.next('close');
  assert.strictEqual(closed, connection);
  assert.deepStrictEqual(codeAndReason(result), { code: 1001, reason: 'server is going away' });
  assertError(await failureOf(() => serving.server.stop()), OTHER, /^stop: /);
  assertError(await failureOf(async () => serving.server.listAllConnections()), OTHER, /^listAllConnections: /);
  assertError(await failureOf(() => serving.server.send('x', connection)), NO_CONNECTION);
  // The object serves again, at the same port.
  await serving.start({ serverPort: serving.port });
  await serving.client(context);
  assert.deepStrictEqual(serving.log, ['connect', 'close', 'connect']);
});

serverTest('the port is free while a stop is under way', async (serving, context) => {
  for (let count = 0; count < 20; count += 1) {
    await serving.start({ serverPort: serving.port });
    const { socket } = await serving.client(context);
    const stopped = serving.server.stop();
    // With connections of the stopped server, and at once.
    await serving.start({ serverPort: serving.port });
    assert.strictEqual(await stopped, true);
    await serving.next('close');
    await socket.closed();
    await serving.server.stop();
  }
});

/** The states of a port's connections in the kernel, as in Linux's `tcp_states.h`. */
function tcpStates(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = fs.readFileSync('/proc/self/net/tcp', 'utf8').split('\n').map((row) => row.trim().split(/\s+/));
  return rows.filter(([, local]) => local?.endsWith(`:${hex}`)).map(([, , , state]) => state);
}

serverTest('starts again after a listener of its last events was slow', async (serving, context) => {
  const [ESTABLISHED, CLOSE_WAIT, LISTEN] = ['01', '08', '0A'];
  for (let count = 0; count < 5; count += 1) {
    await serving.start({ serverPort: serving.port });
    await serving.client(context);
    await serving.client(context);
    let ended = 0;
    serving.server.on('close', () => {
      ended += 1;
      // Longer than a slice of delivery, when one event follows.
      for (const began = Date.now(); ended === 2 && Date.now() - began < 20;);
    });
    const stopped = serving.server.stop();
    // Until all four events wait: the stop, both ends and the server's end.
    while (tcpStates(serving.port).some((state) => [ESTABLISHED, CLOSE_WAIT, LISTEN].includes(state)));
    await stopped;
    while (ended < 2) await new Promise(setImmediate);
  }
});

serverTest('a client accepted before a stop opens and is closed', async (serving, context) => {
  let stopped;
  serving.server.on('request', (request) => {
    request.accept();
    stopped = serving.server.stop();
  });
  await serving.start();
  const { socket, connection } = await serving.client(context);
  const away = { code: 1001, reason: 'server is going away' };
  assert.deepStrictEqual(codeAndReason(await socket.closed()), away);
  const [closed, result] = await serving.next('close');
  assert.strictEqual(closed, connection);
  assert.deepStrictEqual(codeAndReason(result), away);
  assert.strictEqual(await stopped, true);
});

serverTest('methods that need a started server say so', async ({ server }) => {
  assertError(await failureOf(() => server.stop()), OTHER, /^stop: the server is not started/);
  assertError(await failureOf(async () => server.listAllConnections()), OTHER, /^listAllConnections: the server is not started/);
  const connection = { clientIP: '127.0.0.1', clientPort: 5 };
  assertError(await failureOf(() => server.send('x', connection)), NO_CONNECTION);
  assertError(await failureOf(() => server.close(connection)), NO_CONNECTION);
});

serverTest('a second start is refused', async (serving) => {
  await serving.start();
  const serverPort = await unusedPort();
  assertError(await failureOf(() => serving.server.start({ serverPort })), OTHER, /^start: the server is already started/);
});

serverTest('each event has one listener; off removes it', async (serving, context) => {
  await serving.start();
  const heard = [];
  const [first, second] = ['first', 'second'].map((name) => () => heard.push(name));
  serving.server.on('messageReceive', first);
  serving.server.on('messageReceive', second);
  const { socket, connection } = await serving.client(context);
  const echo = async () => {
    await socket.ws.send('x');
    // What follows it comes after it.
    await serving.server.send('x', connection);
    await socket.message();
    await socket.ws.ping();
    await new Promise(setImmediate);
  };
  await echo();
  serving.server.off('messageReceive', first);
  await echo();
  serving.server.off('messageReceive', second);
  await echo();
  serving.server.onMessageReceive(first);
  await echo();
  serving.server.offMessageReceive();
  await echo();
  assert.deepStrictEqual(heard, ['second', 'second', 'first']);
  await assertWarns(() => {
    serving.server.on('messagesReceive', first);
    serving.server.on('connect', 5);
  }, /unknown event 'messagesReceive'.*messageReceive/, /callback/);
});

serverTest('a listener that throws does not stop the server', async (serving, context) => {
  await serving.start();
  const { socket, connection } = await serving.client(context);
  serving.server.on('messageReceive', () => { throw new Error('on purpose'); });
  const uncaught = uncaughtException();
  await socket.ws.send('x');
  assert.strictEqual((await uncaught).message, 'on purpose');
  await serving.server.send('still there', connection);
  assert.strictEqual(await socket.message(), 'still there');
});

serverTest('a method of another object does nothing', async ({ server }) => {
  await assertWarns(() => {
    for (const method of [server.start, server.stop, server.send]) assert.strictEqual(method.call({}, {}), undefined);
  }, /^.*start: `this` is not a WebSocketServer/, /stop/, /send/);
});

serverTest('messages are compressed when both sides want it', async (serving, context) => {
  for (const perMessageDeflate of [true, false]) {
    await serving.start({ perMessageDeflate, serverPort: serving.port });
    const { socket, connection } = await serving.client(context);
    assert.strictEqual(socket.ws.extensions, perMessageDeflate ? 'permessage-deflate' : '');
    const text = 'much of the same, '.repeat(10_000);
    await serving.server.send(text, connection);
    assert.strictEqual(await socket.message(), text);
    assert.strictEqual(socket.ws.stats().bytesReceived < 20_000, perMessageDeflate);
    await socket.ws.send(text);
    assert.strictEqual((await serving.next('messageReceive'))[0].data, text);
    await serving.server.stop();
    await serving.next('close');
  }
});

serverTest('messages and queues have limits', async (serving, context) => {
  await serving.start({ maxMessageSize: 1_000, sendQueueLimit: 100_000, sendQueueMessages: 1_000 });
  const { socket, connection } = await serving.client(context);
  assertError(await failureOf(() => serving.server.send('x'.repeat(100_000), connection)), OTHER, /^send: .*longer/);
  socket.ws.send('x'.repeat(1_001)).catch(() => {});
  const [error] = await serving.next('error');
  assertError(error, SERVER_EVENT, /larger than the limit of 1000 bytes/);
  assert.strictEqual((await serving.next('close'))[1].code, 1009);
  assert.strictEqual((await socket.nextClose()).code, 1009);
});

serverTest('a client that answers no ping is closed', async (serving) => {
  await serving.start({ pingInterval: 0.05, pongTimeout: 0.1 });
  await raw(serving);
  await serving.next('connect');
  const [error] = await serving.next('error');
  assertError(error, SERVER_EVENT, /no data arrived within 100 ms after a ping/);
  assert.strictEqual((await serving.next('close'))[1].code, 1006);
});

serverTest('closes clients that are slow to send a request or connect too often', async (serving) => {
  await serving.start({ handshakeTimeout: 100, maxHandshakes: 1, rateLimit: true, maxConnectionsForOneClient: 100 });
  const silent = net.connect(serving.port, '127.0.0.1');
  await new Promise((resolve) => silent.once('close', resolve).resume());
  for (let count = 1; count < 50; count += 1) {
    const { peer, answer } = await raw(serving);
    assert.match(answer, /^HTTP\/1.1 101 /);
    await serving.next('connect');
    peer.destroy();
    await serving.next('error');
    await serving.next('close');
  }
  assert.strictEqual((await raw(serving)).answer, '');
  assertError((await serving.next('error'))[0], SERVER_EVENT, /connects too often/);
});

serverTest('a server can require client certificates', async (serving, context) => {
  const clientCert = { certPath: CLIENT_CERT_FILE, keyPath: CLIENT_KEY_FILE };
  await serving.start({ serverCert: clientCert, clientCaPath: CA_FILE, tls13Only: true });
  const without = new Recorder(context);
  await without.ws.connect(serving.url, { skipServerCertVerification: true });
  assert.match((await without.error()).message, /requires a client certificate/);
  await serving.client(context, { skipServerCertVerification: true, clientCert });
});

serverTest('options of this library are strict', async ({ server }) => {
  const serverPort = await unusedPort();
  for (const [name, wrong] of [
    ['perMessageDeflate', 'yes'], ['maxMessageSize', 0], ['sendQueueLimit', -1], ['sendQueueMessages', 0.5], ['pingInterval', -1],
    ['pongTimeout', '5'], ['closeTimeout', 0], ['handshakeTimeout', 0], ['maxHandshakes', 0], ['rateLimit', 50], ['tls13Only', 1],
    ['clientCaPath', 5], ['clientCaPath', CA_FILE], ['tls13Only', true],
  ]) {
    assertError(await failureOf(() => server.start({ serverPort, [name]: wrong })), PARAMETER, new RegExp(`^${name}: `));
  }
});

serverTest('a listener accepts and refuses clients', async (serving, context) => {
  const seen = [];
  serving.server.on('request', (request) => {
    seen.push(request);
    if (request.target === '/in?x=1') request.accept({ 'X-Served-By': 'us', Upgrade: 'h2c' });
    else if (request.target === '/later') setImmediate(() => request.accept());
    else if (request.target === '/wrong') assert.throws(() => request.refuse(200), ({ code, message }) => code === PARAMETER && /^status: /.test(message));
    else request.refuse(403, { body: 'not you', header: { 'X-Why': 'so' } });
  });
  await serving.start({ handshakeTimeout: 200 });
  const socket = new Recorder(context);
  await socket.ws.connect(`${serving.url}in?x=1`, { protocol: 'a, b', header: { 'X-Mine': 'yes' } });
  const [headers] = await socket.next('headerReceive');
  assert.strictEqual(headers['x-served-by'], 'us');
  assert.strictEqual(headers.upgrade, 'websocket');
  const [connection] = await serving.next('connect');
  const [{ clientIP, clientPort, target, header, protocols }] = seen;
  assert.deepStrictEqual({ clientIP, clientPort }, { ...connection });
  assert.deepStrictEqual([target, header['x-mine'], protocols], ['/in?x=1', 'yes', ['a', 'b']]);
  seen[0].refuse(500); // It was answered.
  const later = new Recorder(context);
  await later.open(`${serving.url}later`);
  await serving.next('connect');
  const refused = new Recorder(context);
  await refused.ws.connect(`${serving.url}other`);
  const error = await refused.error();
  assert.deepStrictEqual([error.data, error.response.body, error.response.header['x-why']], ['403', 'not you', 'so']);
  // Without an answer its time runs out.
  await refused.ws.connect(`${serving.url}wrong`);
  assert.match((await refused.error()).message, /closed the connection before it answered/);
  for (const [name, wrong] of [['header', { 'a b': 'c' }], ['header', { a: 'b\nc' }]]) {
    assert.throws(() => seen[0].accept(wrong), ({ code, message }) => code === PARAMETER && message.startsWith(`${name}: `));
  }
  serving.server.off('request');
  await serving.client(context);
  assert.strictEqual(serving.server.stats().notOpened, 2);
});

serverTest('a listener chooses the sub-protocol of a client', async (serving, context) => {
  let answer;
  serving.server.on('request', (request) => answer(request));
  await serving.start({ protocol: 'b' });
  // What the client offers, the arguments of `accept`, and what the client gets.
  const rows = [
    ['a, b, c', [undefined, 'c'], 'c'],
    ['a, b, c', [{ 'X-Served-By': 'us' }, 'a'], 'a'],
    // The option of `start` chooses.
    ['a, b, c', [], 'b'],
    ['a, b, c', [null, null], 'b'],
  ];
  for (const [protocol, given, chosen] of rows) {
    answer = (request) => request.accept(...given);
    const socket = new Recorder(context);
    await socket.ws.connect(serving.url, { protocol });
    const [headers] = await socket.next('headerReceive');
    assert.strictEqual(headers['x-served-by'], given[0]?.['X-Served-By']);
    assert.strictEqual(headers['sec-websocket-protocol'], chosen, JSON.stringify([protocol, given]));
    await serving.next('connect');
    assert.strictEqual(socket.ws.protocol, chosen);
  }
});

serverTest('a listener cannot choose a sub-protocol that the client does not offer', async (serving, context) => {
  const wrong = ['d', 'A', '', 'a, b', 'a\r\nX-Evil: 1', 5, ['a']];
  let messages;
  serving.server.on('request', (request) => {
    // What JavaScript does with the list changes no offer.
    request.protocols.push('d');
    messages = wrong.map((protocol) => {
      try {
        request.accept({}, protocol);
      } catch ({ code, message }) {
        return `${code} ${message}`;
      }
      return 'accepted';
    });
    // A refused call is no answer.
    request.accept({}, request.protocols[0] === 'a' ? 'a' : undefined);
  });
  await serving.start({ protocol: 'd' });
  const notOffered = '401 protocol: the client did not offer it';
  const noText = '401 protocol: must be a string';
  for (const [options, chosen] of [[{ protocol: 'a' }, 'a'], [undefined, '']]) {
    const { socket } = await serving.client(context, options);
    assert.deepStrictEqual(messages, [...Array(5).fill(notOffered), noText, noText]);
    assert.strictEqual(socket.ws.protocol, chosen);
  }
});

serverTest('a refusal may have a body of another type', async (serving, context) => {
  serving.server.on('request', (request) => request.refuse(409, { body: '{}', header: { 'content-type': 'application/json' } }));
  await serving.start();
  const socket = new Recorder(context);
  await socket.ws.connect(serving.url);
  const { response: { body, header } } = await socket.error();
  assert.deepStrictEqual([body, header['content-type'], header['content-length']], ['{}', 'application/json', '2']);
});

serverTest('a listener that throws refuses its client at once', async (serving, context) => {
  const asked = [];
  serving.server.on('request', (request) => {
    asked.push(request);
    if (request.target === '/answered') request.accept();
    throw new Error(`about ${request.target}`);
  });
  await serving.start({ handshakeTimeout: 30_000_000 });
  const socket = new Recorder(context);
  let uncaught = uncaughtException();
  await socket.ws.connect(serving.url);
  assert.strictEqual((await socket.error()).data, '500');
  assert.strictEqual((await uncaught).message, 'about /');
  asked[0].accept(); // It was answered.
  uncaught = uncaughtException();
  const answered = new Recorder(context);
  await answered.open(`${serving.url}answered`);
  await serving.next('connect');
  assert.strictEqual((await uncaught).message, 'about /answered');
});

serverTest('a broadcast reaches all clients, or the listed ones', async (serving, context) => {
  await serving.start();
  const clients = [await serving.client(context), await serving.client(context), await serving.client(context)];
  for (const data of ['hello 世界', bytes(100_000)]) {
    assert.strictEqual(await serving.server.broadcast(data), 3);
    assert.strictEqual(await serving.server.broadcast(data, [clients[0].connection]), 1);
    for (const [index, { socket }] of clients.entries()) {
      for (let count = index === 0 ? 2 : 1; count > 0; count -= 1) {
        const message = await socket.message();
        if (typeof data === 'string') assert.strictEqual(message, data);
        else assertSameBytes(message, data);
      }
    }
  }
  assert.strictEqual(await serving.server.broadcast('x', []), 0);
  await serving.server.close(clients[0].connection);
  assert.strictEqual(await serving.server.broadcast('x'), 2);
  assertError(await failureOf(() => serving.server.broadcast(5)), PARAMETER, /^data: /);
  assertError(await failureOf(() => serving.server.broadcast('x', 5)), PARAMETER, /^connections: /);
  assertError(await failureOf(() => serving.server.broadcast('x', [{ clientIP: '::1', clientPort: 5 }])), NO_CONNECTION, /^broadcast: /);
});

serverTest('reports what is queued for a client that does not read, and when it is sent', async (serving) => {
  const drained = [];
  await serving.start({ sendQueueLimit: 8_000_000 });
  serving.server.on('drain', (connection) => { drained.push(connection); serving.waiting?.(); });
  const { peer } = await raw(serving);
  const [connection] = await serving.next('connect');
  assert.strictEqual(serving.server.bufferedAmount(connection), 0);
  peer.pause();
  let refused;
  while (!refused) refused = await serving.server.send('x'.repeat(1_000_000), connection).then(() => undefined, (error) => error);
  assertError(refused, OTHER, /too much is waiting/);
  assert(serving.server.bufferedAmount(connection) > 6_000_000);
  assert.strictEqual(serving.server.stats(connection).bufferedBytes, serving.server.bufferedAmount(connection));
  peer.resume();
  // The kernel may have taken so much before that there was an event then as well.
  const isDrained = () => drained.length > 0 && serving.server.bufferedAmount(connection) <= 2_000_000;
  while (!isDrained()) await new Promise((resolve) => (serving.waiting = resolve));
  assert(drained.every((told) => told === connection));
  peer.destroy();
});

serverTest('port 0 is a free port, and the statistics are returned', async (serving, context) => {
  await serving.start({ serverPort: 0 });
  serving.port = serving.server.stats().serverPort;
  serving.url = `ws://127.0.0.1:${serving.port}/`;
  const { socket, connection } = await serving.client(context);
  await socket.ws.send('x'.repeat(100));
  await serving.next('messageReceive');
  const { messagesReceived, bytesReceived } = serving.server.stats(connection);
  assert.deepStrictEqual([messagesReceived, bytesReceived], [1, 106]);
  assert.deepStrictEqual(serving.server.stats(), {
    serverPort: serving.port, open: 1, opened: 1, keptOut: 0, notOpened: 0, messagesSent: 0, bytesSent: 0, messagesReceived: 1, bytesReceived: 106,
    bufferedBytes: 0,
  });
});

serverTest('a stop with a limit does not wait for close frames', async (serving) => {
  await serving.start({ closeTimeout: 60_000 });
  await raw(serving);
  await serving.next('connect');
  assertError(await failureOf(() => serving.server.stop({ timeout: 0 })), PARAMETER, /^timeout: /);
  assert.strictEqual(await serving.server.stop({ timeout: 50 }), true);
  assert.strictEqual((await serving.next('close'))[1].code, 1006);
});

// By tests/js/run.sh in Node alone.
if (process.env.NODE_PATH) {
  const { WebSocket } = require('ws');

  serverTest('echoes for npm\'s ws at a path', async (serving, context) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nws-'));
    context.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
    const socketPath = path.join(folder, 'socket');
    await serving.server.start({ socketPath, perMessageDeflate: true });
    serving.server.on('messageReceive', ({ data, clientConnection }) => serving.server.send(data, clientConnection));
    const client = new WebSocket(`ws+unix:${socketPath}:/chat?x=1`);
    await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
    await serving.next('connect');
    for (const text of ['hello', 'x'.repeat(100_000)]) {
      const echo = new Promise((resolve) => client.once('message', resolve));
      client.send(text);
      assert.strictEqual(String(await echo), text);
    }
    client.close(4003, 'bye');
    assert.deepStrictEqual(codeAndReason((await serving.next('close'))[1]), { code: 4003, reason: 'bye' });
  });

  serverTest('npm\'s ws is a client like ours', async (serving) => {
    await serving.start({ protocol: 'chat' });
    serving.server.on('messageReceive', ({ data, clientConnection }) => serving.server.send(data, clientConnection));
    const client = new WebSocket(serving.url, ['other', 'chat'], { maxPayload: 2 ** 24 });
    const unread = [];
    let wake = () => {};
    client.on('message', (data, binary) => { unread.push({ data, binary }); wake(); });
    const echo = async () => {
      while (unread.length === 0) await new Promise((resolve) => (wake = resolve));
      return unread.shift();
    };
    await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
    assert.strictEqual(client.protocol, 'chat');
    const [connection] = await serving.next('connect');
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
      client.send('x'.repeat(length));
      const text = await echo();
      assert(!text.binary && text.data.toString() === 'x'.repeat(length), `${length} characters`);
      client.send(Buffer.from(bytes(length)));
      const binary = await echo();
      assert(binary.binary && binary.data.equals(Buffer.from(bytes(length))), `${length} bytes`);
    }
    client.send('in ', { fin: false });
    client.send('fragments', { fin: true });
    assert.strictEqual((await echo()).data.toString(), 'in fragments');
    client.ping('who');
    assert.strictEqual(String(await new Promise((resolve) => client.once('pong', resolve))), 'who');
    const ended = new Promise((resolve) => client.once('close', (code, reason) => resolve([code, String(reason)])));
    await serving.server.close(connection, { code: 4002, reason: 'enough' });
    assert.deepStrictEqual(await ended, [4002, 'enough']);
    const [, result] = await serving.next('close');
    assert.deepStrictEqual(codeAndReason(result), { code: 4002, reason: 'enough' });
    // And from its side, with a code and without one.
    for (const [code, expected] of [[4003, { code: 4003, reason: 'bye' }], [undefined, { code: 1000, reason: '' }]]) {
      const other = new WebSocket(serving.url);
      await new Promise((resolve) => other.once('open', resolve));
      await serving.next('connect');
      if (code) other.close(code, 'bye');
      else other.close();
      const [, told] = await serving.next('close');
      assert.deepStrictEqual(codeAndReason(told), expected);
    }
  });
}

serverTest('many connections and messages arrive whole and in order', async (serving, context) => {
  await serving.start({ maxConnectionsForOneClient: 20 });
  const received = new Map();
  serving.server.on('messageReceive', ({ clientConnection, data }) => {
    const list = received.get(clientConnection) ?? [];
    received.set(clientConnection, list);
    list.push(data);
  });
  const clients = [];
  for (let count = 0; count < 20; count += 1) clients.push(await serving.client(context));
  const expected = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(index)}`);
  await Promise.all(clients.flatMap(({ socket }) => expected.map((text) => socket.ws.send(text))));
  for (const { socket } of clients) await socket.ws.close();
  for (let count = 0; count < 20; count += 1) await serving.next('close');
  assert.strictEqual(received.size, 20);
  for (const { connection } of clients) assert.deepStrictEqual(received.get(connection), expected);
});
