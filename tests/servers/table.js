'use strict';

// Writes the tables between the marks in docs/servers.md and docs/servers.zh-CN.md from expected.json.
// `node table.js` writes them; `node table.js --check` fails if they differ from what it would write.

const fs = require('node:fs');
const path = require('node:path');

const { SERVERS } = require('./catalog.js');

const DOCS = path.join(__dirname, '../../docs');
const BEGIN = '<!-- measured: written by tests/servers/table.js -->';
const END = '<!-- measured: end -->';

const seen = JSON.parse(fs.readFileSync(path.join(__dirname, 'expected.json'), 'utf8'));

/** What the points say, in the words of the page. Longer phrases come first. */
const ENGLISH = [
  [/comes back, and does not/g, 'reconnects sometimes'],
  [/does not come back/g, 'does not reconnect'],
  [/comes back/g, 'reconnects'],
  [/stays offline/g, 'does not reconnect'],
  [/nothing is told/g, 'no event'],
  [/, also with our pings/g, ', even with our pings'],
];

/** Chinese for what the points say. Longer phrases come first. */
const CHINESE = [
  [/waits for its connections; then /g, '等待连接结束；然后 '],
  [/ \(sometimes ([^)]*)\)/g, '（有时 $1）'],
  [/stays offline/g, '不再重连'],
  [/comes back, and does not/g, '未能重连'],
  [/does not come back/g, '未能重连'],
  [/comes back/g, '重新连上'],
  [/stays open/g, '保持连接'],
  [/nothing is told/g, '无事件'],
  [/its process ends/g, '进程退出'],
  [/ends after (\d+) s/g, '$1 秒后结束'],
  [/, also with our pings/g, '，有我们的 ping 也如此'],
  [/, not with our pings/g, '，有我们的 ping 则不会'],
  [/a ping every (\d+) s/g, '每 $1 秒一个 ping'],
  [/a ping after (\d+) s/g, '$1 秒后一个 ping'],
  [/no pings/g, '无 ping'],
  [/switched on: /g, '开启后：'],
  [/^unchanged$/g, '不变'],
  [/ becomes (\w+)/g, ' 变为 $1'],
  [/none up to 1,000,000 bytes/g, '1,000,000 字节以内无'],
  [/pings every (\d+) s, timeout (\d+) s/g, 'ping 间隔 $1 秒、超时 $2 秒'],
  [/its README's check every (\d+) s/g, '其 README 中的检查，每 $1 秒'],
  [/its chat example's pings every (\d+) s/g, '其聊天示例中的 ping，每 $1 秒'],
  [/^no\b/g, '否'],
  [/; then (HTTP|NO_ANSWER)/g, '；然后 $1'],
  [/; /g, '；'],
];
const translated = (text, words) => words.reduce((said, [from, to]) => said.replace(from, to), text);
/** Does not change text in backticks or quotes. */
const say = (text, chinese) => text.split(/(`[^`]*`|"[^"]*")/)
  .map((part, at) => (at % 2 ? part : translated(part, chinese ? CHINESE : ENGLISH))).join('');

const size = (bytes) => (bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes}`);
// A long reason does not fit a table, and a bar would end its cell.
const brief = (text) => text.replaceAll(/"([^"]{40})[^"]+"/g, '"$1…"').replaceAll('|', '\\|');

function compression(points) {
  const offered = points.compression;
  if (offered === undefined) return '–';
  const on = points['compression, switched on'];
  if (offered !== 'none') return `\`${offered}\``;
  return on && on !== 'none' ? `no; switched on: \`${on}\`` : 'no';
}

function silence(points) {
  const [without, with_] = [points['idle without our pings'], points.idle];
  const ended = /^after (\d+) s: (.*)$/s.exec(without);
  if (!ended) {
    const pings = without.split(', ')[1];
    const late = /^after (\d+) s: (.*)$/s.exec(with_);
    return late ? `${pings}; with our pings it ends after ${late[1]} s: ${late[2]}` : pings;
  }
  return `ends after ${ended[1]} s: ${ended[2]}${with_.startsWith('open') ? ', not with our pings' : ', also with our pings'}`;
}

function limit(entry, points) {
  if (!entry.limit) return entry.without?.includes('limit') || points.echoes === undefined ? '–' : 'none up to 1,000,000 bytes';
  const at = points['at the limit'] === 'echoed' ? '' : ` (at it: ${points['at the limit']})`;
  return `${size(entry.limit)}${at}: ${points['over the limit']}`;
}

function ending(entry, points) {
  const other = entry.sometimes?.['told to end'];
  return other ? `${points['told to end']} (sometimes ${other})` : points['told to end'];
}

