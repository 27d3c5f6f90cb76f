'use strict';

// A small test runner that behaves the same in Node and Bun. It runs one test at a time, each with a deadline. The process must
// end by itself after the last test; that counts as a test too.

const assert = require('node:assert');
const process = require('node:process');

// Emulated processors are slow: a deadline only has to be shorter than patience.
const DEADLINE_MS = Number(process.env.NET_WEBSOCKET_TEST_DEADLINE_MS ?? 30_000);

const tests = [];
let failTest = () => {};
let expectedUncaught = [];
let passed = 0;
let failed = 0;

function test(name, body) {
  tests.push({ name, body });
}

/** The next uncaught exception is expected; resolves with it. */
function uncaughtException() {
  return new Promise((resolve) => expectedUncaught.push(resolve));
}

process.on('uncaughtException', (error) => {
  const expected = expectedUncaught.shift();
  if (expected) expected(error);
  else failTest(new Error(`uncaught exception: ${error?.stack ?? error}`));
});

process.on('unhandledRejection', (reason) => {
  failTest(new Error(`unhandled rejection: ${reason?.stack ?? reason}`));
});

function report(name, error) {
  if (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${String(error?.stack ?? error).replaceAll('\n', '\n      ')}`);
  } else {
    passed += 1;
    console.log(`ok    ${name}`);
  }
}

async function runOne({ name, body }) {
  let timer;
  const failure = new Promise((_, reject) => {
    failTest = reject;
    timer = setTimeout(() => reject(new Error(`not finished within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  const cleanups = [];
  try {
    await Promise.race([body({ cleanup: (action) => cleanups.push(action) }), failure]);
    report(name);
  } catch (error) {
    report(name, error);
  } finally {
    for (const action of cleanups) action();
    clearTimeout(timer);
    expectedUncaught = [];
  }
}

async function run() {
  const only = process.env.NET_WEBSOCKET_TEST_ONLY;
  const chosen = tests.filter(({ name }) => !only || name.includes(only));
  for (const each of chosen) await runOne(each);

  const last = 'the process ends by itself once every socket is closed';
  // Without a reference the timer fires only if something else keeps the process alive.
  setTimeout(() => {
    const holding = process.getActiveResourcesInfo?.() ?? [];
    report(last, new Error(`still alive ${DEADLINE_MS} ms after the last test: ${holding.join(', ')}`));
    process.exit(1);
  }, DEADLINE_MS).unref();
  failTest = (error) => {
    report('nothing happens after the last test', error);
    process.exit(1);
  };
  process.on('exit', (status) => {
    if (status === 0) report(last);
    console.log(`${passed} passed, ${failed} failed`);
    if (failed > 0 || chosen.length === 0) process.exitCode = 1;
  });
}

module.exports = { assert, run, test, uncaughtException };
