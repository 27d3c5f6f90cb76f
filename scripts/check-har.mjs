// Checks a HAR against the rules of ohpm's registry and of hvigor, and against the list of files that this package must have. Prints
// one line for each fault.
//
//   node scripts/check-har.mjs HAR [PATH...]      OHOS_TYPESCRIPT names the folder of npm ohos-typescript
//
// PATH is a folder of the machine that built the HAR; no file may contain its name. The rules of ohpm are those of the pages
// `ohpm publish` and `oh-package.json5` of its guide, for ohpm 6.0. The rule for compatibleSdkVersion is hvigor's error 00306004.
//
// The script first plants faults into a copy of the package in memory, and must find each.

import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { answerHelp } from './usage.mjs';

answerHelp(import.meta.url);

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const LIBRARY = 'libnet_websocket.so';
const NAME = '@net-websocket/net_websocket';
const TYPES = `src/main/cpp/types/libnet_websocket`;
// Class and machine of their ELF files.
const ABIS = { 'arm64-v8a': [2, 183], 'armeabi-v7a': [1, 40], x86_64: [2, 62] };
const FILES = [
  'CHANGELOG.md', 'Index.ets', 'LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.txt', 'net_websocket.cdx.json', 'oh-package.json5',
  'libs/index.d.ts',
  ...Object.keys(ABIS).map((abi) => `libs/${abi}/${LIBRARY}`),
  'src/main/module.json5', `${TYPES}/index.d.ts`, `${TYPES}/oh-package.json5`,
];
// Of folders in which people and tools build, on any machine.
const BUILD_PATHS = ['/home/', '/root/', '/Users/', '\\Users\\', '/registry/src/', '/rustlib/src/', '/node_modules/'];

function fail(message) {
  console.error(`check-har: ${message}`);
  process.exit(1);
}

// ---- the archive ----

