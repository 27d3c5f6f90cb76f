// Runs ArkTS or TypeScript sources in Node, with this library, without a device.
//
//   node scripts/run-arkts.mjs FILE [ARGUMENT...]
//
// FILE is an .ets or .ts file in any folder. It may import other files by a relative path. If it exports a function `main`, the script
// calls it with the arguments. The library is target/host/net_websocket.node, which `scripts/build.sh host` makes;
// NET_WEBSOCKET_LIB names another one. The platform's modules (@kit.*, @ohos.*) are empty here.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { folderOfCompiler } from './arkts-compiler.mjs';
import { answerHelp } from './usage.mjs';

answerHelp(import.meta.url);

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const LIBRARY_NAMES = ['libnet_websocket.so', '@net-websocket/net_websocket'];

function fail(message) {
  console.error(`run-arkts: ${message}`);
  process.exit(1);
}

function loadLibrary() {
  const target = process.env.CARGO_TARGET_DIR || path.join(ROOT, 'target');
  const file = path.resolve(process.env.NET_WEBSOCKET_LIB || path.join(target, 'host/net_websocket.node'));
  if (!fs.existsSync(file)) fail(`there is no ${file}; scripts/build.sh host makes it`);
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
}

const [file, ...rest] = process.argv.slice(2);
if (!/\.(ets|ts)$/.test(file ?? '')) fail('usage: node scripts/run-arkts.mjs FILE.ets|FILE.ts [ARGUMENT...]');
if (!fs.existsSync(file)) fail(`there is no ${file}`);

const require = createRequire(import.meta.url);
const ts = require(folderOfCompiler(fail));
const library = loadLibrary();
const loaded = new Map();

/** The file that `name` stands for in `importer`. */
function resolved(name, importer) {
  const base = path.resolve(path.dirname(importer), name);
  const found = ['', '.ets', '.ts', '/index.ets', '/index.ts'].map((end) => base + end).find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
  return found ?? fail(`${importer} imports ${name}, which is not there`);
}

/** What a file exports. */
function load(file) {
  if (loaded.has(file)) return loaded.get(file);
  const exports = {};
  loaded.set(file, exports);
  const { outputText } = ts.transpileModule(fs.readFileSync(file, 'utf8'), {
    fileName: file.replace(/\.ets$/, '.ts'),
    compilerOptions: { target: ts.ScriptTarget.ES2021, module: ts.ModuleKind.CommonJS, inlineSourceMap: false },
  });
  const imported = (name) => {
    if (LIBRARY_NAMES.includes(name)) return { __esModule: true, default: library };
    if (/^@(kit|ohos)\./.test(name)) return {};
    return /^\.{1,2}\//.test(name) ? load(resolved(name, file)) : require(name);
  };
  new Function('exports', 'require', `${outputText}\n//# sourceURL=${file}`)(exports, imported);
  return exports;
}

const { main } = load(path.resolve(file));
await main?.(...rest);
