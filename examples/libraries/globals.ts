// What else libraries for the web look for and ArkTS has not. Import this before any of them. It is TypeScript, since .ets files may not
// name globalThis. docs/arkts/libraries.md says which library wants which.

import { url, util } from '@kit.ArkTS';

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

type AbortListener = (event: Object) => void;

class AbortSignal {
  aborted: boolean = false;
  reason: Object | undefined = undefined;
  onabort: AbortListener | null = null;
  private readonly listeners: Set<AbortListener> = new Set();

  /** Of the one event that there is, `abort`, which comes once. */
  addEventListener(_type: string, listener: AbortListener): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: string, listener: AbortListener): void {
    this.listeners.delete(listener);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  abort(reason: Object | undefined): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason ?? Object.assign(new Error('aborted'), { name: 'AbortError' });
    const event = { type: 'abort', target: this };
    this.onabort?.(event);
    for (const listener of [...this.listeners]) listener(event);
  }

  static any(signals: AbortSignal[]): AbortSignal {
    const first = new AbortSignal();
    for (const signal of signals) {
      if (signal.aborted) first.abort(signal.reason);
      else signal.addEventListener('abort', () => first.abort(signal.reason));
    }
    return first;
  }
}

class AbortController {
  readonly signal: AbortSignal = new AbortSignal();

  abort(reason?: Object): void {
    this.signal.abort(reason);
  }
}

/** By the names that libraries know them by. */
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
