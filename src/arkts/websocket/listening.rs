//! The ways to set and remove a listener: `on` and `off`, and the platform's newer names for some of their events.

use napi_derive_ohos::napi;
use napi_ohos::bindgen_prelude::This;
use napi_ohos::{Env, Result};

use super::{WebSocket, listeners_of};
use crate::arkts::event::EventType;
use crate::arkts::lenience::{nearest, shown};
use crate::arkts::napi::{Engine, Type, Value};

#[napi]
impl WebSocket {
    /// Sets the listener of an event; a later one replaces it. An unknown event, or a listener that is no function, does nothing but
    /// a warning in the log, as on the platform.
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "type: 'open', callback: AsyncCallback<Object>): void
  /**
   * As `open`, with the sub-protocol.
   * @since 26.0.0
   */
  on(type: 'openInfo', callback: AsyncCallback<WebSocketOpenInfo>): void
  /**
   * A whole message: text is a string, binary an ArrayBuffer. Not with the option `receivePieces`.
   * @since 6
   */
  on(type: 'message', callback: AsyncCallback<string | ArrayBuffer>): void
  /**
   * A piece of a message, or the whole of one, with the option `receivePieces`; `message` is not told then.
   * @since 0.1.0 of this library
   */
  on(type: 'piece', callback: Callback<MessagePiece>): void
  /**
   * The end of each message. Only with a listener of `message`, or of `piece`.
   * @since 11
   */
  on(type: 'dataEnd', callback: Callback<void>): void
  /**
   * The headers of the upgrade, before `open`.
   * @since 12
   */
  on(type: 'headerReceive', callback: Callback<ResponseHeaders>): void
  /**
   * A pong came.
   * @since 0.1.0 of this library
   */
  on(type: 'pong', callback: Callback<PongResult>): void
  /**
   * More than a quarter of `sendQueueLimit` or `sendQueueMessages` waited to be sent, and no longer does.
   * @since 0.1.0 of this library
   */
  on(type: 'drain', callback: Callback<void>): void
  /**
   * What was counted so far, each `statisticsInterval` while the connection is open. When several are due before the thread comes to it,
   * only the last is told.
   * @since 0.1.0 of this library
   */
  on(type: 'stats', callback: Callback<Statistics>): void
  /**
   * A frame has gone out, so that the kernel has it, or has come in; for debugging. Told while there is a listener, before the message that
   * the frame ends. Frames cost time then, and nothing is sent while 4096 events wait to be told.
   * @since 0.1.0 of this library
   */
  on(type: 'frame', callback: Callback<FrameHeader>): void
  /**
   * The connection or the attempt failed, and there will be another attempt.
   * @since 0.1.0 of this library
   */
  on(type: 'reconnecting', callback: Callback<ReconnectingResult>): void
  /**
   * An attempt is about to begin, and waits for `prepareAttempt`.
   * @since 0.1.0 of this library
   */
  on(type: 'prepare', callback: Callback<ReconnectingResult>): void
  /**
   * There is a connection again; after `open`.
   * @since 0.1.0 of this library
   */
  on(type: 'reconnected', callback: Callback<ReconnectedResult>): void
  /**
   * The connection that was open is over.
   * @since 6
   */
  on(type: 'close', callback: AsyncCallback<CloseResult>): void
  /**
   * The attempt failed, or the connection that was open did.
   * @since 6
   */
  on(type: 'error', callback: ErrorCallback<WebSocketError>",
        ts_return_type = "void"
    )]
    pub fn on<'env>(
        &self,
        this: This<'env>,
        env: Env,
        kind: Value<'env>,
        callback: Value<'env>,
    ) -> Result<()> {
        self.listen(Engine::from(env), &this, self.event_type("on", kind), callback)
    }

    /// Removes the listener of an event: whichever is set, or only `callback`. An unknown event, or a listener that is no function, does
    /// nothing but a warning in the log, as on the platform.
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "type: 'open', callback?: AsyncCallback<Object>): void
  /** @since 26.0.0 */
  off(type: 'openInfo', callback?: AsyncCallback<WebSocketOpenInfo>): void
  /** @since 6 */
  off(type: 'message', callback?: AsyncCallback<string | ArrayBuffer>): void
  /** @since 0.1.0 of this library */
  off(type: 'piece', callback?: Callback<MessagePiece>): void
  /** @since 11 */
  off(type: 'dataEnd', callback?: Callback<void>): void
  /** @since 12 */
  off(type: 'headerReceive', callback?: Callback<ResponseHeaders>): void
  /** @since 0.1.0 of this library */
  off(type: 'pong', callback?: Callback<PongResult>): void
  /** @since 0.1.0 of this library */
  off(type: 'drain', callback?: Callback<void>): void
  /** @since 0.1.0 of this library */
  off(type: 'stats', callback?: Callback<Statistics>): void
  /** @since 0.1.0 of this library */
  off(type: 'frame', callback?: Callback<FrameHeader>): void
  /** @since 0.1.0 of this library */
  off(type: 'reconnecting', callback?: Callback<ReconnectingResult>): void
  /** @since 0.1.0 of this library */
  off(type: 'prepare', callback?: Callback<ReconnectingResult>): void
  /** @since 0.1.0 of this library */
  off(type: 'reconnected', callback?: Callback<ReconnectedResult>): void
  /** @since 6 */
  off(type: 'close', callback?: AsyncCallback<CloseResult>): void
  /** @since 6 */
  off(type: 'error', callback?: ErrorCallback<WebSocketError>",
        ts_return_type = "void"
    )]
    pub fn off<'env>(
        &self,
        this: This<'env>,
        env: Env,
        kind: Value<'env>,
        callback: Value<'env>,
    ) -> Result<()> {
        self.unlisten(Engine::from(env), &this, self.event_type("off", kind), callback)
    }
}

