//! The object that `createWebSocketServer` returns: its methods, its state and its life.
//!
//! Its methods are plain functions with that state. While a server listens or has connections, the engine's loop continues and
//! the listeners are kept. Otherwise only the JavaScript object keeps them.

mod config;
mod delivery;
mod event;
mod listener;
mod requests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ffi::CStr;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::config::{remote_of, server_options, stop_limit};
use self::event::{Generation, Key, ServerEvent, ServerEventType};
use self::listener::JsServerListener;
use self::requests::NO_CLIENT;
use super::binding::not_data;
use super::error::ApiError;
use super::js_waker::JsWaker;
use super::known::{give, object_of};
use super::lenience::{Lenience, nearest, shown};
use super::napi::{Deferred, Engine, EngineError, NoBytes, Reference, Type, Value};
use super::objects::statistics_value;
use super::options::close_options;
use crate::client::{MessageType, State};
use crate::event_queue::{EventReceiver, EventSender, event_queue};
use crate::logging;
use crate::platform::may_use_network;
use crate::server::{Connection, Remote, Server};

/// The hidden property that holds the listeners, where the garbage collector sees them.
const LISTENERS: &CStr = c"__listeners";

/// The state of an object.
struct Binding {
    events: EventReceiver<ServerEvent>,
    /// The source of the senders for servers and connections.
    sender: EventSender<ServerEvent>,
    waker: Arc<JsWaker>,
    /// The object that holds the listeners, while events can come.
    listeners: RefCell<Option<Reference>>,
    /// A listener was set or removed since the last look.
    changed: Cell<bool>,
    /// The servers that have not ended: at most one that listens, and earlier stopped ones.
    servers: RefCell<Servers>,
    /// The listening server.
    current: Cell<Option<Generation>>,
    last_generation: Cell<Generation>,
    /// The connections whose `connect` was delivered and whose `close` was not.
    known: RefCell<BTreeMap<Key, Box<Known>>>,
    by_remote: RefCell<HashMap<Remote, Key>>,
    /// `request` has a listener.
    asks: Arc<AtomicBool>,
}

/// A short list, so a linear search is fastest.
#[derive(Default)]
struct Servers(Vec<(Generation, Serving)>);

impl Servers {
    fn get(&self, wanted: Generation) -> Option<&Serving> {
        self.0.iter().find(|(generation, _)| *generation == wanted).map(|(_, serving)| serving)
    }

    fn get_mut(&mut self, wanted: Generation) -> Option<&mut Serving> {
        self.0.iter_mut().find(|(generation, _)| *generation == wanted).map(|(_, serving)| serving)
    }

    fn remove(&mut self, wanted: Generation) -> Option<Serving> {
        let place = self.0.iter().position(|(generation, _)| *generation == wanted)?;
        Some(self.0.swap_remove(place).1)
    }
}

struct Serving {
    server: Server,
    /// The promise of `stop`.
    stopping: Option<Deferred>,
}

struct Known {
    peer: Rc<Peer>,
    remote: Remote,
    object: Reference,
}

/// The native data of a connection's object.
struct Peer {
    /// The server of the connection.
    owner: Weak<Binding>,
    /// `None` before the event `connect`, and after the event `close`.
    connection: RefCell<Option<Arc<Connection>>>,
}

/// The native data of a server's object.
struct IsServer;

