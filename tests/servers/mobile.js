'use strict';

// mobile.sh runs it in the phone's namespace: the library here, a server on npm's ws in the far one. All that crosses the interface
// is theirs, so its counters are what a carrier would count.

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const FEED = 200;
const IDLE_MS = 100_000;
const FAR = '10.202.0.2';
const PORT = 9443;
/** Packets less than this apart are one wake of the radio. */
const BURST_MS = 1_000;

/** Bytes and packets of both directions: /proc/net is that of the process's own namespace, as /sys may not be. */
function counters() {
  const line = fs.readFileSync('/proc/self/net/dev', 'utf8').split('\n').find((each) => each.trim().startsWith('phone:'));
  const numbers = line.split(':')[1].trim().split(/\s+/).map(Number);
  return { bytes: numbers[0] + numbers[8], packets: numbers[1] + numbers[9] };
}

/** A message of a price feed, about 600 bytes: the same fields, different numbers. */
function prices(index) {
  const quotes = Array.from({ length: 8 }, (_, at) => {
    const seed = (index * 7919 + at * 104_729) % 100_003;
    return { symbol: `SYM${at}`, bid: (100 + seed / 997).toFixed(4), ask: (100 + seed / 991).toFixed(4), time: 1_767_225_600_000 + index * 250 + at };
  });
  return JSON.stringify({ type: 'quotes', sequence: index, quotes });
}

function serve() {
  const https = require('node:https');
  const { WebSocketServer } = require('ws');
  const [certificate, key] = process.argv.slice(3);
  const server = https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) });
  const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0 } });
  sockets.on('connection', (socket) => socket.on('message', (data) => {
    if (String(data) !== 'feed') return socket.send(data, { binary: false });
    for (let index = 0; index < FEED; index += 1) socket.send(prices(index));
  }));
  server.listen(PORT, FAR, () => console.log('READY'));
  process.stdin.resume().on('end', () => process.exit());
}

function certificates(folder) {
  const file = (name) => path.join(folder, name);
  const make = (name, extra) => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), ...extra], { stdio: 'ignore' });
  make('authority', []);
  make('server', ['-CA', file('authority.pem'), '-CAkey', file('authority.key'), '-addext', `subjectAltName=IP:${FAR}`,
    '-addext', 'basicConstraints=critical,CA:FALSE']);
  return { certificate: file('server.pem'), key: file('server.key'), authority: file('authority.pem') };
}

/** The events of a connection, one at a time. */
function connect(library, options) {
  const socket = library.createWebSocket();
  const messages = [];
  let wake = () => {};
  socket.on('message', (_, data) => { messages.push(data); wake(); });
  socket.on('error', (error) => { throw new Error(error.message); });
  const open = new Promise((resolve) => socket.on('open', resolve));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.connect(`wss://${FAR}:${PORT}/`, options);
  const received = async (count) => {
    while (messages.length < count) await new Promise((resolve) => { wake = resolve; });
  };
  return { socket, open, closed, received };
}

async function measure(library, options) {
  const row = {};
  const began = performance.now();
  const bytes = () => counters().bytes;
  let before = bytes();
  const { socket, open, closed, received } = connect(library, { ...options, pingInterval: 0 });
  await open;
  row.open = performance.now() - began;
  socket.send(prices(0));
  await received(1);
  row.first = performance.now() - began;
  row.firstBytes = bytes() - before;
  before = bytes();
  const asked = performance.now();
  socket.send('feed');
  await received(1 + FEED);
  row.feed = performance.now() - asked;
  row.feedBytes = bytes() - before;
  socket.close();
  await closed;
  return row;
}

/** Wakes of the radio in an hour without messages, from those of `IDLE_MS`. */
async function idle(library, options) {
  const { socket, open, closed } = connect(library, options);
  await open;
  let bursts = 0;
  let packets = counters().packets;
  let last = performance.now();
  const ends = performance.now() + IDLE_MS;
  const before = counters().bytes;
  while (performance.now() < ends) {
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    const now = counters().packets;
    if (now === packets) continue;
    packets = now;
    if (performance.now() - last > BURST_MS) bursts += 1;
    last = performance.now();
  }
  const hour = 3_600_000 / IDLE_MS;
  const row = { wakes: bursts * hour, bytes: (counters().bytes - before) * hour };
  socket.close();
  await closed;
  return row;
}

async function main() {
  const { load } = require('../js/load.js');
  const library = load();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'net_websocket-mobile-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const { certificate, key, authority } = certificates(folder);
  const server = spawn('nsenter', ['--net', '--target', process.argv[2], process.execPath, __filename, 'serve', certificate, key],
    { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((resolve) => { server.stdout.once('data', resolve); });

  const options = { caPath: authority };
  const on = await measure(library, options);
  const off = await measure(library, { ...options, perMessageDeflate: false });
  const show = (name, row) => console.log(`${name}: open ${row.open.toFixed(0)} ms, first message ${row.first.toFixed(0)} ms (${row.firstBytes} bytes); `
    + `${FEED} messages ${row.feed.toFixed(0)} ms (${row.feedBytes} bytes)`);
  console.log(`a message of the feed: ${prices(0).length} bytes`);
  show('compression on', on);
  show('compression off', off);
  const rests = [];
  for (const pingInterval of [25, 60, 0]) rests.push([pingInterval, await idle(library, { ...options, pingInterval })]);
  for (const [interval, { wakes, bytes }] of rests) console.log(`idle, pingInterval ${interval}: ${wakes} wakes an hour, ${bytes} bytes`);
  server.stdin.end();

  // What the documentation says of them.
  const claims = [
    ['compression halves the bytes of the feed at least', on.feedBytes * 2 < off.feedBytes],
    ['compression halves the time of the feed at least', on.feed * 2 < off.feed],
    ['the first message comes within 600 ms either way', on.first < 600 && off.first < 600],
    // 3 or 4 pings fall into the time, as its end lies.
    ['pings every 25 s wake the radio once each', rests[0][1].wakes >= 108 && rests[0][1].wakes <= 144],
    ['without pings an idle connection wakes nobody', rests[2][1].wakes === 0],
  ];
  for (const [claim, holds] of claims) console.log(`${holds ? 'ok   ' : 'FAIL '} ${claim}`);
  const failed = claims.filter(([, holds]) => !holds).length;
  console.log(`${claims.length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

if (process.argv[2] === 'serve') serve();
else main();
