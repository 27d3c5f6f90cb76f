'use strict';

// One server of the catalog: started, asked, ended. What was seen of it is in `seen`, what no server may bring about in `faults`.

const fs = require('node:fs');
const path = require('node:path');
const { execFile } = require('node:child_process');

const { ALL_REFUSALS, PEERS } = require('./catalog.js');
const { Connection, runPoint } = require('./points.js');
const { Server, freePort } = require('./processes.js');
const { environment, versionOf } = require('./installed.js');

/** How long an idle connection is watched: longer than a minute, which many servers have as a limit. */
const IDLE_MS = 70_000;
/** Of npm's ws behind a proxy. It has no 500: what its handler throws ends it. */
const BACKEND_REFUSALS = ['/403', '/404', '/401', '/302'];

/** Seconds, as far as they are the same in each run. */
const roughly = (ms) => `${Math.round(ms / 5_000) * 5} s`;

function pings(times) {
  if (times.length === 0) return 'no pings';
  return times.length === 1 ? `a ping after ${roughly(times[0])}` : `a ping every ${roughly((times.at(-1) - times[0]) / (times.length - 1))}`;
}

class Subject {
  /** `tls` has the certificate files for a server with TLS. */
  constructor(entry, library, work, tls) {
    this.entry = entry;
    this.library = library;
    this.tls = tls;
    this.folder = path.join(work, entry.name.replaceAll(/[^a-z]/gi, '-'));
    this.seen = { version: versionOf(entry.needs) };
    this.faults = [];
  }

  async start() {
    fs.mkdirSync(this.folder);
    const port = await freePort();
    const installed = environment();
    if (this.entry.backend) {
      const backend = await freePort();
      this.backend = new Server({ name: 'ws', command: ['node', path.join(PEERS, 'ws_app.js'), backend, 'quiet'], env: installed.env, folder: this.folder, port: backend });
      await this.backend.start();
    }
    const given = { port: String(port), backend: String(this.backend?.port), folder: this.folder, ...installed, ...this.tls };
    const command = this.tls ? this.entry.tls(given) : this.entry.start(given);
    this.server = new Server({ name: this.entry.name, command, env: installed.env, folder: this.folder, port });
    await this.server.start();
    this.url = `${this.tls ? 'wss' : 'ws'}://127.0.0.1:${port}`;
    const { path: where = '/', refusals = this.backend ? BACKEND_REFUSALS : ALL_REFUSALS, limit } = this.entry;
    // With the port in Origin: whether it is needed is a point of its own.
    const options = { supportOriginPort: true, protocol: this.entry.protocol, ...(this.tls && { caPath: this.tls.authority }) };
    this.target = { library: this.library, url: this.url, path: where, options, refusals, limit };
  }

  has(point) {
    if (point === 'compressed') return Boolean(this.entry.compressed || this.backend);
    if (point === 'raises' && this.backend) return false;
    if (point === 'limit') return Boolean(this.entry.limit);
    return !this.entry.without?.includes(point);
  }

  async ask(point) {
    if (!this.has(point)) return;
    try {
      Object.assign(this.seen, await runPoint(point, this.target));
    } catch (error) {
      this.faults.push(`${point}: ${error.stack}`);
    }
  }

  /** A connection without messages. */
  watch(name, options) {
    const connection = new Connection(this.library, this.url + this.target.path, { ...this.target.options, ...options });
    // Some servers send theirs the later the more comes from the client.
    const told = () => (options.pingInterval === 0 ? `, ${pings(connection.pings)}` : '');
    setTimeout(() => {
      const end = connection.events.find((event) => event.type === 'close' || event.type === 'error');
      const open = connection.events.find((event) => event.type === 'open')?.at ?? 0;
      this.seen[name] = end ? `after ${roughly(end.at - open)}: ${connection.words()}` : `open after ${IDLE_MS / 1000} s${told()}`;
    }, IDLE_MS);
    return () => connection.finish();
  }

  /** The C program's tests, with the command that runs it before the server's URL. */
  async askThroughC(command) {
    const output = await new Promise((resolve) => {
      const [file, ...rest] = [...command, `${this.url}/`, ...(this.tls ? [this.tls.authority] : [])];
      execFile(file, rest, (error, stdout, stderr) => resolve(stdout || stderr));
    });
    this.seen['through C'] = output.trim().split('\n').at(-1);
    if (!this.seen['through C'].endsWith(' 0 failed')) this.faults.push(`through C: ${output}`);
  }

  /** The server is stopped and started again under a reconnecting connection. */
  async restart() {
    if (this.server.child.ended) await this.server.start();
    const connection = new Connection(this.library, this.url + this.target.path,
      { ...this.target.options, reconnect: { delay: 100, maxDelay: 300, ignoreNetwork: true } });
    if (!(await connection.open())) throw new Error(connection.words());
    const ended = await this.server.stop();
    const first = await connection.when(({ type }) => type === 'reconnecting' || type === 'close');
    let words = first?.type === 'close' ? `${connection.words()}; stays offline` : 'nothing is told';
    if (first?.type === 'reconnecting') {
      words = `${first.value.code ?? 1006}, ${this.library.Cause[first.value.cause]}`;
      await this.server.start();
      words += (await connection.when(({ type }) => type === 'reconnected')) ? '; comes back' : '; does not come back';
    }
    this.seen['told to end'] = ended ? words : `waits for its connections; then ${words}`;
    await connection.finish();
  }

  /** The server behind a proxy ends, and starts again. */
  async loseBackend() {
    const connection = new Connection(this.library, this.url + this.target.path,
      { ...this.target.options, reconnect: { delay: 100, maxDelay: 300, ignoreNetwork: true } });
    if (!(await connection.open())) throw new Error(connection.words());
    this.backend.kill();
    await this.backend.gone;
    const first = await connection.when(({ type }) => type === 'reconnecting' || type === 'close');
    const refused = await connection.when((event) => event.type === 'close' || (event.type === 'reconnecting' && event !== first));
    let words = first?.type === 'reconnecting' ? `${first.value.code ?? 1006}, ${this.library.Cause[first.value.cause]}` : connection.words();
    const { status, cause } = refused?.value ?? {};
    words += `; then ${refused?.type !== 'reconnecting' ? connection.words() : status ? `HTTP ${status}` : this.library.Cause[cause]}`;
    await this.backend.start();
    const back = await connection.when(({ type }) => type === 'reconnected');
    this.seen['server behind it dies'] = `${words}; ${back ? 'comes back' : 'does not come back'}`;
    await connection.finish();
  }

  async raise() {
    await this.ask('raises');
    if (this.has('raises') && this.seen.raises !== 'stays open' && (await this.server.endsWithin(1_000))) this.seen.raises += '; its process ends';
  }
}

module.exports = { Subject, IDLE_MS };
