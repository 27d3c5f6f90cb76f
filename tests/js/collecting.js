'use strict';

// What the tests of objects that the engine collects share.

const { listen } = require('./server.js');

const collect = globalThis.Bun ? () => Bun.gc(true) : globalThis.gc;
if (!collect) throw new Error('run with --expose-gc');

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Collects garbage until `done`; finalizers run in turns of their own. */
async function collectUntil(done) {
  while (!done()) {
    collect();
    await turn();
  }
}

/** Waits until `done`, which nothing announces. */
async function until(done) {
  while (!done()) await turn();
}

/** A server, and the next connection to it. */
async function observed({ cleanup }) {
  const waiting = [];
  const server = await listen((connection) => waiting.shift()(connection));
  cleanup(server.close);
  return { url: server.url, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

module.exports = { collect, collectUntil, observed, turn, until };
