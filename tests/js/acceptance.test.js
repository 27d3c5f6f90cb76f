'use strict';

// What the platform's own acceptance suites for clients ask of its module, retold: each row stands for so many cases. Rows whose
// `ours` differs from `platform` are those of docs/differences.md, and `why` says which row of that page. The server's are in
// acceptance_server.test.js; no_permission.js has those of an app without the permission.

const { assert, test } = require('./harness.js');
const { Recorder, library, unusedPort } = require('./support.js');

const { WS_URL, WSS_URL } = process.env;

const header = { 'Content-Type': 'application/json' };
const long = '下载任务。'.repeat(400);
const ended = 'a second close';
const lenient = 'null or undefined options';
const undocumented = 'errors that are now and then -1';

/** Both forms of a call: what the callback, and what the promise, gets. */
const forms = {
  callback: (call) => new Promise((resolve) => call((err, value) => resolve(err ? err.code : value))),
  promise: (call) => call().then((value) => value, (err) => err.code),
};

/** A socket that is open, as `open` tells. */
async function opened(context) {
  const socket = new Recorder(context);
  assert.strictEqual((await socket.open(WS_URL)).status, 101);
  return socket;
}

const connect = (...args) => ({ ws }, form) => forms[form]((...callback) => ws.connect(...args, ...callback));
const send = (data) => ({ ws }, form) => forms[form]((...callback) => ws.send(data, ...callback));
const close = (...args) => ({ ws }, form) => forms[form]((...callback) => ws.close(...args, ...callback));
const twice = (call) => async (socket, form) => {
  assert.strictEqual(await call(socket, form), true);
  return call(socket, form);
};

/** Rows of calls: [how many cases, what, the calls, what the platform gives, ours if it differs, why]. */
const unconnected = [
  [2, 'connect to null', connect(null), 401],
  [2, 'connect to null with options', connect(null, { header }), 401],
  [1, 'connect to null with null', connect(null, null), 401],
  [3, 'connect to nothing', connect(''), 2302001],
  [1, 'connect to a word', connect('hello'), 2302001],
  [2, 'connect to a number in a string', connect('123', { header }), 2302001],
  [7, 'connect to ws://', connect('ws://'), -1, 2302001, undocumented],
  [2, 'connect to ws:// with options', connect('ws://', { header }), -1, 2302001, undocumented],
  [3, 'connect', connect(WS_URL), true],
  [4, 'connect with options', connect(WS_URL, { header }), true],
  [2, 'connect with null', connect(WS_URL, null), 401, true, lenient],
  [4, 'connect with empty options', connect(WS_URL, {}), true],
  [2, 'connect with a header that is a number', connect(WS_URL, { header: { 'Content-Type': 30 } }), true],
  [2, 'connect without a sub-protocol', connect(WS_URL, { protocol: '' }), true],
  [2, 'connect with a sub-protocol', connect(WS_URL, { protocol: '123' }), true],
  [2, 'connect with an undefined sub-protocol', connect(WS_URL, { protocol: undefined }), 401, true, lenient],
  [2, 'connect without a proxy', connect(WS_URL, { proxy: 'no-proxy' }), true],
  [2, "connect by the system's proxy", connect(WS_URL, { proxy: 'system' }), true],
  [2, 'connect twice', twice(connect(WS_URL)), 2302003],
  [2, 'connect with options twice', twice(connect(WS_URL, { header })), 2302003],
  [2, 'send before connect', send('Hello'), -1, 2302999, undocumented],
  [1, 'close before connect', close(), 2302999],
  [2, 'close with options before connect', close({ code: 1000, reason: 'error' }), 2302999],
];

