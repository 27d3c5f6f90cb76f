'use strict';

// The way to an open connection: refusals, redirects, names, limits, what the request says.

const { assert } = require('./harness.js');
const { answering } = require('./server.js');
const { HTTP_STATUS, OTHER, PARAMETER, assertError, failureOf, library, socketTest } = require('./support.js');

const { CA_FILE, WS_URL, WSS_URL } = process.env;

socketTest('the error event has the answer of a server that refused the upgrade', async (socket, context) => {
  const { url } = await answering(context, 'HTTP/1.1 401 Who?\r\nX-A: 1\r\nX-A: 2\r\nWWW-Authenticate: Basic\r\nContent-Length: 5\r\n\r\nwho\u00e9');
  await socket.ws.connect(url);
  const error = await socket.error();
  assertError(error, HTTP_STATUS, /401 Who\?/);
  assert.strictEqual(error.data, '401');
  assert.deepStrictEqual({ ...error.response, header: { ...error.response.header } }, {
    status: 401,
    message: 'Who?',
    header: { 'x-a': ['1', '2'], 'www-authenticate': 'Basic', 'content-length': '5' },
    body: 'who\u00e9',
  });
  await socket.ws.connect('ws://127.0.0.1:1/');
  assert.strictEqual((await socket.error()).response, undefined);
});

socketTest('the error text names the answer and what may help', async (socket, context) => {
  const { Cause } = library;
  const folded = 'HTTP/1.1 403 No\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n';
  const redirect = 'HTTP/1.1 302 Found\r\nLocation: https://u:p@other.example/path?secret\r\nContent-Length: 0\r\n\r\n';
  for (const [answer, options, cause, text] of [
    ['\x15\x03\x01\x00\x02\x02\x0a', {}, Cause.UPGRADE, /not HTTP\/1\.1 but TLS: the server uses TLS there/],
    ['\x00\x00\x12\x04\x00\x00\x00\x00\x00', {}, Cause.UPGRADE, /not HTTP\/1\.1 but HTTP\/2$/],
    ['HTTP/1.1 200 OK\r\nX-A : secret\r\n\r\n', {}, Cause.UPGRADE, /line 2 \(X-A\) has a space before the colon$/],
    [redirect, { maxRedirects: 0 }, Cause.UPGRADE, /HTTP 302, to wss:\/\/other\.example:443, but maxRedirects is 0$/],
    [folded, {}, Cause.HTTP_4XX, /HTTP 403 No instead of 101; Origin lacks the port, which supportOriginPort adds$/],
    [folded, { supportOriginPort: true }, Cause.HTTP_4XX, /HTTP 403 No instead of 101$/],
    ['HTTP/1.1 401\r\n\r\n', {}, Cause.HTTP_4XX, /HTTP 401 instead of 101$/],
    // QEMU's VNC server ends its refusals so.
    ['HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\n', { protocol: 'chat' }, Cause.HTTP_4XX, /HTTP 400 Bad Request instead of 101$/],
    ['', { protocol: 'chat' }, Cause.NO_ANSWER, /before it answered; it may not know the sub-protocol that was requested$/],
  ]) {
    const { url } = await answering(context, answer);
    await socket.ws.connect(url, options);
    const error = await socket.error();
    assert.match(error.message, text);
    assert(!error.message.includes('secret'), error.message);
    assert.strictEqual(error.cause, cause, error.message);
    if (answer === folded) assert.strictEqual(error.response.header['x-a'], 'b c');
  }
});

