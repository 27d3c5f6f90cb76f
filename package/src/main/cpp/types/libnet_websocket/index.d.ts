// The declarations of the ArkTS API. By hand; tests/js/declared.test.js holds them against the loaded module.
// `@since` with a number is the API level at which the platform's own module got the member.
import { AsyncCallback, BusinessError, Callback, ErrorCallback } from '@kit.BasicServicesKit';

declare namespace webSocket {
  /**
   * Response headers of the upgrade by name, in lower case; a name that came more than once has an array of its values.
   * @since 12
   */
  type ResponseHeaders = Record<string, string | Array<string>>;

  /**
   * Which proxy to connect by.
   * @since 12
   */
  type ProxyConfiguration = 'system' | 'no-proxy' | HttpProxy;

  /**
   * A part of an ArrayBuffer, or the whole of one.
   * @since 0.1.0 of this library
   */
  type BinaryView =
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
  interface RefusedUpgrade {
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
  type ConnectionPhase = 'lookup' | 'tcp' | 'proxy' | 'tls' | 'upgrade' | 'prepare' | 'open';

  /**
   * The error of the event `error`. `data` is the HTTP status of a server that refused the upgrade, as a string; else empty.
   * @since 0.1.0 of this library
   */
  interface WebSocketError extends BusinessError {
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
  interface AbortSignal {
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
  namespace web {
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
       * The phase of an event that is not being dispatched.
       * @since 0.1.0 of this library
       */
      static readonly NONE: number;

      /**
       * The phase of an event that is not being dispatched.
       * @since 0.1.0 of this library
       */
      readonly NONE: number;

      /**
       * A phase that no event of a WebSocket has.
       * @since 0.1.0 of this library
       */
      static readonly CAPTURING_PHASE: number;

      /**
       * A phase that no event of a WebSocket has.
       * @since 0.1.0 of this library
       */
      readonly CAPTURING_PHASE: number;

      /**
       * The phase in which the listeners of the target are called.
       * @since 0.1.0 of this library
       */
      static readonly AT_TARGET: number;

      /**
       * The phase in which the listeners of the target are called.
       * @since 0.1.0 of this library
       */
      readonly AT_TARGET: number;

      /**
       * A phase that no event of a WebSocket has.
       * @since 0.1.0 of this library
       */
      static readonly BUBBLING_PHASE: number;

      /**
       * A phase that no event of a WebSocket has.
       * @since 0.1.0 of this library
       */
      readonly BUBBLING_PHASE: number;

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
       * The older name of `target`.
       * @since 0.1.0 of this library
       */
      readonly srcElement: EventTarget | null;

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

      /**
       * The older form of `defaultPrevented`: false once the event is prevented. Setting it to false calls `preventDefault`.
       * @since 0.1.0 of this library
       */
      returnValue: boolean;

      /**
       * The older form of `stopPropagation`: setting it to true calls that. True once it was called.
       * @since 0.1.0 of this library
       */
      cancelBubble: boolean;

      /**
       * The older form of the constructor: sets the type and two flags of an event that is not being dispatched.
       * @since 0.1.0 of this library
       */
      initEvent(type: string, bubbles?: boolean, cancelable?: boolean): void;
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

      /**
       * Null in the messages of a WebSocket: it is for messages between windows.
       * @since 0.1.0 of this library
       */
      readonly source: Object | null;

      /**
       * Empty in the messages of a WebSocket: it is for messages between windows.
       * @since 0.1.0 of this library
       */
      readonly ports: ReadonlyArray<Object>;
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

      /**
       * The code of a NotSupportedError.
       * @since 0.1.0 of this library
       */
      static readonly NOT_SUPPORTED_ERR: number;

      /**
       * The code of a NotSupportedError.
       * @since 0.1.0 of this library
       */
      readonly NOT_SUPPORTED_ERR: number;

      /**
       * The code of a InvalidStateError.
       * @since 0.1.0 of this library
       */
      static readonly INVALID_STATE_ERR: number;

      /**
       * The code of a InvalidStateError.
       * @since 0.1.0 of this library
       */
      readonly INVALID_STATE_ERR: number;

      /**
       * The code of a SyntaxError.
       * @since 0.1.0 of this library
       */
      static readonly SYNTAX_ERR: number;

      /**
       * The code of a SyntaxError.
       * @since 0.1.0 of this library
       */
      readonly SYNTAX_ERR: number;

      /**
       * The code of a InvalidAccessError.
       * @since 0.1.0 of this library
       */
      static readonly INVALID_ACCESS_ERR: number;

      /**
       * The code of a InvalidAccessError.
       * @since 0.1.0 of this library
       */
      readonly INVALID_ACCESS_ERR: number;

      /**
       * The code of a SecurityError.
       * @since 0.1.0 of this library
       */
      static readonly SECURITY_ERR: number;

      /**
       * The code of a SecurityError.
       * @since 0.1.0 of this library
       */
      readonly SECURITY_ERR: number;

      /**
       * The code of a NetworkError.
       * @since 0.1.0 of this library
       */
      static readonly NETWORK_ERR: number;

      /**
       * The code of a NetworkError.
       * @since 0.1.0 of this library
       */
      readonly NETWORK_ERR: number;

      /**
       * The code of a AbortError.
       * @since 0.1.0 of this library
       */
      static readonly ABORT_ERR: number;

      /**
       * The code of a AbortError.
       * @since 0.1.0 of this library
       */
      readonly ABORT_ERR: number;
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
  interface ServerCert {
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
  interface WebSocketServerConfig {
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
  interface WebSocketConnection {
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
  interface ServerRefusal {
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
  interface ServerRequest {
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
  interface ServerStatistics {
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
  interface ServerStopOptions {
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
  interface WebSocketMessage {
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
  interface ServerCloseResult extends CloseResult {
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
  type ClientConnectionCloseCallback = (clientConnection: WebSocketConnection, closeReason: ServerCloseResult) => void;

