// Where ArkTS's compiler is: ohos-typescript, where OHOS_TYPESCRIPT says, else where scripts/setup.sh has installed it.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The folder of the compiler. Calls `fail` with what to do when there is none. */
export function folderOfCompiler(fail) {
  const cache = process.env.NET_WEBSOCKET_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'net_websocket');
  const folder = process.env.OHOS_TYPESCRIPT || path.join(cache, 'typescript/node_modules/ohos-typescript');
  if (!fs.existsSync(folder)) fail(`there is no ohos-typescript in ${folder}; scripts/setup.sh installs it`);
  return path.resolve(folder);
}
