const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const library = { exports: {} };
process.dlopen(library, process.env.NET_WEBSOCKET_LIB);

/** Like TaskPool: the function runs in another thread with its own environment, in which its module is loaded. */
function execute(func, ...args) {
  const id = LOADED.findIndex((exports) => exports && Object.values(exports).includes(func));
  const name = Object.keys(LOADED[id]).find((key) => LOADED[id][key] === func);
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: { id, name, args } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function platform(name) {
  switch (name) {
    // Only the exports of the package's own Index.ets.
    case '@net-websocket/net_websocket': return { __esModule: true, default: library.exports };
    case '@kit.ArkTS': return { taskpool: { execute } };
    default: throw new Error(`the platform's module ${name} has no stub here`);
  }
}

if (isMainThread) {
  // Hypium's own lines, which hilog takes on a device.
  for (const level of ['debug', 'info', 'error', 'log']) console[level] = () => {};
  runSuites(platform, (line) => process.stdout.write(`${line}\n`), undefined, (failed) => {
    // A test that failed may have left a connection open; else the process must end by itself.
    if (failed > 0) process.exit(1);
  });
  setTimeout(() => {
    process.stdout.write('FAIL  the process has not ended\n');
    process.exit(1);
  }, Number(process.env.LIMIT_SECONDS) * 1000).unref();
} else {
  const { id, name, args } = workerData;
  load(id, platform)[name](...args).then((value) => parentPort.postMessage(value));
}