  /**
   * The error of the event `error` of a server. Its code is 200, as on the platform.
   * @since 0.1.0 of this library
   */
  interface WebSocketServerError extends BusinessError {
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
  interface WebSocketServer {
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

  /**
   * Options of `connect`. A field that is undefined has its default. So has a field of the platform's that has a wrong type, as there, with
   * a warning in the log. A field that no option has is left out, with a warning that names the nearest. A wrong field of this library
   * is 401.
   * @since 6
   */
  interface WebSocketRequestOptions {
    /**
     * Headers of the upgrade request: names and values, which are strings, numbers or booleans. A value that is undefined, null or empty
     * is left out; any other is 401. Of names that differ in case alone the last counts. `Sec-WebSocket-Protocol` among them offers
     * sub-protocols.
     * @since 6
     */
    header?: Object;

    /**
     * PEM or DER file of the certificate authorities to trust instead of the system's, or folder with such files. A file that
     * cannot be used is the event `error` with 2302002. Default: the system's store.
     * @since 11
     */
    caPath?: string;

    /**
     * Trust the authorities of `caPath` and those of the system. Default: false.
     * @since 0.1.0 of this library
     */
    caPathAddsToSystem?: boolean;

    /**
     * Trust, beside those of the system's store, the authorities that users of the device have installed: those of the current
     * user and those for all users. Default: those of the current user, unless the app's `network_config.json` has
     * `trust-current-user-ca: false`; none of those for all users.
     * @since 0.1.0 of this library
     */
    trustUserAuthorities?: boolean;

    /**
     * How far the app's `network_config.json` is heeded. 'platform' heeds what the platform's WebSocket does, `trust-current-user-ca`.
     * 'strict' also heeds pins, trust anchors and the ban of clear text, as the platform's `http` module does. What the system cannot
     * tell is then the event `error`; that needs API 12, and API 18 for ws. Default: 'platform'.
     * @since 0.1.0 of this library
     */
    networkSecurityConfig?: 'platform' | 'strict';

    /**
     * What to show a server that asks for a certificate. Default: nothing.
     * @since 11
     */
    clientCert?: ClientCert;

    /**
     * Public keys of which the verified chain, from the server's certificate to the authority, must have one, besides being
     * verified. Those that have expired do not count; when all have, the chain is enough. With
     * `skipServerCertVerification` it is the server's own key that must be one of them, and an expired one is no help.
     * As in the platform's `http` module. Default: no such demand.
     * @since 0.1.0 of this library
     */
    certificatePinning?: CertificatePinning | CertificatePinning[];

    /**
     * Protocols to offer by ALPN (RFC 7301), preferred first; an empty array leaves ALPN out. h2 and h3 are refused, since
     * the upgrade is one of HTTP/1.1. Default: ['http/1.1'].
     * @since 0.1.0 of this library
     */
    alpnProtocols?: Array<string>;

    /**
     * The host name to ask for (SNI) and to verify, or the address, instead of the URL's. Default: the URL's.
     * @since 0.1.0 of this library
     */
    tlsServerName?: string;

    /**
     * Sub-protocols to offer, comma-separated, preferred first. Default: none.
     * @since 12
     */
    protocol?: string;

    /**
     * Accept any certificate for any name: whoever sits on the path can then read and change everything, unless
     * `certificatePinning` names the server's own key. Default: false.
     * @since 20
     */
    skipServerCertVerification?: boolean;

    /**
     * Seconds between pings, 0 to 30000; 0 for none. A number out of range counts as the default. Default: 25, which is less
     * than the 30 s after which many servers end an idle connection.
     * @since 21
     */
    pingInterval?: number;

    /**
     * Seconds after a ping within which something must come, 0 to `pingInterval`; 0 for no limit. A number out of range counts as
     * `pingInterval`, unless it is the default. They begin anew while what was sent before the ping is on its way, and arrives.
     * Default: 30.
     * @since 21
     */
    pongTimeout?: number;

    /**
     * 'system' for the proxy of the network settings, if there is one; 'no-proxy'; or a proxy. Default: 'system'.
     * @since 12
     */
    proxy?: ProxyConfiguration;

    /**
     * Names and their IP addresses, comma-separated, which are then not looked up: `{ 'example.org': '192.0.2.1, 2001:db8::1' }`.
     * Default: none.
     * @since 0.1.0 of this library
     */
    hosts?: Record<string, string>;

    /**
     * For Basic authentication, instead of those in the URL; a header `Authorization` comes before both. Default: none.
     * @since 0.1.0 of this library
     */
    username?: string;

    /**
     * What goes with `username`. Default: empty.
     * @since 0.1.0 of this library
     */
    password?: string;

    /**
     * How many redirects to follow, 0 to 5. None leads from wss to ws, and `Authorization`, `Cookie`, `Host`, the client's
     * certificate and `tlsServerName` are not for another origin. Default: 4, as on the
     * platform.
     * @since 0.1.0 of this library
     */
    maxRedirects?: number;

    /**
     * The lowest TLS version to speak. TLS below 1.2 is never spoken, whatever is given here. Default: TLS_V_1_2.
     * @since 26.0.0
     */
    minSupportTlsProtocol?: TlsProtocol;

    /**
     * Offer compression (RFC 7692). Default: true.
     * @since 0.1.0 of this library
     */
    perMessageDeflate?: boolean;

    /**
     * Milliseconds for the whole attempt, 1 to 30000000. Default: 15000.
     * @since 0.1.0 of this library
     */
    connectTimeout?: number;

    /**
     * Milliseconds to find an address, 1 to 30000000. Default: no limit but that of the whole attempt.
     * @since 0.1.0 of this library
     */
    lookupTimeout?: number;

    /**
     * Milliseconds until one of the addresses has answered, 1 to 30000000. Default: as for `lookupTimeout`.
     * @since 0.1.0 of this library
     */
    tcpTimeout?: number;

    /**
     * Milliseconds for the tunnel through a proxy, 1 to 30000000. Default: as for `lookupTimeout`.
     * @since 0.1.0 of this library
     */
    proxyTimeout?: number;

