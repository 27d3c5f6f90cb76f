// The declarations of the ArkTS API. By hand; tests/js/declared.test.js holds them against the loaded module.
// `@since` with a number is the API level at which the platform's own module got the member.
import { AsyncCallback, BusinessError, Callback, ErrorCallback } from '@kit.BasicServicesKit';

declare namespace webSocket {
  /**
   * Response headers of the upgrade by name, in lower case. A name that came more than once has an array of values.
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
   * The response of a server that refused the upgrade.
   * @since 0.1.0 of this library
   */
  interface RefusedUpgrade {
    /**
     * The HTTP status.
     * @since 0.1.0 of this library
     */
    status: number;

    /**
     * The reason phrase of the status.
     * @since 0.1.0 of this library
     */
    message: string;

    /**
     * The headers.
     * @since 0.1.0 of this library
     */
    header: ResponseHeaders;

    /**
     * The first 4096 bytes of the body, as far as they came in time. Bytes that are not UTF-8 become U+FFFD.
     * @since 0.1.0 of this library
     */
    body: string;
  }

  /**
   * A step of an attempt to connect. 'open' means that the connection was open.
   * @since 0.1.0 of this library
   */
  type ConnectionPhase = 'lookup' | 'tcp' | 'proxy' | 'tls' | 'upgrade' | 'prepare' | 'open';

  /**
   * The error of the event `error`. `data` is the HTTP status of a server that refused the upgrade, as a string. Otherwise it is
   * empty.
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
     * The number of messages that were accepted and then dropped, or that may not have reached the peer.
     * @since 0.1.0 of this library
     */
    unsent: number;

    /**
     * How long the attempt took or the connection was open, in milliseconds.
     * @since 0.1.0 of this library
     */
    elapsedTime: number;

    /**
     * Milliseconds since the last byte came from the peer, or from a proxy on the way. Undefined if no byte ever came.
     * @since 0.1.0 of this library
     */
    idleTime?: number;

