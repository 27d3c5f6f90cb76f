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
 * A step of an attempt to connect. 'open' means that there was no attempt: the connection was open.
 * @since 0.1.0 of this library
 */
export type ConnectionPhase = 'lookup' | 'tcp' | 'proxy' | 'tls' | 'upgrade' | 'prepare' | 'open';

/**
 * The error of the event `error`. `data` is the HTTP status of a server that refused the upgrade, as a string; else empty.
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
 * A signal that cancels an attempt to connect, like the web's AbortSignal; made by `createAbortSignal`. Call its methods on the thread that
 * made it.
 * @since 0.1.0 of this library
 */
export interface AbortSignal {
  /**
   * Whether `abort` was called.
   * @since 0.1.0 of this library
   */
  readonly aborted: boolean;

  /**
   * Adds a listener, which `abort` calls once, however often it was added.
   * @since 0.1.0 of this library
   */
  addEventListener(type: 'abort', listener: () => void): void;

  /**
   * Removes that listener.
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
     * Begins the closing handshake behind what was sent, or cancels an attempt. Later calls do nothing.
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
   * Adds those of the classes above to `target` that it lacks, so that libraries for the web find them. Default: the global object.
   * @since 0.1.0 of this library
   */
  function install(target?: Object): void;
}

/**
 * The certificate of a server and its key.
 * @since 19
 */
export interface ServerCert {
  /**
   * A file with the certificate, followed by those of its issuers; PEM or DER.
   * @since 19
   */
  certPath: string;

  /**
   * A file with its key: PKCS#8, SEC1 or PKCS#1; PEM or DER.
   * @since 19
   */
  keyPath: string;

  /**
   * The password of the key.
   * @since 0.1.0 of this library
   */
  keyPassword?: string;
}

/**
 * Where a server listens, and whom it lets in.
 * @since 19
 */
export interface WebSocketServerConfig {
  /**
   * The port to listen on.
   * @since 19
   */
  serverPort: number;

  /**
   * How many clients may be connected at a time, a client being an address. Default 10; any larger number may be given.
   * @since 19
   */
  maxConcurrentClientsNumber?: number;

  /**
   * How many connections one client may have at a time. Default 10; any larger number may be given.
   * @since 19
   */
  maxConnectionsForOneClient?: number;

  /**
   * The address of this device to listen at, of IPv4 or IPv6. Default '0.0.0.0', all of IPv4; '::' is all of both.
   * @since 19
   */
  serverIP?: string;

  /**
   * Serve wss, by TLS 1.2 and 1.3. Default no.
   * @since 19
   */
  serverCert?: ServerCert;

  /**
   * The sub-protocols that are spoken here, comma-separated. Of those that a client offers, the first that is among them is chosen. If
   * none is, the answer names none.
   * @since 19
   */
  protocol?: string;

  /**
   * A file with the authorities of clients' certificates, PEM or DER. Without it no client is asked for a certificate. With it each client
   * needs one of these authorities. Only with `serverCert`.
   * @since 0.1.0 of this library
   */
  clientCaPath?: string;

  /**
   * Speak TLS 1.3 alone. Only with `serverCert`. Default false.
   * @since 0.1.0 of this library
   */
  tls13Only?: boolean;

  /**
   * Compress messages (RFC 7692) with clients that offer it. A connection that does takes some 300 kB after its first messages. Default false.
   * @since 0.1.0 of this library
   */
  perMessageDeflate?: boolean;

  /**
   * The largest message to receive, in bytes. A larger one ends its connection with 1009. Default 64 MiB.
   * @since 0.1.0 of this library
   */
  maxMessageSize?: number;

  /**
   * Bytes that may wait to be sent on each connection. Default 64 MiB.
   * @since 0.1.0 of this library
   */
  sendQueueLimit?: number;

  /**
   * Messages that may wait to be sent on each connection. Default any number.
   * @since 0.1.0 of this library
   */
  sendQueueMessages?: number;

  /**
   * Seconds between pings to each client; 0 for none. Default 25.
   * @since 0.1.0 of this library
   */
  pingInterval?: number;