    /**
     * Milliseconds for the TLS handshake, 1 to 30000000. Default: as for `lookupTimeout`.
     * @since 0.1.0 of this library
     */
    tlsTimeout?: number;

    /**
     * Milliseconds for the upgrade, 1 to 30000000. Default: as for `lookupTimeout`.
     * @since 0.1.0 of this library
     */
    upgradeTimeout?: number;

    /**
     * Milliseconds to wait for the peer's close frame, 1 to 30000000. Default: 5000.
     * @since 0.1.0 of this library
     */
    closeTimeout?: number;

    /**
     * The largest message to receive, in bytes; a larger one ends the connection with 1009. Default: 67108864.
     * @since 0.1.0 of this library
     */
    maxMessageSize?: number;

    /**
     * Tell of messages by the event `piece`, as they come, so that one of any length (up to `maxMessageSize`) passes in little memory.
     * Default: false.
     * @since 0.1.0 of this library
     */
    receivePieces?: boolean;

    /**
     * The most bytes that may wait to be sent. Default: 67108864.
     * @since 0.1.0 of this library
     */
    sendQueueLimit?: number;

    /**
     * The most messages that may wait to be sent; drained at a quarter. Default: any number.
     * @since 0.1.0 of this library
     */
    sendQueueMessages?: number;

    /**
     * What a `send` in promise form does that finds no room in the queue: it fails, or it waits for room, in order with those after it.
     * What waits so is held besides the queue and counts in no figure: how much, is up to how many promises the app awaits at once.
     * Default: 'error'.
     * @since 0.1.0 of this library
     */
    sendQueuePolicy?: 'error' | 'wait';

    /**
     * Send a message of more than 1 MiB in fragments of 256 KiB (RFC 6455 5.4), so that pongs, pings and the close frame pass between
     * them. Switch it off for a server that refuses fragments. Default: true.
     * @since 0.1.0 of this library
     */
    fragmentMessages?: boolean;

    /**
     * Milliseconds between events `stats`, 1 to 30000000. Default: none are told.
     * @since 0.1.0 of this library
     */
    statisticsInterval?: number;

    /**
     * A number that stands in hexadecimal behind the object's own in log lines, as in `[c7 a92ab1d3f2e]`: the `chainId` of a `HiTraceId`,
     * as hilog shows it. Up to 64 bits; 0 for none. Default: none.
     * @since 0.1.0 of this library
     */
    traceId?: bigint | number;

    /**
     * Gives the attempt up when it is aborted before the connection is open: the event `error` with 2302999 follows. Any object in the
     * shape of the web's AbortSignal will do. Default: none.
     * @since 0.1.0 of this library
     */
    signal?: AbortSignal;

    /**
     * Connect again after a failure. Default: not.
     * @since 0.1.0 of this library
     */
    reconnect?: ReconnectOptions;

    /**
     * Name the port in the header `Origin`, if it is not the scheme's own. An `Origin` among the headers comes first; an empty
     * one there leaves it out. Default: false, and `Origin` is the scheme and the host alone.
     * @since 26.0.0
     */
    supportOriginPort?: boolean;
  }

  /**
   * A client's certificate. Files that cannot be used are the event `error` with 2302002.
   * @since 11
   */
  interface ClientCert {
    /**
     * PEM or DER file of the certificate, followed by those of its issuers.
     * @since 11
     */
    certPath: string;

    /**
     * PEM or DER file of its key: PKCS#8, SEC1 or PKCS#1.
     * @since 11
     */
    keyPath: string;

    /**
     * The password of a key that has one: PBES2 with PBKDF2, or OpenSSL's older form.
     * @since 11
     */
    keyPassword?: string;
  }

  /**
   * A public key to pin.
   * @since 0.1.0 of this library
   */
  interface CertificatePinning {
    /**
     * The SHA-256 digest of its SubjectPublicKeyInfo in base64, as in RFC 7469.
     * @since 0.1.0 of this library
     */
    publicKeyHash: string;

    /**
     * The only one there is.
     * @since 0.1.0 of this library
     */
    hashAlgorithm: 'SHA-256';

    /**
     * When the pin expires, in milliseconds since 1970 as `Date.getTime()` gives. Default: never.
     * @since 0.1.0 of this library
     */
    expires?: number;
  }

  /**
   * A proxy, as `HttpProxy` of `@ohos.net.connection`.
   * @since 12
   */
  interface HttpProxy {
    /**
     * Its name or address; empty for no proxy. As on the platform, `[http://][user[:password]@]host[:port][/]` will do as well, in which
     * nothing is percent-encoded; `username` and `password` come first, and the port in it before `port`.
     * @since 12
     */
    host: string;

    /**
     * Its port, 1 to 65535.
     * @since 12
     */
    port: number;

    /**
     * Destinations to reach directly: names and addresses with wildcards ('*.example.org', '192.168.*'), domains with all
     * below them ('.example.org'), networks ('10.0.0.0/8', 'fe80::/10'); each with ':port' or for any port.
     * @since 12
     */
    exclusionList: Array<string>;

    /**
     * For a proxy that asks for it (Basic and Digest; RFC 1929 with SOCKS5). Default: none.
     * @since 12
     */
    username?: string;

    /**
     * What goes with `username`. Default: empty.
     * @since 12
     */
    password?: string;

    /**
     * How the proxy is spoken to: 'http' is CONNECT, for ws and wss. With either, the proxy looks the server's name up.
     * Default: 'http'.
     * @since 0.1.0 of this library
     */
    type?: 'http' | 'socks5';
  }

  /**
   * Versions of TLS, for `minSupportTlsProtocol`.
   * @since 26.0.0
   */
  enum TlsProtocol {
    /**
     * Never spoken by this library.
     * @since 26.0.0
     */
    TLS_V_1_0 = 0,

    /**
     * Never spoken by this library.
     * @since 26.0.0
     */
    TLS_V_1_1 = 1,