socketTest('redirects are followed', async (socket, context) => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { url, requests } = await answering(context, `HTTP/1.1 ${status} Moved\r\nLocation: ${WS_URL}/headers\r\n\r\n`);
    const header = { Cookie: 'a=1', Authorization: 'Bearer t', 'X-Public': 'yes' };
    await socket.ws.connect(url, { header });
    assert.strictEqual(socket.ws.url, url);
    await socket.next('open');
    assert.strictEqual(socket.ws.url, `${WS_URL}/headers`);
    assert.match(requests[0], /\r\nCookie: a=1\r\n/);
    // What is for one origin is not sent to another.
    const seen = await socket.message();
    assert.match(seen, /x-public: yes/);
    assert(!/cookie|authorization/i.test(seen), seen);
    await socket.shut();
    assert.strictEqual(socket.ws.url, `${WS_URL}/headers`);
    await socket.ws.connect(url, { maxRedirects: 0 });
    const error = await socket.error();
    assert.strictEqual(socket.ws.url, url);
    assertError(error, HTTP_STATUS, new RegExp(`HTTP ${status}, to ws://127\\.0\\.0\\.1:[0-9]+, but maxRedirects is 0$`));
    assert.strictEqual(error.response.header.location, `${WS_URL}/headers`);
  }
});

socketTest('redirects lead from ws to wss, at most four times', async (socket, context) => {
  const toTls = await answering(context, `HTTP/1.1 302 Found\r\nLocation: ${WSS_URL}\r\n\r\n`);
  await socket.open(toTls.url, { caPath: CA_FILE });
  assert.match(socket.ws.url, /^wss:/);
  await socket.shut();
  const round = await answering(context, 'HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n');
  await socket.ws.connect(round.url);
  assertError(await socket.error(), HTTP_STATUS, /HTTP 302, more often than maxRedirects allows$/);
  assert.strictEqual(round.requests.length, 5);
});

socketTest('hosts, credentials and Origin follow the options', async (socket, context) => {
  const { port, requests } = await answering(context, 'HTTP/1.1 403 No\r\n\r\n');
  const url = `ws://user:pass@server.test:${port}/`;
  const hosts = { 'server.test': '127.0.0.1' };
  for (const more of [{}, { supportOriginPort: true, username: 'alice', password: 'sesame' }, { header: { Origin: 'https://page' } }]) {
    await socket.ws.connect(url, { hosts, ...more });
    assertError(await socket.error(), HTTP_STATUS);
  }
  const lines = (at, name) => requests[at].split('\r\n').filter((line) => line.startsWith(`${name}: `));
  assert.deepStrictEqual(lines(0, 'Host'), [`Host: server.test:${port}`]);
  assert.deepStrictEqual(lines(0, 'Origin'), ['Origin: http://server.test']);
  assert.deepStrictEqual(lines(0, 'Authorization'), [`Authorization: Basic ${Buffer.from('user:pass').toString('base64')}`]);
  assert.deepStrictEqual(lines(1, 'Origin'), [`Origin: http://server.test:${port}`]);
  assert.deepStrictEqual(lines(1, 'Authorization'), [`Authorization: Basic ${Buffer.from('alice:sesame').toString('base64')}`]);
  assert.deepStrictEqual(lines(2, 'Origin'), ['Origin: https://page']);
});

socketTest('a phase has its own timeout', async (socket) => {
  const long = { lookupTimeout: 30000, tcpTimeout: 30000, proxyTimeout: 30000, tlsTimeout: 30000 };
  await socket.ws.connect(`${WS_URL}/hang`, { ...long, upgradeTimeout: 50 });
  assertError(await socket.error(), OTHER, /^WebSocket upgrade with .* timed out: not done within 50 ms/);
});

socketTest('names invalid options of connect', async (socket) => {
  for (const [name, wrong] of [
    ['hosts', { h: 1 }], ['hosts', { h: 'localhost' }], ['hosts', 'h'], ['username', 1], ['password', {}],
    ['maxRedirects', 6], ['maxRedirects', 1.5], ['maxRedirects', true], ['fragmentMessages', 1],
    ['lookupTimeout', 0], ['tcpTimeout', -1], ['proxyTimeout', '1'], ['tlsTimeout', NaN], ['upgradeTimeout', Infinity],
  ]) {
    const error = await failureOf(() => socket.ws.connect(WS_URL, { [name]: wrong }));
    assertError(error, PARAMETER);
    assert(error.message.startsWith(`${name}: `), error.message);
  }
});
