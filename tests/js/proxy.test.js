'use strict';

// The option `proxy`, against a proxy that writes literal bytes.

const net = require('node:net');

const { assert } = require('./harness.js');
const { OTHER, PARAMETER, assertError, assertWarns, failureOf, socketTest } = require('./support.js');

const { WS_URL } = process.env;

/** A proxy that collects what it is asked and makes the tunnels to where `route` says. */
async function proxy({ cleanup }, route) {
  const asked = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (data) => {
      asked.push(String(data));
      const answer = route(String(data));
      if (answer.status) {
        socket.end(`HTTP/1.1 ${answer.status}\r\n${answer.headers ?? ''}\r\n`);
        return;
      }
      const onward = net.connect(answer.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      sockets.add(onward);
      onward.on('error', () => {});
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { asked, host: '127.0.0.1', port: server.address().port, exclusionList: [] };
}

const settings = ({ host, port, exclusionList }, more = {}) => ({ proxy: { host, port, exclusionList, ...more } });

socketTest('connects through an HttpProxy, with credentials if it asks for them', async (socket, context) => {
  const { port } = new URL(WS_URL);
  const server = await proxy(context, (request) =>
    request.includes('Proxy-Authorization: Basic YWxpY2U6c2VzYW1l')
      ? { port: Number(port) }
      : { status: '407 Who?', headers: 'Proxy-Authenticate: Basic realm="x"\r\n' });
  await socket.open('ws://server.invalid/', settings(server, { username: 'alice', password: 'sesame', type: 'http' }));
  assert.strictEqual(server.asked.length, 2);
  assert.match(server.asked[0], /^CONNECT server\.invalid:80 HTTP\/1\.1\r\n/);
  assert(!server.asked[0].includes('Authorization'));
  await socket.ws.send('through');
  assert.strictEqual(await socket.message(), 'through');
  assert(socket.ws.stats().proxyTime > 0);
  await socket.shut();
});

socketTest('a proxy host may contain a scheme, credentials and a port, as on the platform', async (socket, context) => {
  const { port } = new URL(WS_URL);
  const server = await proxy(context, (request) =>
    request.includes(`Proxy-Authorization: Basic ${Buffer.from('alice:se:s@me').toString('base64')}\r\n`)
      ? { port: Number(port) }
      : { status: '407 Who?', headers: 'Proxy-Authenticate: Basic realm="x"\r\n' });
  const withName = 'alice:se:s@me@127.0.0.1';
  for (const [host, more] of [
    [withName], [`http://${withName}`], [`http://${withName}/`], [`http://${withName}:${server.port}/`, { port: 9 }], [`${withName}:${server.port}`, { port: 0 }],
    ['http://127.0.0.1', { username: 'alice', password: 'se:s@me' }], ['bob:wrong@127.0.0.1', { username: 'alice', password: 'se:s@me' }],
  ]) {
    await socket.open('ws://server.invalid/', settings({ ...server, host }, more));
    await socket.shut();
  }
  await socket.ws.connect('ws://server.invalid/', settings({ ...server, host: 'alice:wrong-secret@127.0.0.1' }));
  const error = await socket.error();
  assert.match(error.message, /^proxy tunnel to server\.invalid:80 by 127\.0\.0\.1:\d+ failed: /);
  assert(!JSON.stringify(error).includes('wrong-secret'), error.message);
});

socketTest('ignores invalid proxy exclusions', async (socket, context) => {
  const server = await proxy(context, () => ({ status: '403 Filtered' }));
  const { hostname } = new URL(WS_URL);
  await assertWarns(() => socket.open(WS_URL, settings({ ...server, exclusionList: ['10.0.0.0/99', hostname] })), /1 invalid entries of a list of proxy exclusions/);
  await socket.shut();
});

socketTest('names a proxy that refuses', async (socket, context) => {
  const server = await proxy(context, () => ({ status: '403 Filtered' }));
  await socket.ws.connect('wss://server.invalid/', settings(server));
  assertError(await socket.error(), OTHER, /^proxy tunnel to server\.invalid:443 by 127\.0\.0\.1:\d+ failed: the proxy answered HTTP 403 Filtered/);
});

socketTest('connects directly to excluded hosts and without a proxy', async (socket, context) => {
  const server = await proxy(context, () => ({ status: '403 Filtered' }));
  const { hostname } = new URL(WS_URL);
  const options = [
    settings({ ...server, exclusionList: ['*.example.org', hostname] }),
    settings({ ...server, exclusionList: ['10.0.0.0/8,127.0.0.0/8'] }),
    { proxy: 'no-proxy' },
    { proxy: 'system' },
    { proxy: { host: '', port: 0, exclusionList: [] } },
    { proxy: { host: '', port: server.port, exclusionList: [] } },
  ];
  for (const each of options) {
    await socket.open(WS_URL, each);
    await socket.shut();
  }
  assert.deepStrictEqual(server.asked, []);
});

socketTest('names the invalid field', async (socket) => {
  const good = { host: 'proxy.example', port: 8080, exclusionList: [] };
  for (const [field, wrong] of [
    ['proxy', 'direct'],
    ['proxy', 7],
    ['proxy.host', { ...good, host: 1 }],
    ['proxy: host', { ...good, host: 'a b' }],
    ['proxy.port', { ...good, port: 65536 }],
    ['proxy: port', { host: 'proxy.example', exclusionList: [] }],
    ['proxy: host', { ...good, host: 'https://alice:sesame@proxy' }],
    ['proxy: host', { ...good, host: 'alice:sesame@' }],
    ['proxy.type', { ...good, type: 'ftp' }],
  ]) {
    const error = await failureOf(() => socket.ws.connect(WS_URL, { proxy: wrong }));
    assertError(error, PARAMETER);
    assert(error.message.startsWith(`${field}: `), error.message);
    assert(!error.message.includes('sesame'), error.message);
  }
});