/** The files of a gzipped tar by name. Anything but files and folders is an error, and so is a name that leads elsewhere. */
function unpack(bytes) {
  let tar;
  try {
    tar = zlib.gunzipSync(bytes);
  } catch {
    throw new Error('it is not gzipped');
  }
  const files = new Map();
  const text = (start, length) => tar.toString('utf8', start, start + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const prefix = text(at + 257, 6).startsWith('ustar') && tar[at + 262] === 0 ? text(at + 345, 155) : '';
    const name = (prefix ? `${prefix}/` : '') + text(at, 100);
    const size = parseInt(text(at + 124, 12), 8);
    const kind = text(at + 156, 1) || '0';
    if (!/^[05]$/.test(kind) || Number.isNaN(size)) throw new Error(`${name} is neither a file nor a folder`);
    if (!/^package(\/|$)/.test(name) || name.split('/').includes('..')) throw new Error(`${name} is not below package/`);
    if (kind === '0') files.set(name.slice('package/'.length), tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  if (files.size === 0) throw new Error('it holds no files');
  return files;
}

// ---- the checks ----

const ts = (() => {
  const folder = process.env.OHOS_TYPESCRIPT;
  if (!folder) fail('OHOS_TYPESCRIPT is not set; scripts/package.sh sets it');
  return createRequire(import.meta.url)(path.resolve(folder));
})();

function json5(files, name) {
  const { config, error } = ts.parseConfigFileTextToJson(name, files.get(name)?.toString() ?? '');
  return error ? {} : config;
}

const repositoryFile = (name) => fs.readFileSync(path.join(ROOT, name));
const lowestLevel = /"compatibleSdkVersion": "\d+\.\d+\.\d+\((\d+)\)"/.exec(repositoryFile('build-profile.json5'))[1];
const version = /^version = "(.+)"$/m.exec(repositoryFile('Cargo.toml'))[1];

/** Each check has a name and gives what is wrong, if anything is. */
const CHECKS = [
  ['holds what it is to hold', (files) => [
    ...FILES.filter((name) => !files.has(name)).map((name) => `lacks ${name}`),
    ...[...files.keys()].filter((name) => !FILES.includes(name)).map((name) => `holds ${name}, which has no place in it`),
  ]],
  ['README, CHANGELOG and LICENSE', (files) => {
    const text = (name) => files.get(name)?.toString() ?? '';
    return [
      ...['README.md', 'CHANGELOG.md', 'LICENSE'].filter((name) => files.has(name) && text(name).trim() === '').map((name) => `${name} is empty`),
      ...(text('README.md').includes(`ohpm install ${NAME}`) ? [] : ['README.md does not say how it is installed']),
      ...(text('README.md').includes(`from '${NAME}'`) ? [] : ['README.md does not show how it is imported']),
      ...(text('CHANGELOG.md').includes(`## ${version}\n`) ? [] : [`CHANGELOG.md does not tell of ${version}`]),
      ...(files.get('LICENSE')?.equals(repositoryFile('LICENSE')) ? [] : ['LICENSE is not the one of the repository']),
    ];
  }],
  ['fields of oh-package.json5', (files) => {
    const fields = json5(files, 'oh-package.json5');
    const rules = {
      name: [fields.name === NAME && /^@[a-z][a-z0-9_-]*[a-z0-9]\/[a-z][a-z0-9._-]*[a-z0-9]$/.test(fields.name), NAME],
      version: [fields.version === version && /^\d+\.\d+\.\d+$/.test(fields.version), version],
      description: [typeof fields.description === 'string' && fields.description.length <= 512, 'a text of 512 characters at most'],
      author: [/^[A-Za-z][\w.\- ]*$/.test(fields.author ?? ''), 'a name'],
      license: [fields.license === 'Apache-2.0', 'Apache-2.0'],
      main: [files.has(fields.main), 'a file of the package'],
      types: [files.has(fields.types) && /\.d\.e?ts$/.test(fields.types), 'a .d.ts or .d.ets of the package'],
      compatibleSdkVersion: [fields.compatibleSdkVersion === lowestLevel, `"${lowestLevel}"`],
      compatibleSdkType: [['OpenHarmony', 'HarmonyOS'].includes(fields.compatibleSdkType), '"OpenHarmony" or "HarmonyOS"'],
      obfuscated: [fields.obfuscated === false, 'false'],
    };
    return Object.entries(rules).filter(([, [right]]) => !right)
      .map(([name, [, wanted]]) => `oh-package.json5: ${name} is ${JSON.stringify(fields[name])}, and is to be ${wanted}`);
  }],
  ['nativeComponents', (files) => {
    const { nativeComponents: listed = [], compatibleSdkVersion, compatibleSdkType } = json5(files, 'oh-package.json5');
    const libraries = new Set([...files.keys()].filter((name) => name.endsWith('.so')).map((name) => path.basename(name)));
    return [
      ...[...libraries].filter((name) => !listed.some((one) => one.name === name)).map((name) => `nativeComponents does not list ${name}`),
      ...listed.filter((one) => !libraries.has(one.name)).map((one) => `nativeComponents lists ${one.name}, which the package does not hold`),
      ...listed.filter((one) => one.compatibleSdkVersion !== compatibleSdkVersion || one.compatibleSdkType !== compatibleSdkType)
        .map((one) => `nativeComponents: ${one.name} has another SDK than the package`),
    ];
  }],
  ['dependencies', (files) => {
    const { dependencies = {} } = json5(files, 'oh-package.json5');
    const imported = [...files].filter(([name]) => name.endsWith('.ets'))
      .flatMap(([, text]) => [...text.toString().matchAll(/from '([^'./][^']*)'/g)].map((match) => match[1]))
      .filter((name) => !/^@(kit|ohos)\./.test(name));
    return [
      ...[...new Set(imported)].filter((name) => !(name in dependencies)).map((name) => `dependencies lacks ${name}, which is imported`),
      ...Object.entries(dependencies).flatMap(([name, where]) => {
        const folder = where.replace(/^file:\.\//, '');
        const types = json5(files, `${folder}/oh-package.json5`);
        if (folder === where || types.name !== name) return [`dependencies: ${name} is ${where}, where the package holds no ${name}`];
        return files.has(path.posix.join(folder, types.types ?? '')) ? [] : [`dependencies: ${name} has no types at ${types.types}`];
      }),
    ];
  }],
  ['module.json5', (files) => {
    const { module } = json5(files, 'src/main/module.json5');
    return module?.type === 'har' && module.name && module.deviceTypes?.length > 0 ? [] : ['src/main/module.json5 is not that of a HAR'];
  }],
  ['the types', (files) => [
    ...(files.get(`${TYPES}/index.d.ts`)?.equals(repositoryFile(`package/${TYPES}/index.d.ts`)) ? [] : ['index.d.ts is not the one of the repository']),
    ...(files.get('libs/index.d.ts')?.toString().includes(`from '../${TYPES}/index'`) ? [] : ['libs/index.d.ts does not lead to the types']),
  ]],
  ['the libraries are for their ABIs', (files) => Object.entries(ABIS).flatMap(([abi, [elfClass, machine]]) => {
    const library = files.get(`libs/${abi}/${LIBRARY}`);
    if (!library) return [];
    const right = library.toString('latin1', 0, 4) === '\x7fELF' && library[4] === elfClass && library.readUInt16LE(18) === machine;
    return right ? [] : [`libs/${abi}/${LIBRARY} is not for ${abi}`];
  })],
  ['no path of the machine that built it', (files, paths) => [...files].flatMap(([name, bytes]) => {
    // The repository's own addresses and examples may look like any path, and are text that people wrote.
    const found = [...paths, ...(name.endsWith('.so') ? BUILD_PATHS : [])].find((one) => placeOf(one, name, bytes) >= 0);
    if (found === undefined) return [];
    const at = placeOf(found, name, bytes);
    const seen = bytes.toString('latin1', at, at + 100).replace(/[^ -~].*$/s, '');
    return [`${name} names a path of the machine that built it: ${seen}`];
  })],
];

/**
 * Where a file has that path, or -1. What stands in a longer path is another one, as /src in ../package/src. In a library nothing
 * parts one text from the next, so that only the shortest paths are looked at so closely there.
 */
function placeOf(wanted, name, bytes) {
  const isLong = wanted.split(/[\\/]/).length > 2;
  let at = bytes.indexOf(wanted);
  while (at > 0 && !(isLong && name.endsWith('.so')) && /[\w.~-]/.test(String.fromCharCode(bytes[at - 1]))) at = bytes.indexOf(wanted, at + 1);
  return at;
}

/** If a file is missing, only that is reported, because the other checks need the files. */
function problemsOf(files, paths) {
  const results = CHECKS.map(([name, check]) => [name, check(files, paths)]);
  return results[0][1].some((problem) => problem.startsWith('lacks ')) ? [results[0]] : results;
}

// ---- planted faults ----

const edited = (files, name, edit) => new Map(files).set(name, edit(files.get(name)));
const replaced = (files, name, from, to) => edited(files, name, (bytes) => Buffer.from(bytes.toString().replace(from, to)));
const without = (files, name) => {
  const fewer = new Map(files);
  fewer.delete(name);
  return fewer;
};
const PACKAGE = 'oh-package.json5';
const SOME = `libs/arm64-v8a/${LIBRARY}`;

const FAULTS = [
  ...FILES.map((name) => [`no ${name}`, (files) => without(files, name), `lacks ${name}`]),
  ['a file of a host build', (files) => new Map(files).set('libs/host/net_websocket.node', Buffer.alloc(1)), 'holds libs/host/net_websocket.node'],
  ...['README.md', 'CHANGELOG.md', 'LICENSE'].map((name) => [`an empty ${name}`, (files) => edited(files, name, () => Buffer.from('\n')), `${name} is empty`]),
  ['a CHANGELOG of another version', (files) => replaced(files, 'CHANGELOG.md', `## ${version}`, '## 99.0.0'), 'does not tell of'],
  ['a wrong name', (files) => replaced(files, PACKAGE, NAME, '@Net/websocket'), 'name is'],
  ['no author', (files) => replaced(files, PACKAGE, '"author"', '"writer"'), 'author is'],
  ['types that are not there', (files) => replaced(files, PACKAGE, `${TYPES}/index.d.ts`, 'libs/types.d.ts'), 'types is'],
  ['no compatibleSdkVersion', (files) => replaced(files, PACKAGE, '"compatibleSdkVersion"', '"x"'), 'compatibleSdkVersion is'],
  ['no compatibleSdkType', (files) => replaced(files, PACKAGE, '"compatibleSdkType"', '"x"'), 'compatibleSdkType is'],
  ['no obfuscated', (files) => replaced(files, PACKAGE, '"obfuscated"', '"x"'), 'obfuscated is'],
  ['no nativeComponents', (files) => replaced(files, PACKAGE, '"nativeComponents"', '"x"'), `does not list ${LIBRARY}`],
  ['no dependency on the library', (files) => replaced(files, PACKAGE, '"dependencies"', '"x"'), `dependencies lacks ${LIBRARY}`],
  ['a dependency that leads nowhere', (files) => replaced(files, PACKAGE, `file:./${TYPES}`, 'file:./types'), 'holds no'],
  ['a module that is no HAR', (files) => replaced(files, 'src/main/module.json5', '"har"', '"entry"'), 'is not that of a HAR'],
  ['declarations by another tool', (files) => replaced(files, `${TYPES}/index.d.ts`, 'declare', 'export declare'), 'index.d.ts is not'],
  ['the library of another ABI', (files) => edited(files, SOME, () => files.get(`libs/x86_64/${LIBRARY}`)), 'is not for arm64-v8a'],
  ['a path in a text', (files) => edited(files, 'README.md', (bytes) => Buffer.concat([bytes, Buffer.from('made in /made/here.')])), 'names a path'],
  ['a path of a build', (files) => edited(files, SOME, (bytes) => Buffer.concat([bytes, Buffer.from('/home/me/.cargo/registry/src/a.rs')])), 'names a path'],
];

/** A package without faults, of the repository's own files, with bare ELF headers for libraries. */
function soundPackage() {
  const header = ([elfClass, machine]) => {
    const bytes = Buffer.alloc(64);
    bytes.write('\x7fELF', 'latin1');
    bytes[4] = elfClass;
    bytes.writeUInt16LE(machine, 18);
    return bytes;
  };
  const pointer = /^header = """\n(.*?)"""$/ms.exec(repositoryFile('Cargo.toml'))[1];
  return new Map(FILES.map((name) => {
    const abi = /^libs\/(.*)\/.*\.so$/.exec(name)?.[1];
    const bytes = abi ? header(ABIS[abi]) : name === 'libs/index.d.ts' ? Buffer.from(pointer) : repositoryFile(`package/${name}`);
    return [name, bytes];
  }));
}

function selfTest() {
  const sound = soundPackage();
  // A checkout in a folder whose name the package's own texts have.
  const wrong = problemsOf(sound, ['/src']).flatMap(([, problems]) => problems);
  if (wrong.length > 0) {
    for (const problem of wrong) console.error(`package/: ${problem}`);
    fail('the repository\'s own files make no sound package');
  }
  for (const [what, plant, expected] of FAULTS) {
    const found = problemsOf(plant(sound), ['/made']).flatMap(([, problems]) => problems);
    if (!found.some((problem) => problem.includes(expected))) fail(`the checker is broken: ${what} went unnoticed; it reported ${JSON.stringify(found)}`);
  }
}

function main() {
  const [har, ...paths] = process.argv.slice(2);
  if (har === undefined) fail('usage: node scripts/check-har.mjs HAR [PATH...]');
  if (!fs.existsSync(har)) fail(`there is no ${har}; scripts/package.sh makes it`);
  selfTest();

  let files;
  try {
    files = unpack(fs.readFileSync(har));
  } catch (error) {
    fail(`${path.basename(har)} is no HAR: ${error.message}`);
  }
  let failed = 0;
  const results = problemsOf(files, paths);
  for (const [name, problems] of results) {
    console.log(`${problems.length === 0 ? 'ok' : 'FAILED'} ${name}`);
    for (const problem of problems) console.error(`${path.basename(har)}: ${problem}`);
    failed += problems.length > 0 ? 1 : 0;
  }
  console.log(`har: ${results.length - failed + FAULTS.length} passed, ${failed} failed (${files.size} files, ${FAULTS.length} planted faults that must be found)`);
  process.exit(failed === 0 ? 0 : 1);
}

main();