function refusals(points) {
  const asked = Object.entries(points).filter(([name]) => /^refusal \/\d+$/.test(name));
  if (asked.length === 0) return '–';
  const odd = asked.flatMap(([name, words]) => {
    const status = name.slice('refusal /'.length);
    if (status === '302' && words.startsWith('open at')) return [];
    if (words.startsWith(`HTTP ${status}`)) return [];
    return [`${status} becomes ${/^HTTP (\d+)/.exec(words)?.[1] ?? words.split(':')[0]}`];
  });
  return odd.length === 0 ? 'unchanged' : odd.join(', ');
}

/** What to set on our side, as it follows from the points. */
function advice(entry, points, chinese) {
  const set = [];
  if (points.origin !== 'open' && points.origin?.startsWith('HTTP')) set.push('`supportOriginPort: true`');
  const closed = [points['after sleep'], points['told to end'], points.raises].some((words) => words && /CLOSED/.test(words));
  if (closed) set.push(chinese ? '`reconnect` 的 `causes` 加上 `CLOSED`' : 'add `CLOSED` to the `causes` of `reconnect`');
  const ends = /^after (\d+) s/.exec(points['idle without our pings']);
  if (ends && points.idle.startsWith('open')) set.push(chinese ? `\`pingInterval\` 小于 ${ends[1]}` : `\`pingInterval\` below ${ends[1]}`);
  if (points.pieces && points.pieces !== 'echoed') set.push(chinese ? '`fragmentMessages: false`，不用 `sendPiece`' : '`fragmentMessages: false`, no `sendPiece`');
  if (entry.protocol) set.push(`\`protocol: '${entry.protocol}'\``);
  return set.join(chinese ? '；' : '; ') || (chinese ? '无需' : 'nothing');
}

function table(headings, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(headings), `|${'---|'.repeat(headings.length)}`, ...rows.map(line)].join('\n');
}

function tables(chinese) {
  const known = SERVERS.filter(({ name }) => seen[name]);
  const title = (entry) => {
    const setting = entry.setting ? (chinese ? `（${say(entry.setting, true)}）` : ` (${entry.setting})`) : '';
    return `${entry.name} ${seen[entry.name].version.replace(/^\d:|[+~-].*$/g, '')}${setting}`;
  };
  const cells = (entry, ...texts) => [title(entry), ...texts.map((text) => brief(say(text ?? '–', chinese))), advice(entry, seen[entry.name], chinese)];
  const servers = known.filter(({ backend }) => !backend).map((entry) => {
    const points = seen[entry.name];
    return cells(entry, compression(points), silence(points), points['after sleep'], limit(entry, points), points.raises, ending(entry, points), refusals(points));
  });
  const proxies = known.filter(({ backend }) => backend).map((entry) => {
    const points = seen[entry.name];
    return cells(entry, silence(points), points['after sleep'], points['server behind it dies'], ending(entry, points), refusals(points));
  });
  const headings = chinese
    ? [['服务器', '对压缩提议的回答', '70 秒无消息', '客户端休眠一分钟，`reconnect` 开启', '消息上限，超过时', '应用出错时', '收到 SIGTERM 时', '拒绝时的状态', '如何设置'],
      ['代理', '70 秒无消息', '客户端休眠一分钟，`reconnect` 开启', '后端被杀死', '收到 SIGTERM 时', '拒绝时的状态', '如何设置']]
    : [['server', 'answer to the offer of compression', '70 s without a message', 'client sleeps for a minute, with `reconnect`', 'message limit, and what happens above it',
      'its message handler throws', 'it receives SIGTERM', 'status of a refusal', 'what to set'],
    ['proxy', '70 s without a message', 'client sleeps for a minute, with `reconnect`', 'its backend is killed', 'it receives SIGTERM', 'status of a refusal', 'what to set']];
  return `${table(headings[0], servers)}\n\n${table(headings[1], proxies)}`;
}

let stale = 0;
for (const [file, chinese] of [['servers.md', false], ['servers.zh-CN.md', true]]) {
  const name = path.join(DOCS, file);
  const text = fs.readFileSync(name, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no marks`);
  const made = `${text.slice(0, begin + BEGIN.length)}\n\n${tables(chinese)}\n\n${text.slice(end)}`;
  if (made === text) continue;
  stale += 1;
  if (process.argv[2] === '--check') console.log(`FAIL  docs/${file} is not what tests/servers/table.js makes of expected.json`);
  else fs.writeFileSync(name, made);
}
if (process.argv[2] === '--check') {
  console.log(`${2 - stale} passed, ${stale} failed`);
  process.exit(stale === 0 ? 0 : 1);
}