    /**
     * The lowest that is spoken.
     * @since 26.0.0
     */
    TLS_V_1_2 = 2,

    /**
     * The latest.
     * @since 26.0.0
     */
    TLS_V_1_3 = 3,
  }

  /**
   * Why an attempt failed or a connection ended, in classes that call for different answers. The numbers never change.
   * @since 0.1.0 of this library
   */
  enum Cause {
    /**
     * The host's name has no address, or its lookup failed.
     * @since 0.1.0 of this library
     */
    LOOKUP = 1,

    /**
     * No connection to the host: refused, unreachable, or broken off before it was open.
     * @since 0.1.0 of this library
     */
    CONNECT = 2,

    /**
     * The attempt took too long.
     * @since 0.1.0 of this library
     */
    TIMEOUT = 3,

    /**
     * The TLS handshake failed for another reason than a certificate.
     * @since 0.1.0 of this library
     */
    TLS = 4,

    /**
     * A certificate was refused by one side, or a certificate file is unusable.
     * @since 0.1.0 of this library
     */
    CERTIFICATE = 5,

    /**
     * The server, or a proxy, answered the upgrade with HTTP 400 to 499.
     * @since 0.1.0 of this library
     */
    HTTP_4XX = 6,

    /**
     * The server, or a proxy, answered it with HTTP 500 to 599.
     * @since 0.1.0 of this library
     */
    HTTP_5XX = 7,

    /**
     * It answered with something else that is no upgrade.
     * @since 0.1.0 of this library
     */
    UPGRADE = 8,

    /**
     * An open connection broke, or nothing came from the peer in time. Also a close frame with 1000 or without a code that
     * ends an absence: the process or the device stood still for 10 s or more, and the server has answered no ping since.
     * @since 0.1.0 of this library
     */
    LOST = 9,

    /**
     * The peer broke RFC 6455. A flawed close frame has the cause of its code instead, if that has one.
     * @since 0.1.0 of this library
     */
    PROTOCOL = 10,

    /**
     * The peer closed with 1001, 1011, 1012 or 1013: it goes away, or cannot serve now.
     * @since 0.1.0 of this library
     */
    RESTART = 11,

    /**
     * The peer closed with another code.
     * @since 0.1.0 of this library
     */
    CLOSED = 12,

    /**
     * This side closed, or gave the attempt up.
     * @since 0.1.0 of this library
     */
    APPLICATION = 13,

    /**
     * The attempt was not prepared, or not in time.
     * @since 0.1.0 of this library
     */
    PREPARE = 14,

    /**
     * What the attempt was prepared with is not valid, or the system's setting of a proxy is not; or `networkSecurityConfig` is
     * 'strict', and the app's `network_config.json` forbids the attempt or cannot be known.
     * @since 0.1.0 of this library
     */
    OPTIONS = 15,

    /**
     * A defect of this library.
     * @since 0.1.0 of this library
     */
    INTERNAL = 16,

    /**
     * The server ended the connection in order, and gave no answer to the upgrade.
     * @since 0.1.0 of this library
     */
    NO_ANSWER = 17,
  }

  /**
   * Options of `close`.
   * @since 6
   */
  interface WebSocketCloseOptions {
    /**
     * 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4); anything else goes out as 1000. Default: 1000.
     * @since 6
     */
    code?: number;

    /**
     * At most 123 bytes of UTF-8; what is longer is cut at a character. Default: "CLOSE_NORMAL".
     * @since 6
     */
    reason?: string;
  }

  /**
   * What `open` tells. The platform has this name in static ArkTS only.
   * @since 23
   */
  interface OpenResult {
    /**
     * The HTTP status of the upgrade: 101.
     * @since 23
     */
    status: number;

    /**
     * Its reason phrase.
     * @since 23
     */
    message: string;
  }

  /**
   * What `openInfo` tells.
   * @since 26.0.0
   */
  interface WebSocketOpenInfo {
    /**
     * The HTTP status of the upgrade: 101.
     * @since 26.0.0
     */
    status: number;

    /**
     * Its reason phrase.
     * @since 26.0.0
     */
    message: string;

    /**
     * The sub-protocol the server chose; undefined for none.
     * @since 26.0.0
     */
    protocol?: string;
  }

  /**
   * When to connect again: after a random part of a delay that doubles from attempt to attempt. Until then `readyState` is 0,
   * messages may be sent and wait, and neither `error` nor `close` is told; they come when there will be no other attempt.
   * What the system had any part of is never sent again: its promise fails. Times are in milliseconds, 1 to 30000000.
   * @since 0.1.0 of this library
   */
  interface ReconnectOptions {
    /**
     * The first delay is a random part of this. Default: 1000.
     * @since 0.1.0 of this library
     */
    delay?: number;

    /**
     * What a delay is a random part of at most. Default: 30000.
     * @since 0.1.0 of this library
     */
    maxDelay?: number;

    /**
     * Attempts until a connection has been open for 5 seconds, 1 or more. Default: any number.
     * @since 0.1.0 of this library
     */
    maxAttempts?: number;

    /**
     * How long to go on, while the process runs. Default: for ever.
     * @since 0.1.0 of this library
     */
    maxTime?: number;

    /**
     * How long `prepareAttempt` may take after the event `prepare`. Default: 15000.
     * @since 0.1.0 of this library
     */
    prepareTimeout?: number;

    /**
     * Make the first attempt at once. Default: false.
     * @since 0.1.0 of this library
     */
    atOnce?: boolean;

    /**
     * Drop what waits to be sent, or for room, when a connection is lost. Default: false.
     * @since 0.1.0 of this library
     */
    dropQueue?: boolean;

    /**
     * Take no notice of the network's changes. Default: false, which needs ohos.permission.GET_NETWORK_INFO.
     * @since 0.1.0 of this library
     */
    ignoreNetwork?: boolean;

    /**
     * After which causes. Default: LOOKUP, CONNECT, TIMEOUT, TLS, HTTP_5XX, LOST, RESTART and PREPARE.
     * @since 0.1.0 of this library
     */
    causes?: Array<Cause>;
  }

