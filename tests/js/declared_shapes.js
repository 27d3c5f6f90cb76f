'use strict';

// Lists the members of the loaded library, for declared.test.js. It runs in a worker without the engine's web classes, so that
// those of `web` are the library's own, as in ArkTS. Posts the same as declared.mjs prints, as far as it can be seen, or what
// went wrong.

const { parentPort, workerData } = require('node:worker_threads');

for (const name of ['Event', 'EventTarget', 'MessageEvent', 'CloseEvent', 'DOMException']) {
  delete globalThis[name];
  if (globalThis[name]) Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true });
}

const loaded = { exports: {} };
process.dlopen(loaded, workerData.library);
const library = loaded.exports;

const OF_FUNCTIONS = ['length', 'name', 'prototype', 'arguments', 'caller'];
const BASES = [Object.prototype, Error.prototype, Function.prototype];
// What every class has.
const OF_CLASSES = ['constructor', 'Symbol(Symbol.toStringTag)'];
const written = (key) => (typeof key === 'symbol' ? `[${key.description}]` : key);

/** Members of an object, and of what it inherits from. */
function membersOf(object, isStatic, onlyEnumerable = false) {
  const shape = {};
  for (let each = object; each && !BASES.includes(each); each = isStatic ? null : Object.getPrototypeOf(each)) {
    for (const key of Reflect.ownKeys(each)) {
      const { value, enumerable } = Object.getOwnPropertyDescriptor(each, key);
      // Internal members of the library.
      const hidden = String(key).startsWith('__') && !enumerable;
      if (hidden || OF_CLASSES.includes(String(key)) || (isStatic && OF_FUNCTIONS.includes(key)) || (onlyEnumerable && !enumerable)) continue;
      shape[(isStatic ? 'static ' : '') + written(key)] ??= { kind: typeof value === 'function' ? 'method' : 'property' };
    }
  }
  return shape;
}

const found = { values: {}, enums: {}, shapes: {}, constructors: {} };

function values(object, prefix) {
  for (const [name, value] of Object.entries(object)) {
    // Bun's dlopen has put the module onto itself.
    if (value === library) continue;
    const full = prefix + name;
    const isClass = typeof value === 'function' && /^[A-Z]/.test(name);
    const isEnum = typeof value === 'object' && !prefix && name !== 'web';
    found.values[full] = isClass ? 'class' : typeof value === 'function' ? 'function' : isEnum ? 'enum' : typeof value === 'object' ? 'namespace' : 'const';
    if (isEnum) found.enums[full] = Object.fromEntries(Object.entries(value).filter(([key]) => !/^\d+$/.test(key)));
    if (found.values[full] === 'namespace') values(value, `${name}.`);
    if (!isClass) continue;
    found.shapes[full] = { ...membersOf(value, true), ...membersOf(value.prototype, false) };
    try {
      new value('name');
      found.constructors[full] = true;
    } catch (error) {
      // A WebSocket or WebSocketStream of the web refuses that URL, and may be called.
      found.constructors[full] = error.name === 'SyntaxError';
    }
  }
}

const event = (target, type) => new Promise((resolve) => target.on(type, (...args) => resolve(args)));

/** Objects that the library gives to an app, by the names of their interfaces. */
async function results() {
  const seen = {};
  const see = (name, object, onlyEnumerable = false) => {
    seen[name] = { ...seen[name], ...membersOf(object, false, onlyEnumerable) };
  };
  const server = library.createWebSocketServer();
  see('WebSocketServer', server);
  see('AbortSignal', library.createAbortSignal());
  server.on('request', (request) => {
    see('ServerRequest', request);
    if (request.target === '/refuse') request.refuse(403, { body: 'no' });
    else request.accept();
  });
  server.on('connect', (connection) => see('WebSocketConnection', connection));
  server.on('messageReceive', (message) => {
    see('WebSocketMessage', message);
    if (message.data === 'again') server.close(message.clientConnection, { code: 1012, reason: 'again' });
    else server.send(message.data, message.clientConnection);
  });
  const ended = new Promise((resolve) => server.on('close', (connection, result) => {
    see('ServerCloseResult', result);
    resolve();
  }));
  await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
  see('ServerStatistics', server.stats());
  const url = `ws://127.0.0.1:${server.stats().serverPort}/`;

  const socket = library.createWebSocket();
  const came = Object.fromEntries(['open', 'openInfo', 'pong', 'frame', 'stats', 'piece', 'reconnecting', 'reconnected', 'close'].map((type) => [type, event(socket, type)]));
  await socket.connect(url, { receivePieces: true, statisticsInterval: 1, reconnect: { delay: 1 } });
  see('OpenResult', (await came.open)[1]);
  see('WebSocketOpenInfo', (await came.openInfo)[1]);
  await socket.ping('p');
  see('PongResult', (await came.pong)[0]);
  see('Statistics', (await came.stats)[0]);
  see('FrameHeader', (await came.frame)[0]);
  await socket.send('echo');
  see('MessagePiece', (await came.piece)[0]);
  await socket.send('again');
  see('ReconnectingResult', (await came.reconnecting)[0]);
  see('ReconnectedResult', (await came.reconnected)[0]);
  await socket.close();
  see('CloseResult', (await came.close)[1]);
  await ended;

  const refused = event(socket, 'error');
  await socket.connect(`${url}refuse`);
  const [error] = await refused;
  // The engine puts what it likes on errors.
  see('WebSocketError', error, true);
  see('RefusedUpgrade', error.response);
  const stream = new library.web.WebSocketStream(url);
  see('web.WebSocketOpenStreams', await stream.opened);
  stream.close();
  see('web.WebSocketStreamEnd', await stream.closed);
  await server.stop();
  return seen;
}

// As a text, which an engine without the web's classes can post too.
const post = (what) => parentPort.postMessage(JSON.stringify(what));

values(library, '');
results().then((seen) => post({ ...found, results: seen }), (error) => post({ failed: String(error?.stack ?? error) }));
