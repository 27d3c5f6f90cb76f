'use strict';

// What the tests of libraries share. Needs NET_WEBSOCKET_LIB, NWS_LIBRARIES and LIBRARIES_CONTROL, which run.sh sets. With
// NET_WEBSOCKET_BARE the engine has no globals but those of ECMAScript and of OpenHarmony's SDK.

const { Buffer } = require('node:buffer');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const process = require('node:process');
const url = require('node:url');
const util = require('node:util');
const vm = require('node:vm');

const { assert, test } = require('../js/harness.js');
const { load } = require('../js/load.js');

const { NET_WEBSOCKET_BARE, NWS_LIBRARIES, NWS_OHOS_TYPESCRIPT, LIBRARIES_CONTROL } = process.env;
if (!LIBRARIES_CONTROL) throw new Error('LIBRARIES_CONTROL is not set; run this through tests/libraries/run.sh');

// What ArkTS has beside ECMAScript and is of use to a library: api/@internal/ets/global.d.ts of the public SDK.
const SDK_GLOBALS = ['console', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'];
if (NET_WEBSOCKET_BARE) {
  const kept = new Set([...SDK_GLOBALS, ...vm.runInNewContext('Object.getOwnPropertyNames(globalThis)')]);
  const others = Object.getOwnPropertyNames(globalThis).filter((name) => !kept.has(name));
  // Reads all of them first: some globals are created at the first access and need others for it.
  for (const name of others) void globalThis[name];
  for (const name of others) delete globalThis[name];
}

const EXAMPLE = path.join(__dirname, '../../examples/libraries');
const ts = require(path.resolve(NWS_OHOS_TYPESCRIPT));

/** Returns the exports of a TypeScript file of the example. `modules` are the modules that it imports, by name. */
function exampleOf(file, modules) {
  const compilerOptions = { target: ts.ScriptTarget.ES2021, module: ts.ModuleKind.CommonJS, esModuleInterop: true };
  const { outputText } = ts.transpileModule(fs.readFileSync(path.join(EXAMPLE, file), 'utf8'), { compilerOptions });
  const exported = {};
  // The file sets globals on a separate object, so that each library gets only what it needs.
  new Function('exports', 'require', 'globalThis', outputText)(exported, (name) => modules[name], {});
  return exported;
}

// ArkTS's own, with the members that the example uses.
const kit = {
  util: {
    TextEncoder: class {
      encodeInto(text) {
        return new util.TextEncoder().encode(text);
      }
    },
    TextDecoder: {
      create: (encoding) => ({ decodeToString: (bytes) => new util.TextDecoder(encoding).decode(bytes) }),
    },
  },
  url: { URL: url.URL },
};
const { globals } = exampleOf('globals.ts', { '@kit.ArkTS': kit, './abort': exampleOf('abort.ts', {}) });

/** Gives a library those globals that it needs beyond `web.install`, and returns what takes them away again. */
function give(names) {
  const given = names.filter((name) => !(name in globalThis));
  for (const name of given) {
    if (!globals[name]) throw new Error(`examples/libraries/globals.ts has no ${name}`);
    globalThis[name] = globals[name];
  }
  return () => {
    for (const name of given) delete globalThis[name];
  };
}

const { web } = load();

// As an app does it: what the engine lacks comes from the library. Our WebSocket replaces an engine's own here.
web.install(globalThis);
let taken = 0;
Object.defineProperty(globalThis, 'WebSocket', {
  configurable: true,
  get() {
    taken += 1;
    return web.WebSocket;
  },
});

const TEXT = 'plain, ä, 網, 😀';
/** More than a frame of one byte's length and less than what any server here refuses. */
const BYTES = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31) & 0xff);

/** An installed file of a library, regardless of its package's exports for Node. */
const fileOf = (file) => path.join(NWS_LIBRARIES, 'node_modules', file);
const requireFile = (file) => require(fileOf(file));
const importFile = (file) => import(url.pathToFileURL(fileOf(file)));

function control(action, server) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${LIBRARIES_CONTROL}/${action}/${server}`, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (data) => (body += data)).on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`${action} ${server}: ${body}`));
      });
    });
    request.on('error', reject);
  });
}

/**
 * A test of one library with one server. `needs` are the globals that the library wants and ArkTS has not. `global`: whether it
 * uses the global WebSocket. `body` gets `host` (address and port), `lose` and `back` for the server, and `cleanup`.
 */
function libraryTest(name, { server, needs = [], global = true }, body) {
  test(name, async ({ cleanup }) => {
    cleanup(give(needs));
    const before = taken;
    const port = await control('start', server);
    let isUp = true;
    try {
      await body({
        cleanup,
        host: `127.0.0.1:${port}`,
        async lose() {
          await control('stop', server);
          isUp = false;
        },
        async back() {
          assert.strictEqual(await control('start', server), port);
          isUp = true;
        },
      });
      if (global) assert(taken > before, 'the library did not ask for the global WebSocket');
    } finally {
      if (isUp) await control('stop', server);
    }
  });
}

/** The arguments of the next call of a listener that `add` adds. */
const next = (add) => new Promise((resolve) => add((...values) => resolve(values)));

/** What `values` gets, one after the other: `push` takes one in, `shift` waits for the next. */
class Queue {
  constructor() {
    this.values = [];
    this.waiting = [];
  }

  push(value) {
    const waiting = this.waiting.shift();
    if (waiting) waiting(value);
    else this.values.push(value);
  }

  shift() {
    if (this.values.length > 0) return Promise.resolve(this.values.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** The same bytes, in whatever has them. */
function assertBytes(actual, expected) {
  const view = actual instanceof ArrayBuffer ? new Uint8Array(actual) : actual;
  assert(view instanceof Uint8Array, `no bytes: ${Object.prototype.toString.call(actual)}`);
  assert.strictEqual(view.length, expected.length);
  assert.strictEqual(Buffer.compare(view, expected), 0, 'the bytes differ');
}

module.exports = { BYTES, Queue, TEXT, assert, assertBytes, exampleOf, importFile, libraryTest, next, isBare: NET_WEBSOCKET_BARE !== undefined, requireFile, web };
