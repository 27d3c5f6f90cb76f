'use strict';

// What the platform takes though it is wrong: it is taken, and the log says what is wrong.

const { assert, test } = require('./harness.js');
const { listen } = require('./server.js');
const { PARAMETER, Recorder, assertError, assertWarns, callbackOf, failureOf, library, socketTest } = require('./support.js');

const { WS_URL, WSS_UNTRUSTED_URL } = process.env;

/** A server that returns each connection of the client, so that a test can read its close frame. */
async function server(context) {
  const connections = [];
  let waiting = [];
  const { url, close } = await listen((connection) => {
    const next = waiting.shift();
    if (next) next(connection);
    else connections.push(connection);
  });
  context.cleanup(close);
  const connection = () => connections.shift() ?? new Promise((resolve) => waiting.push(resolve));
  return { url, connection };
}

test('sends a close frame for any code', async (context) => {
  const { url, connection } = await server(context);
  const socket = new Recorder(context);
  const asked = [0, -1, -100, 1, 100, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535, 66_536, 66_537, 2 ** 32, 1e300,
    '1000', '4000', NaN, Infinity, -Infinity, 1000.5, 4000.5, true, {}, []];
  for (const code of asked) {
    await socket.open(url);
    const peer = await connection();
    await assertWarns(() => socket.ws.close({ code, reason: 'over' }), /code.*1000 is sent$/);
    assert.strictEqual(await peer.closed, 1000, String(code));
    assert.strictEqual((await socket.closed()).code, 1000);
  }
  for (const code of [1000, 1003, 1007, 1012, 1013, 1014, 3000, 4999, undefined, null]) {
    await socket.open(url);
    const peer = await connection();
    await assertWarns(() => socket.ws.close({ code }));
    assert.strictEqual(await peer.closed, code ?? 1000);
    assert.strictEqual((await socket.closed()).code, code ?? 1000);
  }
});

test('sends a close frame whatever its options contain', async (context) => {
  const { url, connection } = await server(context);
  const socket = new Recorder(context);
  const nothing = () => {};
  await socket.open(url);
  let peer = await connection();
  const options = { code: 1001, reason: 'bye', success: nothing, fail: nothing, complete: nothing };
  await assertWarns(() => socket.ws.close(options), /close: success: is unknown.*nearest known name is/, /close: fail: /, /close: complete: .*code/);
  assert.strictEqual(await peer.closed, 1001);
  assert.strictEqual((await socket.closed()).reason, 'bye');
  for (const reason of [5, {}, true]) {
    await socket.open(url);
    peer = await connection();
    await assertWarns(() => socket.ws.close({ code: 1001, reason }), /close: reason: must be a string; the value is ignored$/);
    assert.strictEqual(await peer.closed, 1001);
    assert.strictEqual((await socket.closed()).reason, 'CLOSE_NORMAL');
  }
});

/** The header lines that the echo server saw, of those whose names begin with x-, and the warnings. */
async function sentHeaders(socket, header, ...patterns) {
  await assertWarns(() => socket.open(`${WS_URL}/headers`, { header }), ...patterns);
  const lines = (await socket.message()).split('\n').filter((line) => line.startsWith('x-'));
  await socket.shut();
  return lines.sort();
}

socketTest('header values: numbers and booleans become text; undefined, null and empty ones are ignored', async (socket) => {
  const header = {
    'x-a': undefined, 'x-b': null, 'x-c': '', 'x-d': 30, 'x-e': 0, 'x-f': -1.5, 'x-g': true, 'x-h': false, 'x-i': 'text', 'x-j': NaN, 'x-k': ' ',
  };
  const expected = ['x-d: 30', 'x-e: 0', 'x-f: -1.5', 'x-g: true', 'x-h: false', 'x-i: text', 'x-j: NaN', 'x-k:'];
  assert.deepStrictEqual((await sentHeaders(socket, header)).map((line) => line.trimEnd()), expected);
  const twice = await sentHeaders(socket, { 'X-A': '1', 'x-a': '2', 'x-B': '3', 'X-a': 4 }, /header: has a name in several/, /header: /);
  assert.deepStrictEqual(twice, ['x-a: 4', 'x-b: 3']);
});

