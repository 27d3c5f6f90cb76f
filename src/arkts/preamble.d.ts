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

/**
 * The classes of the web, for scripts that were written for it.
 * @since 0.1.0 of this library
 */
export declare namespace web {
  /**
   * An absolute URL as an object, such as that of `@ohos.url`.
   * @since 0.1.0 of this library
   */
  interface UrlObject {
    /**
     * The whole URL.
     * @since 0.1.0 of this library
     */
    readonly href: string;

    /**
     * The whole URL.
     * @since 0.1.0 of this library
     */
    toString(): string;
  }

  /**
   * What a binary message becomes. An engine without `Blob`, as that of ArkTS, has 'arraybuffer' alone.
   * @since 0.1.0 of this library
   */
  type BinaryType = 'arraybuffer' | 'blob';

  /**
   * A function that is called with events.
   * @since 0.1.0 of this library
   */
  type EventListener = (event: Event) => void;

  /**
   * An object whose method is called with events.
   * @since 0.1.0 of this library
   */
  interface EventListenerObject {
    /**
     * Is called with each event.
     * @since 0.1.0 of this library
     */
    handleEvent(event: Event): void;
  }

  /**
   * What takes a listener off when it is aborted: the web's AbortSignal, or that of `createAbortSignal`.
   * @since 0.1.0 of this library
   */
  interface AbortSignalLike {
    /**
     * Whether it was aborted.
     * @since 0.1.0 of this library
     */
    readonly aborted: boolean;

    /**
     * Has `listener` called when it is aborted.
     * @since 0.1.0 of this library
     */
    addEventListener(type: 'abort', listener: () => void): void;
  }

  /**
   * The third argument of `removeEventListener`.
   * @since 0.1.0 of this library
   */
  interface ListenerOptions {
    /**
     * Tells two listeners apart that are the same function. Default false.
     * @since 0.1.0 of this library
     */
    capture?: boolean;
  }

  /**
   * The third argument of `addEventListener`.
   * @since 0.1.0 of this library
   */
  interface AddListenerOptions extends ListenerOptions {
    /**
     * Take the listener off when it is called. Default false.
     * @since 0.1.0 of this library
     */
    once?: boolean;

    /**
     * `preventDefault` does nothing in the listener. Default false.
     * @since 0.1.0 of this library
     */
    passive?: boolean;

    /**
     * Takes the listener off when it is aborted.
     * @since 0.1.0 of this library
     */
    signal?: AbortSignalLike;
  }

  /**
   * Something that events happen to: the engine's own class, or that of this library where the engine has none.
   * @since 0.1.0 of this library
   */
  class EventTarget {
    /**
     * Makes a target without listeners.
     * @since 0.1.0 of this library
     */
    constructor();

    /**
     * Adds a listener, unless it is there already.
     * 
     * Throws a TypeError for a listener that is neither function nor object, and for a wrong `signal`.
     * @since 0.1.0 of this library
     */
    addEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: boolean | AddListenerOptions): void;

