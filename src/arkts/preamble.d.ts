import { AsyncCallback, Callback, ErrorCallback } from '@kit.BasicServicesKit';

/**
 * Response headers of the upgrade by name, in lower case; a name that came more than once has an array of its values.
 */
export type ResponseHeaders = Record<string, string | Array<string>>;

/**
 * A signal to give up an attempt to connect, as the web's AbortSignal is; made by `createAbortSignal`. All its methods are to be called
 * on the thread that made it.
 */
export interface AbortSignal {
  /** Whether `abort` was called. */
  readonly aborted: boolean;

  /** Has `listener` called at `abort`, once however often it is added. */
  addEventListener(type: 'abort', listener: () => void): void;

  /** Takes that listener off. */
  removeEventListener(type: 'abort', listener: () => void): void;

  /** Calls the listeners, those of attempts to connect among them. Later calls do nothing. */
  abort(): void;
}
