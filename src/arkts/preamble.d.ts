// `@since` with a number is the API level at which the platform's own module got the member.
import { AsyncCallback, BusinessError, Callback, ErrorCallback } from '@kit.BasicServicesKit';

/**
 * Response headers of the upgrade by name, in lower case; a name that came more than once has an array of its values.
 * @since 12
 */
export type ResponseHeaders = Record<string, string | Array<string>>;

/**
 * Which proxy to connect by.
 * @since 12
 */
export type ProxyConfiguration = 'system' | 'no-proxy' | HttpProxy;

/**
 * A part of an ArrayBuffer, or the whole of one.
 * @since 0.1.0 of this library
 */
export type BinaryView =
  | DataView
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/**
 * The answer of a server that refused the upgrade.
 * @since 0.1.0 of this library
 */
export interface RefusedUpgrade {
  /**
   * The HTTP status.
   * @since 0.1.0 of this library
   */
  status: number;

  /**
   * Its reason phrase.
   * @since 0.1.0 of this library
   */
  message: string;

  /**
   * The headers.
   * @since 0.1.0 of this library
   */
  header: ResponseHeaders;

  /**
   * The first 4096 bytes of the body, as far as they came in time; what is not UTF-8 in it is replaced.
   * @since 0.1.0 of this library
   */
  body: string;
}

/**
 * A step of an attempt to connect; 'open' is none of them: the connection was open.
 * @since 0.1.0 of this library
 */
export type ConnectionPhase = 'lookup' | 'tcp' | 'proxy' | 'tls' | 'upgrade' | 'prepare' | 'open';

/**
 * What the event `error` tells. `data` is the HTTP status of a server that refused the upgrade, as a string; else empty.
 * @since 0.1.0 of this library
 */
export interface WebSocketError extends BusinessError {
  /**
   * Why the attempt or the connection failed.
   * @since 0.1.0 of this library
   */
  cause: Cause;

  /**
   * Where it failed.
   * @since 0.1.0 of this library
   */
  phase: ConnectionPhase;

  /**
   * Messages that were accepted and are dropped, or of which nobody will know whether the peer got them.
   * @since 0.1.0 of this library
   */
  unsent: number;

  /**
   * Milliseconds that the attempt took, or that the connection was open.
   * @since 0.1.0 of this library
   */
  elapsedTime: number;

  /**
   * Milliseconds since the last byte came from the peer, or from a proxy on the way to it; undefined when none ever came.
   * @since 0.1.0 of this library
   */
  idleTime?: number;

  /**
   * Only when a server refused the upgrade.
   * @since 0.1.0 of this library
   */
  response?: RefusedUpgrade;
}

/**
 * A signal to give up an attempt to connect, as the web's AbortSignal is; made by `createAbortSignal`. All its methods are to be called
 * on the thread that made it.
 * @since 0.1.0 of this library
 */
export interface AbortSignal {
  /**
   * Whether `abort` was called.
   * @since 0.1.0 of this library
   */
  readonly aborted: boolean;

  /**
   * Has `listener` called at `abort`, once however often it is added.
   * @since 0.1.0 of this library
   */
  addEventListener(type: 'abort', listener: () => void): void;

  /**
   * Takes that listener off.
   * @since 0.1.0 of this library
   */
  removeEventListener(type: 'abort', listener: () => void): void;

  /**
   * Calls the listeners, those of attempts to connect among them. Later calls do nothing.
   * @since 0.1.0 of this library
   */
  abort(): void;
}