  /**
   * Seconds after a ping in which something must come; 0 for any time. Default 30.
   * @since 0.1.0 of this library
   */
  pongTimeout?: number;

  /**
   * Milliseconds to wait for a client's close frame before its connection is dropped. Default 5000.
   * @since 0.1.0 of this library
   */
  closeTimeout?: number;

  /**
   * Milliseconds that a client may take from its connection to the end of its request, its TLS handshake among them. Default 10000.
   * @since 0.1.0 of this library
   */
  handshakeTimeout?: number;

  /**
   * Clients that may be in their handshake at a time. Further ones wait in the kernel. Default 128.
   * @since 0.1.0 of this library
   */
  maxHandshakes?: number;

  /**
   * Keep an address out for 60 s that connects more than 50 times within 60 s, as the platform does. Default false.
   * @since 0.1.0 of this library
   */
  rateLimit?: boolean;
}

/**
 * A connection of a server. The listeners get the same object each time.
 * @since 19
 */
export interface WebSocketConnection {
  /**
   * The address of the client.
   * @since 19
   */
  clientIP: string;

  /**
   * Its port.
   * @since 19
   */
  clientPort: number;
}

/**
 * What goes out with the refusal of a client.
 * @since 0.1.0 of this library
 */
export interface ServerRefusal {
  /**
   * Headers besides those that each answer has.
   * @since 0.1.0 of this library
   */
  header?: Record<string, string>;

  /**
   * The body, as plain text.
   * @since 0.1.0 of this library
   */
  body?: string;
}

/**
 * A client's request for a connection. It waits until one of the methods is called, or its time is over.
 * @since 0.1.0 of this library
 */
export interface ServerRequest {
  /**
   * The address of the client.
   * @since 0.1.0 of this library
   */
  clientIP: string;

  /**
   * Its port.
   * @since 0.1.0 of this library
   */
  clientPort: number;

  /**
   * The path and the query of the URL, as the client sent them.
   * @since 0.1.0 of this library
   */
  target: string;

  /**
   * The headers, `origin` among them if the client is a browser; names in lower case.
   * @since 0.1.0 of this library
   */
  header: ResponseHeaders;

  /**
   * The sub-protocols that the client offers.
   * @since 0.1.0 of this library
   */
  protocols: Array<string>;

  /**
   * Lets the client in, with headers of the answer besides those of the upgrade. Throws 401 (`header`).
   * @since 0.1.0 of this library
   */
  accept(header?: Record<string, string>): void;

  /**
   * Answers with this HTTP status, 300 to 599, and lets the client go. Throws 401 (a parameter).
   * @since 0.1.0 of this library
   */
  refuse(status: number, options?: ServerRefusal): void;
}

/**
 * What a server has counted since `start`.
 * @since 0.1.0 of this library
 */
export interface ServerStatistics {
  /**
   * The port that it listens on; the one that was found, when 0 was asked for.
   * @since 0.1.0 of this library
   */
  serverPort: number;

  /**
   * Connections that are not over.
   * @since 0.1.0 of this library
   */
  open: number;

  /**
   * Connections that were let in.
   * @since 0.1.0 of this library
   */
  opened: number;

  /**
   * Clients that were kept out by a limit.
   * @since 0.1.0 of this library
   */
  keptOut: number;

  /**
   * Clients whose opening handshake failed, or was refused.
   * @since 0.1.0 of this library
   */
  notOpened: number;

  /**
   * Messages handed to the kernel.
   * @since 0.1.0 of this library
   */
  messagesSent: number;

  /**
   * Bytes of all frames handed to the kernel, before TLS.
   * @since 0.1.0 of this library
   */
  bytesSent: number;

  /**
   * Messages received whole.
   * @since 0.1.0 of this library
   */
  messagesReceived: number;

  /**
   * Bytes of all frames received, after TLS.
   * @since 0.1.0 of this library
   */
  bytesReceived: number;

  /**
   * Bytes that wait to be sent now.
   * @since 0.1.0 of this library
   */
  bufferedBytes: number;
}

/**
 * How long `stop` waits.
 * @since 0.1.0 of this library
 */
