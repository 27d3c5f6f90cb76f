'use strict';

// Compares our object with the platform's module, point by point. platform.json records the behaviour from the platform's
// documentation and sources. For deliberate differences it records ours and the reason.

const net = require('node:net');

const { assert, test } = require('./harness.js');
const { listen } = require('./server.js');
const { Recorder, failureOf, library, unusedPort } = require('./support.js');

const points = require('./platform.json');

const { WS_URL, WSS_URL, WSS_UNTRUSTED_URL, WSS_WRONG_NAME_URL, WSS_EXPIRED_URL, WSS_MUTUAL_URL } = process.env;
const { CA_FILE, CLIENT_CERT_FILE, CLIENT_KEY_FILE } = process.env;

/** What a call with a callback gives, and what its callback gets. */
function byCallback(call) {
  let returned;
  return new Promise((resolve) => {
    returned = call((...args) => resolve(args));
  }).then(([err, value]) => [typeof returned, err ?? null, value]);
}

const codeOf = async (call) => (await failureOf(call)).code;

/** `open`, or the code of what came instead. */
async function outcome(socket, url, options) {
  try {
    await socket.ws.connect(url, options);
    await socket.next('open');
  } catch (error) {
    if (error.code) return error.code;
    return socket.lastError.code;
  }
  await socket.shut();
  return 'open';
}

/** What `connect` gives, and the code of the event `error`; 0 if none comes. */
async function attempt(socket, url) {
  const given = await socket.ws.connect(url).then((value) => value, (error) => error.code);
  if (given === true) return [given, (await socket.error()).code];
  // An event that was on its way is told before what is done later.
  await open(socket);
  return [given, socket.lastError?.code ?? 0];
}

/** The header lines that go out, of those whose names begin with x-. */
async function sent(socket, header) {
  await socket.open(`${WS_URL}/headers`, { header });
  return (await socket.message()).split('\n').filter((line) => line.startsWith('x-')).sort();
}

/** What `headerReceive` has for X-A, of a server that sends these lines. */
async function received(socket, { cleanup }, lines) {
  const server = await listen(() => {}, lines);
  cleanup(server.close);
  await socket.ws.connect(server.url);
  const [headers] = await socket.next('headerReceive');
  return headers['x-a'];
}