/// A method. It gets its arguments and returns its result.
type Method = for<'env> fn(&Rc<Binding>, Value<'env>, [Value<'env>; 3]) -> Result<Value<'env>, EngineError>;

const METHODS: [(&str, Method); 10] = [
    ("start", |it, this, [config, ..]| settle(this.env(), it.start(this, config))),
    ("stop", |it, this, [options, ..]| it.stop(this.env(), options)),
    ("listAllConnections", |it, this, _| it.list(this.env())),
    ("send", |it, this, [data, connection, _]| settle(this.env(), it.send(data, connection))),
    ("close", |it, this, [connection, options, _]| settle(this.env(), it.close(connection, options))),
    ("broadcast", |it, this, [data, connections, _]| it.broadcast(this.env(), data, connections)),
    ("bufferedAmount", |it, this, [connection, ..]| it.buffered(this.env(), connection)),
    ("stats", |it, this, [connection, ..]| it.stats(this.env(), connection)),
    ("on", |it, this, [kind, callback, _]| it.listen(this, "on", kind, callback)),
    ("off", |it, this, [kind, callback, _]| it.listen(this, "off", kind, callback)),
];

/// The additional names of `on` and `off` that the platform has in static ArkTS.
const LISTENING: [(&str, &str, ServerEventType); 4] = [
    ("onConnect", "offConnect", ServerEventType::Connect),
    ("onMessageReceive", "offMessageReceive", ServerEventType::MessageReceive),
    ("onWebSocketServerClose", "offWebSocketServerClose", ServerEventType::Close),
    ("onWebSocketServerError", "offWebSocketServerError", ServerEventType::Error),
];

/// Makes the JavaScript object.
pub fn create(env: Engine) -> Result<Value<'static>, EngineError> {
    let (sender, events) = event_queue();
    let binding = Rc::new(Binding {
        events,
        sender,
        waker: Arc::default(),
        listeners: RefCell::default(),
        changed: Cell::default(),
        servers: RefCell::default(),
        current: Cell::default(),
        last_generation: Cell::default(),
        known: RefCell::default(),
        by_remote: RefCell::default(),
        asks: Arc::default(),
    });
    let object = env.object()?;
    give(object, IsServer)?;
    object.set_hidden(LISTENERS, env.object()?)?;
    for (name, method) in METHODS {
        let binding = binding.clone();
        add(object, name, move |this, arguments| method(&binding, this, arguments))?;
    }
    for (on, off, event) in LISTENING {
        for (name, method) in [(on, "on"), (off, "off")] {
            let binding = binding.clone();
            add(object, name, move |this, [callback, ..]| {
                binding.listen(this, method, this.env().string(event.name())?, callback)
            })?;
        }
    }
    Ok(object)
}

