// Makes a copy of this module with its packages in oh_modules, as ohpm lays them, from what its oh-package.json5 and theirs say:
//
//   node tests/har/install.mjs FOLDER HAR      HAR is what every .har among the dependencies means
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

const [folder, har] = process.argv.slice(2);
if (har === undefined || !fs.existsSync(har)) {
  console.error(har === undefined ? 'usage: node tests/har/install.mjs FOLDER HAR' : `install: there is no ${har}; scripts/package.sh makes it`);
  process.exit(1);
}
const json5 = createRequire(path.resolve(process.env.OHOS_TYPESCRIPT))('json5');
const describe = (place) => json5.parse(fs.readFileSync(path.join(place, 'oh-package.json5'), 'utf8'));

function unpack(place, ...only) {
  fs.mkdirSync(place, { recursive: true });
  execFileSync('tar', ['-xzf', har, '-C', place, '--strip-components=1', ...only]);
}

function install(place) {
  for (const [name, where] of Object.entries(describe(place).dependencies ?? {})) {
    const installed = path.join(place, 'oh_modules', name);
    if (where.endsWith('.har')) {
      unpack(installed);
      install(installed);
    } else {
      fs.mkdirSync(path.dirname(installed), { recursive: true });
      fs.symlinkSync(path.resolve(place, where.slice('file:'.length)), installed);
    }
    const found = describe(installed).name;
    if (found !== name) throw new Error(`${name} of ${place} is ${found}`);
  }
}

fs.rmSync(folder, { recursive: true, force: true });
fs.cpSync(import.meta.dirname, folder, { recursive: true });
const types = 'src/main/cpp/types';
unpack(folder, `package/${types}`);
fs.renameSync(path.join(folder, types), path.join(folder, 'types'));
install(folder);