socketTest('refuses header values of other types by name', async ({ ws }) => {
  for (const [value, kind] of [[['a', 'b'], 'Array'], [new Map(), 'Map'], [new Set(), 'Set'], [{}, 'another'], [() => {}, 'another'], [Symbol('s'), 'another'], [1n, 'another']]) {
    const header = { 'x-good': 'a', 'x-bad': value };
    const error = await failureOf(() => ws.connect(WS_URL, { header }));
    assertError(error, PARAMETER, new RegExp(`^header: the value of x-bad must be a string, a number or a boolean, but has type ${kind}$`));
  }
  for (const [header, kind] of [[[['x-a', '1']], 'Array'], [new Map([['x-a', '1']]), 'Map'], [new URLSearchParams('x-a=1'), 'URLSearchParams']]) {
    const error = await failureOf(() => ws.connect(WS_URL, { header }));
    assertError(error, PARAMETER, new RegExp(`^header: must be an object of names and values, but has type ${kind}$`));
  }
});

socketTest('options of a wrong type are ignored where the platform ignores them', async (socket) => {
  const { ws } = socket;
  for (const [name, values] of [
    ['header', ['text', 5, true, () => {}]],
    ['caPath', [5, {}, true]],
    ['clientCert', ['file', 5, true]],
    ['skipServerCertVerification', [1, 'true', {}]],
    ['supportOriginPort', [1, 'true']],
    ['minSupportTlsProtocol', ['TLSv1.3', -1, 4, 1.5, NaN, {}]],
    ['pingInterval', ['10', {}, true, NaN, -1, 30_001, Infinity]],
    ['pongTimeout', ['10', {}, true, NaN]],
  ]) {
    for (const value of values) {
      await assertWarns(() => socket.open(WS_URL, { [name]: value }), new RegExp(`connect: ${name}: must be `));
      await socket.shut();
    }
  }
  for (const clientCert of [{ certPath: 5, keyPath: {} }, { certPath: '', keyPath: '', keyPassword: 5 }]) {
    await assertWarns(() => socket.open(WS_URL, { clientCert }), /clientCert\.\w+: must be a string/, ...('keyPassword' in clientCert ? [] : [/clientCert/]));
    await socket.shut();
  }
  // A value of a wrong type never takes the verification away.
  await ws.connect(WSS_UNTRUSTED_URL, { skipServerCertVerification: 1 });
  assert.match((await socket.error()).message, /certificate/);
});

socketTest('an explicit pongTimeout is at most pingInterval', async (socket) => {
  for (const [options, ...patterns] of [
    [{ pingInterval: 10, pongTimeout: 10 }],
    [{ pingInterval: 10, pongTimeout: 30 }],
    [{ pingInterval: 10, pongTimeout: 11 }, /connect: pongTimeout: must be from 0 to pingInterval; 10000 ms are used$/],
    [{ pingInterval: 10, pongTimeout: -1 }, /pongTimeout: .*; 10000 ms are used$/],
    [{ pongTimeout: 31 }, /pongTimeout: .*; 30000 ms are used$/],
    [{ pongTimeout: 30_001 }, /pongTimeout: .*; 30000 ms are used$/],
    [{ pingInterval: 0, pongTimeout: 60 }],
    [{ pingInterval: 30_000, pongTimeout: 30_000 }],
  ]) {
    await assertWarns(() => socket.open(WS_URL, options), ...patterns);
    await socket.shut();
  }
});

socketTest('unknown options are ignored, and the log suggests the nearest name', async (socket) => {
  for (const [options, ...patterns] of [
    [{ headers: {} }, /connect: headers: is unknown and ignored; the nearest known name is header$/],
    [{ capath: '/nowhere' }, /nearest known name is caPath$/],
    [{ protocols: ['chat'] }, /nearest known name is protocol$/],
    [{ tcpNoDelay: true, pingIntervall: 3 }, /tcpNoDelay/, /nearest known name is pingInterval$/],
    [{ 'a\nb': 1 }, /connect: a\\nb: /],
    [{ clientCert: { keypath: '' } }, /connect: clientCert\.keypath: .*nearest known name is keyPath$/],
    [{ proxy: { host: '', port: 0, exclusionList: [], user_name: 'x' } }, /connect: proxy\.user_name: .*username$/],
  ]) {
    await assertWarns(() => socket.open(WS_URL, options), ...patterns);
    await socket.shut();
  }
});