  /**
   * What `reconnecting` and `prepare` tell.
   * @since 0.1.0 of this library
   */
  interface ReconnectingResult {
    /**
     * Counts the attempts, from 1.
     * @since 0.1.0 of this library
     */
    attempt: number;

    /**
     * Milliseconds until it begins.
     * @since 0.1.0 of this library
     */
    delay: number;

    /**
     * Why the connection or the attempt failed.
     * @since 0.1.0 of this library
     */
    cause: Cause;

    /**
     * The code of a peer that closed.
     * @since 0.1.0 of this library
     */
    code?: number;

    /**
     * The HTTP status of a server that refused.
     * @since 0.1.0 of this library
     */
    status?: number;

    /**
     * A sentence for a log.
     * @since 0.1.0 of this library
     */
    message: string;

    /**
     * Messages that were accepted and are dropped.
     * @since 0.1.0 of this library
     */
    unsent: number;
  }

  /**
   * What `reconnected` tells.
   * @since 0.1.0 of this library
   */
  interface ReconnectedResult {
    /**
     * The attempts it took.
     * @since 0.1.0 of this library
     */
    attempts: number;

    /**
     * Milliseconds since the connection before was lost.
     * @since 0.1.0 of this library
     */
    downtime: number;
  }

  /**
   * What `prepareAttempt` may change.
   * @since 0.1.0 of this library
   */
  interface AttemptChange {
    /**
     * Another URL. One of another origin gets none of the headers `Authorization`, `Cookie` and `Host` and no credentials
     * that were given before: give them in `header`.
     * @since 0.1.0 of this library
     */
    url?: string;

    /**
     * Headers in place of those with the same names.
     * @since 0.1.0 of this library
     */
    header?: Object;
  }

  /**
   * What `piece` tells. A message of up to about 128 KiB comes in one piece, first and last, unless the server sent it in fragments
   * or compressed.
   * @since 0.1.0 of this library
   */
  interface MessagePiece {
    /**
     * A string of a text, an ArrayBuffer of a binary message. No piece of a text ends inside a character. May be empty at the end.
     * @since 0.1.0 of this library
     */
    data: string | ArrayBuffer;

    /**
     * Whether it begins a message. One before it that has had no last piece was lost with its connection.
     * @since 0.1.0 of this library
     */
    first: boolean;

    /**
     * Whether it ends the message.
     * @since 0.1.0 of this library
     */
    last: boolean;
  }

  /**
   * What `pong` tells.
   * @since 0.1.0 of this library
   */
  interface PongResult {
    /**
     * What the ping carried.
     * @since 0.1.0 of this library
     */
    data: ArrayBuffer;

    /**
     * Milliseconds since the ping; undefined for a pong that answers none of ours.
     * @since 0.1.0 of this library
     */
    roundTrip?: number;
  }

  /**
   * What `frame` tells: the header of a frame (RFC 6455 section 5.2), never its payload.
   * @since 0.1.0 of this library
   */
  interface FrameHeader {
    /**
     * To the server, or from it.
     * @since 0.1.0 of this library
     */
    direction: 'sent' | 'received';

    /**
     * Whether it is the last frame of its message, as every control frame is.
     * @since 0.1.0 of this library
     */
    fin: boolean;

    /**
     * Whether it is the first frame of a compressed message (RFC 7692).
     * @since 0.1.0 of this library
     */
    rsv1: boolean;

    /**
     * 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
     * @since 0.1.0 of this library
     */
    opcode: number;

    /**
     * Whether its payload is masked on the wire, as that of all sent ones is and of no received one.
     * @since 0.1.0 of this library
     */
    masked: boolean;

    /**
     * Bytes of the payload on the wire.
     * @since 0.1.0 of this library
     */
    length: number;
  }

  /**
   * What `stats()` gives and the event `stats` tells: counted since the object was made, over all its connections. Bytes are those on the wire,
   * without TLS; times are in milliseconds.
   * @since 0.1.0 of this library
   */
  interface Statistics {
    /**
     * Attempts begun.
     * @since 0.1.0 of this library
     */
    attempts: number;

    /**
     * Connections that were open.
     * @since 0.1.0 of this library
     */
    connections: number;

    /**
     * Messages the kernel has taken.
     * @since 0.1.0 of this library
     */
    messagesSent: number;

    /**
     * Bytes the kernel has taken.
     * @since 0.1.0 of this library
     */
    bytesSent: number;

    /**
     * Messages received.
     * @since 0.1.0 of this library
     */
    messagesReceived: number;

    /**
     * Bytes received.
     * @since 0.1.0 of this library
     */
    bytesReceived: number;

    /**
     * Bytes of the messages that were compressed.
     * @since 0.1.0 of this library
     */
    deflateInputBytes: number;

    /**
     * What they were compressed to.
     * @since 0.1.0 of this library
     */
    deflateOutputBytes: number;

    /**
     * Pings sent, the library's own among them.
     * @since 0.1.0 of this library
     */
    pingsSent: number;

    /**
     * Pongs that answered one of them.
     * @since 0.1.0 of this library
     */
    pongsReceived: number;

    /**
     * Pings that no pong has answered, up to now.
     * @since 0.1.0 of this library
     */
    pingsUnanswered: number;

    /**
     * Pings received.
     * @since 0.1.0 of this library
     */
    pingsReceived: number;

    /**
     * Bytes that wait to be sent.
     * @since 0.1.0 of this library
     */
    bufferedBytes: number;

    /**
     * Messages that wait to be sent.
     * @since 0.1.0 of this library
     */
    bufferedMessages: number;

    /**
     * The last round trip of a ping; undefined before the first.
     * @since 0.1.0 of this library
     */
    roundTrip?: number;

    /**
     * Smoothed over the last ones (RFC 6298 section 2).
     * @since 0.1.0 of this library
     */
    smoothedRoundTrip?: number;