/// Makes the methods that the platform has in static ArkTS besides `on` and `off`: one pair for each event.
///
/// A row has the TypeScript arguments and the documentation of each method. The derive macro takes only plain literals.
macro_rules! methods_of_events {
    ($($event:ident {
        $on:ident($on_args:tt, $on_doc:tt),
        $off:ident($off_args:tt, $off_doc:tt),
    })*) => {
        #[napi]
        impl WebSocket {
            $(
                #[doc = $on_doc]
                #[doc = "The platform has it in static ArkTS only (since 23)."]
                #[doc = "@since 0.1.0 of this library"]
                #[napi(catch_unwind, ts_args_type = $on_args, ts_return_type = "void")]
                pub fn $on<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
                    self.listen(Engine::from(env), &this, Some(EventType::$event), callback)
                }

                #[doc = $off_doc]
                #[doc = "The platform has it in static ArkTS only (since 23)."]
                #[doc = "@since 0.1.0 of this library"]
                #[napi(catch_unwind, ts_args_type = $off_args, ts_return_type = "void")]
                pub fn $off<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
                    self.unlisten(Engine::from(env), &this, Some(EventType::$event), callback)
                }
            )*
        }
    };
}

methods_of_events! {
    Open {
        on_open("callback: AsyncCallback<Object>", "As `on('open', callback)`, and not with the `OpenResult` as first argument, as there."),
        off_open("callback?: AsyncCallback<Object>", "As `off('open', callback)`."),
    }
    Message {
        on_message("callback: AsyncCallback<string | ArrayBuffer>", "As `on('message', callback)`."),
        off_message("callback?: AsyncCallback<string | ArrayBuffer>", "As `off('message', callback)`."),
    }
    Close {
        on_web_socket_close("callback: AsyncCallback<CloseResult>", "As `on('close', callback)`."),
        off_web_socket_close("callback?: AsyncCallback<CloseResult>", "As `off('close', callback)`."),
    }
    Error {
        on_web_socket_error("callback: ErrorCallback<WebSocketError>", "As `on('error', callback)`."),
        off_web_socket_error("callback?: ErrorCallback<WebSocketError>", "As `off('error', callback)`."),
    }
    DataEnd {
        on_data_end("callback: Callback<void>", "As `on('dataEnd', callback)`."),
        off_data_end("callback?: Callback<void>", "As `off('dataEnd', callback)`."),
    }
    HeaderReceive {
        on_header_receive("callback: Callback<ResponseHeaders>", "As `on('headerReceive', callback)`."),
        off_header_receive("callback?: Callback<ResponseHeaders>", "As `off('headerReceive', callback)`."),
    }
}

impl WebSocket {
    /// Sets a listener.
    fn listen<'env>(
        &self,
        env: Engine,
        this: &This<'env>,
        event: Option<EventType>,
        callback: Value<'env>,
    ) -> Result<()> {
        let Some(event) = event else { return Ok(()) };
        if callback.type_of() != Type::Function {
            self.lenience("on").warn("callback", "must be a function; no listener is set");
            return Ok(());
        }
        listeners_of(env, this)?.set(event.property(), callback)?;
        self.note_listeners(self.binding.audience.listened.get() | event.bit());
        Ok(())
    }

    /// Removes a listener.
    fn unlisten<'env>(
        &self,
        env: Engine,
        this: &This<'env>,
        event: Option<EventType>,
        callback: Value<'env>,
    ) -> Result<()> {
        let Some(event) = event else { return Ok(()) };
        if !callback.is_absent() && callback.type_of() != Type::Function {
            self.lenience("off").warn("callback", "must be a function; no listener is removed");
            return Ok(());
        }
        let listeners = listeners_of(env, this)?;
        if callback.is_absent() || listeners.get(event.property())?.is_same(callback) {
            listeners.set(event.property(), env.undefined()?)?;
            self.note_listeners(self.binding.audience.listened.get() & !event.bit());
        }
        Ok(())
    }

    /// The event of that name. Of one that is none, the log tells.
    fn event_type(&self, method: &'static str, kind: Value<'_>) -> Option<EventType> {
        let name = kind.to_text();
        let event = name.as_deref().and_then(EventType::parse);
        if event.is_none() {
            let known: Vec<_> = EventType::NAMES.split(", ").collect();
            match name {
                Some(name) => self.lenience(method).warn(
                    "type",
                    format_args!(
                        "there is no event '{}'; nothing is done; the nearest known name is {}",
                        shown(&name),
                        nearest(&name, &known)
                    ),
                ),
                None => self.lenience(method).warn("type", "must be a string; nothing is done"),
            }
        }
        event
    }
}