/** A server for one answer to each connection; gives its URL. */
async function answering({ cleanup }, answer) {
  const server = net.createServer((peer) => {
    peer.on('error', () => {});
    peer.once('data', (data) => answer(String(data), peer));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  return server.address();
}

async function redirect(context, status, location) {
  const { port } = await answering(context, (_, peer) => peer.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\n\r\n`));
  return `ws://127.0.0.1:${port}/`;
}

/** Connects through a proxy that requires credentials. Returns `open` with the received credentials; without received
 * credentials, the refusal's status or `open`. */
async function byProxy(socket, context, change) {
  let told;
  const { port } = await answering(context, (request, peer) => {
    told = /^proxy-authorization: (.*)$/im.exec(request)?.[1].trim();
    if (!told && change({ host: '' }).host !== 'http://') return peer.end('HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n');
    const onward = net.connect(Number(new URL(WS_URL).port), '127.0.0.1', () => {
      peer.write('HTTP/1.1 200 OK\r\n\r\n');
      peer.pipe(onward).pipe(peer);
    });
    onward.on('error', () => {});
    return undefined;
  });
  const opens = await outcome(socket, 'ws://server.invalid/', { proxy: change({ host: '127.0.0.1', port, exclusionList: [] }) });
  return told ? [opens, told] : opens;
}

/** How a connection ended that the app has closed so. */
async function closed(socket, options) {
  await open(socket);
  await socket.ws.close(options);
  return socket.closed();
}

async function closeCodes(socket, codes) {
  const told = [];
  for (const code of codes) told.push((await closed(socket, { code })).code);
  return told;
}

async function open(socket, path = '/', options = undefined) {
  await socket.open(WS_URL + path, options);
}

const drivers = {
  createWebSocket: () => [typeof library.createWebSocket(), library.createWebSocket() === library.createWebSocket()],
  'createWebSocket, detached': () => {
    const { createWebSocket } = library;
    return typeof createWebSocket();
  },

  createWebSocketServer: () => typeof library.createWebSocketServer,
  'connect, a method of another object': ({ ws }) => [ws.connect, ws.send, ws.close].map((method) => typeof method.call({}, WS_URL)),
  'connect(url, undefined, callback)': ({ ws }) => new Promise((resolve) => ws.connect(WS_URL, undefined, (err, value) => resolve(err?.code ?? value))),
  'a redirect': async (socket, context) => {
    const outcomes = [];
    for (const status of [301, 302, 303, 307, 308]) outcomes.push(await outcome(socket, await redirect(context, status, WS_URL)));
    return outcomes;
  },
  'redirects, five in a row': async (socket, context) => outcome(socket, await redirect(context, 302, '/')),
  'a redirect to another origin': async (socket, context) => {
    const header = { Authorization: 'Bearer t', Cookie: 'a=1', 'X-Look': 'alike' };
    await socket.open(await redirect(context, 302, `${WS_URL}/headers`), { header });
    return (await socket.message()).split('\n').map((line) => line.split(':')[0]).filter((name) => /^(authorization|cookie|x-)/.test(name)).sort();
  },

  'connect(url, callback)': ({ ws }) => byCallback((callback) => ws.connect(WS_URL, callback)),
  'connect(url, options, callback)': ({ ws }) => byCallback((callback) => ws.connect(WS_URL, {}, callback)),
  'connect(url)': ({ ws }) => ws.connect(WS_URL),
  'connect(url, options)': ({ ws }) => ws.connect(WS_URL, {}),
  'connect(number)': ({ ws }) => codeOf(() => ws.connect(5)),
  'connect(an invalid url)': ({ ws }) => codeOf(() => ws.connect('www.example.com')),
  'connect twice': async (socket) => {
    await open(socket);
    return codeOf(() => socket.ws.connect(WS_URL));
  },
  'connect to a refusing port': async (socket) => {
    await socket.ws.connect(`ws://127.0.0.1:${await unusedPort()}/`);
    await socket.error();
    return socket.log;
  },
  // A broadcast address: the system refuses it at once, and nothing goes out.
  'connect to an address that no network has': async (socket) => attempt(socket, 'ws://255.255.255.255/'),
  'connect to ws://': async (socket) => attempt(socket, 'ws://'),
  'connect, HTTP 404': async (socket) => {
    await socket.ws.connect(`${WS_URL}/status/404`);
    const { code, data, message } = await socket.error();
    return [code, data, typeof message];
  },
  'connect inside the close listener': async (socket) => {
    await open(socket);
    const again = new Promise((resolve, reject) => {
      socket.ws.on('close', () => {
        socket.ws.off('close');
        socket.ws.connect(WS_URL).then(resolve, reject);
      });
    });
    await socket.ws.close();
    return again;
  },

  'option header': async (socket) => {
    await open(socket, '/headers', { header: { 'X-Look': 'alike' } });
    return (await socket.message()).split('\n').find((line) => line.startsWith('x-look'));
  },
  'option header, values that are undefined, null or empty': (socket) => sent(socket, { 'x-a': undefined, 'x-b': null, 'x-c': '' }),
  'option header, values that are numbers or booleans': (socket) => sent(socket, { 'x-a': 30, 'x-b': true }),
  'option header, a value that is an array': (socket) => outcome(socket, WS_URL, { header: { 'x-a': ['a'] } }),
  'option header that is a Map': (socket) => outcome(socket, WS_URL, { header: new Map([['x-a', 'a']]) }),
  'option header that is a text': (socket) => outcome(socket, WS_URL, { header: 'x-a: a' }),
  'option protocol, number': (socket) => outcome(socket, WS_URL, { protocol: 5 }),
  'option protocol, undefined': (socket) => outcome(socket, WS_URL, { protocol: undefined }),
  'options of a wrong type': async (socket) => {
    const outcomes = [];
    const wrong = { caPath: 5, clientCert: 'x', skipServerCertVerification: 1, supportOriginPort: 'yes', minSupportTlsProtocol: 'TLSv1.3' };
    for (const [name, value] of Object.entries(wrong)) outcomes.push(await outcome(socket, WS_URL, { [name]: value }));
    return outcomes;
  },
  'option protocol': async (socket) => {
    await socket.ws.connect(`${WS_URL}/protocol`, { protocol: 'chat,superchat' });
    const [headers] = await socket.next('headerReceive');
    return headers['sec-websocket-protocol'];
  },
  'option protocol of 2,000 bytes': (socket) => outcome(socket, `${WS_URL}/protocol`, { protocol: 'p'.repeat(2000) }),
  'option caPath': (socket) => outcome(socket, WSS_URL, { caPath: CA_FILE }),
  'option caPath, missing file': (socket) => outcome(socket, WSS_URL, { caPath: `${CA_FILE}.missing` }),
  'option caPath, missing file, ws': (socket) => outcome(socket, WS_URL, { caPath: `${CA_FILE}.missing` }),
  // The system's authorities do not know the test's.
  'option caPath, empty': (socket) => outcome(socket, WSS_URL, { caPath: '' }),
  'option clientCert, empty paths': (socket) => outcome(socket, WSS_URL, { caPath: CA_FILE, clientCert: { certPath: '', keyPath: '' } }),
  'option clientCert': (socket) => outcome(socket, WSS_MUTUAL_URL, {
    caPath: CA_FILE, clientCert: { certPath: CLIENT_CERT_FILE, keyPath: CLIENT_KEY_FILE },
  }),
  "option proxy 'no-proxy'": (socket) => outcome(socket, WS_URL, { proxy: 'no-proxy' }),
  "option proxy 'system'": (socket) => outcome(socket, WS_URL, { proxy: 'system' }),
  'option proxy, user:password@host': (socket, context) => byProxy(socket, context, (server) => ({ ...server, host: `alice:sesame@${server.host}` })),
  'option proxy, http://host': (socket, context) => byProxy(socket, context, (server) => ({ ...server, host: `http://${server.host}` })),
  'option proxy, username and password': (socket, context) => byProxy(socket, context, (server) => ({ ...server, username: 'alice', password: 'sesame' })),
  'option proxy, another string': (socket) => outcome(socket, WS_URL, { proxy: 'direct' }),
  'option proxy, port 65536': (socket) => outcome(socket, WS_URL, { proxy: { host: 'proxy', port: 65536, exclusionList: [] } }),
  'option proxy, no host': (socket) => outcome(socket, WS_URL, { proxy: { host: '', port: 8080, exclusionList: [] } }),
  'option skipServerCertVerification': (socket) => outcome(socket, WSS_UNTRUSTED_URL, { skipServerCertVerification: true }),
  'option minSupportTlsProtocol': async (socket) => {
    const { TLS_V_1_0, TLS_V_1_1, TLS_V_1_2, TLS_V_1_3 } = library.TlsProtocol;
    const all = [TLS_V_1_0, TLS_V_1_1, TLS_V_1_2, TLS_V_1_3];
    for (const minSupportTlsProtocol of all) assert.strictEqual(await outcome(socket, WSS_URL, { caPath: CA_FILE, minSupportTlsProtocol }), 'open');
    return all;
  },
  'option pingInterval, pongTimeout': async (socket) => [
    await outcome(socket, WS_URL, { pingInterval: 0, pongTimeout: 0 }),
    await outcome(socket, WS_URL, { pingInterval: 30000, pongTimeout: 30000 }),
    await outcome(socket, WS_URL, { pingInterval: 30001 }),
    await outcome(socket, WS_URL, { pongTimeout: -1 }),
  ],
  'option pingInterval, pongTimeout of a wrong type': async (socket) => [
    await outcome(socket, WS_URL, { pingInterval: '10' }),
    await outcome(socket, WS_URL, { pongTimeout: '10' }),
    await outcome(socket, WS_URL, { pingInterval: 10, pongTimeout: 60 }),
  ],
  'option supportOriginPort': (socket) => outcome(socket, WS_URL, { supportOriginPort: true }),
  'options undefined and null': async (socket) => [await outcome(socket, WS_URL, undefined), await outcome(socket, WS_URL, null)],
  'an unknown option': (socket) => outcome(socket, WS_URL, { headers: {} }),
  'host name of the certificate': (socket) => outcome(socket, WSS_WRONG_NAME_URL, { caPath: CA_FILE }),
  'an expired certificate': (socket) => outcome(socket, WSS_EXPIRED_URL, { caPath: CA_FILE }),

  'a certificate that its server has signed itself': (socket) => outcome(socket, WSS_UNTRUSTED_URL),

  'send(string of 6 MB)': async (socket) => {
    await open(socket, '/opcode');
    return socket.ws.send('x'.repeat(6_000_000));
  },
  'send(view)': async (socket) => {
    await open(socket);
    return socket.ws.send(new Uint8Array(1));
  },
  'send(empty)': async (socket) => {
    await open(socket);
    return [await socket.ws.send(''), await socket.ws.send(new ArrayBuffer(0))];
  },
  'send(string, callback)': async (socket) => {
    await open(socket);
    return byCallback((callback) => socket.ws.send('x', callback));
  },
  'send(string)': async (socket) => {
    await open(socket);
    return socket.ws.send('x');
  },
  'send(ArrayBuffer)': async (socket) => {
    await open(socket);
    return socket.ws.send(new ArrayBuffer(8));
  },
  'send(number)': async (socket) => {
    await open(socket);
    return codeOf(() => socket.ws.send(5));
  },
  'send before connect': ({ ws }) => codeOf(() => ws.send('x')),
  'send after close': async (socket) => {
    await open(socket);
    await socket.shut();
    return codeOf(() => socket.ws.send('x'));
  },
  'kinds on the wire': async (socket) => {
    await open(socket, '/opcode');
    socket.ws.send('ab', () => {});
    socket.ws.send(new ArrayBuffer(2), () => {});
    return [await socket.message(), await socket.message()];
  },

  'close(callback)': async (socket) => {
    await open(socket);
    return byCallback((callback) => socket.ws.close(callback));
  },
  'close(options, callback)': async (socket) => {
    await open(socket);
    return byCallback((callback) => socket.ws.close({}, callback));
  },
  'close()': async (socket) => {
    await open(socket);
    const accepted = await socket.ws.close();
    const { code, reason } = await socket.closed();
    return [accepted, code, reason];
  },
  'close(options)': async (socket) => {
    await open(socket);
    const accepted = await socket.ws.close({ code: 1001, reason: 'bye' });
    const { code, reason } = await socket.closed();
    return [accepted, code, reason];
  },
  'close(number)': async (socket) => {
    await open(socket);
    return codeOf(() => socket.ws.close(1000));
  },
  'close before connect': ({ ws }) => codeOf(() => ws.close()),
  'close with members that no option has': async (socket) => {
    const { code, reason } = await closed(socket, { code: 1001, reason: 'bye', success: () => {}, complete: () => {} });
    return [code, reason];
  },
  'close with a reason that is not a string': async (socket) => (await closed(socket, { reason: 5 })).reason,
  'close with an empty reason': async (socket) => (await closed(socket, { reason: '' })).reason,
  "close with 0, 100, -100, NaN, '1001'": (socket) => closeCodes(socket, [0, 100, -100, NaN, '1001']),
  'close with 1012, 1013, 1014': (socket) => closeCodes(socket, [1012, 1013, 1014]),
  'close with 4000': async (socket) => {
    await open(socket);
    await socket.ws.close({ code: 4000 });
    return (await socket.closed()).code;
  },
  'close with 1005, 1006, 1015': (socket) => closeCodes(socket, [1005, 1006, 1015]),
  'close() while connecting': async (socket) => {
    await socket.ws.connect(`${WS_URL}/hang`);
    await socket.ws.close();
    const { code } = await socket.closed();
    return [...socket.log, code];
  },
  'close() twice': async (socket) => {
    await open(socket);
    return [await socket.ws.close(), await socket.ws.close()];
  },

  'event open': async (socket) => {
    await socket.ws.connect(WS_URL);
    const [err, result] = await socket.next('open');
    return [typeof err, Object.keys(result).sort(), result.status];
  },
  'event openInfo': async (socket) => {
    const told = new Promise((resolve) => socket.ws.on('openInfo', (...args) => resolve(args)));
    await socket.ws.connect(`${WS_URL}/protocol`, { protocol: 'chat' });
    const [err, result] = await told;
    return [typeof err, Object.keys(result).sort(), result.protocol];
  },
  'event message, text': async (socket) => {
    await open(socket);
    socket.ws.send('x', () => {});
    const [err, data] = await socket.next('message');
    return [typeof err, typeof data];
  },
  'event message, binary': async (socket) => {
    await open(socket);
    socket.ws.send(new ArrayBuffer(3), () => {});
    const [err, data] = await socket.next('message');
    return [typeof err, data.constructor.name];
  },
  'event dataEnd': async (socket) => {
    await open(socket);
    socket.ws.send('x', () => {});
    socket.ws.send('y', () => {});
    await socket.next('dataEnd');
    await socket.next('dataEnd');
    return socket.log.slice(2);
  },
  'event dataEnd, no listener of message': async (socket) => {
    socket.ws.off('message');
    await open(socket);
    await socket.ws.send('x');
    await socket.ws.ping();
    return socket.log;
  },
  'event headerReceive': async (socket) => {
    await socket.ws.connect(`${WS_URL}/headers`);
    const [headers] = await socket.next('headerReceive');
    await socket.next('open');
    await socket.shut();
    return [...socket.log.slice(0, 2), Object.keys(headers).every((name) => name === name.toLowerCase())];
  },
  'event headerReceive, a name that came twice': async (socket, context) => (await received(socket, context, 'X-A: 1\r\nX-A: 2\r\n')).constructor.name.replace('S', 's'),
  'event headerReceive, a value of 2,000 bytes': async (socket, context) => (await received(socket, context, `X-A: ${'x'.repeat(2000)}\r\n`)).length,
  'event error and close, a lost connection': async (socket) => {
    await open(socket, '/drop');
    socket.ws.send('x', () => {});
    const { error, result } = await socket.broken();
    return [error.code, result.code];
  },
  'event close, by the server': async (socket) => {
    await open(socket, '/close/4001/bye');
    const [err, result] = await socket.next('close');
    return [typeof err, Object.keys(result).sort(), result.code, result.reason];
  },
  'event close, a close frame without a code': async (socket) => {
    await open(socket, '/close/0');
    return (await socket.closed()).code;
  },
  'event close, empty reason': async (socket) => {
    await open(socket, '/close/1001');
    return (await socket.closed()).reason;
  },
  'event error': async (socket) => {
    await socket.ws.connect(`${WS_URL}/status/503`);
    const args = await socket.next('error');
    return [args.length, typeof args[0].code, typeof args[0].data];
  },
  'text that is not UTF-8': async (socket) => {
    await open(socket, '/bad-utf8');
    return (await socket.broken()).result.code;
  },
  'on twice': (socket) => listeners(socket, (ws, hear) => {
    ws.on('message', hear('earlier'));
    ws.on('message', hear('later'));
  }),
  'off(type)': (socket) => listeners(socket, (ws, hear) => {
    ws.on('message', hear('heard'));
    ws.off('message');
  }),
  'off(type, other)': (socket) => listeners(socket, (ws, hear) => {
    ws.on('message', hear('heard'));
    ws.off('message', () => {});
  }),
  'on with an unknown type': ({ ws }) => typeof ws.on('opened', () => {}),
  'off with an unknown type': ({ ws }) => typeof ws.off('opened'),
  'on and off with a value that is not a function': async (socket) => {
    const results = [];
    const heard = await listeners(socket, (ws, hear) => {
      ws.on('message', hear('heard'));
      results.push(typeof ws.on('message', 5), typeof ws.off('message', 5));
    });
    return [...results, ...heard];
  },
  'newer spellings': ({ ws }) => ['Open', 'Message', 'WebSocketClose', 'WebSocketError', 'DataEnd', 'HeaderReceive']
    .flatMap((event) => [ws[`on${event}`], ws[`off${event}`]]).filter((method) => typeof method === 'function').length,
  errors: async ({ ws }) => {
    const error = await failureOf(() => ws.connect(''));
    return [typeof error.code, typeof error.message];
  },
  'errors, as JSON': async ({ ws }) => Object.keys(JSON.parse(JSON.stringify(await failureOf(() => ws.connect(''))))).sort(),
  'errors, class': async ({ ws }) => (await failureOf(() => ws.connect(''))) instanceof Error,
};

/** Which listeners hear a message, after `prepare` has set and removed some. */
async function listeners(socket, prepare) {
  const heard = [];
  prepare(socket.ws, (name) => () => heard.push(name));
  await socket.open(WS_URL);
  await socket.ws.send('x');
  await socket.ws.ping();
  return heard;
}

for (const { point, platform, expected, ours, why } of points) {
  const same = ours === undefined;
  test(`${same ? 'as the platform' : 'differs from the platform for a reason'}: ${point} (${platform})`, async (context) => {
    assert.strictEqual(same, why === undefined, 'a difference needs a reason, and a reason a difference');
    const socket = new Recorder(context);
    socket.ws.on('error', (error) => {
      socket.lastError = error;
      socket.record({ type: 'error', args: [error] });
    });
    assert.deepStrictEqual(await drivers[point](socket, context), same ? expected : ours);
  });
}

test('each point of platform.json has a driver, and each driver a point', () => {
  assert.deepStrictEqual(Object.keys(drivers).sort(), points.map(({ point }) => point).sort());
});
