//! Delivers queued events to listeners and promises, in time slices. Releases an object that no event can reach any
//! more.

use std::rc::Rc;

use super::{Audience, Binding, ClosedEarly, Flow};
use crate::arkts::error::{ErrorEvent, Termination};
use crate::arkts::event::{Event, Terminal};
use crate::arkts::js_waker::OnWake;
use crate::arkts::napi::Engine;
use crate::arkts::time_slice::{Pause, SCOPE_BYTES, SCOPE_EVENTS, TimeSlice};
use crate::client::{Cause, Closed, PeerClose, State};

impl<A: Audience> OnWake for Binding<A> {
    /// Delivers the queued events.
    fn on_wake(self: Rc<Self>, env: Engine) {
        let mut slice = TimeSlice::begin();
        let mut pause = Pause::ScopeFull;
        while pause == Pause::ScopeFull {
            env.scoped(|| pause = self.deliver(env, &mut slice));
        }
        match pause {
            Pause::SliceOver => self.waker.wake(),
            Pause::ScopeFull | Pause::Empty => self.release_unreachable(),
        }
    }
}

impl<A: Audience> Binding<A> {
    /// Delivers the events of one handle scope.
    fn deliver(&self, env: Engine, slice: &mut TimeSlice) -> Pause {
        let object = self.audience.object();
        let mut listeners = object.and_then(|object| self.audience.listeners(env, object).ok());
        let mut bytes = 0;
        for _ in 0..SCOPE_EVENTS {
            let Some(event) = self.events.take() else { return Pause::Empty };
            let last = event.is_last();
            let event = if last { self.as_closed_early(event) } else { event };
            // Otherwise the event belongs to an attempt before the last.
            let current = self.ended.get() + 1 == self.begun.get();
            if last {
                self.ended.set(self.ended.get() + 1);
            }
            if let Event::Opened(opened) = &event {
                self.connections.set(self.connections.get() + 1);
                if current {
                    self.elsewhere.replace(opened.url.clone());
                }
            }
            if current && (matches!(event, Event::Opened(_)) || last) {
                self.opened.set(!last);
                self.unsubscribe_from_signal();
            }
            if last && current {
                self.sending.drop_backlog(&self.promises);
            }
            self.settle(env, &event);
            self.audience.note(self, env, &event);
            let event = if current { self.iterator.receive(env, event, &self.events) } else { Some(event) };
            let flow = match (event, &mut listeners) {
                (Some(Event::Message(kind, data)), Some(listeners)) => {
                    bytes += data.len();
                    A::message(listeners, kind, data, &self.events)
                }
                (Some(Event::Piece(kind, part, data)), Some(listeners)) => {
                    bytes += data.len();
                    A::piece(listeners, kind, part, data, &self.events);
                    Flow::Continue
                }
                (Some(event), Some(listeners)) => A::other(listeners, event),
                (None, _) | (_, None) => Flow::Continue,
            };
            // The listener of the last event may have begun the next connection.
            if last && self.begun == self.ended {
                self.audience.release();
                self.waker.remove();
            } else if slice.is_over() || flow == Flow::Yield {
                return Pause::SliceOver;
            }
            if bytes >= SCOPE_BYTES {
                break;
            }
        }
        Pause::ScopeFull
    }

    /// Replaces the last event of an attempt that the application has closed. The app asked for the close, so the event
    /// is `close`.
    fn as_closed_early(&self, event: Event) -> Event {
        let mut closed_early = self.closed_early.borrow_mut();
        let attempt = self.ended.get() + 1;
        closed_early.retain(|early| early.attempt >= attempt);
        match (event, closed_early.front()) {
            (Event::Failed(error, Terminal::Yes), Some(early)) if early.attempt == attempt => {
                let ErrorEvent { unsent, mut times, .. } = *error;
                times.last_activity.get_or_insert(times.elapsed);
                let ClosedEarly { attempt: _, code, reason } = &early;
                let (code, reason, cause) = (*code, reason.clone(), Cause::Application);
                closed_early.pop_front();
                let peer = PeerClose::None;
                Event::Closed(Box::new(Closed { code, reason, cause, unsent, times, peer }))
            }
            (event, _) => event,
        }
    }

    /// Settles the promises that an event decides.
    fn settle(&self, env: Engine, event: &Event) {
        let Self { client, sending, promises, connections, ended, .. } = self;
        // After its last event an attempt is counted as ended.
        let attempt = ended.get() + u64::from(!event.is_last());
        match event {
            Event::Sent(receipt, outcome) => {
                promises.sent(*receipt, *outcome);
                sending.settled(client, promises, *outcome);
            }
            Event::Pong(payload, Some(millis)) => {
                promises.answered(env, connections.get(), payload, *millis);
            }
            Event::Drained => {
                promises.drained(attempt);
                sending.release_backlog(client, promises);
            }
            Event::Reconnecting(event) => {
                promises.connection_ended(connections.get(), &Termination::of_loss(event));
            }
            Event::Failed(error, _) => {
                let termination = Termination::of_error(error);
                promises.connection_ended(connections.get(), &termination);
                promises.attempt_ended(attempt, &termination);
            }
            Event::Closed(closed) => {
                let termination = Termination::of_close(closed);
                promises.connection_ended(connections.get(), &termination);
                promises.attempt_ended(attempt, &termination);
            }
            Event::Opened(_)
            | Event::Message(..)
            | Event::Piece(..)
            | Event::Pong(..)
            | Event::Frame(..)
            | Event::Statistics(_)
            | Event::Prepare(_)
            | Event::Reconnected(_) => {}
        }
    }

    /// Whether an event could still reach a listener or a promise.
    fn can_reach_anyone(&self) -> bool {
        let Self { audience, client, events, promises, iterator, reconnects, .. } = self;
        if promises.is_awaited() || iterator.is_awaited() {
            return true;
        }
        let open = matches!(client.state(), State::Open | State::Closing) && events.is_empty();
        audience.can_hear(open, reconnects.get())
    }

    /// Releases a connection whose events can reach nobody. Without its waker the binding is dropped, and the client
    /// with it.
    pub fn release_unreachable(&self) {
        if self.collected.get() && !self.can_reach_anyone() {
            self.audience.release();
            self.signal.borrow_mut().take();
            self.waker.remove();
        }
    }
}
