// Checks the notices of third parties and the list of components against what is really built.
//
//   node tests/notices/check.mjs CYCLONEDX UNIT_GRAPH LIBRARY...
//
// CYCLONEDX is the folder of npm's @cyclonedx/cyclonedx-library, UNIT_GRAPH what `cargo build --unit-graph` printed for the
// build of all ABIs. Each check runs twice. On the real files it must find nothing. On files with a seeded fault it must find
// the fault. Ends with `notices: N passed, N failed`.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [cyclonedx, unitGraph, ...libraries] = process.argv.slice(2);
const { Spec, Validation } = createRequire(import.meta.url)(path.resolve(cyclonedx));
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

// By what a text of each licence is known.
const SIGNS = {
  '0BSD': /Permission to use, copy, modify, and\/or distribute this software for any purpose with or without fee is hereby granted\. THE SOFTWARE/,
  'Apache-2.0': /Apache License,? Version 2\.0/,
  'Apache-2.0 WITH LLVM-exception': /LLVM Exceptions to the Apache 2\.0 License/,
  'BSD-3-Clause': /Redistribution and use in source and binary forms.* (Neither the name|The name)/,
  ISC: /Permission to use, copy, modify, and\/or distribute this software/,
  MIT: /Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation/,
  'Unicode-3.0': /UNICODE LICENSE V3/,
  Unlicense: /This is free and unencumbered software/,
  Zlib: /This software is provided 'as-is'/,
};

const graph = JSON.parse(fs.readFileSync(unitGraph, 'utf8'));
const kept = JSON.parse(fs.readFileSync('licenses/packages.json', 'utf8'));
const allowed = [.../^allow = \[([^\]]*)\]/m.exec(fs.readFileSync('deny.toml', 'utf8'))[1].matchAll(/"(.+)"/g)].map(([, licence]) => licence);
const files = {
  notices: fs.readFileSync('package/THIRD-PARTY-NOTICES.txt', 'utf8'),
  bom: JSON.parse(fs.readFileSync('package/net_websocket.cdx.json', 'utf8')),
  built: builtCrates(graph),
  traces: [...new Set(libraries.flatMap((library) => traces(fs.readFileSync(library, 'latin1'))))],
};

let passed = 0;
let failed = 0;

await check('the list of components is CycloneDX 1.6', followsSchema, (broken) => { broken.bom.components[0].type = 'crate'; });
await check('every crate that cargo builds for a library is in the list', listsBuiltCrates, (broken) => { remove(broken.bom, 'ring'); });
const [oneOfStd] = versionsOf(files.built, ofStd);
if (oneOfStd) await check('every crate of std is in the list', listsStd, (broken) => { remove(broken.bom, oneOfStd.split('@')[0]); });
else console.log('skip    every crate of std is in the list: std is ready-made, and cargo does not tell what it is made of');
await check('no crate is in the list that is not built', listsNoOther, (broken) => { broken.built.delete('tokio'); });
await check('every crate that a library names in its text is in the list', listsTraces, (broken) => { broken.traces.push('left-pad-1.3.0'); });
await check('every component has its entry in the notices', hasEntries, (broken) => {
  broken.notices = broken.notices.replace(/\nrustls 0[^]*?\n-----/, '\n-----');
});
await check('every entry has the text of its licence', hasTexts, (broken) => { broken.notices = broken.notices.replaceAll('UNICODE LICENSE V3', ''); });
await check('every licence is one that deny.toml allows', allowsLicences, (broken) => { broken.bom.components[0].licenses = [{ license: { id: 'GPL-3.0-only' } }]; });
await check('every dependency is a component', namesComponents, (broken) => { broken.bom.dependencies[0].dependsOn.push('left-pad@1.3.0'); });
await check('no path and no time of the machine', holdsNothingOfMachine, (broken) => { broken.notices += `\n${process.cwd()}/Cargo.lock\n`; });
await check('licenses/ keeps nothing that is not used', keepsOnlyUsed, (broken) => { remove(broken.bom, 'napi-ohos'); });

