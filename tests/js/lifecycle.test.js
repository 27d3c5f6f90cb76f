'use strict';

// What becomes of connections when their objects are collected, when environments end, and when many are made.

const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { collect, collectUntil, observed, turn, until } = require('./collecting.js');
const { assert, test } = require('./harness.js');
const { Recorder, library } = require('./support.js');
const { listen } = require('./server.js');

const { WS_URL, NET_WEBSOCKET_LIB, NET_WEBSOCKET_NDK_PEER } = process.env;

/** How long the test of addresses starts environments. */
const ENVIRONMENTS_FOR_MS = 10_000;

/** A listener that resolves a promise, and refers to nothing else. */
function listener() {
  let listen;
  const heard = new Promise((resolve) => (listen = (...args) => resolve(args)));
  return { listen, heard };
}

/**
 * Connects a new object with these listeners, and keeps no reference to it: a closure made here would. What `use` makes
 * of it is returned with the promise of its `open`.
 */
function connectAndForget(url, listeners, use, options) {
  const ws = library.createWebSocket();
  const { listen, heard } = listener();
  ws.on('open', listen);
  for (const [type, each] of Object.entries(listeners)) {
    if (each) ws.on(type, each);
    else ws.off(type);
  }
  ws.connect(url, options);
  return { opened: heard, used: use?.(ws) };
}

async function collected(closed) {
  let code;
  closed.then((value) => (code = value ?? 'no close frame'));
  await collectUntil(() => code !== undefined);
  return code;
}

test('exports its version, unlike another library of the same name', () => {
  const [, version] = /^version = "(.*)"$/m.exec(fs.readFileSync(path.join(__dirname, '../../Cargo.toml'), 'utf8'));
  assert.strictEqual(library.version, version);
});

test('a connection without listeners is closed when its object is collected', async (context) => {
  const server = await observed(context);
  const connection = server.next();
  const never = { reconnecting: () => {}, prepare: () => {}, reconnected: () => {} };
  await connectAndForget(server.url, never).opened;
  // The listener of `open` is left, which can no longer fire, and some that never could.
  assert.strictEqual(await collected((await connection).closed), 1001);
});

test('a connection whose listener can be called outlives its object', async (context) => {
  const server = await observed(context);
  const connection = server.next();
  const [message, close, finalized] = [listener(), listener(), listener()];
  const registry = new FinalizationRegistry(finalized.listen);
  const listeners = { message: message.listen, close: close.listen };
  await connectAndForget(server.url, listeners, (ws) => registry.register(ws, 'collected')).opened;
  let gone = false;
  finalized.heard.then(() => (gone = true));
  await collectUntil(() => gone);
  const peer = await connection;
  peer.text('still there');
  assert.deepStrictEqual(await message.heard, [undefined, 'still there']);
  peer.socket.destroy();
  assert.strictEqual((await close.heard)[1].code, 1006);
});

/** A counter of calls, which refers to nothing else. */
function counter() {
  const calls = { count: 0 };
  return { calls, listen: () => (calls.count += 1) };
}

for (const type of ['open', 'reconnecting', 'reconnected']) {
  test(`a reconnecting connection outlives its object while ${type} has a listener`, async (context) => {
    const server = await observed(context);
    const connection = server.next();
    const { calls, listen } = counter();
    const finalized = listener();
    const registry = new FinalizationRegistry(finalized.listen);
    connectAndForget(server.url, { open: undefined, [type]: listen }, (ws) => registry.register(ws, 'collected'), { reconnect: { delay: 1, maxDelay: 1 } });
    const peer = await connection;
    let gone = false;
    finalized.heard.then(() => (gone = true));
    await collectUntil(() => gone);
    // The finalizer of its native half runs later.
    for (let round = 0; round < 10; round += 1) {
      collect();
      await turn();
    }
    const before = calls.count;
    assert.strictEqual(before, type === 'open' ? 1 : 0);
    const again = server.next();
    peer.socket.destroy();
    const next = await again;
    await until(() => calls.count === before + 1);
    // A final close: a connection does not reconnect after 1000.
    next.socket.write(Buffer.from([0x88, 2, 0x03, 0xe8]));
    assert.strictEqual(await next.closed, 1000);
  });
}

test('a connection outlives its object while a promise waits for it', async (context) => {
  const server = await observed(context);
  const connection = server.next();
  const { opened, used: next } = connectAndForget(server.url, {}, (ws) => ws.next());
  await opened;
  const peer = await connection;
  for (let round = 0; round < 10; round += 1) {
    collect();
    await turn();
  }
  peer.text('awaited');
  assert.deepStrictEqual(await next, { done: false, value: 'awaited' });
  // Now no promise is pending.
  assert.strictEqual(await collected(peer.closed), 1001);
});

/** Open descriptors, threads and resident bytes of this process. */
function resources() {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]);
  return { descriptors: fs.readdirSync('/proc/self/fd').length, threads: field('Threads'), bytes: field('VmRSS') * 1024 };
}

