// Runs each exported function and class of the examples of docs/arkts, and of the .ets files of examples/ that are not pages.
// One without a test here is a failure.

import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { NET_WEBSOCKET_LIB, OHOS_TYPESCRIPT, WS_URL } = process.env;
const FOLDER = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../docs/arkts');
const PROGRAMS = path.resolve(FOLDER, '../../examples');
const require = createRequire(import.meta.url);
const ts = require(path.resolve(OHOS_TYPESCRIPT));
const { unusedPort } = require('../js/server.js');
const native = { exports: {} };
process.dlopen(native, path.resolve(NET_WEBSOCKET_LIB));
const library = native.exports;

// What the examples name in the world is on this machine.
const PLACES = [['wss://example.org/feed', WS_URL], ['proxy.example', '127.0.0.1']];
const COMPILER_OPTIONS = { target: ts.ScriptTarget.ES2021, module: ts.ModuleKind.CommonJS };

/** Adds to `exported` what the source exports, by name. */
function run(example, exported) {
  const source = PLACES.reduce((before, [from, to]) => before.replaceAll(from, to), example);
  const { outputText } = ts.transpileModule(source, { compilerOptions: COMPILER_OPTIONS });
  const resolve = (name) => (name === 'libnet_websocket.so' ? { __esModule: true, default: library } : {});
  new Function('exports', 'require', outputText)(exported, resolve);
}

/** What the examples of a page export, or what a program does. */
function examplesOf(file) {
  const text = fs.readFileSync(file, 'utf8');
  const exported = {};
  const examples = file.endsWith('.md') ? [...text.matchAll(/^```ts\n(import [^]*?)^```$/gm)].map((match) => match[1]) : [text];
  for (const example of examples) run(example, exported);
  return exported;
}

/** The pages, and the programs but those with a user interface, which Node has not. */
function files() {
  const pages = fs.readdirSync(FOLDER).map((name) => path.join(FOLDER, name));
  const programs = fs.readdirSync(PROGRAMS).filter((name) => name.endsWith('.ets')).map((name) => path.join(PROGRAMS, name))
    .filter((file) => !/^@Component$/m.test(fs.readFileSync(file, 'utf8')));
  assert(programs.length > 0, `${PROGRAMS} has no programs`);
  return [...pages, ...programs];
}

const event = (socket, type) => new Promise((resolve) => socket.on(type, (...args) => resolve(args)));

async function opened(url = WS_URL) {
  const socket = library.createWebSocket();
  const open = event(socket, 'open');
  await socket.connect(url);
  await open;
  return socket;
}

async function close(socket) {
  const closed = event(socket, 'close');
  await socket.close();
  await closed;
}