    /**
     * The shortest.
     * @since 0.1.0 of this library
     */
    minimumRoundTrip?: number;

    /**
     * Name lookup of the last connection; undefined before it was open.
     * @since 0.1.0 of this library
     */
    lookupTime?: number;

    /**
     * Its TCP connect.
     * @since 0.1.0 of this library
     */
    tcpTime?: number;

    /**
     * Its tunnel through a proxy; 0 without one.
     * @since 0.1.0 of this library
     */
    proxyTime?: number;

    /**
     * Its TLS handshake; 0 without TLS.
     * @since 0.1.0 of this library
     */
    tlsTime?: number;

    /**
     * Its upgrade.
     * @since 0.1.0 of this library
     */
    upgradeTime?: number;
  }

  /**
   * What `close` tells.
   * @since 10
   */
  interface CloseResult {
    /**
     * The code of the side that closed first; 1000 without one, as on the platform; 1006 when it ended without a close frame of the
     * server.
     * @since 10
     */
    code: number;

    /**
     * The reason of that side, or the cause of the loss.
     * @since 10
     */
    reason: string;

    /**
     * Why the connection ended.
     * @since 0.1.0 of this library
     */
    cause: Cause;

    /**
     * Milliseconds that the connection was open; those of the attempt, when it was closed before.
     * @since 0.1.0 of this library
     */
    elapsedTime: number;

    /**
     * Milliseconds since the last byte came from the peer; as `elapsedTime` when none ever came.
     * @since 0.1.0 of this library
     */
    idleTime: number;

    /**
     * Messages that were accepted and are dropped, or of which nobody will know whether the peer got them.
     * @since 0.1.0 of this library
     */
    unsent: number;
  }

  /**
   * A WebSocket client (RFC 6455): one connection at a time, any number one after the other.
   *
   * All methods and listeners run on the thread that made the object. Listeners are called one at a time, in this order
   * for each connection: `headerReceive`, `open`, any `message` (with `receivePieces`, its `piece`s) each followed by
   * `dataEnd`, at most one `error`, `close`; a connection that never opened ends with `error` alone, or with `close` alone if the
   * application closed it.
   * @since 6
   */
  class WebSocket {
    private constructor();

    /**
     * Begins to connect to `url` (ws, wss, http or https). `true` means that the attempt has begun; its outcome is the
     * event `open` or `error`.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter, named in the message), 2302001 (the URL), 2302002 (a certificate file that is not there), 2302003
     * (already connecting or connected).
     * @since 6
     */
    connect(url: string, callback: AsyncCallback<boolean>): void;
    connect(url: string, options: WebSocketRequestOptions, callback: AsyncCallback<boolean>): void;
    connect(url: string, options?: WebSocketRequestOptions): Promise<boolean>;

    /**
     * Queues a message: text for a string, binary for an ArrayBuffer or a view into one, which is copied. What is sent
     * before the connection is open goes out when it is.
     *
     * The callback is given `true` when the message was accepted. The promise becomes `true` when the kernel has it, and
     * fails with the code and the cause of the event `error` if the connection ends before, or with 2302999 if it was closed.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`), 401 (`data` is of another type, detached, or shared memory) or 2302999 (not connected, or more would wait than `sendQueueLimit` and
     * `sendQueueMessages` allow; see the option `sendQueuePolicy`).
     * @since 6
     */
    send(data: string | ArrayBuffer | BinaryView, callback: AsyncCallback<boolean>): void;
    send(data: string | ArrayBuffer | BinaryView): Promise<boolean>;

    /**
     * Queues a piece of a message, so that a long one need not be in memory as a whole: strings for a text, an ArrayBuffer or views for
     * a binary message, which `last` ends. Until then no other message can be sent. Pieces go out uncompressed, and are copied.
     *
     * A string must not end between the two halves of a character: as in `send`, a half goes out as U+FFFD.
     *
     * The promise becomes `true` when the kernel has the piece, and fails as that of `send` if the connection ends before.
     *
     * Fails with 401 (a parameter) or 2302999 (as `send`; the pieces before were of the other type; or, once, the connection that had the
     * pieces before was lost and another one follows: the message must begin again).
     * @since 0.1.0 of this library
     */
    sendPiece(data: string | ArrayBuffer | BinaryView, last: boolean): Promise<boolean>;

    /**
     * Sends a ping (RFC 6455 section 5.5.2) ahead of what is queued, with up to 125 bytes. The promise becomes the
     * milliseconds until its pong came.
     *
     * Fails with 401 (`data`), 2302999 (not connected), or as the promise of `send` if the connection ends before the pong.
     * @since 0.1.0 of this library
     */
    ping(data?: string | ArrayBuffer | BinaryView): Promise<number>;

    /**
     * A promise that becomes `true` once no more than a quarter of `sendQueueLimit` and `sendQueueMessages` waits to be sent: at once,
     * or with the event `drain`.
     *
     * Fails as the promise of `send` when the connection ends before.
     * @since 0.1.0 of this library
     */
    ready(): Promise<boolean>;

    /**
     * A promise of the next message, for those who would rather ask than listen: `{ value, done: false }`, and `{ done: true }` when the
     * connection has ended in good order.
     *
     * From the first call until the connection ends, messages come here and no longer to the listeners of `message` and `dataEnd`. To
     * miss none, call it right after `connect`. Messages that nobody asks for wait, and when many do the socket is not read until they
     * are taken. They can still be taken after the end, until the next `connect`. `for await (const message of socket)` does the same
     * where the language has it.
     *
     * Fails with 2302999 when nothing was connected yet, with the option `receivePieces`, and once with the error of a connection that
     * failed.
     * @since 0.1.0 of this library
     */
    next(): Promise<IteratorResult<string | ArrayBuffer, undefined>>;

    /**
     * The object itself, for `for await`.
     * @since 0.1.0 of this library
     */
    [Symbol.asyncIterator](): WebSocket;

    /**
     * Begins the attempt that is waited for after `reconnecting` at once; `false` when none is.
     * @since 0.1.0 of this library
     */
    retryNow(): boolean;

