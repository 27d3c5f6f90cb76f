'use strict';

// A page in headless Chromium is the client of a server by createWebSocketServer. This program has both: it serves the page, starts
// the browser, does what the page asks of the server and checks what the server sees.
//
//   node chromium.js BROWSER     prints a line for each check, then `N passed, N failed`

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const TEXT = 'compresses well, 世界 🌍; '.repeat(4_000);
const REFUSED_PATH = '/refused';

const library = { exports: {} };
process.dlopen(library, path.resolve(process.env.NET_WEBSOCKET_LIB));

/** Runs in the page. `ask` has the program do something with its server and resolves with what that gives. */
async function page(config) {
  const { url, deflate, text, refusedPath } = config;
  const tell = (name, wrong) => ask('check', { name, wrong });
  const ask = async (what, argument) => (await fetch(`/${what}`, { method: 'POST', body: JSON.stringify(argument ?? null) })).json();
  const check = async (name, body) => {
    let wrong;
    try { wrong = await body(); } catch (error) { wrong = String(error); }
    await tell(name, wrong ?? null);
  };
  const same = (seen, wanted) => (JSON.stringify(seen) === JSON.stringify(wanted)
    ? undefined : `${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`.slice(0, 500));
  const opened = (suffix = '') => new Promise((resolve, reject) => {
    const socket = new WebSocket(url + suffix, ['other', 'chat']);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => resolve(socket);
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
  });
  const answered = (socket, data) => new Promise((resolve, reject) => {
    socket.onmessage = ({ data: answer }) => resolve(answer);
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    socket.send(data);
  });
  const closed = (socket, close) => new Promise((resolve) => {
    socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
    close();
  });
  const kind = deflate ? 'with permessage-deflate' : 'plain';

  let socket;
  await check(`${kind}: opens, with the sub-protocol and the extension that the server agrees to`, async () => {
    socket = await opened('/path?query');
    return same([socket.protocol, socket.extensions], ['chat', deflate ? 'permessage-deflate' : '']);
  });
  await check(`${kind}: the server has the page's target and origin`, async () => same(
    await ask('request'), { target: '/path?query', origin: location.origin, offers: true }));
  await check(`${kind}: echoes text of many lengths`, async () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 100_000]) {
      const sent = text.slice(0, length);
      const seen = await answered(socket, sent);
      if (seen !== sent) return `a text of ${sent.length} characters came back with ${seen.length}`;
    }
  });
  await check(`${kind}: echoes bytes of many lengths, from ArrayBuffer, view and Blob`, async () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + (i >> 8)) & 0xff);
      for (const sent of [bytes.buffer, bytes, new Blob([bytes])]) {
        const seen = new Uint8Array(await answered(socket, sent));
        if (seen.length !== length || seen.some((byte, i) => byte !== bytes[i])) return `${length} bytes did not come back`;
      }
    }
  });
  await check(`${kind}: the text takes ${deflate ? 'less than a tenth of its bytes' : 'at least its bytes'} on the wire, both ways`, async () => {
    const before = await ask('stats');
    await answered(socket, text);
    const after = await ask('stats');
    const length = new TextEncoder().encode(text).length;
    for (const name of ['bytesReceived', 'bytesSent']) {
      const took = after[name] - before[name];
      if (deflate ? took > length / 10 : took < length) return `${name}: ${took} of ${length}`;
    }
  });
  await check(`${kind}: closes with the page's code and reason`, async () => {
    const seen = await closed(socket, () => socket.close(3000, 'done 世界'));
    return same([seen, await ask('closed')], [
      // The answer repeats the code alone (RFC 6455 section 5.5.1).
      { code: 3000, reason: '', wasClean: true }, { code: 3000, reason: 'done 世界', closeReason: 'done 世界' }]);
  });
  await check(`${kind}: a page that closes without a code ends its connection alone`, async () => {
    const stays = await opened();
    const goes = await opened();
    const seen = await closed(goes, () => goes.close());
    const told = await ask('closed');
    const answer = await answered(stays, 'still there');
    await closed(stays, () => stays.close(1000));
    await ask('closed');
    // As on the platform, 1000 stands for no code.
    return same([seen.code, seen.wasClean, told.code, answer], [1005, true, 1000, 'still there']);
  });
  await check(`${kind}: closes with the server's code and reason`, async () => {
    socket = await opened();
    const seen = await closed(socket, () => ask('close', { code: 4001, reason: 'as you wish' }));
    await ask('closed');
    return same(seen, { code: 4001, reason: 'as you wish', wasClean: true });
  });
  await check(`${kind}: a request that a listener refuses opens nothing`, async () => {
    const refused = await opened(refusedPath).then(() => 'open', ({ message }) => message);
    return same(refused, 'closed with 1006');
  });
  await check(`${kind}: a stop closes with 1001`, async () => {
    socket = await opened();
    const seen = await closed(socket, () => ask('stop'));
    return same([seen.code, seen.wasClean], [1001, true]);
  });
  await ask('done');
}

