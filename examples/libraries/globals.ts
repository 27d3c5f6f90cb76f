// The globals that libraries for browsers need and ArkTS lacks. Import this file before such a library. It is TypeScript, because
// .ets files may not use globalThis. docs/arkts/libraries.md lists which library needs which global.

import { url, util } from '@kit.ArkTS';
import { AbortController, AbortSignal } from './abort';

class TextEncoder {
  readonly encoding = 'utf-8';

  encode(text: string = ''): Uint8Array {
    return new util.TextEncoder().encodeInto(text);
  }
}

class TextDecoder {
  readonly encoding = 'utf-8';

  decode(bytes: ArrayBuffer | Uint8Array = new Uint8Array(0)): string {
    const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    return util.TextDecoder.create('utf-8').decodeToString(view);
  }
}

/** Each global under the name that libraries use. */
export const globals: Record<string, Object> = {
  TextEncoder,
  TextDecoder,
  AbortController,
  AbortSignal,
  URL: url.URL,
  queueMicrotask: (task: () => void) => {
    Promise.resolve().then(task);
  },
  navigator: { userAgent: 'ArkTS' },
};

const target = globalThis as unknown as Record<string, Object>;
for (const name of Object.keys(globals)) target[name] ??= globals[name];
