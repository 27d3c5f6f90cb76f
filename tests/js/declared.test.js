'use strict';

// index.d.ts and the loaded library have exactly the same members, options and events.

const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { assert, test } = require('./harness.js');
const { library, warningsOf } = require('./support.js');

const { NET_WEBSOCKET_DECLARED, NET_WEBSOCKET_LIB } = process.env;
if (!NET_WEBSOCKET_DECLARED) throw new Error('NET_WEBSOCKET_DECLARED is not set; run this through tests/js/run.sh');
const declared = JSON.parse(readFileSync(NET_WEBSOCKET_DECLARED, 'utf8'));

// Interfaces that an app fills, so that no object of the library's has their members; and those of the web's dictionaries.
const GIVEN = ['ServerCert', 'WebSocketServerConfig', 'ServerRefusal', 'ServerStopOptions', 'WebSocketRequestOptions', 'ClientCert', 'CertificatePinning',
  'HttpProxy', 'WebSocketCloseOptions', 'ReconnectOptions', 'AttemptChange', 'web.UrlObject', 'web.EventListenerObject', 'web.AbortSignalLike',
  'web.ListenerOptions', 'web.AddListenerOptions', 'web.EventInit', 'web.MessageEventInit', 'web.CloseEventInit', 'web.WebSocketStreamOptions',
  'web.WebSocketCloseInfo'];
// What it takes a fault of the network to see; it has the members of BusinessError alone.
const UNSEEN = ['WebSocketServerError'];
// Of BusinessError, which the platform declares.
const OF_ERRORS = ['code', 'message', 'data', 'name', 'stack'];
const OF_ERROR = ['name', 'message', 'stack'];
let seen;
/** What the worker has seen. */
function loaded() {
  seen ??= new Promise((resolve, reject) => {
    const worker = new Worker(require.resolve('./declared_shapes.js'), { workerData: { library: path.resolve(NET_WEBSOCKET_LIB) } });
    worker.once('message', (text) => {
      const message = JSON.parse(text);
      worker.terminate();
      if (message.failed) reject(new Error(message.failed));
      else resolve(message);
    });
    worker.once('error', reject);
  });
  return seen;
}

/** The differences of two shapes: members that are not there, that are not declared, or that are of another kind. */
function differences(name, wanted, actual) {
  const missing = Object.keys(wanted).filter((member) => !actual[member] && !wanted[member].optional);
  const more = Object.keys(actual).filter((member) => !wanted[member]);
  const others = Object.keys(wanted).filter((member) => actual[member] && actual[member].kind !== wanted[member].kind);
  return [
    ...missing.map((member) => `${name}.${member} is declared, and is not there`),
    ...more.map((member) => `${name}.${member} is there, and is not declared`),
    ...others.map((member) => `${name}.${member} is declared as a ${wanted[member].kind}, and is a ${actual[member].kind}`),
  ];
}

test('declarations: the module has exactly the declared members', async () => {
  const { values, enums } = await loaded();
  assert.deepStrictEqual(Object.entries(values).sort(), Object.entries(declared.values).sort());
  assert.deepStrictEqual(enums, declared.enums);
});

test('declarations: the members of classes, and which constructors an app can call', async () => {
  const { shapes, constructors } = await loaded();
  assert.deepStrictEqual(Object.keys(shapes).sort(), Object.keys(declared.constructors).sort());
  // It extends Error, whose members the language declares.
  for (const name of ['web.DOMException', 'web.WebSocketError']) for (const member of OF_ERROR) delete shapes[name][member];
  const found = Object.keys(shapes).flatMap((name) => differences(name, declared.shapes[name], shapes[name]));
  assert.deepStrictEqual(found, []);
  assert.deepStrictEqual(constructors, declared.constructors);
});

test('declarations: the members of the objects that an app is given', async () => {
  const { results } = await loaded();
  const interfaces = Object.keys(declared.shapes).filter((name) => !(name in declared.constructors));
  assert.deepStrictEqual(Object.keys(results).sort(), interfaces.filter((name) => !GIVEN.includes(name) && !UNSEEN.includes(name)).sort());
  const found = Object.keys(results).flatMap((name) => {
    const ofErrors = name === 'WebSocketError' ? Object.fromEntries(OF_ERRORS.map((member) => [member, { kind: 'property', optional: true }])) : {};
    return differences(name, { ...ofErrors, ...declared.shapes[name] }, results[name]);
  });
  assert.deepStrictEqual(found, []);
});