const connected = [
  [2, 'send null', send(null), 401],
  [2, 'send an empty string', send(''), true],
  [2, 'send a string', send('Hello'), true],
  [2, 'send an ArrayBuffer', send(new ArrayBuffer(96)), true],
  [2, 'send an empty typed array', send(new Int8Array(0)), 401, true, 'views are sent'],
  [2, 'send twice', twice(send('Hello')), true],
  [2, 'send a long text', send(long), true],
  [1, 'close', close(), true],
  [1, 'close with null', close(null), 401, true, lenient],
  [2, 'close with empty options', close({}), true],
  [2, 'close with a negative code', close({ code: -100, reason: 'error' }), true],
  [2, 'close with the code 0', close({ code: 0, reason: 'error' }), true],
  [2, 'close with the code 100', close({ code: 100, reason: 'error' }), true],
  [1, 'close with a negative code and no reason', close({ code: -100, reason: null }), true],
  [1, 'close with the code 100 and no reason', close({ code: 100, reason: null }), true],
  [2, 'close with the code 1000', close({ code: 1000, reason: 'error' }), true],
];

const proxy = { host: '127.0.0.1', port: 9, exclusionList: ['elsewhere.example'] };
const noFiles = { certPath: '', keyPath: '', keyPassword: '' };
const missingFiles = { certPath: '/nowhere/client.crt', keyPath: '/nowhere/client.key', keyPassword: 'test1234' };
const unanswered = (...more) => async (socket, form) => connect(`ws://127.0.0.1:${await unusedPort()}/`, ...more)(socket, form);

/** The cases of the smaller suites, and those written in static ArkTS, whose calls are the same. */
const others = [
  [2, 'create', () => typeof library.createWebSocket(), 'object'],
  [2, 'create two', () => library.createWebSocket() === library.createWebSocket(), false],
  [1, 'connect with empty options, static', connect(WS_URL, {}), true],
  [1, 'connect with empty options and a promise, static', connect(WS_URL, {}), true],
  [1, 'connect with a promise, static', connect(WS_URL), true],
  [1, 'connect twice, static', twice(connect(WS_URL)), 2302003],
  [2, 'connect where nobody listens', unanswered(), true],
  [2, 'connect by a proxy that does not answer', unanswered({ proxy }), true],
  [1, 'connect where nobody listens with null', unanswered(null), 401, true, lenient],
  [1, 'connect where nobody listens with undefined', unanswered(undefined), 401, true, lenient],
  [1, 'connect with a proxy that is null', unanswered({ proxy: null }), true],
  [2, 'connect with a proxy that is undefined', unanswered({ proxy: undefined }), true],
  [2, 'connect with a sub-protocol where nobody listens', unanswered({ protocol: 'my-protocol' }), true],
  [1, "connect with a sub-protocol by the system's proxy", unanswered({ proxy: 'system', protocol: 'my-protocol' }), true],
  [1, 'connect with a sub-protocol by no proxy', unanswered({ proxy: 'no-proxy', protocol: 'my-protocol' }), true],
  [1, 'connect with a proxy and a sub-protocol that is null', unanswered({ proxy, protocol: null }), true],
  [2, 'connect with a proxy and a sub-protocol that is undefined', unanswered({ proxy, protocol: undefined }), true],
  [1, 'connect with a missing caPath', connect(WSS_URL, { header, caPath: '/nowhere/ca.crt' }), 2302002],
  [1, 'connect with missing files', connect(WSS_URL, { header, caPath: '/nowhere/ca.crt', clientCert: missingFiles }), 2302002],
  [1, 'connect to an address without a scheme, caPath empty', connect('192.168.1.111', { header, caPath: '' }), 2302001],
  [1, 'connect to an address without a scheme, no files', connect('192.168.1.111', { header, caPath: '', clientCert: noFiles }), 2302001],
  [1, 'connect with an empty caPath', connect(WSS_URL, { header, caPath: '' }), true],
  [1, 'connect with no files twice', twice(connect(WSS_URL, { header, caPath: '', clientCert: noFiles })), 2302003],
  [1, 'on', ({ ws }) => ws.on('open', () => {}), undefined],
];

const counted = { main: [0, 0], others: [0, 0] };

function row([count, what, , platform, ours = platform, why], suite = 'main') {
  counted[suite][0] += count;
  if (ours === platform) counted[suite][1] += count;
  assert.strictEqual(ours !== platform, why !== undefined, what);
}

