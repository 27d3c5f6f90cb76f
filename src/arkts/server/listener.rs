//! The core's part of delivery: queues the events of a server and its connections for JavaScript's thread.
//!
//! Knows nothing of JavaScript values.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use super::event::{Generation, Key, ServerEvent, key_of};
use super::requests::Asked;
use crate::arkts::event::MessageData;
use crate::arkts::js_waker::JsWaker;
use crate::client::{Closed, Failure, Listener, Message, Opened};
use crate::event_queue::EventSender;
use crate::runtime;
use crate::server::{Answer, ConnectionInfo, Remote, ServerListener, Unwelcome, UpgradeRequest};
use crate::sync::{Mutex, lock};

/// The longest message that is copied into its batch's memory. A longer one keeps its own memory.
const STORED_BYTES_MAX: usize = 16_384;

/// Queues the events of a server.
pub struct JsServerListener {
    queue: Mutex<EventSender<ServerEvent>>,
    waker: Arc<JsWaker>,
    generation: Generation,
    /// `request` has a listener.
    asks: Arc<AtomicBool>,
}

impl JsServerListener {
    pub fn new(
        queue: EventSender<ServerEvent>,
        waker: Arc<JsWaker>,
        generation: Generation,
        asks: Arc<AtomicBool>,
    ) -> Self {
        Self { queue: Mutex::new(queue), waker, generation, asks }
    }

    fn put(&self, event: ServerEvent) {
        let mut queue = lock(&self.queue);
        queue.push(event, 0);
        if queue.flush() {
            runtime::signal(self.waker.clone());
        }
    }

    /// Queues a failure. If the queue is too full to read from connections, failures are dropped, because refused
    /// clients can return at once.
    fn put_failure(&self, what: String) {
        let has_room = lock(&self.queue).poll_room(&Context::from_waker(Waker::noop())).is_ready();
        if has_room {
            self.put(ServerEvent::Failed(None, what.into()));
        }
    }
}

impl ServerListener for JsServerListener {
    /// Each client brings several events, however soon it leaves.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        lock(&self.queue).poll_room(cx)
    }

    fn requested(&self, remote: Remote, request: &Arc<UpgradeRequest>, answer: Answer) {
        if !self.asks.load(Ordering::Relaxed) {
            return answer.accept(Vec::new());
        }
        let asked = Asked { remote, request: request.clone(), answer };
        self.put(ServerEvent::Requested(Box::new(asked)));
    }

    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        let queue = lock(&self.queue).another();
        Box::new(JsConnectionListener {
            queue,
            waker: self.waker.clone(),
            key: key_of(self.generation, info.id),
            info: Some(info.clone()),
        })
    }

    fn kept_out(&self, remote: Remote, why: Unwelcome) {
        self.put_failure(format!("client {remote} refused: {why}"));
    }

    fn cannot_accept(&self, cause: &io::Error) {
        self.put_failure(format!("cannot accept clients: {cause}"));
    }

    fn released(&self) {
        self.put(ServerEvent::Released(self.generation));
    }

    fn over(&self) {
        self.put(ServerEvent::Over(self.generation));
    }
}

/// Queues the events of one connection.
struct JsConnectionListener {
    queue: EventSender<ServerEvent>,
    waker: Arc<JsWaker>,
    key: Key,
    /// The facts of the connection, until `opened` queues them.
    info: Option<Arc<ConnectionInfo>>,
}

impl Listener for JsConnectionListener {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.queue.poll_room(cx)
    }

    fn end_batch(&mut self) {
        if self.queue.flush() {
            runtime::signal(self.waker.clone());
        }
    }

    fn opened(&mut self, _opened: &Opened) {
        if let Some(info) = self.info.take() {
            self.queue.push(ServerEvent::Connected(self.key, info), 0);
        }
    }

    fn message(&mut self, message: Message<'_>) {
        let kind = message.kind();
        let bytes = message.data();
        if bytes.len() <= STORED_BYTES_MAX {
            let data = MessageData::Stored(self.queue.store(bytes));
            return self.queue.push(ServerEvent::Message(self.key, kind, data), 0);
        }
        let bytes = message.into_vec();
        let capacity = bytes.capacity();
        self.queue.push(ServerEvent::Message(self.key, kind, MessageData::Own(bytes)), capacity);
    }

    fn drained(&mut self) {
        self.queue.push(ServerEvent::Drained(self.key), 0);
    }

    fn failed(&mut self, failure: &Failure) {
        self.queue.push(ServerEvent::Failed(Some(self.key), failure.to_string().into()), 0);
    }

    fn closed(&mut self, closed: &Closed) {
        self.queue.push(ServerEvent::Closed(self.key, Box::new(closed.clone())), 0);
    }
}