console.log(`${files.bom.components.length} components: ${[...tally(files.bom.components.map(licenceOf))].map(([name, count]) => `${count} ${name}`).join(', ')}`);
console.log(`notices: ${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Runs a check on the files, then on files that `breakIt` has broken. */
async function check(name, find, breakIt) {
  const problems = await find(files);
  const broken = structuredClone(files);
  breakIt(broken);
  const seeded = await find(broken);
  if (problems.length > 0) tell(`FAILED  ${name}`, problems);
  else if (seeded.length === 0) tell(`FAILED  ${name}`, ['a seeded fault went unnoticed']);
  else tell(`ok      ${name}; a seeded fault: ${seeded[0]}`);
}

function tell(line, problems = []) {
  console.log([line, ...problems.map((problem) => `            ${problem}`)].join('\n'));
  if (problems.length > 0) failed += 1;
  else passed += 1;
}

// ---- what is built ----

/** The crates that are linked, each with its versions: {versions, std}, by name. Macros and build scripts run elsewhere. */
function builtCrates({ units, roots }) {
  const found = new Map();
  const seen = new Set();
  const visit = (index) => {
    const { pkg_id: id, target: { kind: [kind] }, platform, is_std: std = false, dependencies } = units[index];
    if (seen.has(index) || platform === null || kind === 'proc-macro' || kind === 'custom-build') return;
    seen.add(index);
    const [, folder, , name = path.basename(folder), version] = /([^/]+)#((.+)@)?(.+)$/.exec(id);
    // What only macros link, inside of the compiler.
    if (std && name === 'proc_macro') return;
    if (!roots.includes(index)) {
      if (!found.has(name)) found.set(name, []);
      found.get(name).push({ version, std, inTree: std && id.startsWith('path+') });
    }
    for (const { index: next } of dependencies) visit(next);
  };
  for (const index of roots) visit(index);
  return found;
}

/** The crates of others that a library names, by the paths of their sources in messages of panics. */
function traces(text) {
  return [...text.matchAll(/(?:crates|vendor)\/(?:[\w.-]+\/)?([\w-]+-\d+\.\d+\.\d+[\w.+-]*)\/src\//g)].map(([, crate]) => crate);
}

// ---- the checks: each returns what is wrong ----

async function followsSchema({ bom }) {
  const errors = await validator.validate(JSON.stringify(bom));
  return (errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function listsBuiltCrates({ bom, built }) {
  return versionsOf(built, ({ std }) => !std).filter((crate) => !refs(bom).has(crate)).map((crate) => `${crate} is missing`);
}

function listsStd({ bom, built }) {
  const ofOthers = versionsOf(built, ofStd);
  const purls = new Set(bom.components.filter((each) => each['bom-ref'].startsWith('rust-std/')).map(({ purl }) => purl.replace('pkg:cargo/', '')));
  const missing = ofOthers.filter((crate) => !purls.has(crate)).map((crate) => `${crate} of std is missing`);
  if (!bom.components.some(({ name }) => name === 'rust-std')) missing.push('std is missing');
  return missing;
}

function listsNoOther({ bom, built }) {
  const known = new Set(versionsOf(built, ({ std }) => !std));
  return [...refs(bom)].filter((ref) => ref.includes('@') && !ref.startsWith('rust-std') && !known.has(ref)).map((ref) => `${ref} is not built`);
}

function listsTraces({ bom, traces: named }) {
  const known = new Set(bom.components.map(({ name, version }) => `${name}-${version}`));
  return named.filter((crate) => !known.has(crate)).map((crate) => `${crate} is named in a library`);
}

function hasEntries({ bom, notices }) {
  return bom.components.filter((component) => !entryOf(notices, component)).map(({ name }) => `${name} has no entry`);
}

function hasTexts({ bom, notices }) {
  return bom.components.flatMap((component) => {
    const numbers = [.../^ {4}Texts: (.*)$/m.exec(entryOf(notices, component) ?? '')?.[1].matchAll(/(\d+) \(/g) ?? []].map(([, number]) => number);
    const texts = numbers.map((number) => section(notices, `Text ${number}`) ?? '');
    const present = Object.keys(SIGNS).filter((licence) => texts.some((text) => SIGNS[licence].test(text.replace(/\s+/g, ' '))));
    return satisfied(licenceOf(component), present) ? [] : [`${component.name}: ${licenceOf(component)}, but texts of ${present.join(', ') || 'none'}`];
  });
}

function allowsLicences({ bom }) {
  return bom.components.filter((component) => !satisfied(licenceOf(component), allowed))
    .map((component) => `${component.name}: ${licenceOf(component)} is not allowed`);
}

function namesComponents({ bom }) {
  const known = new Set([...refs(bom), bom.metadata.component['bom-ref']]);
  return bom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]).filter((ref) => !known.has(ref)).map((ref) => `${ref} is no component`);
}

function holdsNothingOfMachine({ bom, notices }) {
  const text = `${notices}\n${JSON.stringify(bom)}`;
  const patterns = [process.cwd(), process.env.HOME, '/registry/src/', '"timestamp"'];
  return patterns.filter((pattern) => pattern.length > 1 && text.includes(pattern)).map((pattern) => `has ${pattern}`);
}

function keepsOnlyUsed({ bom }) {
  const names = new Set(bom.components.map(({ name }) => name));
  return Object.keys(kept.withoutLicenceFile).filter((name) => !names.has(name)).map((name) => `licenses/packages.json names ${name}, which is not linked`);
}

// ---- licences ----

/** Whether a set of licences fulfils an SPDX expression. */
function satisfied(expression, present) {
  const words = expression.match(/[()]|[^\s()]+/g);
  const either = () => {
    let result = both();
    while (words[0] === 'OR') result = (words.shift(), both()) || result;
    return result;
  };
  const both = () => {
    let result = one();
    while (words[0] === 'AND') result = (words.shift(), one()) && result;
    return result;
  };
  const one = () => {
    let word = words.shift();
    if (word === '(') {
      const result = either();
      words.shift();
      return result;
    }
    if (words[0] === 'WITH') word = `${word} ${words.shift()} ${words.shift()}`;
    return present.includes(word);
  };
  return either();
}

function licenceOf({ licenses: [first] }) {
  return first.expression ?? first.license.id;
}

// ---- parts of the files ----

/** Whether a crate is one of others in std. */
function ofStd({ std, inTree }) {
  return std && !inTree;
}

function versionsOf(built, wanted) {
  return [...new Set([...built].flatMap(([name, versions]) => versions.filter(wanted).map(({ version }) => `${name}@${version}`)))];
}

function refs(bom) {
  return new Set(bom.components.map((component) => component['bom-ref']));
}

function entryOf(notices, { name, version }) {
  return section(notices, version ? `${name} ${version}` : name);
}

/** What stands under a heading, up to the next line of dashes. */
function section(notices, heading) {
  const start = notices.indexOf(`\n${'-'.repeat(80)}\n${heading}\n`);
  return start < 0 ? undefined : notices.slice(start + 82, (notices.indexOf(`\n${'-'.repeat(80)}\n`, start + 82) + 1 || notices.length + 1) - 1);
}

function remove(bom, name) {
  bom.components = bom.components.filter((component) => component.name !== name);
}

function tally(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}
