'use strict';

// The platform's own acceptance suite for its server, retold: each row stands for so many of its cases. A row whose `ours` differs from
// `platform` is in docs/differences.md. `Outcome` is what a promise gives, or the code that it is rejected with.

const { assert, test } = require('./harness.js');
const { Recorder, library, unusedPort } = require('./support.js');

const NOBODY = { clientIP: '1.1.1.1', clientPort: 8888 };
const NO_FILES = { certPath: '', keyPath: '' };
const EVENTS = ['connect', 'messageReceive', 'error', 'close'];

const outcome = (call) => call().then((value) => value, (error) => error.code);

/** A server of the suite, and its configuration. */
async function serverOf({ cleanup }) {
  const server = library.createWebSocketServer();
  cleanup(() => server.stop().catch(() => {}));
  const config = { serverIP: '0.0.0.0', serverPort: await unusedPort(), maxConcurrentClientsNumber: 10, maxConnectionsForOneClient: 4 };
  return { server, config };
}

/** The one connection of a server. It is listed with its event, which may come after the client's. */
async function listed(server) {
  while (server.listAllConnections().length === 0) await new Promise(setImmediate);
  return server.listAllConnections()[0];
}

/** The same with a client that is connected, and the connection's end here. */
async function connected(context) {
  const { server, config } = await serverOf(context);
  assert.strictEqual(await server.start(config), true);
  const client = new Recorder(context);
  await client.open(`ws://127.0.0.1:${config.serverPort}/`);
  return { server, client, connection: await listed(server) };
}

const starting = (changes) => async (context) => {
  const { server, config } = await serverOf(context);
  return outcome(() => server.start({ ...config, ...changes }));
};

/** Rows: [how many cases, what, what it does, what the platform gives, ours if it differs]. */
const rows = [
  [1, 'create', () => typeof library.createWebSocketServer(), 'object'],
  [1, 'create two', () => library.createWebSocketServer() === library.createWebSocketServer(), false],
  [1, 'start', starting({}), true],
  [1, 'start with a sub-protocol', starting({ protocol: 'my-protocol' }), true],
  [1, 'start with empty names of files', starting({ protocol: 'my-protocol', serverCert: NO_FILES }), true],
  [1, 'start without an address', starting({ serverIP: undefined, protocol: 'my-protocol', serverCert: NO_FILES }), true],
  [1, 'start with missing files', starting({ serverCert: { certPath: './index.test', keyPath: './index.test' } }), 2302002],
  [1, 'start with an impossible port', starting({ serverPort: 123456489764556454 }), 2302005],
  [1, 'start with an impossible address', starting({ serverIP: '0.0.0.0..' }), 2302004],
  [1, 'start with 11 connections for a client', starting({ maxConnectionsForOneClient: 11 }), 2302999, true],
  [1, 'listAllConnections', async (context) => (await connected(context)).server.listAllConnections().length, 1],
  [1, 'send', async (context) => {
    const { server, client, connection } = await connected(context);
    assert.strictEqual(await server.send('hello client', connection), true);
    return client.message();
  }, 'hello client'],
  [1, 'send to nobody', async (context) => {
    const { server } = await connected(context);
    return outcome(() => server.send('hello client', NOBODY));
  }, 2302006],
  [1, 'close', async (context) => {
    const { server, client, connection } = await connected(context);
    assert.strictEqual(await server.close(connection), true);
    return (await client.closed()).code;
  }, 1000],
  [1, 'close nobody', async (context) => {
    const { server } = await connected(context);
    return outcome(() => server.close(NOBODY));
  }, 2302006],
  [1, 'stop', async (context) => {
    const { server, config } = await serverOf(context);
    await server.start(config);
    return outcome(() => server.stop());
  }, true],
];

/** Ways to set and remove a listener: how often it hears. */
const listening = {
  on: [1, (server, event, listener) => server.on(event, listener)],
  'off with the listener': [0, (server, event, listener) => { server.on(event, listener); server.off(event, listener); }],
  off: [0, (server, event, listener) => { server.on(event, listener); server.off(event); }],
};

/** Brings one event of each type but `error`, which no case brings: the cases of it send to nobody. */
async function life(context, { server, config }) {
  assert.strictEqual(await server.start(config), true);
  assert.strictEqual(await outcome(() => server.send('hi', NOBODY)), 2302006);
  const client = new Recorder(context);
  await client.open(`ws://127.0.0.1:${config.serverPort}/`);
  await client.ws.send('hello server');
  await client.ws.ping();
  await server.close(await listed(server), { code: 1000, reason: 'normal' });
  assert.deepStrictEqual((({ code, reason }) => [code, reason])(await client.closed()), [1000, 'normal']);
  // A connection leaves the list with its event.
  while (server.listAllConnections().length > 0) await new Promise(setImmediate);
  assert.strictEqual(await server.stop(), true);
}

for (const event of EVENTS) {
  for (const [how, [heard, set]] of Object.entries(listening)) {
    rows.push([1, `${event}: ${how}`, async (context) => {
      const serving = await serverOf(context);
      const told = [];
      assert.strictEqual(set(serving.server, event, (...args) => told.push(args)), undefined);
      await life(context, serving);
      return told.length;
    }, event === 'error' ? 0 : heard]);
  }
}

for (const [, what, run, platform, ours = platform] of rows) {
  test(`acceptance of the server: ${what}`, async (context) => assert.strictEqual(await run(context), ours));
}

test('acceptance of the server: each case is as on the platform, or listed as a difference', () => {
  const cases = rows.reduce((sum, [count]) => sum + count, 0);
  const same = rows.reduce((sum, [count, , , , ours]) => sum + (ours === undefined ? count : 0), 0);
  console.log(`      acceptance of the server: ${same} of ${cases} cases as on the platform, ${cases - same} listed`);
  assert.deepStrictEqual([cases, same], [28, 27]);
});
