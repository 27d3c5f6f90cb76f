'use strict';

// index.d.ts and the loaded library have the same members: each that is declared is there, and no other.

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { assert, test } = require('./harness.js');

const { NET_WEBSOCKET_DECLARED, NET_WEBSOCKET_LIB } = process.env;
if (!NET_WEBSOCKET_DECLARED) throw new Error('NET_WEBSOCKET_DECLARED is not set; run this through tests/js/run.sh');
const declared = JSON.parse(readFileSync(NET_WEBSOCKET_DECLARED, 'utf8'));

// Interfaces that an app fills, so that no object of the library's has their members; and those of the web's dictionaries.
const GIVEN = ['ServerCert', 'WebSocketServerConfig', 'ServerRefusal', 'ServerStopOptions', 'WebSocketRequestOptions', 'ClientCert', 'CertificatePinning',
  'HttpProxy', 'WebSocketCloseOptions', 'ReconnectOptions', 'AttemptChange', 'web.UrlObject', 'web.EventListenerObject', 'web.AbortSignalLike',
  'web.ListenerOptions', 'web.AddListenerOptions', 'web.EventInit', 'web.MessageEventInit', 'web.CloseEventInit'];
// What it takes a fault of the network to see; it has the members of BusinessError alone.
const UNSEEN = ['WebSocketServerError'];
// Of BusinessError, which the platform declares.
const OF_ERRORS = ['code', 'message', 'data', 'name', 'stack'];
const OF_ERROR = ['name', 'message', 'stack'];
// Of the web, for libraries that were written for it. They are old, or always empty here, so that no app is shown them.
const OLD = ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE', 'srcElement', 'returnValue', 'cancelBubble', 'initEvent', 'source', 'ports',
  'NOT_SUPPORTED_ERR', 'INVALID_STATE_ERR', 'SYNTAX_ERR', 'INVALID_ACCESS_ERR', 'SECURITY_ERR', 'NETWORK_ERR', 'ABORT_ERR'];

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

test('declarations: what a module has is declared, and what is declared is there', async () => {
  const { values, enums } = await loaded();
  assert.deepStrictEqual(Object.entries(values).sort(), Object.entries(declared.values).sort());
  assert.deepStrictEqual(enums, declared.enums);
});

test('declarations: the members of classes, and who may call their constructors', async () => {
  const { shapes, statics, constructors } = await loaded();
  assert.deepStrictEqual(Object.keys(shapes).sort(), Object.keys(declared.constructors).sort());
  const ofTheWeb = Object.entries(shapes).filter(([name]) => name.startsWith('web.'));
  assert.deepStrictEqual(OLD.filter((member) => !ofTheWeb.some(([, shape]) => member in shape)), [], 'old members of the web that are not there');
  for (const [name, shape] of ofTheWeb) {
    for (const member of [...OLD, ...(name === 'web.DOMException' ? OF_ERROR : [])]) delete shape[member];
  }
  const found = Object.keys(shapes).flatMap((name) => differences(name, declared.shapes[name], shapes[name]));
  for (const name of Object.keys(shapes)) {
    const wanted = Object.entries(declared.shapes[name]).filter(([, member]) => member.isStatic).map(([member]) => member);
    found.push(...wanted.filter((member) => !statics[name].includes(member)).map((member) => `${name}.${member} is declared as static, and is not`));
  }
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
