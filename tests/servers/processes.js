'use strict';

// Owns the servers' processes: free ports, starting, stopping. Knows no WebSocket.

const fs = require('node:fs');
const net = require('node:net');
const { spawn } = require('node:child_process');

const START_MS = 30_000;
const STOP_MS = 5_000;
const running = new Set();

/** A free port. Asked of the system for each server, and never twice in a run. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => (freePort.given.has(port) ? resolve(freePort()) : resolve((freePort.given.add(port), port))));
    });
  });
}
freePort.given = new Set();

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => { setTimeout(resolve, 50, false); });
  });
}

class Server {
  constructor({ name, command, env, folder, port }) {
    Object.assign(this, { name, command: command.map(String), env, folder, port });
    this.log = `${folder}/log`;
  }

  /** Starts it, and waits until it takes connections. */
  async start() {
    const deadline = performance.now() + START_MS;
    while (performance.now() < deadline) {
      const log = fs.openSync(this.log, 'a');
      // A separate process group, so that its children end with it.
      this.child = spawn(this.command[0], this.command.slice(1), { cwd: this.folder, env: this.env, stdio: ['ignore', log, log], detached: true });
      fs.closeSync(log);
      let failure;
      this.gone = new Promise((resolve) => {
        this.child.once('exit', () => { running.delete(this); this.child.ended = true; resolve(true); });
        this.child.once('error', (error) => { failure = error; this.child.ended = true; resolve(true); });
      });
      running.add(this);
      while (!this.child.ended && performance.now() < deadline) {
        if (await accepts(this.port)) return;
      }
      if (failure) throw failure;
      if (this.startedOnce === undefined && this.child.ended) break;
    }
    throw new Error(`${this.name} does not start:\n${fs.readFileSync(this.log, 'utf8').slice(-1500)}`);
  }

  /** Whether its process ends before that time is over. */
  async endsWithin(ms) {
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, ms, false); });
    const ended = await Promise.race([this.gone, late]);
    clearTimeout(timer);
    return ended;
  }

  /** Asks it to end as a process manager does; true when it did. */
  async stop() {
    this.startedOnce = true;
    this.child.kill('SIGTERM');
    const ended = await this.endsWithin(STOP_MS);
    this.kill();
    await this.gone;
    return ended;
  }

  kill() {
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // It has ended, and all that it started.
    }
  }
}

process.on('exit', () => { for (const server of running) server.kill(); });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

module.exports = { Server, freePort };