socketTest('options of this library are strict, and a misspelled safeguard is refused', async ({ ws }) => {
  for (const [options, text] of [
    [{ certificatePining: [] }, /^certificatePining: is unknown; did you mean certificatePinning\?$/],
    [{ CertificatePinnings: [] }, /did you mean certificatePinning\?$/],
    [{ networksecurityconfig: 'strict' }, /^networksecurityconfig: is unknown; did you mean networkSecurityConfig\?$/],
    [{ trustUserAuthority: false }, /did you mean trustUserAuthorities\?$/],
    [{ connectTimeout: '1' }, /^connectTimeout: must be/],
    [{ reconnect: { delays: 1 } }, /^reconnect\.delays: is unknown;/],
  ]) {
    assertError(await failureOf(() => ws.connect(WS_URL, options)), PARAMETER, text);
  }
});

socketTest('proxy exclusions of a wrong type are ignored', async (socket) => {
  const none = { host: '', port: 0 };
  for (const [proxy, ...patterns] of [
    [{ ...none, exclusionList: 'a' }, /connect: proxy\.exclusionList: must be an array/],
    [{ ...none, exclusionList: [1, 'a'] }, /connect: proxy\.exclusionList: must be a string/],
    [{ ...none, username: 5 }, /connect: proxy\.username: must be a string/],
    [{ ...none, password: 5 }, /connect: proxy\.password: must be a string/],
  ]) {
    await assertWarns(() => socket.open(WS_URL, { proxy }), ...patterns);
    await socket.shut();
  }
});

socketTest('on and off ignore unknown events and non-functions, and the log says so', async (socket) => {
  const { ws } = socket;
  const nothing = () => {};
  for (const [call, pattern] of [
    [() => ws.on('onMessage', nothing), /on: type: unknown event 'onMessage'; the call is ignored; the nearest known name is message$/],
    [() => ws.on('opened', nothing), /nearest known name is open$/],
    [() => ws.on('Message', nothing), /nearest known name is message$/],
    [() => ws.on(5, nothing), /on: type: must be a string/],
    [() => ws.on(), /on: type: must be a string/],
    [() => ws.on('open'), /on: callback: must be a function/],
    [() => ws.on('open', 5), /on: callback: must be a function/],
    [() => ws.onMessage('no'), /on: callback: must be a function/],
    [() => ws.off('opened'), /off: type: unknown event 'opened'/],
    [() => ws.off('open', 5), /off: callback: must be a function/],
    [() => ws.offOpen({}), /off: callback: must be a function/],
  ]) {
    await assertWarns(() => assert.strictEqual(call(), undefined), pattern);
  }
  // Nothing of that has touched the listeners.
  await socket.open(WS_URL);
  await ws.send('heard');
  assert.strictEqual(await socket.message(), 'heard');
  await socket.shut();
});

socketTest('a method called with another this returns undefined, and the log says so', async (socket) => {
  const { ws } = socket;
  await socket.open(WS_URL);
  const methods = ['connect', 'send', 'close', 'on', 'off', 'sendPiece', 'ping', 'ready', 'next', 'retryNow', 'prepareAttempt', 'stats',
    'onOpen', 'offOpen', 'onMessage', 'offMessage', 'onWebSocketClose', 'offWebSocketClose', 'onWebSocketError', 'offWebSocketError',
    'onDataEnd', 'offDataEnd', 'onHeaderReceive', 'offHeaderReceive'];
  const wrapped = library.createAbortSignal();
  for (const name of methods) {
    assert.strictEqual(ws[name].name, name);
    for (const other of [undefined, null, {}, 'text', 5, Object.create(ws), Object.getPrototypeOf(ws), wrapped, new Map()]) {
      const pattern = new RegExp(`${name}: \`this\` is not a WebSocket`);
      await assertWarns(() => assert.strictEqual(ws[name].call(other, 'x', () => {}), undefined), pattern);
    }
  }
  // A method that was taken off works on its own object, and on another of the class.
  const { close } = ws;
  const other = library.createWebSocket();
  assert.strictEqual(await failureOf(() => close.call(other)).then(({ code }) => code), 2302999);
  assert.strictEqual((await callbackOf((callback) => close.call(ws, { code: 4000 }, callback))).value, true);
  assert.strictEqual((await socket.closed()).code, 4000);
});