export interface ServerStopOptions {
  /**
   * Milliseconds after which connections that are still open are dropped. Default: each has its `closeTimeout`, and goes on as long as
   * what waits for it is still being sent.
   * @since 0.1.0 of this library
   */
  timeout?: number;
}

/**
 * A message that a server has received.
 * @since 19
 */
export interface WebSocketMessage {
  /**
   * A string of a text, an ArrayBuffer of a binary message.
   * @since 19
   */
  data: string | ArrayBuffer;

  /**
   * Whose it is.
   * @since 19
   */
  clientConnection: WebSocketConnection;
}

/**
 * How a connection of a server ended.
 * @since 19
 */
export interface ServerCloseResult extends CloseResult {
  /**
   * As `reason`, by the name that the platform's server has for it.
   * @since 0.1.0 of this library
   */
  closeReason: string;
}

/**
 * A listener of the end of connections.
 * @since 19
 */
export type ClientConnectionCloseCallback = (clientConnection: WebSocketConnection, closeReason: ServerCloseResult) => void;

/**
 * The error of the event `error` of a server. Its code is 200, as on the platform.
 * @since 0.1.0 of this library
 */
export interface WebSocketServerError extends BusinessError {
  /**
   * The connection that it is about; undefined for one that was not let in.
   * @since 0.1.0 of this library
   */
  clientConnection?: WebSocketConnection;
}

/**
 * A WebSocket server (RFC 6455), made by `createWebSocketServer`.
 *
 * All methods and listeners run on the thread that made the object. Listeners are called one at a time, in this order for each
 * connection: `connect`, any `messageReceive`, at most one `error`, `close`.
 * @since 19
 */
export interface WebSocketServer {
  /**
   * Listens, and lets clients in from now on.
   *
   * Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter, named in the message), 2302002 (a certificate or key file that is
   * missing or cannot be used), 2302004 (`serverIP` is no address of this device), 2302005 (`serverPort`), 2302007 (the port is taken),
   * 2302999 (it listens already; the system has no descriptors left).
   * @since 19
   */
  start(config: WebSocketServerConfig): Promise<boolean>;

  /**
   * Lets no more clients in, and closes all connections with 1001 behind what waits to be sent. The promise becomes `true` when the port
   * is free; the events `close` follow as the clients answer. Afterwards `start` may be called again.
   *
   * Fails with 201 (no `ohos.permission.INTERNET`), 401 (`timeout`, which is of this library alone) or 2302999 (not started).
   * @since 19
   */
  stop(options?: ServerStopOptions): Promise<boolean>;

  /**
   * The connections that `connect` has reported and `close` has not; oldest first.
   *
   * Throws 201 (no `ohos.permission.INTERNET`) or 2302999 (not started).
   * @since 19
   */
  listAllConnections(): WebSocketConnection[];

  /**
   * Queues a message for a client: text for a string, binary for an ArrayBuffer or a view into one, which is copied. The connection is known by
   * the object that a listener was given, or by another one with its address and port. The promise becomes `true` at once.
   *
   * Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter), 2302006 (no such connection) or 2302999 (the connection is
   * closing, or 64 MiB wait to be sent).
   * @since 19
   */
  send(data: string | ArrayBuffer | BinaryView, connection: WebSocketConnection): Promise<boolean>;

  /**
   * Begins the closing handshake with a client behind what waits to be sent. The event `close` follows. A code that must not be sent goes
   * out as 1000, with a warning in the log.
   *
   * Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter) or 2302006 (no such connection).
   * @since 19
   */
  close(connection: WebSocketConnection, options?: WebSocketCloseOptions): Promise<boolean>;

  /**
   * Queues a message for all connections, or for those in `connections`; it is framed and copied once, and goes out uncompressed. The promise
   * becomes the number of connections that have taken it; those that are closing, or have too much waiting, have not.
   *
   * Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter), 2302006 (no such connection) or 2302999 (not started).
   * @since 0.1.0 of this library
   */
  broadcast(data: string | ArrayBuffer | BinaryView, connections?: Array<WebSocketConnection>): Promise<number>;

