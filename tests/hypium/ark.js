// ark_js_napi_cli has no console, and timers only with a second engine beside it. Hypium needs a timer to start and for each
// test's deadline; the tests themselves need none, and run.sh has a deadline for all.
globalThis.console ??= { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, log: () => {} };
if (typeof globalThis.setTimeout !== 'function') {
  const BEGINNING_MS = 10;
  globalThis.setTimeout = (action, delay) => {
    if (delay <= BEGINNING_MS) Promise.resolve().then(action);
    return 0;
  };
  globalThis.clearTimeout = () => {};
}

const library = globalThis.requireNapiPreview('net_websocket', true);

function platform(name) {
  switch (name) {
    // Only the exports of the package's own Index.ets.
    case '@net-websocket/net_websocket': return { __esModule: true, default: library };
    case '@kit.ArkTS': return {};
    default: throw new Error(`the platform's module ${name} has no stub here`);
  }
}

runSuites(platform, print, 'Threads', () => {});
