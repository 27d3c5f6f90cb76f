'use strict';

// The points that a build for OpenHarmony is asked, over TLS, in an engine on musl. Standard input has the targets of the runner.

const { load } = require('../js/load.js');
const { runPoint } = require('./points.js');

const ASKED = ['echoes', 'compressed', 'pieces', 'our close', 'their close', 'sub-protocol', 'refusals'];

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const library = load();
  const result = {};
  for (const { name, points, ...target } of JSON.parse(Buffer.concat(chunks).toString())) {
    result[name] = {};
    for (const point of ASKED.filter((each) => points.includes(each))) Object.assign(result[name], await runPoint(point, { library, ...target }));
  }
  process.stdout.write(`\n${JSON.stringify(result)}\n`);
}

main().catch((error) => {
  console.log(error);
  process.exit(1);
});