  /**
   * Bytes that were accepted for a connection and that the kernel has not taken yet. Throws 401 (`connection`) or 2302006 (no such connection).
   * @since 0.1.0 of this library
   */
  bufferedAmount(connection: WebSocketConnection): number;

  /**
   * What was counted so far, with the port. Throws 2302999 (not started).
   * @since 0.1.0 of this library
   */
  stats(): ServerStatistics;

  /**
   * What was counted of one connection. Throws 401 (`connection`) or 2302006 (no such connection).
   * @since 0.1.0 of this library
   */
  stats(connection: WebSocketConnection): Statistics;

  /**
   * Sets the listener of an event; a later one replaces it. This one is called for each connection that opens.
   * @since 19
   */
  on(type: 'connect', callback: Callback<WebSocketConnection>): void;

  /**
   * A whole message came.
   * @since 19
   */
  on(type: 'messageReceive', callback: Callback<WebSocketMessage>): void;

  /**
   * A client asks for a connection. While there is a listener, each client waits for the answer.
   * @since 0.1.0 of this library
   */
  on(type: 'request', callback: Callback<ServerRequest>): void;

  /**
   * More than a quarter of `sendQueueLimit` or `sendQueueMessages` waited to be sent on a connection, and no longer does.
   * @since 0.1.0 of this library
   */
  on(type: 'drain', callback: Callback<WebSocketConnection>): void;

  /**
   * A connection is over.
   * @since 19
   */
  on(type: 'close', callback: ClientConnectionCloseCallback): void;

  /**
   * A connection failed, and its `close` follows; or a client was kept out, or none can be accepted for now.
   * @since 19
   */
  on(type: 'error', callback: ErrorCallback<WebSocketServerError>): void;

  /**
   * Removes the listener of an event: whichever is set, or only `callback`.
   * @since 19
   */
  off(type: 'connect', callback?: Callback<WebSocketConnection>): void;

  /** @since 19 */
  off(type: 'messageReceive', callback?: Callback<WebSocketMessage>): void;

  /** @since 0.1.0 of this library */
  off(type: 'request', callback?: Callback<ServerRequest>): void;

  /** @since 0.1.0 of this library */
  off(type: 'drain', callback?: Callback<WebSocketConnection>): void;

  /** @since 19 */
  off(type: 'close', callback?: ClientConnectionCloseCallback): void;

  /** @since 19 */
  off(type: 'error', callback?: ErrorCallback<WebSocketServerError>): void;

  /**
   * As `on('connect', callback)`. The platform has it in static ArkTS only (since 23).
   * @since 0.1.0 of this library
   */
  onConnect(callback: Callback<WebSocketConnection>): void;

  /**
   * As `off('connect', callback)`. The platform has it in static ArkTS only (since 23).
   * @since 0.1.0 of this library
   */
  offConnect(callback?: Callback<WebSocketConnection>): void;

  /**
   * As `on('messageReceive', callback)`. The platform has it in static ArkTS only (since 23).
   * @since 0.1.0 of this library
   */
  onMessageReceive(callback: Callback<WebSocketMessage>): void;

  /**
   * As `off('messageReceive', callback)`. The platform has it in static ArkTS only (since 23).
   * @since 0.1.0 of this library
   */
  offMessageReceive(callback?: Callback<WebSocketMessage>): void;

  /**
   * As `on('close', callback)`. The platform has it in static ArkTS only (since 26).
   * @since 0.1.0 of this library
   */
  onWebSocketServerClose(callback: ClientConnectionCloseCallback): void;

  /**
   * As `off('close', callback)`. The platform has it in static ArkTS only (since 26).
   * @since 0.1.0 of this library
   */
  offWebSocketServerClose(callback?: ClientConnectionCloseCallback): void;

  /**
   * As `on('error', callback)`. The platform has it in static ArkTS only (since 23).
   * @since 0.1.0 of this library
   */
  onWebSocketServerError(callback: ErrorCallback<WebSocketServerError>): void;

  /**
   * As `off('error', callback)`. The platform has it in static ArkTS only (since 23).
   * @since 0.1.0 of this library
   */
  offWebSocketServerError(callback?: ErrorCallback<WebSocketServerError>): void;
}
