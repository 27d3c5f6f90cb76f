// AbortController and AbortSignal of the web, which ArkTS lacks. globals.ts makes them global.

type AbortListener = (event: Object) => void;

export class AbortSignal {
  aborted: boolean = false;
  reason: Object | undefined = undefined;
  onabort: AbortListener | null = null;
  private readonly listeners: Set<AbortListener> = new Set();

  /** The type is always 'abort'. That event comes once at most. */
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

export class AbortController {
  readonly signal: AbortSignal = new AbortSignal();

  abort(reason?: Object): void {
    this.signal.abort(reason);
  }
}