    /**
     * Removes a listener.
     * @since 0.1.0 of this library
     */
    removeEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: boolean | ListenerOptions): void;

    /**
     * Calls the listeners of an event. `false` when one of them has prevented it.
     * 
     * Throws an InvalidStateError when the event is being dispatched already.
     * @since 0.1.0 of this library
     */
    dispatchEvent(event: Event): boolean;
  }

  /**
   * The second argument of the constructor of `Event`.
   * @since 0.1.0 of this library
   */
  interface EventInit {
    /**
     * Default false.
     * @since 0.1.0 of this library
     */
    bubbles?: boolean;

    /**
     * Whether `preventDefault` does anything. Default false.
     * @since 0.1.0 of this library
     */
    cancelable?: boolean;

    /**
     * Default false.
     * @since 0.1.0 of this library
     */
    composed?: boolean;
  }

  /**
   * Something that happened: the engine's own class, or that of this library where the engine has none.
   * @since 0.1.0 of this library
   */
  class Event {
    /**
     * Makes an event, to be given to `dispatchEvent`.
     * @since 0.1.0 of this library
     */
    constructor(type: string, init?: EventInit);

    /**
     * What happened, such as 'open'.
     * @since 0.1.0 of this library
     */
    readonly type: string;

    /**
     * What it happened to.
     * @since 0.1.0 of this library
     */
    readonly target: EventTarget | null;

    /**
     * The same while listeners are called, and null afterwards.
     * @since 0.1.0 of this library
     */
    readonly currentTarget: EventTarget | null;

    /**
     * 2 while listeners are called, 0 before and afterwards.
     * @since 0.1.0 of this library
     */
    readonly eventPhase: number;

    /**
     * As it was made; false for those of a WebSocket.
     * @since 0.1.0 of this library
     */
    readonly bubbles: boolean;

    /**
     * As it was made; false for those of a WebSocket.
     * @since 0.1.0 of this library
     */
    readonly cancelable: boolean;

    /**
     * As it was made; false for those of a WebSocket.
     * @since 0.1.0 of this library
     */
    readonly composed: boolean;

    /**
     * Whether a listener has prevented it.
     * @since 0.1.0 of this library
     */
    readonly defaultPrevented: boolean;

    /**
     * Whether a WebSocket has made it, and no script.
     * @since 0.1.0 of this library
     */
    readonly isTrusted: boolean;

    /**
     * When it was made, in milliseconds. A message has the time of the first look at it.
     * @since 0.1.0 of this library
     */
    readonly timeStamp: number;

    /**
     * The target while listeners are called; empty afterwards.
     * @since 0.1.0 of this library
     */
    composedPath(): Array<EventTarget>;

    /**
     * Does nothing: a target has no parents.
     * @since 0.1.0 of this library
     */
    stopPropagation(): void;

    /**
     * No further listener is called.
     * @since 0.1.0 of this library
     */
    stopImmediatePropagation(): void;

    /**
     * Prevents it, if it is cancelable.
     * @since 0.1.0 of this library
     */
    preventDefault(): void;
  }

  /**
   * The second argument of the constructor of `MessageEvent`.
   * @since 0.1.0 of this library
   */
  interface MessageEventInit extends EventInit {
    /**
     * Default null.
     * @since 0.1.0 of this library
     */
    data?: string | ArrayBuffer | Object | null;

    /**
     * Default empty.
     * @since 0.1.0 of this library
     */
    origin?: string;

    /**
     * Default empty.
     * @since 0.1.0 of this library
     */
    lastEventId?: string;
  }

  /**
   * A message.
   * @since 0.1.0 of this library
   */
  class MessageEvent extends Event {
    /**
     * Makes an event, to be given to `dispatchEvent`.
     * @since 0.1.0 of this library
     */
    constructor(type: string, init?: MessageEventInit);

    /**
     * A string for a text. A binary message is an ArrayBuffer or, with `binaryType` 'blob', a Blob.
     * @since 0.1.0 of this library
     */
    readonly data: string | ArrayBuffer | Object;

    /**
     * Scheme, host and port of the server.
     * @since 0.1.0 of this library
     */
    readonly origin: string;

    /**
     * Empty.
     * @since 0.1.0 of this library
     */
    readonly lastEventId: string;
  }

  /**
   * The second argument of the constructor of `CloseEvent`.
   * @since 0.1.0 of this library
   */
  interface CloseEventInit extends EventInit {
    /**
     * Default false.
     * @since 0.1.0 of this library
     */
    wasClean?: boolean;

    /**
     * Default 0.
     * @since 0.1.0 of this library
     */
    code?: number;

    /**
     * Default empty.
     * @since 0.1.0 of this library
     */
    reason?: string;
  }

  /**
   * The end of a connection.
   * @since 0.1.0 of this library
   */
  class CloseEvent extends Event {
    /**
     * Makes an event, to be given to `dispatchEvent`.
     * @since 0.1.0 of this library
     */
    constructor(type: string, init?: CloseEventInit);

    /**
     * Whether both sides have sent a close frame.
     * @since 0.1.0 of this library
     */
    readonly wasClean: boolean;

    /**
     * The code of the server's close frame: 1005 for one without a code, 1006 when none came.
     * @since 0.1.0 of this library
     */
    readonly code: number;

    /**
     * The reason of the server's close frame.
     * @since 0.1.0 of this library
     */
    readonly reason: string;
  }

  /**
   * What the members of these classes throw. `name` tells the kind: the engine's own class, or that of this library where the engine has none.
   * @since 0.1.0 of this library
   */
  class DOMException extends Error {
    /**
     * Makes an exception.
     * @since 0.1.0 of this library
     */
    constructor(message?: string, name?: string);

    /**
     * A number that some names have, else 0.
     * @since 0.1.0 of this library
     */
    readonly code: number;
  }

  /**
   * The WebSocket of the web (WHATWG WebSockets): one connection, which begins with the object.
   * 
   * While a listener waits for an event that can come, the connection keeps its object alive. The events are `open`, `message`, `error`
   * and `close`.
   * @since 0.1.0 of this library
   */
  class WebSocket extends EventTarget {
    /**
     * Begins to connect to an absolute URL (ws, wss, http or https, without a fragment). `protocols` are the sub-protocols, preferred first.
     * The server must choose one of them, if there are any. `options` are those of `connect`, and no part of the standard.
     * 
     * Throws a SyntaxError for a wrong URL or sub-protocol, a TypeError for a wrong option, and a SecurityError without
     * `ohos.permission.INTERNET`.
     * @since 0.1.0 of this library
     */
    constructor(url: string | UrlObject, protocols?: string | Array<string>, options?: WebSocketRequestOptions);

    /**
     * The connection is being made.
     * @since 0.1.0 of this library
     */
    static readonly CONNECTING: 0;

    /**
     * The connection is being made.
     * @since 0.1.0 of this library
     */
    readonly CONNECTING: 0;

    /**
     * Messages go both ways.
     * @since 0.1.0 of this library
     */
    static readonly OPEN: 1;

    /**
     * Messages go both ways.
     * @since 0.1.0 of this library
     */
    readonly OPEN: 1;

    /**
     * The connection is being closed.
     * @since 0.1.0 of this library
     */
    static readonly CLOSING: 2;

    /**
     * The connection is being closed.
     * @since 0.1.0 of this library
     */
    readonly CLOSING: 2;

    /**
     * The connection is over, or could not be made.
     * @since 0.1.0 of this library
     */
    static readonly CLOSED: 3;

    /**
     * The connection is over, or could not be made.
     * @since 0.1.0 of this library
     */
    readonly CLOSED: 3;

    /**
     * The URL, with ws or wss as its scheme.
     * @since 0.1.0 of this library
     */
    readonly url: string;

    /**
     * One of the four constants.
     * @since 0.1.0 of this library
     */
    readonly readyState: number;

    /**
     * Bytes that were given to `send` and have not gone out. It does not fall when the connection ends.
     * @since 0.1.0 of this library
     */
    readonly bufferedAmount: number;

    /**
     * The extensions of the connection; empty before it is open.
     * @since 0.1.0 of this library
     */
    readonly extensions: string;

    /**
     * The sub-protocol of the connection; empty before it is open.
     * @since 0.1.0 of this library
     */
    readonly protocol: string;

    /**
     * What a binary message becomes: at first 'blob', where the engine has `Blob`, else 'arraybuffer'.
     * @since 0.1.0 of this library
     */
    binaryType: BinaryType;

    /**
     * Is called when the connection is open.
     * @since 0.1.0 of this library
     */
    onopen: ((event: Event) => void) | null;

    /**
     * Is called with each message.
     * @since 0.1.0 of this library
     */
    onmessage: ((event: MessageEvent) => void) | null;

    /**
     * Is called when the connection fails, before `onclose`.
     * @since 0.1.0 of this library
     */
    onerror: ((event: Event) => void) | null;

    /**
     * Is called when the connection is over.
     * @since 0.1.0 of this library
     */
    onclose: ((event: CloseEvent) => void) | null;

    /**
     * Sends a message: text for a string, whose lone surrogates are replaced, binary for the others, which are copied.
     * 
     * Throws an InvalidStateError before the connection is open. When it is closing or closed, the bytes only count in `bufferedAmount`.
     * @since 0.1.0 of this library
     */
    send(data: string | ArrayBuffer | BinaryView | Object): void;

    /**
     * Begins the closing handshake behind what was sent, or gives up an attempt. Later calls do nothing.
     * 
     * Throws an InvalidAccessError for a code that is neither 1000 nor from 3000 to 4999, and a SyntaxError for a reason of more than 123 bytes.
     * @since 0.1.0 of this library
     */
    close(code?: number, reason?: string): void;

    /**
     * Adds a listener, as that of `EventTarget`.
     * @since 0.1.0 of this library
     */
    addEventListener(type: 'open' | 'error', listener: (event: Event) => void, options?: boolean | AddListenerOptions): void;
    addEventListener(type: 'message', listener: (event: MessageEvent) => void, options?: boolean | AddListenerOptions): void;
    addEventListener(type: 'close', listener: (event: CloseEvent) => void, options?: boolean | AddListenerOptions): void;
    addEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: boolean | AddListenerOptions): void;

    /**
     * Removes a listener.
     * @since 0.1.0 of this library
     */
    removeEventListener(type: 'open' | 'error', listener: (event: Event) => void, options?: boolean | ListenerOptions): void;
    removeEventListener(type: 'message', listener: (event: MessageEvent) => void, options?: boolean | ListenerOptions): void;
    removeEventListener(type: 'close', listener: (event: CloseEvent) => void, options?: boolean | ListenerOptions): void;
    removeEventListener(type: string, listener: EventListener | EventListenerObject | null, options?: boolean | ListenerOptions): void;
  }

  /**
   * Puts those of the classes above on `target` that it has not, so that libraries for the web find them. Default: the global object.
   * @since 0.1.0 of this library
   */
  function install(target?: Object): void;
}
