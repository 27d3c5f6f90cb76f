// The code blocks of docs/c, and what its pages name:
//
//   node blocks.mjs write en|zh FOLDER    writes each to FOLDER/PAGE-N.c, .cpp, .cmake or .sh, and prints the names
//   node blocks.mjs names                 whether the pages of each language name all that the headers declare, and lead to files
//   node blocks.mjs unrun FOLDER          prints each function of the pages that no run has entered, by what gcov finds in FOLDER
//
// A block of another kind is an error. `main` of a block is main_of_PAGE, since all blocks are linked into one program.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const PAGES = path.join(ROOT, 'docs/c');
const SUFFIXES = { c: 'c', cpp: 'cpp', cmake: 'cmake', sh: 'sh' };
const COMPILED = ['c', 'cpp'];
// What the examples name in the world is on this machine.
const PLACES = [['"proxy.example"', '"127.0.0.1"']];

function fail(message) {
  console.error(`blocks: ${message}`);
  process.exit(1);
}

const pagesIn = (language) => fs.readdirSync(PAGES).filter((name) => name.endsWith('.md') && name.endsWith('.zh-CN.md') === (language === 'zh'));

/** Blocks of a page, in order, with the line that each begins at. */
function blocksOf(page) {
  const text = fs.readFileSync(path.join(PAGES, page), 'utf8');
  return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(({ 1: kind, 2: code, index }) => ({
    kind, code, line: text.slice(0, index).split('\n').length + 1,
  }));
}

function write(language, folder) {
  fs.mkdirSync(folder, { recursive: true });
  const pages = pagesIn(language);
  if (pages.length === 0) fail(`${PAGES} has no pages in '${language}'`);
  for (const page of pages) {
    const name = page.replace(/(\.zh-CN)?\.md$/, '');
    const where = path.relative(ROOT, path.join(PAGES, page));
    blocksOf(page).forEach(({ kind, code, line }, index) => {
      const suffix = SUFFIXES[kind];
      if (!suffix) fail(`${where}:${line}: nothing runs a block of the kind '${kind}'`);
      const file = `${name}-${index + 1}.${suffix}`;
      const head = COMPILED.includes(suffix) ? `#define main main_of_${name.replaceAll('-', '_')}\n#line ${line} "${where}"\n` : '';
      fs.writeFileSync(path.join(folder, file), head + PLACES.reduce((before, [from, to]) => before.replaceAll(from, to), code));
      console.log(file);
    });
  }
}

function unrun(folder) {
  const objects = fs.readdirSync(folder).filter((name) => name.endsWith('.gcno'));
  if (objects.length === 0) fail(`${folder} has nothing that was compiled for gcov`);
  for (const object of objects) {
    const found = execFileSync('gcov', ['--json-format', '--stdout', object], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    for (const { file, functions } of JSON.parse(found).files) {
      if (!file.endsWith('.md')) continue;
      for (const each of functions) {
        if (each.execution_count === 0) console.log(`${file}:${each.start_line}: ${each.demangled_name} is never run`);
      }
    }
  }
}

/** What the headers declare for programs: functions, codes, and the fields of structs that a program fills or reads. */
function declared() {
  const read = (name) => fs.readFileSync(path.join(ROOT, 'include/network/netstack', name), 'utf8');
  const headers = ['net_websocket.h', 'net_websocket_ext.h', 'net_websocket_type.h'].map(read).join('\n').replaceAll(/\/\*[^]*?\*\//g, '');
  const bodyOf = (kind, name) => new RegExp(`typedef ${kind} ${name} \\{([^]*?)\\n\\}`).exec(headers)?.[1] ?? fail(`the headers have no ${kind} ${name}`);
  const fieldsOf = (name) => [...bodyOf('struct', name).matchAll(/(?:\(\*(\w+)\)\(|(\w+);)/g)].map(([, callback, field]) => callback ?? field);
  const structs = ['NWS_Options', 'NWS_ReconnectOptions', 'NWS_Callbacks', 'NWS_Statistics',
    'NWS_ServerOptions', 'NWS_ServerRequest', 'NWS_ServerConnection', 'NWS_ServerCallbacks', 'NWS_ServerStatistics'];
  return [
    ...headers.matchAll(/^[^ #][^;{}=]*?\b((?:NWS|OH)_\w+)\(/gm),
    ...['NWS_ErrCode', 'NWS_Phase', 'NWS_Cause', 'NWS_Decision', 'NWS_ProxyType', 'NWS_LogLevel']
      .flatMap((name) => [...bodyOf('enum', name).matchAll(/^ *(NWS_\w+) =/gm)]),
  ].map((match) => match[1]).concat(structs.flatMap(fieldsOf).filter((name) => name !== 'size'));
}

function names() {
  const wanted = [...new Set(declared())];
  const problems = [];
  let links = 0;
  for (const language of ['en', 'zh']) {
    const pages = pagesIn(language);
    const text = pages.map((page) => fs.readFileSync(path.join(PAGES, page), 'utf8')).join('\n');
    const named = new Set([...text.matchAll(/\w+/g)].map(([word]) => word));
    problems.push(...wanted.filter((name) => !named.has(name)).map((name) => `docs/c, ${language}: does not name ${name}`));
    for (const page of pages) {
      const prose = fs.readFileSync(path.join(PAGES, page), 'utf8').replaceAll(/^```.*\n[^]*?^```$/gm, '');
      for (const [, target] of prose.matchAll(/\]\(([^)#]*)(?:#[^)]*)?\)/g)) {
        if (target === '' || target.includes('://')) continue;
        links += 1;
        if (!fs.existsSync(path.join(PAGES, target))) problems.push(`docs/c/${page}: there is no ${target}`);
      }
    }
    // As the header's own table has them, which a test holds against the structs.
    const header = fs.readFileSync(path.join(ROOT, 'include/network/netstack/net_websocket_ext.h'), 'utf8');
    for (const [, struct, wide, narrow] of header.matchAll(/^ \* \| (\w+) +\| (\d+) +\| (\d+) +\|$/gm)) {
      if (!text.includes(`| \`${struct}\` | ${wide} | ${narrow} |`)) problems.push(`docs/c, ${language}: the sizes of ${struct} are not ${wide} and ${narrow}`);
    }
  }
  for (const problem of problems) console.error(problem);
  console.log(`${2 * wanted.length + links - problems.length} passed, ${problems.length} failed`);
  process.exit(problems.length === 0 ? 0 : 1);
}

const [, , command, first, second] = process.argv;
if (command === 'write' && second && ['en', 'zh'].includes(first)) write(first, second);
else if (command === 'names') names();
else if (command === 'unrun' && first) unrun(first);
else fail('usage: blocks.mjs write en|zh FOLDER, blocks.mjs names, or blocks.mjs unrun FOLDER');
