// Compares imported-symbols.txt and allowed-system-calls.txt of this folder with checkouts of the public repositories of their origin:
//
//   node scripts/check-platform-lists.mjs INTERFACE_SDK_C STARTUP_INIT
//
// The folders are checkouts of openharmony/interface_sdk_c and openharmony/startup_init at a version of your choice. The script prints
// each name that the lists lack at that version, or have with a later level. Then it fails.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { answerHelp } from './usage.mjs';

answerHelp(import.meta.url);

const HERE = path.dirname(fileURLToPath(import.meta.url));
const LIBRARIES = {
  'libc.so': 'third_party/musl/ndk_script/adapter/libc.ndk.json',
  'libace_napi.z.so': 'arkui/napi/libnapi.ndk.json',
  'libhilog_ndk.z.so': 'hiviewdfx/hilog/libhilog.ndk.json',
};
const POLICY = 'services/modules/seccomp/seccomp_policy/app.seccomp.policy';

function fail(what, advice) {
  console.error(`error: ${what}\n       ${advice}`);
  process.exit(1);
}

if (process.argv.length !== 4) fail('two folders are needed', 'Usage: node scripts/check-platform-lists.mjs INTERFACE_SDK_C STARTUP_INIT');
const [ndk, init] = process.argv.slice(2);

function read(folder, name) {
  try {
    return fs.readFileSync(path.join(folder, name), 'utf8');
  } catch (error) {
    return fail(`${folder} has no ${name} (${error.code})`, 'Is it a checkout of the repository, at a version that has the file?');
  }
}

// The lines of one of our lists, in words.
const rows = (name) => read(HERE, name).split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(' '));

const wrong = [];
const symbols = rows('imported-symbols.txt');
for (const [library, file] of Object.entries(LIBRARIES)) {
  // Some entries of the lists misspell the word.
  const levels = new Map(JSON.parse(read(ndk, file)).map((entry) => [entry.name, Number(entry.first_introduced ?? entry.first_instroduced ?? 0)]));
  for (const [name, , level] of symbols.filter((row) => row[1] === library)) {
    if (!levels.has(name)) wrong.push(`${name}: not in ${file}`);
    else if (levels.get(name) !== Number(level)) wrong.push(`${name}: since ${levels.get(name)}, and not since ${level}`);
  }
}
for (const [name, library] of symbols) {
  if (!(library in LIBRARIES)) wrong.push(`${name}: no list for ${library}`);
}

// `name;kind` in the two lists of what is allowed, with conditions before the kind in the second.
const allowed = new Map();
let section = '';
for (const line of read(init, POLICY).split('\n')) {
  if (line.startsWith('@')) section = line;
  else if (section === '@allowList' || section === '@allowListWithArgs') {
    const name = line.split(/[;:]/)[0];
    const kind = line.slice(line.lastIndexOf(';') + 1).trim();
    if (name) allowed.set(name, [...(allowed.get(name) ?? []), kind]);
  }
}
const calls = rows('allowed-system-calls.txt');
for (const [name, ...kinds] of calls) {
  const found = allowed.get(name) ?? [];
  for (const kind of kinds) {
    if (!found.includes(kind) && !found.includes('all')) wrong.push(`${name}: not allowed for ${kind}`);
  }
}

for (const line of wrong) console.log(`FAILED  ${line}`);
console.log(`${symbols.length + calls.length - wrong.length} passed, ${wrong.length} failed`);
process.exitCode = wrong.length === 0 ? 0 : 1;