test('1,000 objects one after the other leave nothing behind', async (context) => {
  const cycle = async () => {
    const socket = new Recorder(context);
    await socket.open(WS_URL);
    await socket.ws.send('x');
    assert.strictEqual(await socket.message(), 'x');
    await socket.shut();
  };
  const cycles = async (count) => {
    for (let index = 0; index < count; index += 1) await cycle();
    collect();
    await turn();
  };
  await cycles(200);
  const before = resources();
  await cycles(1_000);
  await until(() => resources().descriptors <= before.descriptors);
  const after = resources();
  assert(after.threads <= before.threads + 4, `${before.threads} threads became ${after.threads}`);
  assert(after.bytes < before.bytes + 24 * 1024 * 1024, `${before.bytes} bytes became ${after.bytes}`);
});

test('1,000 objects at once are closed when they are collected', async (context) => {
  const codes = [];
  // A client of another test may try again at a port that was its server's, so only those with this path count.
  const server = await listen(({ path, closed }) => closed.then((code) => path === '/collected' && codes.push(code)));
  context.cleanup(server.close);
  const before = resources();
  for (let batch = 0; batch < 10; batch += 1) {
    await Promise.all(Array.from({ length: 100 }, () => connectAndForget(`${server.url}collected`, {}).opened));
  }
  await collectUntil(() => codes.length === 1_000);
  assert.deepStrictEqual(codes.filter((code) => code !== 1001), []);
  await until(() => resources().descriptors <= before.descriptors);
});

test('objects that never connect leave nothing behind', async () => {
  const make = async (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      for (let index = 0; index < 5_000; index += 1) {
        const ws = library.createWebSocket();
        ws.on('message', () => ws.close());
      }
      for (let turns = 0; turns < 2; turns += 1) {
        collect();
        await turn();
      }
    }
  };
  await make(4);
  const before = resources();
  await make(8);
  const grown = resources().bytes - before.bytes;
  // They take several kilobytes each, so a leak would be more than ten times this.
  assert(grown < 16 * 1024 * 1024, `grown by ${grown} bytes`);
});

// ---- environments ----

const WORKER = path.join(__dirname, 'worker.js');

/** A separate environment with live connections; resolves when they are open, with what it says. */
async function environment(url, mode, peer) {
  const library = path.resolve(NET_WEBSOCKET_LIB);
  const worker = new Worker(WORKER, { workerData: { url, hang: `${WS_URL}/hang`, mode, library, peer } });
  // Requested now, because a short-lived environment can end in the turn that delivers its message.
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const said = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, said, exited };
}

function peerOfTheNdk() {
  const module = { exports: {} };
  process.dlopen(module, path.resolve(NET_WEBSOCKET_NDK_PEER));
  return module.exports;
}

test('environments that end close their connections, and NDK clients of the process stay open', async (context) => {
  const ndk = peerOfTheNdk();
  assert.strictEqual(ndk.start(path.resolve(NET_WEBSOCKET_LIB), WS_URL), true);
  await until(() => ndk.counts()[0] === 1);
  const socket = new Recorder(context);
  await socket.open(WS_URL);

  const ended = [];
  const server = await listen((connection) => connection.closed.then((code) => ended.push(code)));
  context.cleanup(server.close);
  const rounds = 10;
  for (let round = 0; round < rounds; round += 1) {
    const { worker } = await environment(server.url, ['idle', 'flooded', 'connecting', 'reading'][round % 4]);
    await worker.terminate();
    assert.strictEqual(ndk.send(), true);
    await socket.ws.send(`round ${round}`);
    assert.strictEqual(await socket.message(), `round ${round}`);
  }
  // Three connections in each environment.
  await until(() => ended.length === 3 * rounds);
  await until(() => ndk.counts()[1] === rounds);
  assert.deepStrictEqual(ndk.counts(), [1, rounds, 0, 0]);
  assert.strictEqual(ndk.stop(), true);
  await socket.shut();
});

test('environments that end by themselves close their connections with a close frame', async (context) => {
  const ended = [];
  const server = await listen((connection) => connection.closed.then((code) => ended.push(code)));
  context.cleanup(server.close);
  for (let round = 0; round < 3; round += 1) {
    const { exited } = await environment(server.url, 'closing');
    await exited;
  }
  await until(() => ended.length === 9);
  assert.deepStrictEqual(ended, Array(9).fill(1000));
});

test('an environment at the address of one that has ended is another one', async (context) => {
  let open = 0;
  const server = await listen((connection) => {
    open += 1;
    connection.closed.then(() => (open -= 1));
  });
  context.cleanup(server.close);
  const seen = new Set();
  let reused = 0;
  // On a busy machine an emulated engine takes longer for 200 environments than a test may.
  const enough = Date.now() + ENVIRONMENTS_FOR_MS;
  let round = 0;
  for (; round < 200 && reused < 3 && Date.now() < enough; round += 1) {
    const { worker, said } = await environment(server.url, 'reading', path.resolve(NET_WEBSOCKET_NDK_PEER));
    if (seen.has(said)) reused += 1;
    seen.add(said);
    await worker.terminate();
  }
  if (reused === 0) console.log(`skip: this engine gave no address twice in ${round} environments`);
  await until(() => open === 0);
});
