// Checks the Markdown pages of the repository; ends with `pages: N passed, N failed`.
//
//   node scripts/check-pages.mjs
//   node scripts/check-pages.mjs --wrap FILE.md...     only wraps the long lines of English prose in these pages
//
//   lines      a line of prose has at most 120 characters, without tables, code and the targets of links
//   links      every file and heading that a link names exists
//   options    docs/options.md has exactly the options of index.d.ts and net_websocket_ext.h, with the defaults of the header
//   errors     docs/troubleshooting.md has every error text of the library
//   tests      each test that docs/standards.md names exists
//   README     has at most 110 lines, and its C samples compile without a warning
//   help       the scripts that a user runs answer `--help` with their usage
//
// The script first plants a fault of each kind. If it does not find one, the check itself has failed.

import fs from 'node:fs';
import path from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { answerHelp } from './usage.mjs';

answerHelp(import.meta.url);

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const LINE_MAX = 120;
const README_LINES_MAX = 110;
// Written by programs, which need no line ends to read them.
const GENERATED = ['benches/RESULTS.md'];

const read = (name) => fs.readFileSync(path.join(ROOT, name), 'utf8');
const tracked = () => execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n').filter((name) => name && fs.existsSync(path.join(ROOT, name)));

/** The lines of a page with their numbers, without those of blocks of code. */
function proseLines(text) {
  let fence = '';
  return text.split('\n').flatMap((line, index) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark && (!fence || mark.startsWith(fence))) {
      fence = fence ? '' : mark;
      return [];
    }
    return fence ? [] : [{ line, number: index + 1 }];
  });
}

// ---- lines ----

function longLines(text) {
  return proseLines(text).flatMap(({ line, number }) => {
    if (/^\s*\|/.test(line)) return [];
    const length = [...line.replaceAll(/\]\([^)]*\)/g, ']').replaceAll(/https?:\S+/g, '')].length;
    return length > LINE_MAX ? [`${number}: ${length} characters; prose has ${LINE_MAX} at most`] : [];
  });
}