/** Runs the page against a server, and resolves with the checks. */
async function run(browser, deflate) {
  const server = library.exports.createWebSocketServer();
  const checks = [];
  const closes = [];
  let request;
  let connection;
  let closeAwaited;
  let done;
  const ended = new Promise((resolve, reject) => { done = { resolve, reject }; });
  server.on('request', (asked) => {
    if (asked.target === REFUSED_PATH) return asked.refuse(403);
    const { target, header } = asked;
    request = { target, origin: header.origin, offers: header['sec-websocket-extensions'].includes('permessage-deflate') };
    asked.accept();
  });
  server.on('connect', (connected) => { connection = connected; });
  server.on('messageReceive', ({ data, clientConnection }) => server.send(data, clientConnection));
  server.on('close', (_, { code, reason, closeReason }) => {
    closes.push({ code, reason, closeReason });
    closeAwaited?.();
  });
  await server.start({ serverIP: '127.0.0.1', serverPort: 0, protocol: 'chat', perMessageDeflate: deflate });
  const url = `ws://127.0.0.1:${server.stats().serverPort}`;

  const answers = {
    check: ({ name, wrong }) => {
      checks.push({ name, wrong });
      console.log(wrong === null ? `passed ${name}` : `FAILED ${name}: ${wrong}`);
    },
    request: () => request,
    stats: () => server.stats(connection),
    close: (options) => server.close(connection, options),
    closed: async () => {
      while (closes.length === 0) await new Promise((resolve) => { closeAwaited = resolve; });
      return closes.shift();
    },
    stop: () => { server.stop(); },
    done: () => done.resolve(),
  };
  const config = JSON.stringify({ url, deflate, text: TEXT, refusedPath: REFUSED_PATH });
  const web = http.createServer(async (asked, answer) => {
    const what = asked.url.slice(1);
    if (what === '') {
      answer.setHeader('Content-Type', 'text/html; charset=utf-8');
      return answer.end(`<!doctype html><title>page</title><script>(${page})(${config})</script>`);
    }
    if (!Object.hasOwn(answers, what)) return answer.writeHead(404).end();
    let body = '';
    for await (const piece of asked) body += piece;
    const given = await answers[what](JSON.parse(body));
    answer.setHeader('Content-Type', 'application/json');
    answer.end(JSON.stringify(given ?? null));
  });
  await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));

  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'chromium-'));
  const child = spawn(browser, [
    // Its sandbox takes no root. It loads nothing but the page.
    '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`, '--remote-debugging-port=0',
    `http://127.0.0.1:${web.address().port}/`,
  ], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  const gone = new Promise((resolve) => child.once('close', resolve));
  child.once('error', done.reject);
  child.once('close', (status) => done.reject(new Error(`the browser ended with ${status}: ${said.slice(-500)}`)));
  try {
    await ended;
  } finally {
    // Debian's command is a script that waits for the browser, so the signal is for both.
    if (child.exitCode === null) process.kill(-child.pid);
    await gone;
    web.close();
    web.closeAllConnections();
    await server.stop().catch(() => {});
    fs.rmSync(profile, { recursive: true, force: true });
  }
  return checks;
}

async function main(browser) {
  const checks = [];
  for (const deflate of [false, true]) checks.push(...await run(browser, deflate));
  const failed = checks.filter(({ wrong }) => wrong !== null).length;
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