    /**
     * Answers the event `prepare`, at once or later: `change` may bring another URL and headers that take the place of those
     * with the same names, for this and later attempts; `false` lets this attempt fail. The result is `false` when the
     * attempt is no longer waited for.
     *
     * Fails with 401 (a parameter).
     * @since 0.1.0 of this library
     */
    prepareAttempt(attempt: number, change?: AttemptChange | false): boolean;

    /**
     * What was counted so far.
     * @since 0.1.0 of this library
     */
    stats(): Statistics;

    /**
     * The state, in the numbers of the web's WebSocket and in step with the events as there: 0 connecting until `open`, 1 open,
     * 2 closing until `close` or the last `error`, 3 not connected.
     * @since 0.1.0 of this library
     */
    get readyState(): number;

    /**
     * Bytes that were accepted and that the kernel has not taken yet.
     * @since 0.1.0 of this library
     */
    get bufferedAmount(): number;

    /**
     * The sub-protocol of the last connection; empty for none.
     * @since 0.1.0 of this library
     */
    get protocol(): string;

    /**
     * The extensions of the last connection; empty for none.
     * @since 0.1.0 of this library
     */
    get extensions(): string;

    /**
     * The URL of the last `connect`; empty before it. From the event `open` on it is the URL that the connection was made to, if a redirect
     * or `prepareAttempt` has led to another one: that is without a user's name and password.
     * @since 0.1.0 of this library
     */
    get url(): string;

    /**
     * Begins the closing handshake (RFC 6455 section 7.1.2) behind what is queued, or gives the attempt up when no connection is open
     * yet. The event `close` follows in either case. When it has begun or ended before, the call changes nothing. A code that must not be
     * sent goes out as 1000, and what else the options have is left out, with warnings in the log.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`), 401 (options that are no object) or 2302999 (never connected).
     * @since 6
     */
    close(callback: AsyncCallback<boolean>): void;
    close(options: WebSocketCloseOptions, callback: AsyncCallback<boolean>): void;
    close(options?: WebSocketCloseOptions): Promise<boolean>;

    /**
     * Sets the listener of an event; a later one replaces it. An unknown event, or a listener that is no function, does nothing but
     * a warning in the log, as on the platform.
     * @since 6
     */
    on(type: 'open', callback: AsyncCallback<Object>): void;

    /**
     * As `open`, with the sub-protocol.
     * @since 26.0.0
     */
    on(type: 'openInfo', callback: AsyncCallback<WebSocketOpenInfo>): void;

    /**
     * A whole message: text is a string, binary an ArrayBuffer. Not with the option `receivePieces`.
     * @since 6
     */
    on(type: 'message', callback: AsyncCallback<string | ArrayBuffer>): void;

    /**
     * A piece of a message, or the whole of one, with the option `receivePieces`; `message` is not told then.
     * @since 0.1.0 of this library
     */
    on(type: 'piece', callback: Callback<MessagePiece>): void;

    /**
     * The end of each message. Only with a listener of `message`, or of `piece`.
     * @since 11
     */
    on(type: 'dataEnd', callback: Callback<void>): void;

    /**
     * The headers of the upgrade, before `open`.
     * @since 12
     */
    on(type: 'headerReceive', callback: Callback<ResponseHeaders>): void;

    /**
     * A pong came.
     * @since 0.1.0 of this library
     */
    on(type: 'pong', callback: Callback<PongResult>): void;

    /**
     * More than a quarter of `sendQueueLimit` or `sendQueueMessages` waited to be sent, and no longer does.
     * @since 0.1.0 of this library
     */
    on(type: 'drain', callback: Callback<void>): void;

    /**
     * What was counted so far, each `statisticsInterval` while the connection is open. When several are due before the thread comes to it,
     * only the last is told.
     * @since 0.1.0 of this library
     */
    on(type: 'stats', callback: Callback<Statistics>): void;

    /**
     * A frame has gone out, so that the kernel has it, or has come in; for debugging. Told while there is a listener, before the message that
     * the frame ends. Frames cost time then, and nothing is sent while 4096 events wait to be told.
     * @since 0.1.0 of this library
     */
    on(type: 'frame', callback: Callback<FrameHeader>): void;

    /**
     * The connection or the attempt failed, and there will be another attempt.
     * @since 0.1.0 of this library
     */
    on(type: 'reconnecting', callback: Callback<ReconnectingResult>): void;

    /**
     * An attempt is about to begin, and waits for `prepareAttempt`.
     * @since 0.1.0 of this library
     */
    on(type: 'prepare', callback: Callback<ReconnectingResult>): void;

    /**
     * There is a connection again; after `open`.
     * @since 0.1.0 of this library
     */
    on(type: 'reconnected', callback: Callback<ReconnectedResult>): void;

    /**
     * The connection that was open is over.
     * @since 6
     */
    on(type: 'close', callback: AsyncCallback<CloseResult>): void;

    /**
     * The attempt failed, or the connection that was open did.
     * @since 6
     */
    on(type: 'error', callback: ErrorCallback<WebSocketError>): void;

    /**
     * Removes the listener of an event: whichever is set, or only `callback`. An unknown event, or a listener that is no function, does
     * nothing but a warning in the log, as on the platform.
     * @since 6
     */
    off(type: 'open', callback?: AsyncCallback<Object>): void;

    /** @since 26.0.0 */
    off(type: 'openInfo', callback?: AsyncCallback<WebSocketOpenInfo>): void;

    /** @since 6 */
    off(type: 'message', callback?: AsyncCallback<string | ArrayBuffer>): void;

    /** @since 0.1.0 of this library */
    off(type: 'piece', callback?: Callback<MessagePiece>): void;

    /** @since 11 */
    off(type: 'dataEnd', callback?: Callback<void>): void;

    /** @since 12 */
    off(type: 'headerReceive', callback?: Callback<ResponseHeaders>): void;