const LIST_MARK = /^(\s*)((?:[-*+]|\d{1,2}\.) )?/;
const NO_PROSE = /^\s*(\||#|<|!\[|```|~~~)/;
const isLong = (line) => longLines(`${line}\n`).length > 0;

/** A paragraph or an item of a list, whose lines have `LINE_MAX` characters at most. */
function wrapped(lines) {
  const [mark, indent] = LIST_MARK.exec(lines[0]);
  const below = indent + ' '.repeat(mark.length - indent.length);
  const text = lines.map((line, index) => (index === 0 ? line.slice(mark.length) : line.trim())).join(' ');
  const words = [];
  for (const word of text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    // What would begin a list, a heading or a table at the start of a line stays behind its word.
    if (words.length > 0 && /^([-+*#|]|\d+\.$)/.test(word)) words.push(`${words.pop()} ${word}`);
    else words.push(word);
  }
  const out = [mark + words.shift()];
  for (const word of words) {
    const longer = `${out.at(-1)} ${word}`;
    if (isLong(longer)) out.push(below + word);
    else out[out.length - 1] = longer;
  }
  return out;
}

/** A page whose long paragraphs are wrapped. Text in Chinese is left alone: it has no blanks to break at. */
function wrapPage(text) {
  const prose = new Set(proseLines(text).map(({ number }) => number - 1));
  const lines = text.split('\n');
  const isText = (at) => at < lines.length && prose.has(at) && lines[at].trim() !== '' && !NO_PROSE.test(lines[at]);
  const out = [];
  for (let at = 0; at < lines.length;) {
    let end = at + 1;
    if (isText(at)) while (isText(end) && !LIST_MARK.exec(lines[end])[2]) end += 1;
    const paragraph = lines.slice(at, end);
    const isChinese = paragraph.some((line) => /\p{Script=Han}/u.test(line));
    out.push(...(isText(at) && !isChinese && paragraph.some(isLong) ? wrapped(paragraph) : paragraph));
    at = end;
  }
  return out.join('\n');
}

// ---- links ----

/** What GitHub makes of the headings of a page. */
function anchorsOf(text) {
  const seen = new Map();
  return new Set(proseLines(text).flatMap(({ line }) => {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading === undefined) return [];
    const slug = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return [count === 0 ? slug : `${slug}-${count}`];
  }));
}

/** The links of a page that lead nowhere. `files` are those there are, `textOf` gives a page. */
function deadLinks(page, text, files, textOf) {
  const folders = new Set([...files].flatMap((file) => {
    const parts = file.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  }));
  return proseLines(text).flatMap(({ line, number }) => {
    const targets = [...line.replaceAll(/`[^`]*`/g, '`').matchAll(/\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g)].map((match) => match[1]);
    return targets.flatMap((target) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [name, anchor] = target.split('#');
      const file = name ? path.posix.join(path.posix.dirname(page), decodeURI(name)).replace(/\/$/, '') : page;
      if (!files.has(file) && !folders.has(file)) return [`${number}: the link ${target} leads nowhere`];
      if (anchor && file.endsWith('.md') && !anchorsOf(textOf(file)).has(decodeURIComponent(anchor))) {
        return [`${number}: the link ${target} names a heading that is not there`];
      }
      return [];
    });
  });
}

// ---- options ----

// The interfaces of index.d.ts that are options, and what stands before their fields on the page.
const INTERFACES = { WebSocketRequestOptions: '', ReconnectOptions: '', CertificatePinning: '', ClientCert: 'clientCert.', HttpProxy: 'proxy.' };
const SERVER_INTERFACES = { WebSocketServerConfig: '', ServerCert: 'serverCert.' };
const STRUCTS = ['NWS_Options', 'NWS_ReconnectOptions', 'NWS_CertificatePinning'];
const SERVER_STRUCTS = ['NWS_ServerOptions'];

function fieldsOfInterfaces(declarations, interfaces) {
  return Object.entries(interfaces).flatMap(([name, prefix]) => {
    const body = new RegExp(`^  interface ${name} \\{\\n([^]*?)^  \\}`, 'm').exec(declarations)?.[1];
    if (!body) throw new Error(`index.d.ts has no interface ${name}`);
    return [...body.matchAll(/^    (?:readonly )?(\w+)\??:/gm)].map((match) => prefix + match[1]);
  });
}

function fieldsOfStructs(header, structs) {
  return structs.flatMap((name) => {
    const body = new RegExp(`typedef struct ${name} \\{([^]*?)\\} ${name};`).exec(header)?.[1];
    if (!body) throw new Error(`net_websocket_ext.h has no struct ${name}`);
    return [...body.replaceAll(/\/\*[^]*?\*\//g, '').matchAll(/(\w+);/g)].map((match) => match[1]).filter((field) => field !== 'size');
  });
}

const isServers = (section) => section.includes('`serverPort` |');

/** What the tables of the page name, by API; the servers have a section of their own. */
function optionsOnPage(page) {
  const found = { C: new Set(), ArkTS: new Set(), 'server in C': new Set(), server: new Set() };
  for (const section of page.split(/^## /m)) {
    const rows = [...section.matchAll(/^\| (`[^`]+`|–) \| (`[^`]+`|–) \|/gm)].map(([, c, arkts]) => [c, arkts].map((cell) => cell.replaceAll('`', '')));
    const server = isServers(section);
    for (const [c, arkts] of rows) {
      if (c !== '–') found[server ? 'server in C' : 'C'].add(c);
      if (arkts !== '–') found[server ? 'server' : 'ArkTS'].add(arkts);
    }
  }
  return found;
}

function optionProblems(page, declarations, header) {
  const found = optionsOnPage(page);
  // Options that are objects are listed by their fields.
  const nested = (names) => new Set([...names, ...[...names].filter((name) => name.includes('.')).map((name) => name.split('.')[0])]);
  const wanted = {
    C: new Set(fieldsOfStructs(header, STRUCTS)),
    'server in C': new Set(fieldsOfStructs(header, SERVER_STRUCTS)),
    ArkTS: new Set(fieldsOfInterfaces(declarations, INTERFACES)),
    server: new Set(fieldsOfInterfaces(declarations, SERVER_INTERFACES)),
  };
  return Object.keys(wanted).flatMap((api) => [
    ...[...wanted[api]].filter((name) => !nested(found[api]).has(name)).map((name) => `lacks the option ${name} (${api})`),
    ...[...found[api]].filter((name) => !wanted[api].has(name)).map((name) => `names ${name} (${api}), which is no option`),
  ]);
}

/** The defaults that the comments of the header name by a number, and the rows of the page do not. */
function wrongDefaults(page, header) {
  const sections = page.split(/^## /m);
  return [
    ...wrongDefaultsOf(STRUCTS, sections.filter((section) => !isServers(section)).join('\n'), header),
    ...wrongDefaultsOf(SERVER_STRUCTS, sections.filter(isServers).join('\n'), header),
  ];
}

function wrongDefaultsOf(names, page, header) {
  const structs = names.map((name) => new RegExp(`typedef struct ${name} \\{([^]*?)\\} ${name};`).exec(header)[1]).join('\n');
  const fields = [...structs.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*[^;]*?(\w+);/g)];
  return fields.flatMap(([, comment, field]) => {
    const number = /\bDefault (\d{2,})\b/.exec(comment.replaceAll(/\s*\n\s*\*\s*/g, ' '))?.[1];
    const cell = new RegExp(`^\\| \`${field}\` \\|(?:[^|]*\\|){3}([^|]*)\\|`, 'm').exec(page)?.[1];
    if (number === undefined || cell === undefined) return [];
    const forms = [number, `${number / 1000} s`, `${number / 1000} 秒`];
    return forms.some((form) => cell.includes(form)) ? [] : [`the default of ${field} is ${number}, not${cell.trimEnd()}`];
  });
}

// ---- errors ----

// Their texts are not for users of the library: declarations, tests, a script for the engine.
const NO_ERRORS = /^src\/(simulation\/|arkts\/declarations\/|arkts\/web\/realm\.rs|.*\/tests(\.rs|\/))/;
// Parts that mark a text other than an error.
const NO_TEXT = /^\(\(.*\) => |\\r\\n|:02|%function|of this library$|^ *unless|^open, openInfo|^Digest |qop=/;

/** The literals of a file with an error text: at least three words, and neither logged nor used in `expect`. */
function errorTexts(source) {
  const code = source.split(/^#\[cfg\(test\)\]\nmod /m)[0];
  const literal = /\/\/[^\n]*|(b?)"((?:[^"\\]|\\[^])*)"|'(?:[^'\\]|\\.)'/g;
  return [...code.matchAll(literal)].flatMap((match) => {
    if (match[2] === undefined || match[1] === 'b') return [];
    const before = code.slice(Math.max(0, match.index - 200), match.index);
    if (/(expect|panic!|unreachable!|assert\w*!)\([^()]*$|reason = $|(logging::\w+|warn|info|debug|report)!?\([^;"]*$/.test(before)) return [];
    const text = match[2].replaceAll(/\\\n\s*/g, '').replaceAll('\\"', '"');
    return (text.match(/ /g) ?? []).length < 2 || NO_TEXT.test(text) ? [] : [text];
  });
}

/** The parts of a text between what is filled in, if they say anything. */
const partsOf = (text) => text.split(/\{[^}]*\}/).map((part) => part.trim().replace(/^[;:,] ?|[;:,(]$/g, '').trim())
  .filter((part) => part.split(' ').length >= 2 && part.length >= 10);

function missingTexts(page, texts) {
  const plain = page.replaceAll(/\s+/g, ' ');
  return texts.filter((text) => partsOf(text).some((part) => !plain.includes(part.replaceAll(/\s+/g, ' '))));
}

// ---- tests ----

/** The tests in Rust that a page names in backquotes and that no source has. */
function missingTests(page, sources) {
  const named = [...page.matchAll(/`([a-z0-9]+(?:_[a-z0-9]+){2,})`/g)].map((match) => match[1]);
  return [...new Set(named)].filter((name) => !sources.includes(`fn ${name}(`));
}

// ---- samples ----

function sampleProblems(page) {
  const samples = [...page.matchAll(/^```c\n(#include [^]*?)^```$/gm)].map((match) => match[1]);
  return samples.flatMap((sample) => {
    const { status, stderr } = spawnSync('cc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I', path.join(ROOT, 'include'), '-xc', '-'],
      { input: sample, encoding: 'utf8' });
    return status === 0 ? [] : [`a sample in C does not compile: ${stderr.split('\n')[0]}`];
  });
}

// ---- help ----

const USER_SCRIPTS = ['check-arkts', 'check-har', 'check-pages', 'check-platform-lists', 'run-arkts'].map((name) => `scripts/${name}.mjs`);

function helpProblems(script) {
  const { status, stdout } = spawnSync('node', [path.join(ROOT, script), '--help'], { encoding: 'utf8' });
  return status === 0 && stdout.includes(`node ${script}`) ? [] : ['does not answer --help with its usage'];
}

// ---- planted faults ----

function selfTest() {
  const planted = [
    ['a long line', longLines(`${'a'.repeat(121)}\n`).length === 1],
    ['a long line behind a block of code', longLines(`\`\`\`\n${'a'.repeat(121)}\n\`\`\`\n${'b '.repeat(61)}\n`).length === 1],
    ['a line that is not wrapped', longLines(wrapPage(`- ${'ab '.repeat(60)}\n`)).length === 0],
    ['a word that begins a list when its line is wrapped', !/^ *2\./m.test(wrapPage(`- ${'ab '.repeat(39)}a 2. c ${'ab '.repeat(9)}\n`))],
    ['a link to a file that is not there', deadLinks('docs/a.md', '[b](../b.md)', new Set(['docs/a.md']), () => '').length === 1],
    ['a link to a heading that is not there', deadLinks('a.md', '[b](#c)', new Set(['a.md']), () => '# B\n').length === 1],
    ['a text of an error', missingTexts('It says `the server hung up on us`.', ['the server {name} sent nothing at all']).length === 1],
    ['a test that is not there', missingTests('`a_test_that_is` `a_test_that_is_not`', 'fn a_test_that_is() {').length === 1],
    ['a text in the sources', errorTexts('f.write_str("the peer is rude")').length === 1],
  ];
  const header = read('include/network/netstack/net_websocket_ext.h');
  const declarations = read('package/src/main/cpp/types/libnet_websocket/index.d.ts');
  const page = read('docs/options.md');
  const without = (name) => page.split('\n').filter((line) => !line.includes(`\`${name}\` |`)).join('\n');
  for (const name of ['connectTimeoutMs', 'lookupTimeout', 'maxHandshakes', 'rateBanMs', 'proxy.type']) {
    planted.push([`an option that the page lacks: ${name}`, optionProblems(without(name), declarations, header).some((problem) => problem.includes(` ${name} `))]);
  }
  planted.push(['a default that is another', wrongDefaults(page.replace('| 15000 |', '| 15001 |'), header).some((problem) => problem.endsWith('not 15001'))]);
  planted.push(['a default of the server that is another', wrongDefaults(page.replace('| 60000 |', '| 60001 |'), header).some((problem) => problem.endsWith('not 60001'))]);
  planted.push(['an option that is none', optionProblems(`${page}\n## A\n\n| \`nothing\` | – |\n`, declarations, header).some((problem) => problem.includes(' nothing '))]);
  planted.push(['a sample that does not compile', sampleProblems('```c\n#include <stddef.h>\nint f(void) { return NOTHING; }\n```\n').length === 1]);
  planted.push(['a script without --help', helpProblems('scripts/docs-pages.mjs').length === 1]);
  const unnoticed = planted.filter(([, noticed]) => !noticed).map(([what]) => `scripts/check-pages.mjs: ${what} goes unnoticed`);
  return { count: planted.length, unnoticed };
}

function main() {
  const [mode, ...named] = process.argv.slice(2);
  if (mode !== undefined) {
    if (mode !== '--wrap' || named.length === 0) {
      console.error('check-pages: usage: node scripts/check-pages.mjs [--wrap FILE.md...]');
      process.exit(1);
    }
    for (const file of named) fs.writeFileSync(file, wrapPage(fs.readFileSync(file, 'utf8')));
    return;
  }
  const { count, unnoticed } = selfTest();
  const problems = [...unnoticed];
  const files = new Set(tracked());
  const pages = [...files].filter((name) => name.endsWith('.md'));
  for (const page of pages) {
    const text = read(page);
    if (!GENERATED.includes(page)) problems.push(...longLines(text).map((problem) => `${page}:${problem}`));
    problems.push(...deadLinks(page, text, files, read).map((problem) => `${page}:${problem}`));
  }

  const declarations = read('package/src/main/cpp/types/libnet_websocket/index.d.ts');
  const header = read('include/network/netstack/net_websocket_ext.h');
  const tables = ['docs/options.md', 'docs/options.zh-CN.md'];
  for (const page of tables) {
    const found = [...optionProblems(read(page), declarations, header), ...wrongDefaults(read(page), header)];
    problems.push(...found.map((problem) => `${page}: ${problem}`));
  }

  const sources = [...files].filter((name) => name.startsWith('src/') && name.endsWith('.rs') && !NO_ERRORS.test(name));
  const texts = sources.flatMap((name) => errorTexts(read(name)).map((text) => ({ name, text })));
  const troubles = ['docs/troubleshooting.md', 'docs/troubleshooting.zh-CN.md'];
  for (const page of troubles) {
    const missing = new Set(missingTexts(read(page), texts.map(({ text }) => text)));
    problems.push(...texts.filter(({ text }) => missing.has(text)).map(({ name, text }) => `${page}: lacks a text of ${name}: ${text}`));
  }

  const rust = [...files].filter((name) => name.endsWith('.rs')).map(read).join('\n');
  for (const page of ['docs/standards.md', 'docs/standards.zh-CN.md']) {
    problems.push(...missingTests(read(page), rust).map((name) => `${page}: there is no test ${name}`));
  }

  for (const page of ['README.md', 'README.zh-CN.md']) {
    problems.push(...sampleProblems(read(page)).map((problem) => `${page}: ${problem}`));
    const lines = read(page).split('\n').length - 1;
    if (lines > README_LINES_MAX) problems.push(`${page}: has ${lines} lines; what is more than ${README_LINES_MAX} belongs on a page of its own`);
  }

  for (const script of USER_SCRIPTS) problems.push(...helpProblems(script).map((problem) => `${script}: ${problem}`));

  const unique = [...new Set(problems)];
  for (const problem of unique) console.error(problem);
  const failed = new Set(unique.map((problem) => problem.split(':', 1)[0])).size;
  const total = pages.length + USER_SCRIPTS.length + count;
  console.log(`pages: ${total - failed} passed, ${failed} failed (${pages.length} pages, ${texts.length} texts of errors, ${count} planted faults that must be found)`);
  process.exit(failed === 0 ? 0 : 1);
}

main();