/** Has the library read an object of an interface. Each of its calls is a promise. */
const READERS = {
  WebSocketRequestOptions: (given) => library.createWebSocket().connect(NO_URL, given),
  ClientCert: (given) => library.createWebSocket().connect(NO_URL, { clientCert: given }),
  CertificatePinning: (given) => library.createWebSocket().connect(NO_URL, { certificatePinning: given }),
  HttpProxy: (given) => library.createWebSocket().connect(NO_URL, { proxy: { host: '', port: 0, ...given } }),
  ReconnectOptions: (given) => library.createWebSocket().connect(NO_URL, { reconnect: given }),
  WebSocketCloseOptions: (given) => library.createWebSocket().close(given),
  AttemptChange: async (given) => library.createWebSocket().prepareAttempt(1, given),
  WebSocketServerConfig: (given) => library.createWebSocketServer().start(given),
  ServerCert: (given) => library.createWebSocketServer().start({ serverPort: 0, serverCert: given }),
  ServerStopOptions: (given) => library.createWebSocketServer().stop(given),
  ServerRefusal: async (given) => (await request()).refuse(403, given),
};
let asked;
/** A request that a server has received. Once it is answered, its methods still read what they are given. */
function request() {
  asked ??= (async () => {
    const [server, client] = [library.createWebSocketServer(), library.createWebSocket()];
    const came = new Promise((resolve) => server.on('request', resolve));
    await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
    await client.connect(`ws://127.0.0.1:${server.stats().serverPort}/`);
    const refused = new Promise((resolve) => client.on('error', resolve));
    const found = await came;
    found.refuse(403);
    await refused;
    await server.stop();
    return found;
  })();
  return asked;
}

// So that nothing is connected to, whatever becomes of the options.
const NO_URL = 'no URL';
const SOURCES = path.join(__dirname, '../../src/arkts');

/** Every literal in the sources that is a name. They include all members and events of the library. */
function names(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return names(file);
    return [...readFileSync(file, 'utf8').matchAll(/"([A-Za-z]\w*)"/g)].map((match) => match[1]);
  });
}

test('declarations: the library reads exactly the declared members of its arguments', async () => {
  const candidates = [...new Set([...names(SOURCES), ...Object.keys(READERS).flatMap((name) => Object.keys(declared.shapes[name]))])];
  for (const [name, read] of Object.entries(READERS)) {
    const known = [];
    for (const candidate of candidates) {
      let error;
      const log = await warningsOf(async () => {
        error = await read({ [candidate]: Symbol('never right') }).catch((failure) => failure);
      });
      const unknown = / is unknown( and ignored)?;/.test(`${error?.message}\n${log?.join('\n')}`);
      if (log === undefined) throw new Error('stderr is no file, so that no warning can be seen; run this through tests/js/run.sh');
      if (!unknown) known.push(candidate);
    }
    assert.deepStrictEqual(known.sort(), Object.keys(declared.shapes[name]).sort(), name);
  }
});

test('declarations: on and off accept exactly the declared events', async () => {
  const nothing = () => {};
  const targets = { WebSocket: library.createWebSocket(), WebSocketServer: library.createWebSocketServer() };
  assert.deepStrictEqual(Object.keys(declared.events).sort(), Object.keys(targets).sort());
  const candidates = [...new Set([...names(SOURCES), ...Object.values(declared.events).flatMap(({ on }) => on)])];
  for (const [name, target] of Object.entries(targets)) {
    for (const method of ['on', 'off']) {
      const known = [];
      for (const candidate of candidates) {
        const warnings = await warningsOf(() => target[method](candidate, nothing));
        if (!warnings.some((warning) => warning.includes('unknown event'))) known.push(candidate);
      }
      assert.deepStrictEqual(known.sort(), [...declared.events[name][method]].sort(), `${name}.${method}`);
    }
  }
});