    /** @since 0.1.0 of this library */
    off(type: 'pong', callback?: Callback<PongResult>): void;

    /** @since 0.1.0 of this library */
    off(type: 'drain', callback?: Callback<void>): void;

    /** @since 0.1.0 of this library */
    off(type: 'stats', callback?: Callback<Statistics>): void;

    /** @since 0.1.0 of this library */
    off(type: 'frame', callback?: Callback<FrameHeader>): void;

    /** @since 0.1.0 of this library */
    off(type: 'reconnecting', callback?: Callback<ReconnectingResult>): void;

    /** @since 0.1.0 of this library */
    off(type: 'prepare', callback?: Callback<ReconnectingResult>): void;

    /** @since 0.1.0 of this library */
    off(type: 'reconnected', callback?: Callback<ReconnectedResult>): void;

    /** @since 6 */
    off(type: 'close', callback?: AsyncCallback<CloseResult>): void;

    /** @since 6 */
    off(type: 'error', callback?: ErrorCallback<WebSocketError>): void;

    /**
     * As `on('open', callback)`, and not with the `OpenResult` as first argument, as there.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    onOpen(callback: AsyncCallback<Object>): void;

    /**
     * As `off('open', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    offOpen(callback?: AsyncCallback<Object>): void;

    /**
     * As `on('message', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    onMessage(callback: AsyncCallback<string | ArrayBuffer>): void;

    /**
     * As `off('message', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    offMessage(callback?: AsyncCallback<string | ArrayBuffer>): void;

    /**
     * As `on('close', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    onWebSocketClose(callback: AsyncCallback<CloseResult>): void;

    /**
     * As `off('close', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    offWebSocketClose(callback?: AsyncCallback<CloseResult>): void;

    /**
     * As `on('error', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    onWebSocketError(callback: ErrorCallback<WebSocketError>): void;

    /**
     * As `off('error', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    offWebSocketError(callback?: ErrorCallback<WebSocketError>): void;

    /**
     * As `on('dataEnd', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    onDataEnd(callback: Callback<void>): void;

    /**
     * As `off('dataEnd', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    offDataEnd(callback?: Callback<void>): void;

    /**
     * As `on('headerReceive', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    onHeaderReceive(callback: Callback<ResponseHeaders>): void;

    /**
     * As `off('headerReceive', callback)`.
     * The platform has it in static ArkTS only (since 23).
     * @since 0.1.0 of this library
     */
    offHeaderReceive(callback?: Callback<ResponseHeaders>): void;
  }

  /**
   * The version of this library. It is undefined where an app was given another library of the same name, such as the platform's.
   * @since 0.1.0 of this library
   */
  const version: string;

  /**
   * Makes a WebSocket client that is not connected.
   * @since 6
   */
  function createWebSocket(): WebSocket;

  /**
   * Makes a WebSocket server that does not listen.
   * @since 19
   */
  function createWebSocketServer(): WebSocketServer;

  /**
   * Sets what is written to the log from now on, for the whole process: 'debug', 'info', 'warn', 'error' or 'off'.
   *
   * Fails with 401 (another level).
   * @since 0.1.0 of this library
   */
  function setLogLevel(level: 'debug' | 'info' | 'warn' | 'error' | 'off'): void;

  /**
   * Makes a signal for the option `signal` of `connect`, not yet aborted.
   * @since 0.1.0 of this library
   */
  function createAbortSignal(): AbortSignal;
}

export default webSocket;
export import ResponseHeaders = webSocket.ResponseHeaders;
export import ProxyConfiguration = webSocket.ProxyConfiguration;
export import BinaryView = webSocket.BinaryView;
export import RefusedUpgrade = webSocket.RefusedUpgrade;
export import ConnectionPhase = webSocket.ConnectionPhase;
export import WebSocketError = webSocket.WebSocketError;
export import AbortSignal = webSocket.AbortSignal;
export import web = webSocket.web;
export import ServerCert = webSocket.ServerCert;
export import WebSocketServerConfig = webSocket.WebSocketServerConfig;
export import WebSocketConnection = webSocket.WebSocketConnection;
export import ServerRefusal = webSocket.ServerRefusal;
export import ServerRequest = webSocket.ServerRequest;
export import ServerStatistics = webSocket.ServerStatistics;
export import ServerStopOptions = webSocket.ServerStopOptions;
export import WebSocketMessage = webSocket.WebSocketMessage;
export import ServerCloseResult = webSocket.ServerCloseResult;
export import ClientConnectionCloseCallback = webSocket.ClientConnectionCloseCallback;
export import WebSocketServerError = webSocket.WebSocketServerError;
export import WebSocketServer = webSocket.WebSocketServer;
export import WebSocketRequestOptions = webSocket.WebSocketRequestOptions;
export import ClientCert = webSocket.ClientCert;
export import CertificatePinning = webSocket.CertificatePinning;
export import HttpProxy = webSocket.HttpProxy;
export import TlsProtocol = webSocket.TlsProtocol;
export import Cause = webSocket.Cause;
export import WebSocketCloseOptions = webSocket.WebSocketCloseOptions;
export import OpenResult = webSocket.OpenResult;
export import WebSocketOpenInfo = webSocket.WebSocketOpenInfo;
export import ReconnectOptions = webSocket.ReconnectOptions;
export import ReconnectingResult = webSocket.ReconnectingResult;
export import ReconnectedResult = webSocket.ReconnectedResult;
export import AttemptChange = webSocket.AttemptChange;
export import MessagePiece = webSocket.MessagePiece;
export import PongResult = webSocket.PongResult;
export import FrameHeader = webSocket.FrameHeader;
export import Statistics = webSocket.Statistics;
export import CloseResult = webSocket.CloseResult;
export import WebSocket = webSocket.WebSocket;
export import version = webSocket.version;
export import createWebSocket = webSocket.createWebSocket;
export import createWebSocketServer = webSocket.createWebSocketServer;
export import setLogLevel = webSocket.setLogLevel;
export import createAbortSignal = webSocket.createAbortSignal;
