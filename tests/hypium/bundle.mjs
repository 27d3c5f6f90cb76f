// Makes one script of the on-device tests (entry/src/ohosTest), hypium itself and what runs them, for an engine on this machine.
//
// usage: OHOS_TYPESCRIPT=<folder> HYPIUM=<folder of npm @ohos/hypium> [WS_URL=… WSS_URL=…] node bundle.mjs node|ark > all.js
//
// What the device has and hypium imports nothing of, the engine's own script gives: node.js or ark.js.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const TESTS = path.resolve(HERE, '../../entry/src/ohosTest/ets/test');
const { OHOS_TYPESCRIPT, HYPIUM, WS_URL, WSS_URL } = process.env;
const ts = createRequire(import.meta.url)(path.resolve(OHOS_TYPESCRIPT));

const ids = new Map();
const modules = [];

// The tests name the ports that a developer forwards from the device; here the server may have others.
function sourceOf(file) {
  let text = fs.readFileSync(file, 'utf8').replace(/^@Concurrent$/m, '');
  if (WS_URL) text = text.replaceAll('ws://127.0.0.1:9001', WS_URL);
  if (WSS_URL) text = text.replaceAll('wss://127.0.0.1:9002', WSS_URL);
  return text;
}

function resolve(name, containing) {
  if (name === '@ohos/hypium') return path.join(HYPIUM, 'index.js');
  if (!name.startsWith('.')) return undefined;
  const stem = path.resolve(path.dirname(containing), name);
  const found = [stem, `${stem}.ets`, `${stem}.js`].find((file) => fs.existsSync(file) && fs.statSync(file).isFile());
  if (!found) throw new Error(`${containing}: there is no ${name}`);
  return found;
}

function add(file) {
  if (ids.has(file)) return ids.get(file);
  const id = ids.size;
  ids.set(file, id);
  const { outputText } = ts.transpileModule(sourceOf(file), {
    compilerOptions: { target: ts.ScriptTarget.ES2021, module: ts.ModuleKind.CommonJS, esModuleInterop: true },
    fileName: file.replace(/\.ets$/, '.ts'),
  });
  const needs = {};
  for (const [, name] of outputText.matchAll(/\brequire\("([^"]+)"\)/g)) {
    const needed = resolve(name, file);
    if (needed) needs[name] = add(needed);
  }
  modules[id] = `// ${path.basename(file)}\n[(require, exports) => {\n${outputText}\n}, ${JSON.stringify(needs)}]`;
  return id;
}

const hypium = add(path.join(HYPIUM, 'index.js'));
const list = add(path.join(TESTS, 'List.test.ets'));
process.stdout.write(`'use strict';
const MODULES = [
${modules.join(',\n')},
];
const LOADED = [];

/** The exports of a module, which runs at the first request; \`platform\` answers for those that are not among the modules. */
function load(id, platform) {
  if (!LOADED[id]) {
    const [body, needs] = MODULES[id];
    LOADED[id] = {};
    body((name) => (name in needs ? load(needs[name], platform) : platform(name)), LOADED[id]);
  }
  return LOADED[id];
}

const HYPIUM = ${hypium};
const LIST = ${list};
${fs.readFileSync(path.join(HERE, 'report.js'), 'utf8')}
${fs.readFileSync(path.join(HERE, `${process.argv[2]}.js`), 'utf8')}`);