/// Adds a method. It only logs a warning when `this` is not a server.
fn add<F>(object: Value<'_>, name: &'static str, method: F) -> Result<(), EngineError>
where
    F: for<'env> Fn(Value<'env>, [Value<'env>; 3]) -> Result<Value<'env>, EngineError> + 'static,
{
    let env = object.env();
    let function = env.named_function(name, move |call| {
        let env = call.this.env();
        // A proxy of the object wraps nothing, but has its properties.
        if object_of::<IsServer>(call.this).is_none() && holder_of(call.this).is_none() {
            logging::warn(format_args!("{name}: `this` is not a WebSocketServer; the call is ignored"));
            return env.undefined();
        }
        method(call.this, call.arguments).map(|value| env.adopt(value.raw()))
    })?;
    object.set_hidden_by_value(env.string(name)?, function)
}

/// The object with the listeners of `this`, if it is a server.
fn holder_of(this: Value<'_>) -> Option<Value<'_>> {
    let holder = if this.type_of() == Type::Object { this.get(LISTENERS).ok()? } else { return None };
    (holder.type_of() == Type::Object).then_some(holder)
}

/// A promise of `true`, or of the error.
fn settle<'env>(env: Engine, outcome: Result<(), ApiError>) -> Result<Value<'env>, EngineError> {
    match outcome {
        Ok(()) => env.settled(Ok(env.boolean(true)?)),
        Err(error) => env.settled(Err(error.value(env)?)),
    }
}

/// Whether the app may use the network. As on the platform, this is checked first.
fn permitted(method: &str) -> Result<(), ApiError> {
    if may_use_network() { Ok(()) } else { Err(ApiError::no_permission(method)) }
}

impl Binding {
    /// Sets or removes the listener of an event. As with a client, an unknown event or a listener that is not a function only
    /// logs a warning.
    fn listen<'env>(
        &self,
        this: Value<'env>,
        method: &'static str,
        kind: Value<'env>,
        callback: Value<'env>,
    ) -> Result<Value<'env>, EngineError> {
        let env = this.env();
        let lenience = Lenience { client: NO_CLIENT, method };
        let name = kind.to_text().unwrap_or_default();
        let Some(event) = ServerEventType::parse(&name) else {
            let known = ServerEventType::ALL.map(ServerEventType::name);
            let (name, nearest) = (shown(&name), nearest(&name, &known));
            let what = format_args!(
                "unknown event '{name}'; the call is ignored; the nearest known name is {nearest}"
            );
            lenience.warn("type", what);
            return env.undefined();
        };
        let holder = this.get(LISTENERS)?;
        match (method, callback.type_of()) {
            ("on", Type::Function) => holder.set(event.property(), callback)?,
            ("off", Type::Undefined | Type::Null) => holder.set(event.property(), env.undefined()?)?,
            ("off", Type::Function) => {
                if holder.get(event.property())?.is_same(callback) {
                    holder.set(event.property(), env.undefined()?)?;
                }
            }
            _ => lenience.warn("callback", "must be a function; the call is ignored"),
        }
        self.changed.set(true);
        let asks = holder.get(ServerEventType::Request.property())?.type_of() == Type::Function;
        self.asks.store(asks, Ordering::Relaxed);
        env.undefined()
    }

    fn start(self: &Rc<Self>, this: Value<'_>, config: Value<'_>) -> Result<(), ApiError> {
        permitted("start")?;
        let options = server_options(config, Lenience { client: NO_CLIENT, method: "start" })?;
        if self.current.get().is_some() {
            return Err(ApiError::other("start: the server is already started; stop it first"));
        }
        let env = this.env();
        let broken = |_: EngineError| ApiError::other("start: the engine has no memory for another server");
        let listeners = this.get(LISTENERS).and_then(Reference::new).map_err(broken)?;
        *self.listeners.borrow_mut() = Some(listeners);
        self.changed.set(true);
        self.waker.install(env, self.clone()).map_err(broken)?;
        let generation = self.last_generation.get() + 1;
        self.last_generation.set(generation);
        let listener =
            JsServerListener::new(self.sender.another(), self.waker.clone(), generation, self.asks.clone());
        match Server::start(options, Box::new(listener)) {
            Ok(server) => {
                self.servers.borrow_mut().0.push((generation, Serving { server, stopping: None }));
                self.current.set(Some(generation));
                Ok(())
            }
            Err(error) => {
                self.release_if_over();
                Err(ApiError::of_start(&error))
            }
        }
    }

    /// The promise resolves with `true` when the port is free.
    fn stop<'env>(&self, env: Engine, options: Value<'_>) -> Result<Value<'env>, EngineError> {
        let limit = match permitted("stop").and_then(|()| stop_limit(options)) {
            Ok(limit) => limit,
            Err(error) => return settle(env, Err(error)),
        };
        let mut servers = self.servers.borrow_mut();
        let serving = self.current.take().and_then(|generation| servers.get_mut(generation));
        let Some(serving) = serving else {
            return settle(env, Err(ApiError::other("stop: the server is not started")));
        };
        let (promise, deferred) = env.promise()?;
        serving.stopping = Some(deferred);
        serving.server.stop(limit);
        Ok(promise)
    }

    fn list<'env>(&self, env: Engine) -> Result<Value<'env>, EngineError> {
        let started = self
            .current
            .get()
            .map(|_| ())
            .ok_or_else(|| ApiError::other("listAllConnections: the server is not started"));
        if let Err(error) = permitted("listAllConnections").and(started) {
            return Err(error.throw(env));
        }
        let objects =
            self.known.borrow().values().map(|known| known.object.value()).collect::<Result<Vec<_>, _>>()?;
        env.array(&objects)
    }

    fn send(&self, data: Value<'_>, connection: Value<'_>) -> Result<(), ApiError> {
        permitted("send")?;
        let text = data.to_text();
        if text.is_none() && data.type_of() != Type::Object {
            return Err(not_data(NoBytes::OtherType));
        }
        let connection = self.connection("send", connection)?;
        match text {
            Some(text) => connection.send(MessageType::Text, text.as_bytes())?,
            None => {
                data.with_bytes(|bytes| connection.send(MessageType::Binary, bytes)).map_err(not_data)??
            }
        }
        Ok(())
    }

    /// The number of connections that accepted the message.
    fn broadcast<'env>(
        &self,
        env: Engine,
        data: Value<'env>,
        connections: Value<'env>,
    ) -> Result<Value<'env>, EngineError> {
        match self.send_to_all(data, connections) {
            Ok(taken) => env.settled(Ok(env.number(taken as f64)?)),
            Err(error) => env.settled(Err(error.value(env)?)),
        }
    }

    fn send_to_all(&self, data: Value<'_>, connections: Value<'_>) -> Result<usize, ApiError> {
        permitted("broadcast")?;
        let wanted = match connections.type_of() {
            Type::Undefined | Type::Null => None,
            _ => {
                let wrong = || ApiError::parameter("connections", "must be an array");
                let elements = connections.elements().ok_or_else(wrong)?.into_iter();
                let known = elements.map(|connection| self.connection("broadcast", connection));
                Some(known.collect::<Result<Vec<_>, ApiError>>()?)
            }
        };
        let servers = self.servers.borrow();
        let serving = self.current.get().and_then(|generation| servers.get(generation));
        let server = &serving.ok_or_else(|| ApiError::other("broadcast: the server is not started"))?.server;
        // Connections of an earlier stopped server have the same numbers.
        let number = |connection: Arc<Connection>| {
            let id = connection.info().id;
            server.connection(id).filter(|own| Arc::ptr_eq(own, &connection)).map(|_| id)
        };
        let wanted: Option<Vec<u64>> = wanted.map(|wanted| wanted.into_iter().filter_map(number).collect());
        let send = |kind, payload: &[u8]| server.broadcast(kind, payload, wanted.as_deref());
        match data.to_text() {
            Some(text) => Ok(send(MessageType::Text, text.as_bytes())),
            None => data.with_bytes(|bytes| send(MessageType::Binary, bytes)).map_err(not_data),
        }
    }

    fn buffered<'env>(&self, env: Engine, connection: Value<'env>) -> Result<Value<'env>, EngineError> {
        match self.connection("bufferedAmount", connection) {
            Ok(connection) => env.number(connection.buffered() as f64),
            Err(error) => Err(error.throw(env)),
        }
    }

    /// The counts of a connection or of the server.
    fn stats<'env>(&self, env: Engine, connection: Value<'env>) -> Result<Value<'env>, EngineError> {
        if !connection.is_absent() {
            return match self.connection("stats", connection) {
                Ok(connection) => statistics_value(env, &connection.statistics()),
                Err(error) => Err(error.throw(env)),
            };
        }
        let servers = self.servers.borrow();
        let serving = self.current.get().and_then(|generation| servers.get(generation));
        match serving {
            Some(serving) => server_statistics_value(env, &serving.server),
            None => Err(ApiError::other("stats: the server is not started").throw(env)),
        }
    }

    fn close(&self, connection: Value<'_>, options: Value<'_>) -> Result<(), ApiError> {
        permitted("close")?;
        let connection = self.connection("close", connection)?;
        let (code, reason) = close_options(options, Lenience { client: NO_CLIENT, method: "close" })?;
        Ok(connection.close(code, &reason).map(|_| ())?)
    }

    /// The connection of an argument: an object that a listener got, or another object with its address and port.
    fn connection(&self, method: &str, value: Value<'_>) -> Result<Arc<Connection>, ApiError> {
        let own = |peer: &&Rc<Peer>| ptr::eq(peer.owner.as_ptr(), self);
        let connection = match object_of::<Rc<Peer>>(value).filter(own) {
            Some(peer) => peer.connection.borrow().clone(),
            None => {
                let key = remote_of(value)?.and_then(|remote| self.by_remote.borrow().get(&remote).copied());
                let known = self.known.borrow();
                key.and_then(|key| known.get(&key)).and_then(|known| known.peer.connection.borrow().clone())
            }
        };
        connection
            .filter(|connection| connection.state() != State::Closed)
            .ok_or_else(|| ApiError::no_connection(method))
    }

    /// Without a listening or closing server no event follows.
    fn is_over(&self) -> bool {
        self.servers.borrow().0.is_empty()
    }

    fn release_if_over(&self) {
        if self.is_over() {
            self.listeners.borrow_mut().take();
            self.waker.remove();
        }
    }
}

/// The object of `ServerStatistics`, with the server's port.
fn server_statistics_value<'env>(env: Engine, server: &Server) -> Result<Value<'env>, EngineError> {
    let counted = server.statistics();
    let object = env.object()?;
    for (name, count) in [
        (c"serverPort", server.local().map_or(0, |address| u64::from(address.port()))),
        (c"open", counted.open),
        (c"opened", counted.opened),
        (c"keptOut", counted.kept_out),
        (c"notOpened", counted.not_opened),
        (c"messagesSent", counted.messages_sent),
        (c"bytesSent", counted.bytes_sent),
        (c"messagesReceived", counted.messages_received),
        (c"bytesReceived", counted.bytes_received),
        (c"bufferedBytes", counted.buffered_bytes),
    ] {
        object.set(name, env.number(count as f64)?)?;
    }
    Ok(object)
}
