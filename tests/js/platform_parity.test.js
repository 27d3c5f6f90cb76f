'use strict';

// Our object beside the platform's module, point by point: platform.json records what the platform's documentation and
// sources say, and where ours differs on purpose, what ours does and why.

const { assert, test } = require('./harness.js');
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

async function open(socket, path = '/', options = undefined) {
  await socket.open(WS_URL + path, options);
}

const drivers = {
  createWebSocket: () => [typeof library.createWebSocket(), library.createWebSocket() === library.createWebSocket()],
  'createWebSocket, detached': () => {
    const { createWebSocket } = library;
    return typeof createWebSocket();
  },

  'connect(url, callback)': ({ ws }) => byCallback((callback) => ws.connect(WS_URL, callback)),
  'connect(url, options, callback)': ({ ws }) => byCallback((callback) => ws.connect(WS_URL, {}, callback)),
  'connect(url)': ({ ws }) => ws.connect(WS_URL),
  'connect(url, options)': ({ ws }) => ws.connect(WS_URL, {}),
  'connect(number)': ({ ws }) => codeOf(() => ws.connect(5)),
  'connect(url that is none)': ({ ws }) => codeOf(() => ws.connect('www.example.com')),
  'connect twice': async (socket) => {
    await open(socket);
    return codeOf(() => socket.ws.connect(WS_URL));
  },
  'connect to a refusing port': async (socket) => {
    await socket.ws.connect(`ws://127.0.0.1:${await unusedPort()}/`);
    await socket.error();
    return socket.log;
  },
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
  'option protocol': async (socket) => {
    await socket.ws.connect(`${WS_URL}/protocol`, { protocol: 'chat,superchat' });
    const [headers] = await socket.next('headerReceive');
    return headers['sec-websocket-protocol'];
  },
  'option protocol of 2,000 bytes': (socket) => outcome(socket, `${WS_URL}/protocol`, { protocol: 'p'.repeat(2000) }),
  'option caPath': (socket) => outcome(socket, WSS_URL, { caPath: CA_FILE }),
  'option caPath, missing file': (socket) => outcome(socket, WSS_URL, { caPath: `${CA_FILE}.missing` }),
  'option clientCert': (socket) => outcome(socket, WSS_MUTUAL_URL, {
    caPath: CA_FILE, clientCert: { certPath: CLIENT_CERT_FILE, keyPath: CLIENT_KEY_FILE },
  }),
  "option proxy 'no-proxy'": (socket) => outcome(socket, WS_URL, { proxy: 'no-proxy' }),
  "option proxy 'system'": (socket) => outcome(socket, WS_URL, { proxy: 'system' }),
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
  'option supportOriginPort': (socket) => outcome(socket, WS_URL, { supportOriginPort: true }),
  'options undefined and null': async (socket) => [await outcome(socket, WS_URL, undefined), await outcome(socket, WS_URL, null)],
  'an unknown option': (socket) => outcome(socket, WS_URL, { headers: {} }),
  'host name of the certificate': (socket) => outcome(socket, WSS_WRONG_NAME_URL, { caPath: CA_FILE }),
  'an expired certificate': (socket) => outcome(socket, WSS_EXPIRED_URL, { caPath: CA_FILE }),

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
  'close with 4000': async (socket) => {
    await open(socket);
    await socket.ws.close({ code: 4000 });
    return (await socket.closed()).code;
  },
  'close with 1005, 1006, 1015': async (socket) => {
    const codes = [];
    for (const code of [1005, 1006, 1015]) {
      await open(socket);
      await socket.ws.close({ code });
      codes.push((await socket.closed()).code);
    }
    return codes;
  },

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
  'newer spellings': ({ ws }) => ['Open', 'Message', 'WebSocketClose', 'WebSocketError', 'DataEnd', 'HeaderReceive']
    .flatMap((event) => [ws[`on${event}`], ws[`off${event}`]]).filter((method) => typeof method === 'function').length,
  errors: async ({ ws }) => {
    const error = await failureOf(() => ws.connect(''));
    return [error instanceof Error, typeof error.code, typeof error.message];
  },
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
  test(`as the platform${same ? '' : ', but for a reason'}: ${point} (${platform})`, async (context) => {
    assert.strictEqual(same, why === undefined, 'a difference needs a reason, and a reason a difference');
    const socket = new Recorder(context);
    socket.ws.on('error', (error) => {
      socket.lastError = error;
      socket.record({ type: 'error', args: [error] });
    });
    assert.deepStrictEqual(await drivers[point](socket), same ? expected : ours);
  });
}

test('each point of the platform has a driver, and each driver a point', () => {
  assert.deepStrictEqual(Object.keys(drivers).sort(), points.map(({ point }) => point).sort());
});
