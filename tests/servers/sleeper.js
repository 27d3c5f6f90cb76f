'use strict';

// A phone that sleeps: this process opens a connection to each server and is stopped by the runner. When it continues, it
// prints how each connection ended, with `reconnect` on. Its standard input has the targets, as [{ name, url, options }].

const { load } = require('../js/load.js');
const { Connection } = require('./points.js');

/** After waking, for servers whose end comes late. */
const AWAKE_MS = 3_000;

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const targets = JSON.parse(Buffer.concat(chunks).toString());
  const library = load();
  const connections = targets.map(({ url, options }) => new Connection(library, url, { ...options, reconnect: { atOnce: true } }));
  for (const connection of connections) await connection.when(({ type }) => type === 'open' || type === 'error' || type === 'close');
  // Before the word that has the runner stop it, or the signal to go on could come too early.
  const goesOn = new Promise((resolve) => process.once('SIGCONT', resolve));
  process.stdout.write('READY\n');
  await goesOn;

  const result = {};
  await Promise.all(connections.map(async (connection, index) => {
    const isChange = ({ type }) => type === 'reconnecting' || type === 'close' || type === 'error';
    const event = await connection.when(isChange, AWAKE_MS);
    let words = 'stays open';
    if (event && event.type !== 'reconnecting') {
      words = `${connection.words()}; stays offline`;
    } else if (event) {
      const cause = library.Cause[event.value.cause];
      const { code, message } = event.value;
      const reason = message.replace(/^closed by the peer \(\d+\)(: )?/, '');
      words = `${code === undefined || code === 1006 ? '1006' : `${code} ${JSON.stringify(reason)}`}, ${cause}; comes back`;
      if (!(await connection.when(({ type }) => type === 'reconnected'))) words += ', and does not';
    }
    result[targets[index].name] = words;
    await connection.finish();
  }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
