// Writes what the libraries for OpenHarmony are made of: notices of third parties, and a list of components (SBOM, CycloneDX 1.6).
//
//   node scripts/notices.mjs FOLDER RUST STD UNWINDER ABI=TARGET...      in the folder of Cargo.toml
//
//   FOLDER      gets THIRD-PARTY-NOTICES.txt and net_websocket.cdx.json
//   RUST        the version of the Rust whose std is linked
//   STD         what that std is made of: the Cargo.lock of its source, or COPYRIGHT-library.html of a ready-made one
//   UNWINDER    the version of the LLVM whose libunwind is linked
//   ABI=TARGET  an ABI and its name in Rust; a crate counts if it is linked for any of them
//
// Which crates are linked is cargo's word (`cargo tree`). Their facts are those of `cargo metadata` and Cargo.lock, their licences
// the files of their packages; licenses/ has what no package has. Nothing else goes into the files: no time, no path, no order of a
// file system.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying|copyright|notice|unlicense|patents)/i;
// Folders of packages that no library has code of.
const UNLINKED_FOLDERS = ['.git', 'benches', 'examples', 'fuzz', 'target', 'tests'];

const [folder, rustVersion, stdSource, unwinderVersion, ...pairs] = process.argv.slice(2);
const abis = pairs.map((pair) => pair.split('='));
if (abis.length === 0 || !abis.every((pair) => pair.length === 2)) fail('usage: notices.mjs FOLDER RUST STD UNWINDER ABI=TARGET...');

const kept = JSON.parse(fs.readFileSync('licenses/packages.json', 'utf8'));
const facts = packageFacts();
const lock = readLock('Cargo.lock');
const [root, ...linked] = linkedCrates();
const std = stdComponent();
const stdCrates = stdCrateComponents();
const unwinder = unwinderComponent();
const components = [...linked.map(crateComponent).sort(byNameAndVersion), std, ...stdCrates, unwinder];

fs.writeFileSync(path.join(folder, 'THIRD-PARTY-NOTICES.txt'), notices());
fs.writeFileSync(path.join(folder, 'net_websocket.cdx.json'), `${JSON.stringify(billOfMaterials(), null, 2)}\n`);

function fail(what, advice) {
  console.error(`error: ${what}${advice ? `\n       ${advice}` : ''}`);
  process.exit(1);
}

// ---- which crates ----

/** The crates that are linked for any of the ABIs, the library itself first: {id, name, version, abis, needs}. */
function linkedCrates() {
  const found = new Map();
  for (const [abi, target] of abis) {
    const above = [];
    const tree = cargo('tree', '--target', target, '--edges', 'normal,no-proc-macro', '--prefix', 'depth');
    for (const line of tree.trimEnd().split('\n')) {
      const [, depth, name, version] = /^(\d+)(\S+) v(\S+)/.exec(line) ?? fail(`cargo tree says '${line}'`, 'scripts/notices.mjs does not know such a line.');
      const id = `${name}@${version}`;
      if (!found.has(id)) found.set(id, { id, name, version, abis: new Set(), needs: new Set() });
      const crate = found.get(id);
      crate.abis.add(abi);
      above.length = Number(depth);
      above.at(-1)?.needs.add(id);
      above.push(crate);
    }
  }
  return [...found.values()];
}

/** What `cargo metadata` says of each package, by name@version. */
function packageFacts() {
  const platforms = abis.flatMap(([, target]) => ['--filter-platform', target]);
  const { packages } = JSON.parse(cargo('metadata', '--format-version', '1', ...platforms));
  return new Map(packages.map((each) => [`${each.name}@${each.version}`, each]));
}

