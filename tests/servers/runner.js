'use strict';

// Starts the servers, asks each of them all points, and compares what was seen with expected.json.
//
//   node runner.js [--all] [--record] [--report FILE] [--ohos bun-x86_64|bun-arm64] [NAME...]
//
// With --ohos it is the library for OpenHarmony that asks, over TLS, those servers that have it; it must see what the library of
// this machine sees without TLS. NWS_C_CLIENT is client.c as a program.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawn } = require('node:child_process');

const { load } = require('../js/load.js');
const { SERVERS } = require('./catalog.js');
const { Subject, IDLE_MS } = require('./subject.js');

const EXPECTED = path.join(__dirname, 'expected.json');
/** How long the client's process is stopped. Ping and pong of the defaults take 40 s and more. */
const SLEEP_MS = 62_000;
const STARTING_AT_ONCE = 4;
const ASKED_AT_ONCE = 4;
const QUICK = ['origin', 'echoes', 'compressed', 'pieces', 'our close', 'their close', 'sub-protocol', 'unknown sub-protocol', 'refusals', 'limit'];

function arguments_() {
  const chosen = { all: false, record: false, report: undefined, ohos: undefined, names: [] };
  const rest = process.argv.slice(2);
  while (rest.length > 0) {
    const argument = rest.shift();
    if (argument === '--all') chosen.all = true;
    else if (argument === '--record') chosen.record = true;
    else if (argument === '--report') chosen.report = rest.shift();
    else if (argument === '--ohos') chosen.ohos = rest.shift();
    else chosen.names.push(argument);
  }
  return chosen;
}

/** Runs `action` for each, so many at a time. */
async function pool(items, width, action) {
  const queue = [...items];
  await Promise.all(Array.from({ length: width }, async () => {
    while (queue.length > 0) await action(queue.shift());
  }));
}

/** The client's process is stopped; what it finds when it goes on is a point of each server. */
function sleep(subjects) {
  const child = spawn(process.execPath, [path.join(__dirname, 'sleeper.js')], { stdio: ['pipe', 'pipe', 'inherit'], env: process.env });
  child.stdin.end(JSON.stringify(subjects.map(({ entry, url, target }) => ({ name: entry.name, url: url + target.path, options: target.options }))));
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      if (output === '') {
        child.kill('SIGSTOP');
        setTimeout(() => child.kill('SIGCONT'), SLEEP_MS);
      }
      output += data;
    });
    child.once('exit', (status) => {
      if (status !== 0) return reject(new Error(`sleeper.js ended with ${status}`));
      const result = JSON.parse(output.split('\n')[1]);
      for (const { entry, seen } of subjects) seen['after sleep'] = result[entry.name];
      return resolve();
    });
  });
}

/** Whether a point came out as it does now and then. */
const isSometimes = (entry, point, seen) => entry.sometimes?.[point] !== undefined && entry.sometimes[point] === seen[point];

/** `partly`: not all points were asked. */
function compare(subjects, expected, partly) {
  let passed = 0;
  let failed = 0;
  const wrong = (name, text) => {
    failed += 1;
    console.log(`FAIL  ${name}: ${text}`);
  };
  for (const { entry, seen, faults } of subjects) {
    for (const fault of faults) wrong(entry.name, fault);
    const known = expected[entry.name] ?? {};
    for (const point of new Set([...(partly ? [] : Object.keys(known)), ...Object.keys(seen)])) {
      if (point === 'version') {
        // Debian's versions move with its security updates; those of the others are pinned.
        if (known.version !== seen.version) console.log(`      ${entry.name}: version ${seen.version}, expected.json has ${known.version}`);
      } else if (known[point] === seen[point] || (known[point] && isSometimes(entry, point, seen))) {
        passed += 1;
      } else {
        wrong(entry.name, `${point}: expected ${JSON.stringify(known[point])}, saw ${JSON.stringify(seen[point])}`);
      }
    }
  }
  return { passed, failed };
}

/** An authority, and a certificate of its for 127.0.0.1, in `folder`. */
function certificates(folder) {
  const file = (name) => path.join(folder, name);
  const make = (name, subject, extra) => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-days', '2', '-subj', subject, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), ...extra], { stdio: 'ignore' });
  make('authority', '/CN=tests of servers', []);
  make('server', '/CN=127.0.0.1', ['-CA', file('authority.pem'), '-CAkey', file('authority.key'), '-addext', 'subjectAltName=IP:127.0.0.1',
    '-addext', 'basicConstraints=critical,CA:FALSE']);
  fs.writeFileSync(file('both.pem'), fs.readFileSync(file('server.pem'), 'utf8') + fs.readFileSync(file('server.key'), 'utf8'));
  return { certificate: file('server.pem'), key: file('server.key'), pem: file('both.pem'), authority: file('authority.pem') };
}

