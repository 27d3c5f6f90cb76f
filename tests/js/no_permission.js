'use strict';

// Runs in a process that cannot create sockets, like an app without ohos.permission.INTERNET. connect, send, close and the
// methods of a server fail with 201. Only wrong argument types are reported first. No event follows.

const assert = require('node:assert');

const { load } = require('./load.js');

const { createWebSocket, createWebSocketServer } = load();
const DENIED = /^(connect|send|close|start|stop|listAllConnections): the app needs ohos\.permission\.INTERNET$/;

let passed = 0;
let failed = 0;

async function refusal(call) {
  const error = await call().then(() => assert.fail('this succeeded, which it must not'), (reason) => reason);
  assert.deepStrictEqual(Object.keys(JSON.parse(JSON.stringify(error))).sort(), ['code', 'message']);
  return error;
}

async function check(name, code, call) {
  const ws = createWebSocket();
  const events = [];
  for (const type of ['open', 'close', 'error']) ws.on(type, () => events.push(type));
  try {
    const error = await refusal(() => call(ws));
    assert.strictEqual(error.code, code, error.message);
    if (code === 201) assert.match(error.message, DENIED);
    assert.strictEqual(ws.readyState, 3);
    await new Promise(setImmediate);
    assert.deepStrictEqual(events, []);
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`FAIL  without the permission, ${name}: ${error.stack}`);
  }
}

const called = (call) => new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
const header = { 'Content-Type': 'application/json' };
const options = { code: 10000011, reason: 'permission denied' };

async function main() {
  for (const url of ['ws://', '', 'hello', 'ws://127.0.0.1:9/']) {
    await check(`connect('${url}', callback)`, 201, (ws) => called((callback) => ws.connect(url, callback)));
    await check(`connect('${url}', options, callback)`, 201, (ws) => called((callback) => ws.connect(url, { header }, callback)));
    await check(`connect('${url}', options)`, 201, (ws) => ws.connect(url, { header }));
    await check(`connect('${url}')`, 201, (ws) => ws.connect(url));
  }
  await check('connect with a missing file', 201, (ws) => ws.connect('wss://127.0.0.1:9/', { caPath: '/nowhere' }));
  await check('send(data, callback)', 201, (ws) => called((callback) => ws.send('hello', callback)));
  await check('send(data)', 201, (ws) => ws.send('hello'));
  await check('send(ArrayBuffer)', 201, (ws) => ws.send(new ArrayBuffer(4)));
  await check('close(callback)', 201, (ws) => called((callback) => ws.close(callback)));
  await check('close(options, callback)', 201, (ws) => called((callback) => ws.close(options, callback)));
  await check('close(options)', 201, (ws) => ws.close(options));
  await check('close()', 201, (ws) => ws.close());
  // The platform looks at the arguments before the permission.
  await check('connect(5)', 401, (ws) => ws.connect(5));
  await check('send(5)', 401, (ws) => ws.send(5));
  await check('close(5)', 401, (ws) => ws.close(5));
  // Of a server's methods the permission is looked at first.
  const server = createWebSocketServer();
  const connection = { clientIP: '127.0.0.1', clientPort: 9 };
  for (const [name, call] of [
    ['start', () => server.start({ serverPort: 0 })], ['start with a wrong argument', () => server.start(5)], ['stop', () => server.stop()],
    ['listAllConnections', async () => server.listAllConnections()], ['send', () => server.send('x', connection)],
    ['close', () => server.close(connection)],
  ]) {
    await check(`${name} of a server`, 201, call);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

main();