    /**
     * The response of the server. Only if a server refused the upgrade.
     * @since 0.1.0 of this library
     */
    response?: RefusedUpgrade;
  }

  /**
   * A signal that cancels an attempt to connect, like the web's AbortSignal. `createAbortSignal` makes it. Call its methods on
   * the thread that made it.
   * @since 0.1.0 of this library
   */
  interface AbortSignal {
    /**
     * Whether `abort` was called.
     * @since 0.1.0 of this library
     */
    readonly aborted: boolean;

    /**
     * Adds a listener. `abort` calls it once, even if it was added several times.
     * @since 0.1.0 of this library
     */
    addEventListener(type: 'abort', listener: () => void): void;

    /**
     * Removes a listener.
     * @since 0.1.0 of this library
     */
    removeEventListener(type: 'abort', listener: () => void): void;

    /**
     * Cancels the attempts that have this signal and calls the listeners. Later calls do nothing.
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
     * The type of a received binary message. An engine without `Blob`, such as ArkTS's, has only 'arraybuffer'.
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
     * A signal that removes a listener when it is aborted: the web's AbortSignal, or a signal of `createAbortSignal`.
     * @since 0.1.0 of this library
     */
    interface AbortSignalLike {
      /**
       * Whether it was aborted.
       * @since 0.1.0 of this library
       */
      readonly aborted: boolean;

      /**
       * Adds a listener, which is called when the signal is aborted.
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
       * Part of the identity of a listener: one function can be added once with true and once with false. Default: false.
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
       * Whether the listener is removed when it is called. Default: false.
       * @since 0.1.0 of this library
       */
      once?: boolean;

      /**
       * Whether `preventDefault` does nothing in the listener. Default: false.
       * @since 0.1.0 of this library
       */
      passive?: boolean;

      /**
       * Removes the listener when it is aborted.
       * @since 0.1.0 of this library
       */
      signal?: AbortSignalLike;
    }

    /**
     * An object that events are dispatched to. The engine's own class, or that of this library if the engine has none.
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
       * Calls the listeners of an event. Returns false if one of them called `preventDefault`.
       *
       * Throws an InvalidStateError if the event is being dispatched already.
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
       * The value of that member. Default: false.
       * @since 0.1.0 of this library
       */
      bubbles?: boolean;

      /**
       * Whether `preventDefault` has an effect. Default: false.
       * @since 0.1.0 of this library
       */
      cancelable?: boolean;

      /**
       * The value of that member. Default: false.
       * @since 0.1.0 of this library
       */
      composed?: boolean;
    }

    /**
     * An event. The engine's own class, or that of this library if the engine has none.
     * @since 0.1.0 of this library
     */
    class Event {
      /**
       * Makes an event for `dispatchEvent`.
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
       * The type of the event, such as 'open'.
       * @since 0.1.0 of this library
       */
      readonly type: string;

      /**
       * The object that the event was dispatched to.
       * @since 0.1.0 of this library
       */
      readonly target: EventTarget | null;

      /**
       * The older name of `target`.
       * @since 0.1.0 of this library
       */
      readonly srcElement: EventTarget | null;

      /**
       * The target while listeners are called, and null afterwards.
       * @since 0.1.0 of this library
       */
      readonly currentTarget: EventTarget | null;

      /**
       * 2 while listeners are called, 0 before and afterwards.
       * @since 0.1.0 of this library
       */
      readonly eventPhase: number;

      /**
       * The value that the constructor was given. False for the events of a WebSocket.
       * @since 0.1.0 of this library
       */
      readonly bubbles: boolean;

      /**
       * The value that the constructor was given. False for the events of a WebSocket.
       * @since 0.1.0 of this library
       */
      readonly cancelable: boolean;

      /**
       * The value that the constructor was given. False for the events of a WebSocket.
       * @since 0.1.0 of this library
       */
      readonly composed: boolean;

      /**
       * Whether a listener called `preventDefault`.
       * @since 0.1.0 of this library
       */
      readonly defaultPrevented: boolean;

      /**
       * True for an event that a WebSocket dispatched, false for one that a script dispatched.
       * @since 0.1.0 of this library
       */
      readonly isTrusted: boolean;

      /**
       * When the event was made, in milliseconds as `performance.now` counts them. For a message, when `timeStamp` is first read.
       * @since 0.1.0 of this library
       */
      readonly timeStamp: number;

      /**
       * An array of the target while listeners are called, and an empty one afterwards.
       * @since 0.1.0 of this library
       */
      composedPath(): Array<EventTarget>;

      /**
       * Has no effect here, since a target has no parents.
       * @since 0.1.0 of this library
       */
      stopPropagation(): void;

      /**
       * Keeps further listeners from being called.
       * @since 0.1.0 of this library
       */
      stopImmediatePropagation(): void;

      /**
       * Sets `defaultPrevented` if the event is cancelable.
       * @since 0.1.0 of this library
       */
      preventDefault(): void;

      /**
       * The older form of `defaultPrevented`: false once the event is prevented. Setting it to false calls `preventDefault`.
       * @since 0.1.0 of this library
       */
      returnValue: boolean;

      /**
       * The older form of `stopPropagation`. Setting it to true calls that method. It is true after the call.
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
       * The message. Default: null.
       * @since 0.1.0 of this library
       */
      data?: string | ArrayBuffer | Object | null;

      /**
       * The text of that member. Default: empty.
       * @since 0.1.0 of this library
       */
      origin?: string;

      /**
       * The text of that member. Default: empty.
       * @since 0.1.0 of this library
       */
      lastEventId?: string;
    }

    /**
     * A received message.
     * @since 0.1.0 of this library
     */
    class MessageEvent extends Event {
      /**
       * Makes an event for `dispatchEvent`.
       * @since 0.1.0 of this library
       */
      constructor(type: string, init?: MessageEventInit);

      /**
       * The message: a string for text. For binary an ArrayBuffer or, with `binaryType` 'blob', a Blob.
       * @since 0.1.0 of this library
       */
      readonly data: string | ArrayBuffer | Object;

      /**
       * The scheme, the host and the port of the server.
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
       * The value of that member. Default: false.
       * @since 0.1.0 of this library
       */
      wasClean?: boolean;

      /**
       * The value of that member. Default: 0.
       * @since 0.1.0 of this library
       */
      code?: number;

      /**
       * The text of that member. Default: empty.
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
       * Makes an event for `dispatchEvent`.
       * @since 0.1.0 of this library
       */
      constructor(type: string, init?: CloseEventInit);

      /**
       * Whether both sides sent a close frame.
       * @since 0.1.0 of this library
       */
      readonly wasClean: boolean;

      /**
       * The code of the server's close frame. 1005 for a frame without a code, 1006 if no frame came.
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
     * The exception that members of these classes throw. `name` is its kind. The engine's own class, or that of this library if
     * the engine has none.
     * @since 0.1.0 of this library
     */
    class DOMException extends Error {
      /**
       * Makes an exception.
       * @since 0.1.0 of this library
       */
      constructor(message?: string, name?: string);

      /**
       * The number of the name, such as 12 for SyntaxError; 0 for a name without a number.
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
     * While a listener waits for an event that can still come, the connection keeps its object alive. The events are `open`,
     * `message`, `error` and `close`.
     * @since 0.1.0 of this library
     */
    class WebSocket extends EventTarget {
      /**
       * Begins to connect to an absolute URL (ws, wss, http or https, without a fragment). `protocols` are the
       * sub-protocols, preferred first. If there are any, the server must choose one. `options` are the options of
       * `connect`. The standard does not have them.
       *
       * Throws a SyntaxError for a wrong URL or sub-protocol. Throws a TypeError for a wrong option, and a SecurityError without
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
       * The connection has ended, or could not be made.
       * @since 0.1.0 of this library
       */
      static readonly CLOSED: 3;

      /**
       * The connection has ended, or could not be made.
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
       * Bytes given to `send` that the kernel does not have yet. The number does not fall when the connection ends.
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
       * The type of received binary messages. Default: 'blob' if the engine has `Blob`, otherwise 'arraybuffer'. Other values are
       * ignored.
       * @since 0.1.0 of this library
       */
      binaryType: BinaryType;

      /**
       * The listener that is called when the connection is open.
       * @since 0.1.0 of this library
       */
      onopen: ((event: Event) => void) | null;

      /**
       * The listener that is called with each message.
       * @since 0.1.0 of this library
       */
      onmessage: ((event: MessageEvent) => void) | null;

      /**
       * The listener that is called when the connection fails, before `onclose`.
       * @since 0.1.0 of this library
       */
      onerror: ((event: Event) => void) | null;

      /**
       * The listener that is called when the connection has ended.
       * @since 0.1.0 of this library
       */
      onclose: ((event: CloseEvent) => void) | null;

      /**
       * Queues a message. A string goes out as text, with U+FFFD for lone surrogates. An ArrayBuffer, a view or a Blob goes out
       * as binary. Anything else is converted to a string. The data is copied.
       *
       * Throws an InvalidStateError before the connection is open. Once it is closing, nothing is sent, and the bytes count in
       * `bufferedAmount`.
       * @since 0.1.0 of this library
       */
      send(data: string | ArrayBuffer | BinaryView | Object): void;

      /**
       * Begins the closing handshake behind the queued messages, or cancels an attempt. Later calls do nothing.
       *
       * Throws an InvalidAccessError for a code other than 1000 and 3000 to 4999. Throws a SyntaxError for a reason of more than
       * 123 bytes of UTF-8.
       * @since 0.1.0 of this library
       */
      close(code?: number, reason?: string): void;

      /**
       * Adds a listener, as `addEventListener` of `EventTarget` does.
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
     * The second argument of the constructor of `WebSocketStream`.
     * @since 0.1.0 of this library
     */
    interface WebSocketStreamOptions {
      /**
       * Sub-protocols to offer, preferred first. The server must choose one of them, if there are any. Default: none.
       * @since 0.1.0 of this library
       */
      protocols?: Array<string>;

      /**
       * Cancels the attempt when it is aborted. It does nothing once the connection is open. Default: none.
       * @since 0.1.0 of this library
       */
      signal?: AbortSignalLike;
    }

    /**
     * What the promise `opened` of a `WebSocketStream` becomes.
     * @since 0.1.0 of this library
     */
    interface WebSocketOpenStreams {
      /**
       * The engine's ReadableStream of received messages: a string for text, a Uint8Array for binary. While nobody reads, the
       * library stops reading from the socket. `cancel` closes the connection.
       * @since 0.1.0 of this library
       */
      readonly readable: Object;

      /**
       * The engine's WritableStream of messages to send. A string goes out as text, an ArrayBuffer or a view as binary. Anything
       * else is converted to a string. A write ends when at most 64 KiB wait to be sent, or when the kernel has its message.
       * `close` and `abort` close the connection.
       * @since 0.1.0 of this library
       */
      readonly writable: Object;

      /**
       * The extensions of the connection; empty for none.
       * @since 0.1.0 of this library
       */
      readonly extensions: string;

      /**
       * The sub-protocol of the connection; empty for none.
       * @since 0.1.0 of this library
       */
      readonly protocol: string;
    }

    /**
     * A close code and a reason.
     * @since 0.1.0 of this library
     */
    interface WebSocketCloseInfo {
      /**
       * 1000, or from 3000 to 4999. Default: 1000 with a reason, none without.
       * @since 0.1.0 of this library
       */
      closeCode?: number | null;

      /**
       * At most 123 bytes of UTF-8. Default: empty.
       * @since 0.1.0 of this library
       */
      reason?: string;
    }

    /**
     * How a connection of a `WebSocketStream` ended.
     * @since 0.1.0 of this library
     */
    interface WebSocketStreamEnd {
      /**
       * The code of the server's close frame; 1005 for one without a code.
       * @since 0.1.0 of this library
       */
      readonly closeCode: number;

      /**
       * The reason of the server's close frame.
       * @since 0.1.0 of this library
       */
      readonly reason: string;
    }

    /**
     * Why a connection of a `WebSocketStream` failed. A script throws one into a stream to close with its code and reason.
     * Undefined where `WebSocketStream` is.
     * @since 0.1.0 of this library
     */
    class WebSocketError extends DOMException {
      /**
       * Makes an error.
       *
       * Throws an InvalidAccessError for a wrong code, and a SyntaxError for a reason of more than 123 bytes.
       * @since 0.1.0 of this library
       */
      constructor(message?: string, init?: WebSocketCloseInfo);

      /**
       * The close code: 1006 when the server sent no close frame; null for none.
       * @since 0.1.0 of this library
       */
      readonly closeCode: number | null;

      /**
       * The reason of the close frame; empty for none.
       * @since 0.1.0 of this library
       */
      readonly reason: string;
    }

    /**
     * A connection as two streams (the web's WebSocketStream): one connection, which begins with the object.
     *
     * Undefined if the engine has no ReadableStream and no WritableStream, such as ArkTS's. The connection lives until
     * one side closes it, even if the object is collected.
     * @since 0.1.0 of this library
     */
    class WebSocketStream {
      /**
       * Begins to connect to an absolute URL (ws, wss, http or https, without a fragment). `connectOptions` are the
       * options of `connect` except `reconnect` and `receivePieces`. The web's class does not have them.
       *
       * Throws a SyntaxError for a wrong URL or sub-protocol, a TypeError for a wrong option, and a SecurityError without
       * `ohos.permission.INTERNET`.
       * @since 0.1.0 of this library
       */
      constructor(url: string | UrlObject, options?: WebSocketStreamOptions, connectOptions?: WebSocketRequestOptions);

      /**
       * The URL, with ws or wss as its scheme.
       * @since 0.1.0 of this library
       */
      readonly url: string;

      /**
       * Becomes the two streams when the connection is open. Fails with a WebSocketError when it cannot be made, and with the reason
       * of the signal that cancelled it.
       * @since 0.1.0 of this library
       */
      readonly opened: Promise<WebSocketOpenStreams>;

      /**
       * Becomes the code and the reason of the server's close frame. Fails with a WebSocketError if no close frame came, or if
       * not all was sent. If `opened` fails, `closed` fails with the same value.
       * @since 0.1.0 of this library
       */
      readonly closed: Promise<WebSocketStreamEnd>;

      /**
       * Begins the closing handshake behind the written messages, or cancels an attempt. Received messages are dropped from then
       * on. Later calls do nothing.
       *
       * Throws an InvalidAccessError for a code other than 1000 and 3000 to 4999. Throws a SyntaxError for a reason of more than
       * 123 bytes of UTF-8.
       * @since 0.1.0 of this library
       */
      close(info?: WebSocketCloseInfo | null): void;
    }

    /**
     * Adds to `target` each class above that it lacks. Libraries for the web find them there. Default: the global
     * object.
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
     * A PEM or DER file with the certificate, followed by those of its issuers.
     * @since 19
     */
    certPath: string;

    /**
     * A PEM or DER file with the key of the certificate: PKCS#8, SEC1 or PKCS#1.
     * @since 19
     */
    keyPath: string;

    /**
     * The password of the key. Default: none.
     * @since 0.1.0 of this library
     */
    keyPassword?: string;
  }

  /**
   * Where a server listens, and which clients it accepts.
   * @since 19
   */
  interface WebSocketServerConfig {
    /**
     * The port to listen on, 0 to 65535. With 0 the system chooses a free port, which `stats` reports. It is required without
     * `socketPath`.
     * @since 19
     */
    serverPort?: number;

    /**
     * The most clients that may be connected at once. A client is an IP address. Default: 10. No number is too large.
     * @since 19
     */
    maxConcurrentClientsNumber?: number;

    /**
     * The most connections that one client may have at once. Default: 10. No number is too large.
     * @since 19
     */
    maxConnectionsForOneClient?: number;

    /**
     * The IPv4 or IPv6 address of this device to listen at. '::' stands for all addresses. Default: '0.0.0.0', all of IPv4.
     * @since 19
     */
    serverIP?: string;

    /**
     * A path of the file system to listen at, instead of `serverPort` and `serverIP`. It has at most 107 bytes. Its folder exists,
     * and the app may write to it. No file of that name may exist. `stop` removes the file. Default: none.
     * @since 0.1.0 of this library
     */
    socketPath?: string;

    /**
     * The certificate to serve wss with, by TLS 1.2 and 1.3. Default: none, and the server speaks ws. Two empty paths mean none.
     * @since 19
     */
    serverCert?: ServerCert;

    /**
     * The sub-protocols that the server accepts, comma-separated. The server chooses the first of the client's offer that is in
     * this list. Otherwise the response names none. Default: none.
     * @since 19
     */
    protocol?: string;

    /**
     * A PEM or DER file with the authorities of clients' certificates. Each client then needs a certificate of one of them. Only
     * with `serverCert`. Default: none, and no client is asked for a certificate.
     * @since 0.1.0 of this library
     */
    clientCaPath?: string;

    /**
     * Whether to refuse TLS 1.2. Only with `serverCert`. Default: false.
     * @since 0.1.0 of this library
     */
    tls13Only?: boolean;

    /**
     * Whether to compress messages (RFC 7692) with clients that offer it. Such a connection takes about 80 kB of memory.
     * Default: false.
     * @since 0.1.0 of this library
     */
    perMessageDeflate?: boolean;

    /**
     * The largest message to receive, in bytes. A larger message ends its connection with 1009. Default: 67108864.
     * @since 0.1.0 of this library
     */
    maxMessageSize?: number;

    /**
     * The most bytes that may wait to be sent on each connection. Default: 67108864.
     * @since 0.1.0 of this library
     */
    sendQueueLimit?: number;

    /**
     * The most messages that may wait to be sent on each connection. Default: no limit.
     * @since 0.1.0 of this library
     */
    sendQueueMessages?: number;

    /**
     * Seconds between pings to each client, 0 to 30000; 0 for none. Default: 25.
     * @since 0.1.0 of this library
     */
    pingInterval?: number;

    /**
     * Seconds after a ping within which data must come, 0 to 30000; 0 for no limit. Default: 30.
     * @since 0.1.0 of this library
     */
    pongTimeout?: number;

    /**
     * Milliseconds to wait for a client's close frame before its connection is dropped, 1 to 30000000. Default: 5000.
     * @since 0.1.0 of this library
     */
    closeTimeout?: number;

    /**
     * Milliseconds that a client may take for its TLS handshake and its request together, 1 to 30000000. Default: 10000.
     * @since 0.1.0 of this library
     */
    handshakeTimeout?: number;

    /**
     * The most clients that may be in their handshake at once. Further clients wait in the kernel. Default: 128.
     * @since 0.1.0 of this library
     */
    maxHandshakes?: number;

    /**
     * Whether to limit attempts, as the platform does. An address that connects more than 50 times within 60 s is refused for 60
     * s. Default: false.
     * @since 0.1.0 of this library
     */
    rateLimit?: boolean;
  }

  /**
   * A connection of a server. Listeners always get the same object for it.
   * @since 19
   */
  interface WebSocketConnection {
    /**
     * The address of the client. It is empty for a client of `socketPath`.
     * @since 19
     */
    clientIP: string;

    /**
     * The port of that address. For a client of `socketPath` it is the number of the client, from 1 on.
     * @since 19
     */
    clientPort: number;
  }

  /**
   * The headers and the body of a refusal.
   * @since 0.1.0 of this library
   */
  interface ServerRefusal {
    /**
     * Headers to add to those that each response has. Default: none.
     * @since 0.1.0 of this library
     */
    header?: Record<string, string>;

    /**
     * The body. It is plain text, unless `header` has a `Content-Type`. Default: empty.
     * @since 0.1.0 of this library
     */
    body?: string;
  }

  /**
   * A client's request for a connection. It waits until `accept` or `refuse` is called, or until `handshakeTimeout` ends. If the
   * listener throws before, the client is refused with 500.
   * @since 0.1.0 of this library
   */
  interface ServerRequest {
    /**
     * The address of the client. It is empty for a client of `socketPath`.
     * @since 0.1.0 of this library
     */
    clientIP: string;

    /**
     * The port of that address. For a client of `socketPath` it is the number of the client, from 1 on.
     * @since 0.1.0 of this library
     */
    clientPort: number;

    /**
     * The path and the query of the URL, as the client sent them.
     * @since 0.1.0 of this library
     */
    target: string;

    /**
     * The headers, with names in lower case. Browsers send `origin`.
     * @since 0.1.0 of this library
     */
    header: ResponseHeaders;

    /**
     * The sub-protocols that the client offers.
     * @since 0.1.0 of this library
     */
    protocols: Array<string>;

    /**
     * Accepts the client. `header` is added to the headers of the upgrade. `protocol` is one of `protocols`; without it the
     * option `protocol` of `start` chooses.
     *
     * Throws 401 (`header`; `protocol`: the client did not offer it). The request then still waits.
     * @since 0.1.0 of this library
     */
    accept(header?: Record<string, string>, protocol?: string): void;

    /**
     * Responds with this HTTP status, 300 to 599, and drops the client.
     *
     * Throws 401 (a parameter).
     * @since 0.1.0 of this library
     */
    refuse(status: number, options?: ServerRefusal): void;
  }

  /**
   * The counts of a server since `start`.
   * @since 0.1.0 of this library
   */
  interface ServerStatistics {
    /**
     * The port that the server listens on, also if `serverPort` was 0. It is 0 for a server at `socketPath`.
     * @since 0.1.0 of this library
     */
    serverPort: number;

    /**
     * Connections that are open now.
     * @since 0.1.0 of this library
     */
    open: number;

    /**
     * Connections that were accepted.
     * @since 0.1.0 of this library
     */
    opened: number;

    /**
     * Clients that were refused because of a limit.
     * @since 0.1.0 of this library
     */
    keptOut: number;

    /**
     * Clients whose handshake failed or was refused.
     * @since 0.1.0 of this library
     */
    notOpened: number;

    /**
     * Messages that the kernel has taken.
     * @since 0.1.0 of this library
     */
    messagesSent: number;

    /**
     * Bytes of all frames that the kernel has taken, before TLS.
     * @since 0.1.0 of this library
     */
    bytesSent: number;

    /**
     * Messages that were received as a whole.
     * @since 0.1.0 of this library
     */
    messagesReceived: number;

    /**
     * Bytes of all received frames, after TLS.
     * @since 0.1.0 of this library
     */
    bytesReceived: number;

    /**
     * Bytes that wait to be sent.
     * @since 0.1.0 of this library
     */
    bufferedBytes: number;
  }

  /**
   * Options of `stop`.
   * @since 0.1.0 of this library
   */
  interface ServerStopOptions {
    /**
     * Milliseconds after which connections that are still open are dropped, 1 to 30000000. Default: each connection first sends
     * its queue, and then has `closeTimeout`.
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
     * The message: a string for text, an ArrayBuffer for binary.
     * @since 19
     */
    data: string | ArrayBuffer;

    /**
     * The connection that the message came on.
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
     * The same as `reason`, under the platform's name.
     * @since 0.1.0 of this library
     */
    closeReason: string;
  }

  /**
   * A listener for the end of a connection.
   * @since 19
   */
  type ClientConnectionCloseCallback = (clientConnection: WebSocketConnection, closeReason: ServerCloseResult) => void;

  /**
   * The error of the event `error` of a server. Its code is 200, as on the platform.
   * @since 0.1.0 of this library
   */
  interface WebSocketServerError extends BusinessError {
    /**
     * The connection that failed. Undefined for a client that was not accepted.
     * @since 0.1.0 of this library
     */
    clientConnection?: WebSocketConnection;
  }

  /**
   * A WebSocket server (RFC 6455). `createWebSocketServer` makes it.
   *
   * All methods and listeners run on the thread that made the object. Listeners are called one at a time. The order for each
   * connection is `connect`, any `messageReceive`, at most one `error`, `close`.
   * @since 19
   */
  interface WebSocketServer {
    /**
     * Begins to listen and to accept clients.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`) or 401 (a parameter, named in the message). Fails with 2302002 (a
     * certificate or key file is missing or unusable). Fails with 2302004 (`serverIP` is not an address of this device, or nothing can
     * listen at `socketPath`). Fails with 2302005 (`serverPort`) or 2302007 (the port is taken, or a file exists at `socketPath`). Fails with 2302999 (the server listens already, or the system has no
     * descriptors left).
     * @since 19
     */
    start(config: WebSocketServerConfig): Promise<boolean>;

    /**
     * Stops accepting clients, and closes all connections with 1001 behind their queued messages. The promise becomes `true` when
     * the port is free. The events `close` follow as the clients answer. `start` may be called again at once.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`), 401 (`timeout`) or 2302999 (not started). The parameter is this library's.
     * @since 19
     */
    stop(options?: ServerStopOptions): Promise<boolean>;

    /**
     * Returns the connections that `connect` has reported and `close` has not, oldest first.
     *
     * Throws 201 (no `ohos.permission.INTERNET`) or 2302999 (not started).
     * @since 19
     */
    listAllConnections(): WebSocketConnection[];

    /**
     * Queues a message for a client. A string goes out as text, an ArrayBuffer or a view as binary. The data is copied.
     * `connection` is the object that a listener was given, or another one with its address and port. The promise becomes `true`
     * at once.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter) or 2302006 (no such connection). Fails with 2302999 (the
     * connection is closing, or more would wait than `sendQueueLimit` allows).
     * @since 19
     */
    send(data: string | ArrayBuffer | BinaryView, connection: WebSocketConnection): Promise<boolean>;

    /**
     * Begins the closing handshake with a client behind the queued messages. The event `close` follows. A code that must not be
     * sent becomes 1000, with a warning in the log.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter) or 2302006 (no such connection).
     * @since 19
     */
    close(connection: WebSocketConnection, options?: WebSocketCloseOptions): Promise<boolean>;

    /**
     * Queues a message for all connections, or for those in `connections`. The message is copied once and goes out uncompressed.
     * The promise becomes the number of connections that took it. A connection that is closing, or whose queue is full, does not
     * take it.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`) or 401 (a parameter). Fails with 2302006 (no such connection) or 2302999
     * (not started).
     * @since 0.1.0 of this library
     */
    broadcast(data: string | ArrayBuffer | BinaryView, connections?: Array<WebSocketConnection>): Promise<number>;

    /**
     * Returns the bytes that were accepted for a connection and that the kernel has not taken yet.
     *
     * Throws 401 (`connection`) or 2302006 (no such connection).
     * @since 0.1.0 of this library
     */
    bufferedAmount(connection: WebSocketConnection): number;

    /**
     * Returns the port and the counts so far.
     *
     * Throws 2302999 (not started).
     * @since 0.1.0 of this library
     */
    stats(): ServerStatistics;

    /**
     * Returns the counts of one connection.
     *
     * Throws 401 (`connection`) or 2302006 (no such connection).
     * @since 0.1.0 of this library
     */
    stats(connection: WebSocketConnection): Statistics;

    /**
     * Sets the listener of an event. A later one replaces it. `connect` reports each connection that opens.
     * @since 19
     */
    on(type: 'connect', callback: Callback<WebSocketConnection>): void;

    /**
     * Reports a whole message.
     * @since 19
     */
    on(type: 'messageReceive', callback: Callback<WebSocketMessage>): void;

    /**
     * Reports a client that asks for a connection. While there is a listener, each client waits for its answer.
     * @since 0.1.0 of this library
     */
    on(type: 'request', callback: Callback<ServerRequest>): void;

    /**
     * Reports that the queue of a connection has drained to a quarter of `sendQueueLimit` and of `sendQueueMessages`.
     * @since 0.1.0 of this library
     */
    on(type: 'drain', callback: Callback<WebSocketConnection>): void;

    /**
     * Reports that a connection has ended.
     * @since 19
     */
    on(type: 'close', callback: ClientConnectionCloseCallback): void;

    /**
     * Reports that a connection failed, before its `close`. Also reports a refused client, and that no client can be accepted for
     * now.
     * @since 19
     */
    on(type: 'error', callback: ErrorCallback<WebSocketServerError>): void;

    /**
     * Removes the listener of an event. With `callback`, only if that is the listener.
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
   * Options of `connect`. An undefined field has its default. So has a field of the platform's with a wrong type, as on the
   * platform. The log has a warning then. An unknown field is ignored, with a warning that names the nearest one. A wrong field
   * of this library is error 401.
   * @since 6
   */
  interface WebSocketRequestOptions {
    /**
     * Headers of the upgrade request by name. Values are strings, numbers or booleans. Undefined, null and empty values are left
     * out; any other value is error 401. Of names that differ only in case, the last counts. `Sec-WebSocket-Protocol` offers
     * sub-protocols. Default: none.
     * @since 6
     */
    header?: Object;

    /**
     * The certificate authorities to trust instead of the system's: a PEM or DER file, or a folder of such files. An unusable
     * file leads to the event `error` with 2302002. Default: the system's store.
     * @since 11
     */
    caPath?: string;

    /**
     * Whether to trust the system's authorities in addition to those of `caPath`. Default: false.
     * @since 0.1.0 of this library
     */
    caPathAddsToSystem?: boolean;

    /**
     * Whether to trust the authorities that users of the device installed, in addition to the system's. True trusts the
     * current user's authorities and those for all users. Default: only the current user's, or none if the app's
     * `network_config.json` has `trust-current-user-ca: false`.
     * @since 0.1.0 of this library
     */
    trustUserAuthorities?: boolean;

    /**
     * Which rules of the app's `network_config.json` apply. 'platform' applies `trust-current-user-ca`, as the
     * platform's WebSocket does. 'strict' also applies pins, trust anchors and the ban of clear text, as the platform's
     * `http` module does. It needs API 12, and API 18 for ws. If the system does not report the rules, the event
     * `error` follows. Default: 'platform'.
     * @since 0.1.0 of this library
     */
    networkSecurityConfig?: 'platform' | 'strict';

    /**
     * The certificate for a server that asks for one. Default: none.
     * @since 11
     */
    clientCert?: ClientCert;

    /**
     * Public keys to pin. The verified chain must contain one of them, as in the platform's `http` module. Expired pins do not
     * count. If all have expired, a verified chain is enough. With `skipServerCertVerification`, the server's own key must be a
     * pin that has not expired. Default: none.
     * @since 0.1.0 of this library
     */
    certificatePinning?: CertificatePinning | CertificatePinning[];

    /**
     * Protocols to offer by ALPN (RFC 7301), preferred first. An empty array leaves ALPN out. h2 and h3 are error 401,
     * because only HTTP/1.1 has the upgrade. Default: ['http/1.1'].
     * @since 0.1.0 of this library
     */
    alpnProtocols?: Array<string>;

    /**
     * The host name or address to request (SNI) and to verify. Default: that of the URL.
     * @since 0.1.0 of this library
     */
    tlsServerName?: string;

    /**
     * Sub-protocols to offer, comma-separated, preferred first. Default: none.
     * @since 12
     */
    protocol?: string;

    /**
     * Whether to accept any certificate for any name. Anyone on the path can then read and change everything.
     * `certificatePinning` with the server's own key prevents that. Default: false.
     * @since 20
     */
    skipServerCertVerification?: boolean;

    /**
     * Seconds between pings, 0 to 30000; 0 for none. A number out of range means the default. Default: 25, since many servers end
     * an idle connection after 30 s.
     * @since 21
     */
    pingInterval?: number;

    /**
     * Seconds after a ping within which data must come, 0 to `pingInterval`; 0 for no limit. A number out of range means
     * `pingInterval`, unless it is the default. The time begins anew while data queued before the ping still reaches the server.
     * Default: 30.
     * @since 21
     */
    pongTimeout?: number;

    /**
     * The proxy to use. 'system' uses the proxy of the network settings, if there is one. 'no-proxy' uses none.
     * Default: 'system'.
     * @since 12
     */
    proxy?: ProxyConfiguration;

    /**
     * IP addresses of host names, comma-separated. These names are not looked up. Example: `{ 'example.org': '192.0.2.1,
     * 2001:db8::1' }`. Default: none.
     * @since 0.1.0 of this library
     */
    hosts?: Record<string, string>;

    /**
     * The user's name for Basic authentication. It replaces the URL's. A header `Authorization` replaces both. Default:
     * none.
     * @since 0.1.0 of this library
     */
    username?: string;

    /**
     * The password of `username`. Default: empty.
     * @since 0.1.0 of this library
     */
    password?: string;

    /**
     * The most redirects to follow, 0 to 5. No redirect leads from wss to ws. Another origin gets no `Authorization`, `Cookie`,
     * `Host`, client certificate or `tlsServerName`. Default: 4, as on the platform.
     * @since 0.1.0 of this library
     */
    maxRedirects?: number;

    /**
     * The lowest TLS version to use. TLS below 1.2 is never used. Default: TLS_V_1_2.
     * @since 26.0.0
     */
    minSupportTlsProtocol?: TlsProtocol;

    /**
     * Whether to offer compression (RFC 7692). Default: true.
     * @since 0.1.0 of this library
     */
    perMessageDeflate?: boolean;

    /**
     * Milliseconds for the whole attempt, 1 to 30000000. Default: 15000.
     * @since 0.1.0 of this library
     */
    connectTimeout?: number;

    /**
     * Milliseconds to find an address, 1 to 30000000. Default: only the limit of the whole attempt.
     * @since 0.1.0 of this library
     */
    lookupTimeout?: number;

    /**
     * Milliseconds to connect to one of the addresses, 1 to 30000000. Default: only the limit of the whole attempt.
     * @since 0.1.0 of this library
     */
    tcpTimeout?: number;

    /**
     * Milliseconds for the tunnel through a proxy, 1 to 30000000. Default: only the limit of the whole attempt.
     * @since 0.1.0 of this library
     */
    proxyTimeout?: number;

    /**
     * Milliseconds for the TLS handshake, 1 to 30000000. Default: only the limit of the whole attempt.
     * @since 0.1.0 of this library
     */
    tlsTimeout?: number;

    /**
     * Milliseconds for the upgrade, 1 to 30000000. Default: only the limit of the whole attempt.
     * @since 0.1.0 of this library
     */
    upgradeTimeout?: number;

    /**
     * Milliseconds to wait for the peer's close frame, 1 to 30000000. Default: 5000.
     * @since 0.1.0 of this library
     */
    closeTimeout?: number;

    /**
     * The largest message to receive, in bytes. A larger message ends the connection with 1009. Default: 67108864.
     * @since 0.1.0 of this library
     */
    maxMessageSize?: number;

    /**
     * Whether messages come in pieces, by the event `piece`. A message of up to `maxMessageSize` then takes little memory.
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
     * The most messages that may wait to be sent. Default: no limit.
     * @since 0.1.0 of this library
     */
    sendQueueMessages?: number;

    /**
     * What a `send` in promise form does when the queue is full. With 'error' it fails. With 'wait' it waits for room, in order.
     * Waiting messages are outside the queue and in no statistics. Their memory depends on how many promises the app awaits at
     * once. Default: 'error'.
     * @since 0.1.0 of this library
     */
    sendQueuePolicy?: 'error' | 'wait';

    /**
     * Whether to send a message of more than 1 MiB in fragments of 256 KiB (RFC 6455 5.4). Pings, pongs and the close frame can
     * then pass between them. Set it to false for a server that refuses fragments. Default: true.
     * @since 0.1.0 of this library
     */
    fragmentMessages?: boolean;

    /**
     * Milliseconds between events `stats`, 1 to 30000000. Default: no such events.
     * @since 0.1.0 of this library
     */
    statisticsInterval?: number;

    /**
     * The `chainId` of a `HiTraceId`, at most 64 bits; 0 for none. Log lines show it in hexadecimal beside the client's number,
     * as in `[c7 a92ab1d3f2e]`. Default: none.
     * @since 0.1.0 of this library
     */
    traceId?: bigint | number;

    /**
     * Cancels the attempt when it is aborted before the connection is open. The event `error` with 2302999 follows. Any object
     * with the members of the web's AbortSignal is accepted. Default: none.
     * @since 0.1.0 of this library
     */
    signal?: AbortSignal;

    /**
     * When to connect again after a failure. Default: never.
     * @since 0.1.0 of this library
     */
    reconnect?: ReconnectOptions;

    /**
     * Whether the header `Origin` has the port, if that is not the scheme's own. An `Origin` in `header` replaces it, and an
     * empty one there removes it. Default: false, so that `Origin` is the scheme and the host.
     * @since 26.0.0
     */
    supportOriginPort?: boolean;
  }

  /**
   * A client's certificate. Unusable files lead to the event `error` with 2302002.
   * @since 11
   */
  interface ClientCert {
    /**
     * A PEM or DER file with the certificate, followed by those of its issuers.
     * @since 11
     */
    certPath: string;

    /**
     * A PEM or DER file with the key of the certificate: PKCS#8, SEC1 or PKCS#1.
     * @since 11
     */
    keyPath: string;

    /**
     * The password of the key: PBES2 with PBKDF2, or OpenSSL's older form. Default: none.
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
     * The SHA-256 digest of the key's SubjectPublicKeyInfo in base64, as in RFC 7469.
     * @since 0.1.0 of this library
     */
    publicKeyHash: string;

    /**
     * The hash algorithm. There is only this one.
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
     * The name or the address of the proxy; empty for no proxy. As on the platform, `[http://][user[:password]@]host[:port][/]`
     * is accepted too, without percent-encoding. `username` and `password` replace those in it. A port in it replaces `port`.
     * @since 12
     */
    host: string;

    /**
     * The port of the proxy, 1 to 65535.
     * @since 12
     */
    port: number;

    /**
     * Destinations to reach without the proxy. Names and addresses may have wildcards: '*.example.org', '192.168.*'.
     * '.example.org' is a domain with all below it. '10.0.0.0/8' and 'fe80::/10' are networks. Each may end with ':port'; without
     * one it holds for every port.
     * @since 12
     */
    exclusionList: Array<string>;

    /**
     * The user's name for a proxy that asks for it: Basic or Digest, and RFC 1929 with SOCKS5. Default: none.
     * @since 12
     */
    username?: string;

    /**
     * The password of `username`. Default: empty.
     * @since 12
     */
    password?: string;

    /**
     * The protocol of the proxy. 'http' is CONNECT, for ws and wss. With both protocols the proxy looks up the server's name.
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
     * This library never uses it.
     * @since 26.0.0
     */
    TLS_V_1_0 = 0,

    /**
     * This library never uses it.
     * @since 26.0.0
     */
    TLS_V_1_1 = 1,

    /**
     * The lowest version that this library uses.
     * @since 26.0.0
     */
    TLS_V_1_2 = 2,

    /**
     * The latest version.
     * @since 26.0.0
     */
    TLS_V_1_3 = 3,
  }

  /**
   * Why an attempt failed or a connection ended. The numbers never change.
   * @since 0.1.0 of this library
   */
  enum Cause {
    /**
     * The host name has no address, or its lookup failed.
     * @since 0.1.0 of this library
     */
    LOOKUP = 1,

    /**
     * The host refused the TCP connection, was unreachable, or broke the connection off before it was open.
     * @since 0.1.0 of this library
     */
    CONNECT = 2,

    /**
     * The attempt took too long.
     * @since 0.1.0 of this library
     */
    TIMEOUT = 3,

    /**
     * The TLS handshake failed, but not because of a certificate.
     * @since 0.1.0 of this library
     */
    TLS = 4,

    /**
     * One side refused a certificate, or a certificate file is unusable.
     * @since 0.1.0 of this library
     */
    CERTIFICATE = 5,

    /**
     * The server, or a proxy, answered the upgrade with HTTP 400 to 499.
     * @since 0.1.0 of this library
     */
    HTTP_4XX = 6,

    /**
     * The server, or a proxy, answered the upgrade with HTTP 500 to 599.
     * @since 0.1.0 of this library
     */
    HTTP_5XX = 7,

    /**
     * The server, or a proxy, answered the upgrade with something else.
     * @since 0.1.0 of this library
     */
    UPGRADE = 8,

    /**
     * An open connection broke, or no data came from the peer in time. Also a close frame with 1000 or without a code after the
     * process or the device stood still. That lasted 10 s or more, and the server has answered no ping since.
     * @since 0.1.0 of this library
     */
    LOST = 9,

    /**
     * The peer broke RFC 6455. An invalid close frame has the cause of its code instead, if that has one.
     * @since 0.1.0 of this library
     */
    PROTOCOL = 10,

    /**
     * The peer closed with 1001, 1011, 1012 or 1013: it goes away or cannot serve now.
     * @since 0.1.0 of this library
     */
    RESTART = 11,

    /**
     * The peer closed with another code.
     * @since 0.1.0 of this library
     */
    CLOSED = 12,

    /**
     * This side closed the connection or cancelled the attempt.
     * @since 0.1.0 of this library
     */
    APPLICATION = 13,

    /**
     * `prepareAttempt` was not called in time, or was given `false`.
     * @since 0.1.0 of this library
     */
    PREPARE = 14,

    /**
     * `prepareAttempt` was given invalid values, or the system's proxy setting is invalid. Also when `networkSecurityConfig` is
     * 'strict', and the app's `network_config.json` forbids the attempt or is unknown.
     * @since 0.1.0 of this library
     */
    OPTIONS = 15,

    /**
     * A defect of this library.
     * @since 0.1.0 of this library
     */
    INTERNAL = 16,

    /**
     * The server ended the TCP connection in order, without an answer to the upgrade.
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
     * The close code: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4). Any other becomes 1000. Default: 1000.
     * @since 6
     */
    code?: number;

    /**
     * The reason, at most 123 bytes of UTF-8. A longer one is cut at a character. Default: "CLOSE_NORMAL".
     * @since 6
     */
    reason?: string;
  }

  /**
   * The argument of the event `open`. The platform has this name in static ArkTS only.
   * @since 23
   */
  interface OpenResult {
    /**
     * The HTTP status of the upgrade: 101.
     * @since 23
     */
    status: number;

    /**
     * The reason phrase of the status.
     * @since 23
     */
    message: string;
  }

  /**
   * The argument of the event `openInfo`.
   * @since 26.0.0
   */
  interface WebSocketOpenInfo {
    /**
     * The HTTP status of the upgrade: 101.
     * @since 26.0.0
     */
    status: number;

    /**
     * The reason phrase of the status.
     * @since 26.0.0
     */
    message: string;

    /**
     * The sub-protocol that the server chose. Undefined for none.
     * @since 26.0.0
     */
    protocol?: string;
  }

  /**
   * When to connect again. Each attempt waits for a random part of a delay that doubles from attempt to attempt. Times are in
   * milliseconds, 1 to 30000000.
   *
   * Until then `readyState` is 0, and sent messages wait. The events `error` and `close` come only when no other
   * attempt follows. A message that the kernel has partly accepted is never sent again. Its promise fails.
   * @since 0.1.0 of this library
   */
  interface ReconnectOptions {
    /**
     * The first delay is a random part of this time. Default: 1000.
     * @since 0.1.0 of this library
     */
    delay?: number;

    /**
     * Later delays are a random part of at most this time. Default: 30000.
     * @since 0.1.0 of this library
     */
    maxDelay?: number;

    /**
     * The most attempts in a row, 1 or more. A connection that is open for 5 s ends the row. Default: no limit.
     * @since 0.1.0 of this library
     */
    maxAttempts?: number;

    /**
     * How long to go on trying, while the process runs. Default: no limit.
     * @since 0.1.0 of this library
     */
    maxTime?: number;

    /**
     * How long an attempt waits for `prepareAttempt` after the event `prepare`. Default: 15000.
     * @since 0.1.0 of this library
     */
    prepareTimeout?: number;

    /**
     * Whether the first attempt begins without a delay. Default: false.
     * @since 0.1.0 of this library
     */
    atOnce?: boolean;

    /**
     * Whether a lost connection drops the messages that wait to be sent. Default: false.
     * @since 0.1.0 of this library
     */
    dropQueue?: boolean;

    /**
     * Whether changes of the network are ignored. Default: false. Without `ohos.permission.GET_NETWORK_INFO` they are unknown.
     * @since 0.1.0 of this library
     */
    ignoreNetwork?: boolean;

    /**
     * The causes after which to reconnect. Default: LOOKUP, CONNECT, TIMEOUT, TLS, HTTP_5XX, LOST, RESTART and PREPARE.
     * @since 0.1.0 of this library
     */
    causes?: Array<Cause>;
  }

  /**
   * The argument of the events `reconnecting` and `prepare`.
   * @since 0.1.0 of this library
   */
  interface ReconnectingResult {
    /**
     * The number of the next attempt, from 1.
     * @since 0.1.0 of this library
     */
    attempt: number;

    /**
     * Milliseconds until that attempt begins.
     * @since 0.1.0 of this library
     */
    delay: number;

    /**
     * Why the connection or the attempt failed.
     * @since 0.1.0 of this library
     */
    cause: Cause;

    /**
     * The close code, if the peer closed.
     * @since 0.1.0 of this library
     */
    code?: number;

    /**
     * The HTTP status, if a server refused the upgrade.
     * @since 0.1.0 of this library
     */
    status?: number;

    /**
     * A sentence for a log.
     * @since 0.1.0 of this library
     */
    message: string;

    /**
     * The number of messages that were accepted and then dropped.
     * @since 0.1.0 of this library
     */
    unsent: number;
  }

  /**
   * The argument of the event `reconnected`.
   * @since 0.1.0 of this library
   */
  interface ReconnectedResult {
    /**
     * The number of attempts that were needed.
     * @since 0.1.0 of this library
     */
    attempts: number;

    /**
     * Milliseconds since the previous connection was lost.
     * @since 0.1.0 of this library
     */
    downtime: number;
  }

  /**
   * The changes of `prepareAttempt`.
   * @since 0.1.0 of this library
   */
  interface AttemptChange {
    /**
     * Another URL. Another origin gets no earlier credentials and no earlier `Authorization`, `Cookie` or `Host`. Give them in
     * `header`. Default: the same URL.
     * @since 0.1.0 of this library
     */
    url?: string;

    /**
     * Headers that replace those with the same names. Default: none.
     * @since 0.1.0 of this library
     */
    header?: Object;
  }

  /**
   * The argument of the event `piece`. A message of up to about 128 KiB comes in one piece, unless the server fragmented or
   * compressed it.
   * @since 0.1.0 of this library
   */
  interface MessagePiece {
    /**
     * The data: a string for text, an ArrayBuffer for binary. A piece of text never ends inside a character. The last piece may
     * be empty.
     * @since 0.1.0 of this library
     */
    data: string | ArrayBuffer;

    /**
     * Whether the piece begins a message. An earlier message without a last piece was lost with its connection.
     * @since 0.1.0 of this library
     */
    first: boolean;

    /**
     * Whether the piece ends the message.
     * @since 0.1.0 of this library
     */
    last: boolean;
  }

  /**
   * The argument of the event `pong`.
   * @since 0.1.0 of this library
   */
  interface PongResult {
    /**
     * The payload of the ping.
     * @since 0.1.0 of this library
     */
    data: ArrayBuffer;

    /**
     * Milliseconds since the ping. Undefined for a pong that answers no ping of this side.
     * @since 0.1.0 of this library
     */
    roundTrip?: number;
  }

  /**
   * The argument of the event `frame`: the header of a frame (RFC 6455 section 5.2) without its payload.
   * @since 0.1.0 of this library
   */
  interface FrameHeader {
    /**
     * 'sent' to the server, or 'received' from it.
     * @since 0.1.0 of this library
     */
    direction: 'sent' | 'received';

    /**
     * Whether the frame is the last one of its message. Always true for a control frame.
     * @since 0.1.0 of this library
     */
    fin: boolean;

    /**
     * Whether the frame is the first one of a compressed message (RFC 7692).
     * @since 0.1.0 of this library
     */
    rsv1: boolean;

    /**
     * The kind of the frame: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
     * @since 0.1.0 of this library
     */
    opcode: number;

    /**
     * Whether the payload is masked on the wire. True for sent frames, false for received ones.
     * @since 0.1.0 of this library
     */
    masked: boolean;

    /**
     * The length of the payload on the wire, in bytes.
     * @since 0.1.0 of this library
     */
    length: number;
  }

  /**
   * The counts since the object was made, over all its connections. Bytes are those on the wire, without TLS. Times are in
   * milliseconds.
   * @since 0.1.0 of this library
   */
  interface Statistics {
    /**
     * Attempts that were begun.
     * @since 0.1.0 of this library
     */
    attempts: number;

    /**
     * Connections that were open.
     * @since 0.1.0 of this library
     */
    connections: number;

    /**
     * Messages that the kernel has taken.
     * @since 0.1.0 of this library
     */
    messagesSent: number;

    /**
     * Bytes that the kernel has taken.
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
     * Bytes that were given to compression.
     * @since 0.1.0 of this library
     */
    deflateInputBytes: number;

    /**
     * Bytes that compression made of them.
     * @since 0.1.0 of this library
     */
    deflateOutputBytes: number;

    /**
     * Pings that were sent, including the library's own.
     * @since 0.1.0 of this library
     */
    pingsSent: number;

    /**
     * Pongs that answered one of these pings.
     * @since 0.1.0 of this library
     */
    pongsReceived: number;

    /**
     * Pings that no pong has answered yet.
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
     * The last round trip of a ping. Undefined before the first pong.
     * @since 0.1.0 of this library
     */
    roundTrip?: number;

    /**
     * The smoothed round trip (RFC 6298 section 2). Undefined before the first pong.
     * @since 0.1.0 of this library
     */
    smoothedRoundTrip?: number;

    /**
     * The shortest round trip. Undefined before the first pong.
     * @since 0.1.0 of this library
     */
    minimumRoundTrip?: number;

    /**
     * The time of the name lookup of the last connection. Undefined before it was open.
     * @since 0.1.0 of this library
     */
    lookupTime?: number;

    /**
     * The time of the TCP connect of the last connection.
     * @since 0.1.0 of this library
     */
    tcpTime?: number;

    /**
     * The time of the tunnel through a proxy of the last connection; 0 without a proxy.
     * @since 0.1.0 of this library
     */
    proxyTime?: number;

    /**
     * The time of the TLS handshake of the last connection; 0 without TLS.
     * @since 0.1.0 of this library
     */
    tlsTime?: number;

    /**
     * The time of the upgrade of the last connection.
     * @since 0.1.0 of this library
     */
    upgradeTime?: number;
  }

  /**
   * The argument of the event `close`. It always has all the fields. Those of this library are optional in the type. So
   * an app can make a `CloseResult` itself, as with the platform's type.
   * @since 10
   */
  interface CloseResult {
    /**
     * The code of the side that closed first. 1000 for a close frame without a code, as on the platform. 1006 if the connection
     * ended without a close frame of the server.
     * @since 10
     */
    code: number;

    /**
     * The reason of the side that closed first, or a sentence about the loss.
     * @since 10
     */
    reason: string;

    /**
     * Why the connection ended.
     * @since 0.1.0 of this library
     */
    cause?: Cause;

    /**
     * How long the connection was open, or the attempt took, in milliseconds.
     * @since 0.1.0 of this library
     */
    elapsedTime?: number;

    /**
     * Milliseconds since the last byte came from the peer. The same as `elapsedTime` if no byte ever came.
     * @since 0.1.0 of this library
     */
    idleTime?: number;

    /**
     * The number of messages that were accepted and then dropped, or that may not have reached the peer.
     * @since 0.1.0 of this library
     */
    unsent?: number;
  }

  /**
   * A WebSocket client (RFC 6455). `createWebSocket` makes it. It has one connection at a time, and may have others afterwards.
   *
   * All methods and listeners run on the thread that made the object. Listeners are called one at a time. The order for each
   * connection is `headerReceive`, `open`, any `message` or `piece`, at most one `error`, `close`. `dataEnd` follows each
   * message. An attempt that fails ends with `error` alone, or with `close` alone if the application closed it.
   * @since 6
   */
  class WebSocket {
    private constructor();

    /**
     * Begins to connect to `url` (ws, wss, http or https). `true` means that the attempt has begun. The event `open` or `error`
     * reports its outcome.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`) or 401 (a parameter, named in the message). Fails with 2302001 (the URL) or
     * 2302002 (a missing certificate file). Fails with 2302003 (already connecting or connected).
     * @since 6
     */
    connect(url: string, callback: AsyncCallback<boolean>): void;
    connect(url: string, options: WebSocketRequestOptions, callback: AsyncCallback<boolean>): void;
    connect(url: string, options?: WebSocketRequestOptions): Promise<boolean>;

    /**
     * Queues a message. A string goes out as text, an ArrayBuffer or a view as binary. The data is copied. Before the connection
     * is open, messages wait for it.
     *
     * The callback is given `true` when the message was accepted. The promise becomes `true` when the kernel has the message. If
     * the connection fails before, the promise fails with the code and the cause of the event `error`. If the connection was
     * closed before, it fails with 2302999.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`). Fails with 401 (`data` has another type, is detached, or is shared memory).
     * Fails with 2302999 (not connected, or more would wait than `sendQueueLimit` and `sendQueueMessages` allow). The option
     * `sendQueuePolicy` changes the latter.
     * @since 6
     */
    send(data: string | ArrayBuffer | BinaryView, callback: AsyncCallback<boolean>): void;
    send(data: string | ArrayBuffer | BinaryView): Promise<boolean>;

    /**
     * Queues a piece of a message. So a long message need not be in memory as a whole. Pieces are strings for text,
     * ArrayBuffers or views for binary. `last` ends the message. Until then no other message can be sent. Pieces are
     * copied, and sent uncompressed.
     *
     * A string must not end between the two halves of a character. As in `send`, a half goes out as U+FFFD.
     *
     * The promise becomes `true` when the kernel has the piece. If the connection ends first, it fails as with `send`.
     *
     * Fails with 401 (a parameter), and with 2302999 as `send` does. Fails with 2302999 if earlier pieces had the other type.
     * Fails with 2302999 once after a lost connection that had earlier pieces: begin the message again.
     * @since 0.1.0 of this library
     */
    sendPiece(data: string | ArrayBuffer | BinaryView, last: boolean): Promise<boolean>;

    /**
     * Sends a ping (RFC 6455 section 5.5.2) of up to 125 bytes ahead of the queued messages. The promise becomes the milliseconds
     * until its pong came.
     *
     * Fails with 401 (`data`) or 2302999 (not connected). If the connection ends before the pong, it fails as with
     * `send`.
     * @since 0.1.0 of this library
     */
    ping(data?: string | ArrayBuffer | BinaryView): Promise<number>;

    /**
     * Waits until at most a quarter of `sendQueueLimit` and `sendQueueMessages` is queued. The promise becomes `true` at once, or
     * with the event `drain`.
     *
     * If the connection ends first, the promise fails as with `send`.
     * @since 0.1.0 of this library
     */
    ready(): Promise<boolean>;

    /**
     * Returns a promise of the next message: `{ value, done: false }`. After a clean end it is `{ done: true }`. `for await
     * (const message of socket)` does the same in languages that have it.
     *
     * From the first call on, messages come here and no longer to the listeners of `message` and `dataEnd`. Call it right after
     * `connect` to miss none. Messages wait until they are taken, and while many wait, the library stops reading from the socket.
     * They can still be taken after the end, until the next `connect`.
     *
     * Fails with 2302999 before the first `connect` and with the option `receivePieces`. Fails once with the error of a
     * connection that failed.
     * @since 0.1.0 of this library
     */
    next(): Promise<IteratorResult<string | ArrayBuffer, undefined>>;

    /**
     * Returns the object itself, for `for await`.
     * @since 0.1.0 of this library
     */
    [Symbol.asyncIterator](): WebSocket;

    /**
     * Begins at once the attempt that `reconnecting` announced. Returns `false` if none is waiting.
     * @since 0.1.0 of this library
     */
    retryNow(): boolean;

    /**
     * Answers the event `prepare`, at once or later. `change` may have another URL and other headers, for this and later
     * attempts. `false` instead lets this attempt fail. Returns `false` if that attempt no longer waits.
     *
     * Throws 401 (a parameter).
     * @since 0.1.0 of this library
     */
    prepareAttempt(attempt: number, change?: AttemptChange | false): boolean;

    /**
     * Returns the counts so far.
     * @since 0.1.0 of this library
     */
    stats(): Statistics;

    /**
     * The state, with the numbers of the web's WebSocket. It changes together with the events. 0 is connecting, until `open`. 1
     * is open. 2 is closing, until `close` or the last `error`. 3 is not connected.
     * @since 0.1.0 of this library
     */
    get readyState(): number;

    /**
     * Bytes that were accepted for sending and that the kernel has not taken yet.
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
     * The URL of the last `connect`; empty before it. From the event `open` on, it is the URL after redirects and
     * `prepareAttempt`. Such a URL has no user's name and no password.
     * @since 0.1.0 of this library
     */
    get url(): string;

    /**
     * Begins the closing handshake (RFC 6455 section 7.1.2) behind the queued messages, or cancels the attempt. The event `close`
     * follows in both cases. Later calls do nothing. A code that must not be sent becomes 1000, and wrong options are ignored,
     * with warnings in the log.
     *
     * Fails with 201 (no `ohos.permission.INTERNET`), 401 (the options are not an object) or 2302999 (never connected).
     * @since 6
     */
    close(callback: AsyncCallback<boolean>): void;
    close(options: WebSocketCloseOptions, callback: AsyncCallback<boolean>): void;
    close(options?: WebSocketCloseOptions): Promise<boolean>;

    /**
     * Sets the listener of an event. A later one replaces it. `open` reports that the connection is open. As on the platform, an
     * unknown event or a wrong listener only leads to a warning in the log.
     * @since 6
     */
    on(type: 'open', callback: AsyncCallback<Object>): void;

    /**
     * Reports that the connection is open, with the sub-protocol.
     * @since 26.0.0
     */
    on(type: 'openInfo', callback: AsyncCallback<WebSocketOpenInfo>): void;

    /**
     * Reports a whole message: a string for text, an ArrayBuffer for binary. It does not come with the option `receivePieces`.
     * @since 6
     */
    on(type: 'message', callback: AsyncCallback<string | ArrayBuffer>): void;

    /**
     * Reports a piece of a message, or a whole one. It comes only with the option `receivePieces`.
     * @since 0.1.0 of this library
     */
    on(type: 'piece', callback: Callback<MessagePiece>): void;

    /**
     * Reports the end of each message. It comes only with a listener of `message` or `piece`.
     * @since 11
     */
    on(type: 'dataEnd', callback: Callback<void>): void;

    /**
     * Reports the headers of the upgrade, before `open`.
     * @since 12
     */
    on(type: 'headerReceive', callback: Callback<ResponseHeaders>): void;

    /**
     * Reports a pong.
     * @since 0.1.0 of this library
     */
    on(type: 'pong', callback: Callback<PongResult>): void;

    /**
     * Reports that the send queue has drained to a quarter of `sendQueueLimit` and of `sendQueueMessages`.
     * @since 0.1.0 of this library
     */
    on(type: 'drain', callback: Callback<void>): void;

    /**
     * Reports the counts so far, every `statisticsInterval` while the connection is open. If the thread is late, it gets only the
     * last of several.
     * @since 0.1.0 of this library
     */
    on(type: 'stats', callback: Callback<Statistics>): void;

    /**
     * Reports each frame that the kernel has accepted or that was received, for debugging. A frame comes before the
     * message that it ends. While there is a listener, frames cost time, and nothing is sent while 4096 events wait for
     * it.
     * @since 0.1.0 of this library
     */
    on(type: 'frame', callback: Callback<FrameHeader>): void;

    /**
     * Reports that the connection or the attempt failed, and that another attempt follows.
     * @since 0.1.0 of this library
     */
    on(type: 'reconnecting', callback: Callback<ReconnectingResult>): void;

    /**
     * Reports that an attempt waits for `prepareAttempt`.
     * @since 0.1.0 of this library
     */
    on(type: 'prepare', callback: Callback<ReconnectingResult>): void;

    /**
     * Reports that there is a connection again, after `open`.
     * @since 0.1.0 of this library
     */
    on(type: 'reconnected', callback: Callback<ReconnectedResult>): void;

    /**
     * Reports that the open connection has ended.
     * @since 6
     */
    on(type: 'close', callback: AsyncCallback<CloseResult>): void;

    /**
     * Reports that the attempt or the open connection failed.
     * @since 6
     */
    on(type: 'error', callback: ErrorCallback<WebSocketError>): void;

    /**
     * Removes the listener of an event. With `callback`, only if that is the listener. As on the platform, an unknown event or a
     * wrong listener only leads to a warning in the log.
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
     * As `on('open', callback)`. The platform has it in static ArkTS only (since 23). There the first argument is the
     * `OpenResult`.
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
   * The version of this library. Undefined if the app loaded another library of that name, such as the platform's.
   * @since 0.1.0 of this library
   */
  const version: string;

  /**
   * Returns a new WebSocket client, which is not connected.
   * @since 6
   */
  function createWebSocket(): WebSocket;

  /**
   * Returns a new WebSocket server, which does not listen.
   * @since 19
   */
  function createWebSocketServer(): WebSocketServer;

  /**
   * Sets the lowest level of log lines for the whole process, from now on. 'off' writes none. Default: 'warn'.
   *
   * Throws 401 (another level).
   * @since 0.1.0 of this library
   */
  function setLogLevel(level: 'debug' | 'info' | 'warn' | 'error' | 'off'): void;

  /**
   * Returns a new signal for the option `signal` of `connect`.
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