const unopened = (context) => new Recorder(context);
for (const [rows, make, suite] of [[unconnected, unopened, 'main'], [connected, opened, 'main'], [others, unopened, 'others']]) {
  for (const each of rows) {
    row(each, suite);
    const [, what, call, platform, ours = platform] = each;
    for (const form of Object.keys(forms)) {
      test(`acceptance: ${what}, by ${form}`, async (context) => {
        const socket = await make(context);
        assert.strictEqual(await call(socket, form), ours);
      });
    }
  }
}

row([1, 'close twice', undefined, 2302999, true, ended]);
test('acceptance: close again after the end', async (context) => {
  const socket = await opened(context);
  await socket.shut();
  assert.strictEqual(await forms.callback((callback) => socket.ws.close(callback)), true);
});

row([1, 'what close tells', undefined, 1000]);
test('acceptance: the arguments of the close event', async (context) => {
  const socket = await opened(context);
  assert.strictEqual(await socket.ws.close({ code: 1000, reason: '' }), true);
  assert.strictEqual((await socket.closed()).code, 1000);
});

/** What makes each event come, and how often it has come then. */
const events = {
  open: async (socket) => socket.open(WS_URL),
  headerReceive: async (socket) => socket.open(WS_URL),
  message: async (socket) => {
    await socket.open(WS_URL);
    await socket.ws.send('Hello');
    await socket.ws.ping();
  },
  dataEnd: async (socket) => events.message(socket),
  close: async (socket) => {
    await socket.open(WS_URL);
    await socket.ws.close();
    while (socket.ws.readyState !== 3) await new Promise(setImmediate);
  },
  error: async (socket) => {
    await socket.ws.connect(`ws://127.0.0.1:${await unusedPort()}/`);
    while (socket.ws.readyState !== 3) await new Promise(setImmediate);
  },
};

/** Ways to set and remove a listener: how often it hears. */
const listening = {
  on: [1, (ws, event, listener) => ws.on(event, listener)],
  'on(null)': [0, (ws, event, listener) => { ws.off(event); ws.on(null, listener); }],
  'off(null)': [1, (ws, event, listener) => { ws.on(event, listener); ws.off(null); }],
  'off twice': [0, (ws, event, listener) => { ws.on(event, listener); ws.off(event); ws.off(event); }],
  'off, then on': [1, (ws, event, listener) => { ws.off(event); ws.on(event, listener); }],
  'on, then off': [0, (ws, event, listener) => { ws.on(event, listener); ws.off(event); }],
};

/** How many cases there are of each event and way. Those of the suite for `error` are connections to ws://, above. */
const counts = {
  open: [3, 1, 1, 1, 1, 1],
  headerReceive: [2, 0, 0, 2, 2, 2],
  message: [2, 1, 0, 1, 1, 1],
  dataEnd: [1, 1, 1, 1, 1, 1],
  close: [3, 1, 1, 1, 1, 1],
  error: [0, 0, 0, 0, 0, 0],
};

for (const [event, bring] of Object.entries(events)) {
  for (const [index, [what, [heard, set]]] of Object.entries(listening).entries()) {
    row([counts[event][index], `${event}: ${what}`, undefined, heard]);
    test(`acceptance: ${event}: ${what}`, async (context) => {
      const socket = new Recorder(context);
      let count = 0;
      const listener = () => {
        count += 1;
        // The recorder waits for these.
        if (['open', 'close', 'error', 'headerReceive'].includes(event)) socket.record({ type: event, args: [undefined, { status: 101 }] });
      };
      assert.strictEqual(set(socket.ws, event, listener), undefined);
      if (event === 'open' && heard === 0) {
        await socket.ws.connect(WS_URL);
        await socket.next('headerReceive');
        await socket.ws.ping();
      } else {
        await bring(socket);
      }
      assert.strictEqual(count, heard);
    });
  }
}

test('acceptance: each case is as on the platform, or listed as a difference', () => {
  for (const [suite, [cases, same]] of Object.entries(counted)) {
    console.log(`      acceptance, ${suite}: ${same} of ${cases} cases as on the platform, ${cases - same} listed`);
  }
  assert.deepStrictEqual(counted, { main: [120, 101], others: [31, 29] });
});