/** By the name of what is exported. */
const TESTS = {
  async exchange(exchange) {
    assert.strictEqual(await exchange(WS_URL), 'hello');
    assert.match(await exchange('ws://127.0.0.1:1/'), /^2302999 TCP connect/);
  },
  async greet(greet) {
    assert.strictEqual(await greet(`${WS_URL}/protocol`), 'hello');
    await assert.rejects(greet('ws://127.0.0.1:1/'), /no connection/);
  },
  async listen(listen) {
    const socket = listen(WS_URL);
    await event(socket, 'open');
    await close(socket);
  },
  async serve(serve) {
    const port = await unusedPort();
    const server = await serve(port);
    const socket = await opened(`ws://127.0.0.1:${port}/`);
    const echo = socket.next();
    await socket.send('hello');
    assert.strictEqual((await echo).value, 'hello');
    await close(socket);
    await server.stop();
  },
  async guard(guard) {
    const server = library.createWebSocketServer();
    guard(server, 'https://page.example');
    await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
    const url = `ws://127.0.0.1:${server.stats().serverPort}/`;
    const socket = library.createWebSocket();
    await socket.connect(url);
    assert.strictEqual((await event(socket, 'error'))[0].response.body, 'not from here');
    const open = event(socket, 'open');
    await socket.connect(url, { header: { Origin: 'https://page.example' } });
    await open;
    await close(socket);
    await server.stop();
  },
  async negotiate(negotiate) {
    const server = library.createWebSocketServer();
    negotiate(server);
    await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
    const url = `ws://127.0.0.1:${server.stats().serverPort}/`;
    const socket = library.createWebSocket();
    await socket.connect(url, { protocol: 'chat' });
    assert.strictEqual((await event(socket, 'error'))[0].response.body, 'chat.v2 or chat.v1 is needed');
    const open = event(socket, 'open');
    await socket.connect(url, { protocol: 'chat.v1, chat.v2' });
    await open;
    assert.strictEqual(socket.protocol, 'chat.v2');
    await close(socket);
    await server.stop();
  },
  async watch(watch) {
    const socket = library.createWebSocket();
    const again = new Promise((resolve) => watch(socket, resolve));
    await socket.connect(`${WS_URL}/drop`);
    socket.send('x').catch(() => {});
    await again;
  },
  async upload(upload) {
    const socket = await opened(`${WS_URL}/opcode`);
    const answer = socket.next();
    await upload(socket, [new ArrayBuffer(10)]);
    assert.strictEqual((await answer).value, 'binary 10');
    await close(socket);
  },
  async sendFile(sendFile) {
    const size = 600_000;
    const seen = [];
    const socket = await opened(`${WS_URL}/opcode`);
    const answer = socket.next();
    await sendFile(socket, size, async (offset, length) => new ArrayBuffer(length), (sent) => seen.push(sent));
    assert.strictEqual((await answer).value, `binary ${size}`);
    assert.deepStrictEqual(seen, [262144, 524288, size]);
    await close(socket);
  },
  async main(main) {
    const lines = [];
    const { info } = console;
    console.info = (line) => lines.push(line);
    await main(WS_URL).finally(() => { console.info = info; });
    assert.match(lines.join(), /^2 (of|\/) 2$/);
  },
  async uploadAsOne(uploadAsOne) {
    const socket = await opened(`${WS_URL}/opcode`);
    const answer = socket.next();
    await uploadAsOne(socket, [new ArrayBuffer(10), new ArrayBuffer(20)]);
    assert.strictEqual((await answer).value, 'binary 30');
    await close(socket);
  },
  async download(download) {
    let bytes = 0;
    const socket = await download(`${WS_URL}/large/1000000`, (data) => (bytes += data.byteLength));
    await event(socket, 'close');
    assert.strictEqual(bytes, 1_000_000);
  },
  async count(count) {
    const socket = library.createWebSocket();
    await socket.connect(`${WS_URL}/close/1000/done`);
    assert.strictEqual(await count(socket), 0);
  },
  async subscribe(subscribe) {
    const socket = subscribe('token');
    await event(socket, 'open');
    await close(socket);
  },
  async explain(explain) {
    const socket = library.createWebSocket();
    await socket.connect(`${WS_URL}/status/503`);
    const [error] = await event(socket, 'error');
    assert.match(explain(error), /^503/);
    assert.strictEqual(explain({ code: 5, message: 'text' }), '5 text');
    assert.match(explain({ response: { header: { 'retry-after': '7' } } }), /7/);
  },
  async connectToFactory(connectToFactory) {
    const socket = library.createWebSocket();
    await assert.rejects(connectToFactory(socket, '/nowhere', 'secret'), { code: 2302002, message: /\/nowhere\/factory-ca\.pem/ });
  },
  async connectByProxy(connectByProxy) {
    const socket = library.createWebSocket();
    const error = event(socket, 'error');
    await connectByProxy(socket, 'name', 'secret');
    assert.match((await error)[0].message, /127\.0\.0\.1:1080/);
  },
  async connectWithin(connectWithin) {
    const socket = library.createWebSocket();
    const error = event(socket, 'error');
    await connectWithin(socket, `${WS_URL}/hang`, 20);
    assert.match((await error)[0].message, /abandoned/);
    await connectWithin(socket, WS_URL, 60_000);
    await socket.send('x');
    await close(socket);
  },
  async stayConnected(stayConnected) {
    let tokens = 0;
    const socket = await stayConnected(`${WS_URL}/close/1012/restart`, async () => `token ${++tokens}`);
    await event(socket, 'reconnected');
    // One for the first attempt, which has no `prepare`, and one for each retry.
    assert.ok(tokens >= 2, `${tokens} tokens`);
    await close(socket);
  },
  async describe(describe) {
    const socket = await opened();
    assert.match(await describe(socket), /^\d+ ms/);
    await close(socket);
  },
  async traceFrames(traceFrames) {
    const socket = await opened();
    const lines = [];
    traceFrames(socket, (line) => lines.push(line));
    await socket.send('hello');
    assert.match(lines[0], /^sent opcode 1 FIN masked\W+5 /);
    await close(socket);
  },
  async connectInChain(connectInChain) {
    const socket = library.createWebSocket();
    await connectInChain(socket, WS_URL, 0xa92ab1d3f2en);
    await socket.send('x');
    await close(socket);
  },
  async chatter(chatter) {
    chatter(true);
    library.setLogLevel('off');
  },
  async Feed(Feed) {
    const feed = new Feed();
    const shown = new Promise((resolve) => feed.open(WS_URL, resolve));
    await feed.socket.send('text');
    assert.strictEqual(await shown, 'text');
    const closed = event(feed.socket, 'close');
    feed.close();
    assert.strictEqual((await closed)[1].code, 1001);
  },
  async relay(relay) {
    let socket;
    const posted = new Promise((resolve) => (socket = relay(WS_URL, resolve)));
    await socket.send(new ArrayBuffer(3));
    assert.strictEqual((await posted).byteLength, 3);
    await close(socket);
  },
  async Chat(Chat) {
    const server = library.createWebSocketServer();
    const requests = [];
    server.on('request', (request) => {
      requests.push(request.header.authorization);
      request.accept();
    });
    server.on('messageReceive', ({ data, clientConnection }) => {
      if (data === 'leave') server.close(clientConnection, { code: 1012, reason: 'restart' });
      else server.send(data, clientConnection);
    });
    await server.start({ serverIP: '127.0.0.1', serverPort: 0 });
    let waiting = () => {};
    const log = [];
    const note = (line) => {
      log.push(line);
      waiting();
    };
    /** Waits for such a line behind those that came before. */
    const heard = async (pattern) => {
      for (;;) {
        while (log.length > 0) if (pattern.test(log.shift())) return;
        await new Promise((resolve) => (waiting = resolve));
      }
    };
    let tokens = 0;
    const chat = new Chat((text) => note(`< ${text}`), note, async () => `token ${++tokens}`);
    await chat.enter(`ws://127.0.0.1:${server.stats().serverPort}/`);
    await heard(/^connected$/);
    await chat.say('hello');
    await heard(/^< hello$/);
    await chat.say('leave');
    await heard(/^lost, attempt 1 in \d+ ms$/);
    await heard(/^connected$/);
    assert.deepStrictEqual(requests, ['token 1', 'token 2']);
    chat.leave();
    await heard(/^closed: 1000$/);
    await server.stop();
    // Who cannot get a token does not get in.
    const shut = new Chat(() => {}, note, async () => { throw new Error('no token'); });
    await assert.rejects(shut.enter(WS_URL), /no token/);
  },
  async Server(Server) {
    const server = new Server('the token');
    const url = `ws://127.0.0.1:${await server.start(0)}/`;
    const stranger = library.createWebSocket();
    await stranger.connect(url);
    assert.strictEqual((await event(stranger, 'error'))[0].response.body, 'no token');
    const members = [];
    for (let count = 0; count < 2; count += 1) {
      const member = library.createWebSocket();
      const open = event(member, 'open');
      await member.connect(url, { header: { Authorization: 'the token' } });
      await open;
      members.push(member);
    }
    const [first, second] = members.map((member) => member.next());
    await members[0].send('hello, all');
    assert.strictEqual((await first).value, 'hello, all');
    assert.strictEqual((await second).value, 'hello, all');
    const closed = members.map((member) => event(member, 'close'));
    await server.stop();
    await Promise.all(closed);
  },
  async isThisLibrary(isThisLibrary) {
    assert.strictEqual(isThisLibrary(), true);
  },
  async isOpen(isOpen) {
    const socket = await opened();
    assert.strictEqual(isOpen(socket), true);
    await close(socket);
    assert.strictEqual(isOpen(socket), false);
  },
};

library.setLogLevel('off');
// What the examples print is for their readers.
const say = console.log;
for (const level of ['info', 'error']) console[level] = () => {};
let [passed, failed, current] = [0, 0, ''];
const fail = (error) => {
  failed += 1;
  say(`FAILED ${current}: ${error?.stack ?? error}`);
};
process.on('unhandledRejection', fail);

for (const file of files()) {
  for (const [name, example] of Object.entries(examplesOf(file))) {
    current = `${path.basename(file)} ${name}`;
    const before = failed;
    try {
      assert(TESTS[name], 'there is no test of it');
      await TESTS[name](example);
      // An unhandled rejection is reported in the next turn.
      await new Promise(setImmediate);
    } catch (error) {
      fail(error);
    }
    if (failed === before) passed += 1;
  }
}
say(`documentation: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
