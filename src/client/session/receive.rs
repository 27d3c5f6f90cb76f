//! Received data of an open connection. Messages go to the listener in batches. Control frames are handled here.

use std::ops::Range;

use super::budget::Pace;
use super::connection::Session;
use super::end::CloseOutcome;
use super::notify::{Batch, in_callback, notify, notify_frames};
use super::reader::Reader;
use crate::client::event::{Direction, Pong};
use crate::client::message::Message;
use crate::client::moment::Moment;
use crate::protocol::{Control, Decoded, Output, ProtocolError};

/// The largest batch, in bytes. After it the listener is asked whether it can take more.
const BATCH_BYTES_MAX: usize = 262_144;
const BATCH_MESSAGES_MAX: usize = 4_096;

impl Session<'_> {
    /// Decodes and delivers the received data, up to one batch or a time limit since `began`.
    pub(super) fn deliver(&mut self, began: Moment) -> Option<CloseOutcome> {
        let mut pace = Pace::since(began);
        self.reader.decoder.keep_headers(self.listener.traces_frames());
        let mut decoded = self.reader.decode();
        loop {
            notify_frames(
                self.shared,
                self.listener,
                Direction::Received,
                self.reader.decoder.take_headers(),
            );
            decoded = match decoded {
                Ok(None) => return None,
                Ok(Some(Decoded::Control(control))) => {
                    if let Some(end) = self.control(control) {
                        return Some(end);
                    }
                    self.budget.spend_items(1);
                    if !self.reader.buffer.is_empty() && (pace.is_over() || self.budget.has_no_bytes()) {
                        self.undelivered = true;
                        self.budget.end();
                        return None;
                    }
                    self.reader.decode()
                }
                Ok(Some(Decoded::Unfinished)) => {
                    self.undelivered = true;
                    self.budget.end();
                    return None;
                }
                Ok(Some(message @ (Decoded::Message(..) | Decoded::Assembled(..)))) => {
                    self.messages(message, &mut pace)
                }
                Err(error) => return self.violated(error),
            };
        }
    }

    /// Delivers `first` and the messages that follow it directly. Returns the item after them. A long batch ends early,
    /// even if few bytes were read for it, because compressed messages may be up to a thousand times as large. Between
    /// two batches the listener is asked for room.
    fn messages(&mut self, first: Decoded, pace: &mut Pace) -> Result<Option<Decoded>, ProtocolError> {
        if std::mem::take(&mut self.listens) {
            self.shared.awake();
        }
        self.listens_next = true;
        let Self { shared, listener, reader: Reader { buffer, decoder, .. }, undelivered, budget, .. } = self;
        in_callback(&mut **listener, |listener| {
            let mut batch = if shared.is_detached() { None } else { Batch::begin(listener) };
            let (mut decoded, mut extent) = (Ok(Some(first)), Extent::default());
            loop {
                let mut may_follow = |bytes, left| match extent.add(bytes, left > 0, pace) {
                    Follows::Yes => true,
                    Follows::No => false,
                    Follows::NoTurn => {
                        budget.end();
                        false
                    }
                };
                // What counts a message comes before the listener's event, because the listener may read it.
                let mut deliver = |kind, with_nul: &mut [u8], left| {
                    shared.counters.received_message();
                    let bytes = with_nul.len() - 1;
                    if let Some(Batch(listener)) = &mut batch
                        && !shared.is_detached()
                    {
                        listener.message(Message::buffered(kind, with_nul));
                    }
                    may_follow(bytes, left)
                };
                let is_whole = matches!(decoded, Ok(Some(Decoded::Message(..))));
                let goes_on = match decoded {
                    Ok(Some(Decoded::Message(kind, range))) => {
                        let left = buffer.data().len();
                        buffer.with_nul(range, |with_nul| deliver(kind, with_nul, left))
                            && match decoder.whole_messages(buffer, &mut deliver) {
                                Ok(ended) => !ended,
                                Err(error) => {
                                    decoded = Err(error);
                                    break;
                                }
                            }
                    }
                    Ok(Some(Decoded::Assembled(kind, part))) => {
                        if part.last {
                            shared.counters.received_message();
                        }
                        let bytes = decoder.assembled().len();
                        if let Some(Batch(listener)) = &mut batch
                            && !shared.is_detached()
                        {
                            listener.message(Message::assembled(kind, part, decoder.assembled()));
                        }
                        decoder.recycle();
                        may_follow(bytes, buffer.data().len())
                    }
                    Ok(Some(Decoded::Control(_) | Decoded::Unfinished) | None) | Err(_) => break,
                };
                if !goes_on {
                    *undelivered = true;
                    decoded = Ok(None);
                    break;
                }
                // Nothing is open after a whole message.
                decoded = if is_whole && buffer.is_empty() { Ok(None) } else { decoder.decode(buffer) };
                if !decoder.has_headers() {
                    continue;
                }
                for header in decoder.take_headers() {
                    if let Some(Batch(listener)) = batch.as_mut().filter(|_| !shared.is_detached()) {
                        listener.frame(Direction::Received, header);
                    }
                }
            }
            budget.spend(extent.bytes);
            budget.spend_items(extent.messages);
            decoded
        })
    }

    fn control(&mut self, control: Control) -> Option<CloseOutcome> {
        if matches!(control, Control::Ping(_)) {
            self.shared.counters.ping_received();
        }
        match self.rules.receive(control) {
            Output::Nothing => None,
            Output::SendPong(payload) => {
                let payload = self.reader.buffer.slice(payload);
                self.writer.push_control(|encoder, out| encoder.pong(out, payload));
                None
            }
            Output::DeliverPong(payload) => {
                self.pong(payload);
                None
            }
            Output::End(end) => Some(self.conclude(end, None)),
        }
    }

    fn pong(&mut self, payload: Range<usize>) {
        let Self { shared, listener, pinger, reader, .. } = self;
        let payload = reader.buffer.slice(payload);
        let answered = pinger.answered(payload);
        if let Some((pings, round_trip)) = answered {
            shared.counters.answered(pings, round_trip);
        }
        let round_trip = answered.map(|(_, round_trip)| round_trip);
        notify(shared, &mut **listener, |listener| listener.pong(Pong { payload, round_trip }));
    }
}

/// What a batch has so far.
#[derive(Default)]
struct Extent {
    bytes: usize,
    messages: usize,
}

/// Whether another message may follow in a batch.
enum Follows {
    Yes,
    No,
    /// Nor may anything else in this turn.
    NoTurn,
}

impl Extent {
    /// Adds a message. `more` data follows it.
    #[inline]
    fn add(&mut self, bytes: usize, more: bool, pace: &mut Pace) -> Follows {
        self.bytes += bytes;
        self.messages += 1;
        if more && pace.is_over() {
            Follows::NoTurn
        } else if self.bytes >= BATCH_BYTES_MAX || self.messages >= BATCH_MESSAGES_MAX {
            Follows::No
        } else {
            Follows::Yes
        }
    }
}
