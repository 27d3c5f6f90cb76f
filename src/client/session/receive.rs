//! What has come over an open connection: messages go to the listener in runs, control frames are acted on.

use std::ops::Range;

use super::connection::{Closing, Session};
use super::end::{Ending, closed_by};
use super::notify::{Run, in_callback, tell, tell_frames};
use super::reader::Reader;
use crate::client::cause::Cause;
use crate::client::event::{Direction, Pong};
use crate::client::message::Message;
use crate::logging;
use crate::protocol::{CloseCode, Control, Decoded, ProtocolError};

/// What is handed on at most before the listener is asked whether it can take more.
const RUN_BYTES_MAX: usize = 262_144;
const RUN_MESSAGES_MAX: usize = 4_096;

impl Session<'_> {
    /// Hands on what can be decoded by now, or as much of it as fits into one run.
    pub(super) fn deliver(&mut self) -> Option<Ending> {
        self.reader.decoder.keep_headers(self.listener.wants_frames());
        let mut decoded = self.reader.decode();
        loop {
            tell_frames(self.shared, self.listener, Direction::Received, self.reader.decoder.take_headers());
            decoded = match decoded {
                Ok(None) => return None,
                Ok(Some(Decoded::Control(control))) => {
                    if let Some(end) = self.control(control) {
                        return Some(end);
                    }
                    self.reader.decode()
                }
                Ok(Some(message @ (Decoded::Message(..) | Decoded::Assembled(..)))) => self.messages(message),
                Err(error) => return Some(self.broke_protocol(error)),
            };
        }
    }

    /// Delivers `first` and the messages that follow it directly; returns what came after them. A run ends early when it is
    /// long, however few bytes were read for it: compressed messages are up to a thousand times as large, and the listener
    /// is asked between two runs whether it can take more.
    fn messages(&mut self, first: Decoded) -> Result<Option<Decoded>, ProtocolError> {
        let Self { shared, listener, reader: Reader { buffer, decoder }, undelivered, turn_bytes, .. } = self;
        shared.awake();
        in_callback(&mut **listener, |listener| {
            let mut run = if shared.is_detached() { None } else { Run::begin(listener) };
            let mut decoded = Ok(Some(first));
            let (mut bytes, mut count) = (0, 0);
            loop {
                let wanted = run.as_mut().filter(|_| !shared.is_detached());
                match decoded {
                    Ok(Some(Decoded::Message(kind, range))) => {
                        // Before the listener is told, which may look.
                        shared.counters.received_message();
                        bytes += range.len();
                        if let Some(Run(listener)) = wanted {
                            buffer.with_nul(range, |bytes| listener.message(Message::buffered(kind, bytes)));
                        }
                    }
                    Ok(Some(Decoded::Assembled(kind, part))) => {
                        if part.last {
                            shared.counters.received_message();
                        }
                        bytes += decoder.assembled().len();
                        if let Some(Run(listener)) = wanted {
                            listener.message(Message::assembled(kind, part, decoder.assembled()));
                        }
                        decoder.recycle();
                    }
                    Ok(Some(Decoded::Control(_)) | None) | Err(_) => break,
                }
                count += 1;
                if bytes >= RUN_BYTES_MAX || count >= RUN_MESSAGES_MAX {
                    *undelivered = true;
                    decoded = Ok(None);
                    break;
                }
                decoded = decoder.decode(buffer);
                for header in decoder.take_headers() {
                    if let Some(Run(listener)) = run.as_mut().filter(|_| !shared.is_detached()) {
                        listener.frame(Direction::Received, header);
                    }
                }
            }
            *turn_bytes += bytes;
            decoded
        })
    }

    fn control(&mut self, control: Control) -> Option<Ending> {
        match control {
            Control::Ping(payload) => {
                self.shared.counters.ping_received();
                if self.closing.is_none() {
                    let payload = self.reader.buffer.slice(payload);
                    self.writer.push_control(|encoder, out| encoder.pong(out, payload));
                }
                None
            }
            Control::Pong(payload) => {
                self.pong(payload);
                None
            }
            Control::Close(code, reason) => {
                if let Some(Closing { code, reason, by: _ }) = self.closing.take() {
                    return Some(Ending::closed(closed_by(Cause::Application, code, reason), true));
                }
                logging::info(format_args!("{} closed by the peer", self.shared.tag()));
                self.shared.peer_closes();
                let unsent = self.writer.take_unbegun();
                // The answer carries the code received (RFC 6455 section 5.5.1).
                self.writer.push_close(code, "");
                let code = code.map_or(u16::from(CloseCode::Status), u16::from);
                let closed = closed_by(Cause::of_close(code), code, reason);
                Some(Ending { unsent, ..Ending::closed(closed, true) })
            }
        }
    }

    /// A pong answers the latest ping with its payload, and the pings before that (RFC 6455 section 5.5.3).
    fn pong(&mut self, payload: Range<usize>) {
        let Self { shared, listener, pings, reader, probe, .. } = self;
        let payload = reader.buffer.slice(payload);
        let answered = pings.iter().rposition(|(sent, _)| sent == payload);
        let last = answered.and_then(|at| pings.drain(..=at).next_back()).map(|(_, sent_at)| sent_at);
        let round_trip = last.map(|sent_at| sent_at.elapsed());
        if let (Some(at), Some(time)) = (answered, round_trip) {
            shared.counters.answered(at + 1, time);
            probe.take_if(|probe| last >= Some(probe.sent_at));
        }
        tell(shared, &mut **listener, |listener| listener.pong(Pong { payload, round_trip }));
    }
}
