// What scripts/docs.sh needs beside Doxygen and rustdoc:
//
//   node docs-pages.mjs filter FILE      a page of docs/ for Doxygen: its own links lead to pages of the site, others to the repository
//   node docs-pages.mjs check FOLDER     whether the site has each page, and each link in it leads to a file; counts the links

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const REPOSITORY = 'https://github.com/net-websocket/net_websocket/blob/main/';
const FENCE = /^```.*\n[^]*?^```$/gm;

/** The pages of the site, by their paths here: the guide, and what it refers to. */
function pages() {
  const guide = fs.readdirSync(path.join(ROOT, 'docs/c')).filter((name) => name.endsWith('.md')).map((name) => `docs/c/${name}`);
  return [...guide, ...['differences', 'servers'].flatMap((name) => [`docs/${name}.md`, `docs/${name}.zh-CN.md`])];
}

/** Doxygen's name of a page, which is that of its HTML file too. */
const labelOf = (page) => page.replace(/^docs\//, '').replace(/\.md$/, '').replaceAll(/[/.]/g, '-').toLowerCase();

/** The id that a heading has on the web, as links name it. */
const slugOf = (heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(/\s/g, '-');

/** Headings of a page below its title, each with Doxygen's name for it. */
function headingsOf(page) {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8').replaceAll(FENCE, (block) => '\n'.repeat(block.split('\n').length - 1));
  return [...text.matchAll(/^##+ (.*)$/gm)].map(([, heading], index) => ({ heading, slug: slugOf(heading), label: `${labelOf(page)}-${index + 1}` }));
}

function linkOf(page, text, target) {
  if (/^\w+:/.test(target)) return `[${text}](${target})`;
  const [file, fragment] = target.split('#');
  const to = file === '' ? page : path.join(path.dirname(page), file);
  if (!pages().includes(to)) return `[${text}](${REPOSITORY}${to}${fragment ? `#${fragment}` : ''})`;
  const heading = fragment && headingsOf(to).find(({ slug }) => slug === fragment);
  if (fragment && !heading) throw new Error(`${page}: ${to} has no heading '${fragment}'`);
  return `[${text}](@ref ${heading ? heading.label : labelOf(to)})`;
}

/** Prose with Doxygen's links and names of headings, and without what Doxygen would take for a command or for HTML. */
function prose(page, text, headings) {
  return text
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/(?<=.)@(?=.)/g, '&#64;'))
    .replaceAll(/\[((?:[^\]`]|`[^`]*`)*)\]\(([^)]*)\)/g, (whole, words, target) => linkOf(page, words, target))
    .replace(/^# (.*)$/m, (whole, title) => `# ${title} {#${labelOf(page)}}`)
    .replaceAll(/^(##+ .*)$/gm, (whole) => `${whole} {#${headings.shift().label}}`);
}

function filter(file) {
  const page = path.relative(ROOT, path.resolve(file));
  const text = fs.readFileSync(file, 'utf8');
  const headings = headingsOf(page);
  let at = 0;
  let out = '';
  for (const { 0: block, index } of text.matchAll(FENCE)) {
    out += prose(page, text.slice(at, index), headings) + block;
    at = index + block.length;
  }
  process.stdout.write(out + prose(page, text.slice(at), headings));
}

function check(folder) {
  const problems = pages().map((page) => path.join(folder, 'c', page === 'docs/c/README.md' ? 'index.html' : `${labelOf(page)}.html`))
    .filter((file) => !fs.existsSync(file)).map((file) => `${file} is missing`);
  const html = (where) => fs.readdirSync(path.join(folder, where)).filter((name) => name.endsWith('.html')).map((name) => path.join(folder, where, name));
  let links = 0;
  for (const file of [...html('.'), ...html('c')]) {
    for (const [, target] of fs.readFileSync(file, 'utf8').matchAll(/href="([^"]+)"/g)) {
      const [to] = target.split('#');
      if (/^(\w+:|#)/.test(target) || to === '') continue;
      links += 1;
      if (!fs.existsSync(path.join(path.dirname(file), decodeURIComponent(to)))) problems.push(`${file}: there is no ${to}`);
    }
  }
  for (const problem of problems) console.error(problem);
  console.log(`${links} links`);
  process.exit(problems.length === 0 ? 0 : 1);
}

const [, , command, argument] = process.argv;
if (command === 'filter' && argument) filter(argument);
else if (command === 'check' && argument) check(argument);
else throw new Error('usage: docs-pages.mjs filter FILE, or docs-pages.mjs check FOLDER');
