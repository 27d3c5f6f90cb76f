// Answers `--help` for the scripts that a user runs: prints the comment at the head of the script.

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Ends the process after the answer if the first argument is `--help` or `-h`. `url` is the script's `import.meta.url`. */
export function answerHelp(url) {
  if (!['--help', '-h'].includes(process.argv[2])) return;
  const [head] = fs.readFileSync(fileURLToPath(url), 'utf8').split(/^(?!\/\/)/m);
  console.log(head.replaceAll(/^\/\/ ?/gm, '').trimEnd());
  process.exit(0);
}