/** Starts the servers; those that do not start have that as a fault. */
async function start(subjects) {
  await pool(subjects, STARTING_AT_ONCE, (subject) => subject.start().catch((error) => subject.faults.push(`start: ${error.message}`)));
  return subjects.filter(({ faults }) => faults.length === 0);
}

/** All points, in Node. */
async function askAll(all) {
  const started = performance.now();
  const lap = (what) => console.log(`      ${what} after ${Math.round((performance.now() - started) / 1000)} s`);
  const subjects = await start(all);
  lap('all started');

  const watches = subjects.flatMap((subject) => [subject.watch('idle without our pings', { pingInterval: 0 }), subject.watch('idle', {})]);
  const window = new Promise((resolve) => { setTimeout(resolve, IDLE_MS); });
  const asleep = sleep(subjects);
  await pool(subjects, ASKED_AT_ONCE, async (subject) => {
    for (const point of QUICK) await subject.ask(point);
    if (subject.entry.c && process.env.NWS_C_CLIENT) await subject.askThroughC([process.env.NWS_C_CLIENT]);
  });
  lap('all asked');
  await window;
  for (const conclude of watches) await conclude();
  await asleep;
  lap('all idle and sleeping ones over');
  await pool(subjects, ASKED_AT_ONCE, async (subject) => {
    await subject.raise();
    await subject.restart().catch((error) => subject.faults.push(`restart: ${error.message}`));
    if (subject.backend) await subject.loseBackend().catch((error) => subject.faults.push(`backend: ${error.message}`));
  });
  lap('all ended and started again');
}

/** Those of the points that far.js asks, and the C program's tests, by the library for OpenHarmony. */
async function askFar(all, engine) {
  const subjects = await start(all);
  const script = path.join(__dirname, 'run_ohos.sh');
  const targets = subjects.map((subject) => {
    const { library: _, ...target } = subject.target;
    return { name: subject.entry.name, points: QUICK.filter((point) => subject.has(point)), ...target };
  });
  // The library's log, of which refusals are a part, goes to the standard error.
  const stdio = ['pipe', 'pipe', 'ignore'];
  const output = execFileSync('bash', [script, 'js', engine], { input: JSON.stringify(targets), maxBuffer: 2 ** 26, stdio }).toString();
  const seen = JSON.parse(output.trim().split('\n').at(-1));
  for (const subject of subjects) Object.assign(subject.seen, seen[subject.entry.name]);
  const arch = engine === 'bun-arm64' ? 'arm64-v8a' : 'x86_64';
  for (const subject of subjects.filter(({ entry }) => entry.c)) await subject.askThroughC(['bash', script, 'c', arch]);
}

async function main() {
  const chosen = arguments_();
  const known = new Set(SERVERS.map(({ name }) => name));
  const unknown = chosen.names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`unknown server '${unknown[0]}'; known are ${[...known].join('; ')}`);
  const entries = SERVERS.filter(({ name, long, tls }) =>
    (chosen.names.length > 0 ? chosen.names.includes(name) : chosen.all || !long) && (!chosen.ohos || tls));
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'net_websocket-servers-'));
  process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));

  const tls = chosen.ohos && certificates(work);
  const all = entries.map((entry) => new Subject(entry, chosen.ohos ? undefined : load(), work, tls));
  if (chosen.ohos) await askFar(all, chosen.ohos);
  else await askAll(all);

  const expected = JSON.parse(fs.readFileSync(EXPECTED, 'utf8'));
  const seen = Object.fromEntries(all.map(({ entry, seen: points }) => [entry.name, points]));
  if (chosen.report) fs.writeFileSync(chosen.report, `${JSON.stringify(seen, undefined, 2)}\n`);
  if (chosen.record) {
    for (const { entry } of all) {
      const usual = expected[entry.name];
      for (const point of Object.keys(entry.sometimes ?? {})) {
        if (usual?.[point] && isSometimes(entry, point, seen[entry.name])) seen[entry.name][point] = usual[point];
      }
    }
    const merged = { ...expected, ...seen };
    const ordered = Object.fromEntries(SERVERS.filter(({ name }) => merged[name]).map(({ name }) => [name, merged[name]]));
    fs.writeFileSync(EXPECTED, `${JSON.stringify(ordered, undefined, 2)}\n`);
  }
  const { passed, failed } = compare(all, expected, Boolean(chosen.ohos));
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

main().catch((error) => {
  console.error(`FAIL  ${error.stack}`);
  process.exit(1);
});