function cargo(...args) {
  return execFileSync('cargo', [...args, '--locked'], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The packages of a Cargo.lock, or those that the page of a ready-made std names: {name, version, sha256}. */
function readLock(file) {
  const text = readText(file);
  const pattern = file.endsWith('.html') ? /📦 ([\w-]+?)-(\d\S*?)(?=<|\s)()/g
    : /^name = "(.+)"\nversion = "(.+)"(?:\nsource = ".+")?(?:\nchecksum = "(.+)")?$/gm;
  return [...text.matchAll(pattern)].map(([, name, version, sha256]) => ({ name, version, sha256: sha256 || undefined }));
}

// ---- components ----

function crateComponent({ id, name, version, abis: of, needs }) {
  const { manifest_path: manifest, license: licence, license_file: named, repository, authors } = facts.get(id) ?? fail(`cargo metadata has no ${id}`);
  if (!licence) fail(`${id} names no licence in its Cargo.toml`);
  const home = path.dirname(manifest);
  const files = licenceFiles(home, named).map((file) => ({ name: file, text: readText(path.join(home, file)) }));
  const instead = kept.withoutLicenceFile[name];
  const hasOwn = files.some((file) => !file.name.includes('/'));
  if (hasOwn && instead) fail(`${id} has a licence file now`, 'Take it out of licenses/packages.json.');
  if (!hasOwn && !instead) fail(`${id} has no licence file`, 'Put the text that holds for it into licenses/, and name it in licenses/packages.json.');
  return {
    ref: id, name, version, licence: licence.replaceAll('/', ' OR '), repository, needs: [...needs],
    files: [...files, ...(instead ?? []).map(keptFile)],
    // Without addresses of mail.
    authors: authors.map((author) => author.replace(/ *<.*>/, '')),
    purl: `pkg:cargo/${name}@${version}`,
    sha256: lock.find((each) => each.name === name && each.version === version)?.sha256,
    abis: of.size === abis.length ? undefined : [...of],
  };
}

function stdComponent() {
  return {
    ref: `rust-std@${rustVersion}`, name: 'rust-std', version: rustVersion, licence: kept.std.licence, files: kept.std.files.map(keptFile),
    repository: 'https://github.com/rust-lang/rust', purl: `pkg:github/rust-lang/rust@${rustVersion}#library`, authors: [],
    needs: [],
  };
}

/** The crates of others that Rust's std links, in the versions that this std has. */
function stdCrateComponents() {
  const stdLock = readLock(stdSource);
  return Object.entries(kept.std.crates).flatMap(([name, { licence, files }]) => {
    const { version, sha256 } = stdLock.find((each) => each.name === name) ?? {};
    if (!version && !stdSource.endsWith('.html')) return [];
    const ref = `rust-std/${name}`;
    std.needs.push(ref);
    return [{
      ref, name, version, licence, sha256, files: files.map(keptFile), authors: [], needs: [],
      purl: `pkg:cargo/${name}${version ? `@${version}` : ''}`,
    }];
  });
}

function unwinderComponent() {
  const { name, licence, files } = kept.unwinder;
  std.needs.push('libunwind');
  return {
    ref: 'libunwind', name, version: unwinderVersion, licence, files: files.map(keptFile), authors: [], needs: [],
    repository: 'https://github.com/llvm/llvm-project', purl: `pkg:github/llvm/llvm-project@llvmorg-${unwinderVersion}#libunwind`,
  };
}

/** The licence files of a package, those of code that it took over included, which are in folders below. */
function licenceFiles(home, named) {
  const below = (under) => fs.readdirSync(path.join(home, under), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(under, entry.name);
    if (entry.isDirectory()) return UNLINKED_FOLDERS.includes(entry.name) ? [] : below(file);
    const isOne = LICENCE_FILE.test(entry.name) || /(^|\/)licen[cs]es$/i.test(under) || file === named;
    return isOne && !/\.(rs|toml)$/.test(file) ? [file] : [];
  });
  return below('').sort(byCodePoint);
}

function keptFile(file) {
  return { name: path.basename(file), text: readText(path.join('licenses', file)) };
}

function readText(file) {
  return fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n').replace(/[ \t\f]+$/gm, '');
}

function byCodePoint(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

function byNameAndVersion(one, other) {
  return byCodePoint(one.name, other.name) || byCodePoint(one.version, other.version);
}

// ---- the notices ----

function notices() {
  const texts = distinctTexts();
  const rows = components.map(({ name, version, licence }) => [version ? `${name} ${version}` : name, licence]);
  const width = Math.max(...rows.map(([title]) => title.length));
  const line = '-'.repeat(80);
  return [
    `Third-party notices of ${root.name} ${root.version}`,
    '',
    `libnet_websocket.so for OpenHarmony (${abis.map(([abi]) => abi).join(', ')}) contains code of ${components.length} packages of others.`,
    'This file names them, with their copyright lines, and has the texts of their licences.',
    'The licence of net_websocket itself is in the file LICENSE.',
    '',
    'Where a package may be used under one licence or another, the texts of both are',
    'here as far as the package brings them. A text that several packages bring is',
    'printed once; its copyright lines, which differ, stand with the packages.',
    '',
    ...rows.map(([title, licence]) => `    ${title.padEnd(width)}  ${licence}`),
    '',
    ...components.flatMap((component) => [line, ...entryOf(component, texts), '']),
    ...texts.flatMap((text, index) => [line, `Text ${index + 1}`, '', text.shown, '']),
  ].join('\n');
}

function entryOf({ ref, name, version, licence, repository, authors, files }, texts) {
  const holders = [...new Set(files.flatMap(({ text }) => split(text).holders))];
  const named = holders.length > 0 ? holders : authors.length > 0 ? [`Authors: ${authors.join(', ')}`] : [];
  return [
    version ? `${name} ${version}` : name,
    `    Licence: ${licence}`,
    ...(ref.startsWith('rust-std/') ? [`    Part of: ${std.name}`] : repository ? [`    Source: ${repository}`] : []),
    `    Texts: ${files.map((file) => `${texts.findIndex(({ key }) => key === split(file.text).key) + 1} (${file.name})`).join(', ')}`,
    ...named.map((holder) => `    ${holder}`),
  ];
}

/** Each text once, in the order of the packages: {key, shown}. A text of only one package is printed unchanged. */
function distinctTexts() {
  const found = new Map();
  for (const { ref, files } of components) {
    for (const { text } of files) {
      const { key, body } = split(text);
      if (!found.has(key)) found.set(key, { key, body, text, of: new Set() });
      found.get(key).of.add(ref);
    }
  }
  return [...found.values()].map(({ key, body, text, of }) => ({ key, shown: (of.size === 1 ? text : body).replace(/^\n+|\n+$/g, '') }));
}

/** A text's copyright lines, and the rest of it: as it is, and as a key that is the same for the same words. */
function split(text) {
  const isHolder = (line) => /^[\s/]*(Copyright |©|\([cC]\) \d)/.test(line) && !/[[{<](yyyy|year)/i.test(line);
  const lines = text.split('\n');
  const body = lines.filter((line) => !isHolder(line)).join('\n').replace(/\n{3,}/g, '\n\n');
  const holders = lines.filter(isHolder).map((line) => line.replace(/^[\s/]+/, ''));
  return { holders, body, key: withoutAppendix(body.replace(/\s+/g, ' ').trim()) };
}

// What follows the terms of the Apache License tells how to apply it, and comes in many forms.
function withoutAppendix(words) {
  const [, terms, rest] = /^(Apache License Version 2\.0, January 2004 .* END OF TERMS AND CONDITIONS)(.*)$/.exec(words) ?? [];
  const isAppendix = rest === '' || /^ APPENDIX: How to apply .{1,1400} limitations under the License\.$/.test(rest ?? 'other');
  return isAppendix ? terms.replaceAll('https:', 'http:') : words;
}

// ---- the list of components ----

function billOfMaterials() {
  const { repository, description, license: licence, authors } = facts.get(root.id);
  const rest = {
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      tools: { components: [{ type: 'application', name: 'scripts/notices.mjs', version: root.version }] },
      component: {
        type: 'library', 'bom-ref': root.id, name: root.name, version: root.version, description, licenses: licences(licence),
        externalReferences: [{ type: 'vcs', url: repository }],
      },
      properties: [property('abis', abis.map(([abi]) => abi)), property('rust', [rustVersion])],
    },
    components: components.map(componentOf),
    dependencies: [{ ref: root.id, needs: [...root.needs, std.ref] }, ...components].map(({ ref, needs }) => ({ ref, dependsOn: [...needs].sort(byCodePoint) })),
  };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', bomFormat: 'CycloneDX', specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid(JSON.stringify(rest))}`, ...rest,
  };
}

function componentOf({ ref, name, version, licence, files, authors, sha256, purl, repository, abis: of }) {
  const holders = [...new Set(files.flatMap(({ text }) => split(text).holders))];
  return {
    type: 'library',
    'bom-ref': ref,
    ...(authors.length > 0 && { authors: authors.map((author) => ({ name: author })) }),
    name,
    ...(version && { version }),
    scope: 'required',
    ...(sha256 && { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    licenses: licences(licence),
    ...(holders.length > 0 && { copyright: holders.join('\n') }),
    purl,
    ...(repository && { externalReferences: [{ type: 'vcs', url: repository }] }),
    ...(of && { properties: [property('abis', of)] }),
  };
}

function licences(expression) {
  return /\s/.test(expression) ? [{ expression, acknowledgement: 'declared' }] : [{ license: { id: expression, acknowledgement: 'declared' } }];
}

function property(name, values) {
  return { name: `net_websocket:${name}`, value: values.join(' ') };
}

/** A UUID of version 8: the same for the same content. */
function uuid(content) {
  const digits = createHash('sha256').update(content).digest('hex').split('');
  digits[12] = '8';
  digits[16] = '8';
  return [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]].map(([from, to]) => digits.slice(from, to).join('')).join('-');
}
