//! What rustls does with the records of a client's or a server's connection.

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{CommonState, Error};
use tokio::io::ReadBuf;

use super::records::{Exhausted, HEADER_BYTES, Outgoing, Rest};

/// The most bytes that one record carries.
pub(super) const RECORD_BYTES_MAX: usize = 16_384;
/// What encryption adds to a record, at most: the header, a nonce, the type and a tag.
const RECORD_OVERHEAD: usize = HEADER_BYTES + 8 + 1 + 16;

pub(super) enum Session {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// What is wanted of rustls.
pub(super) enum Task<'a, 'b> {
    /// To take received records. The plaintext goes into the buffer, and what does not fit to the other place.
    Read(&'a mut ReadBuf<'b>, &'a mut Rest),
    Write(&'a [u8]),
    Close,
}

/// What rustls has done.
pub(super) enum Step {
    /// It has more to do.
    More,
    /// It has taken all records, and its answers are among those to write.
    Answered,
    /// It has decrypted a record of so many bytes.
    Plaintext(usize),
    /// It needs the next record.
    Blocked,
    /// The peer sends no more.
    Ended,
    /// It has written.
    Written,
}

impl Session {
    /// Performs a part of a task. Returns how many of the received bytes are no longer needed.
    pub(super) fn advance(
        &mut self,
        received: &mut [u8],
        task: Task<'_, '_>,
        out: &mut Outgoing,
    ) -> (usize, Result<Step, Error>) {
        match self {
            Self::Client(session) => take(session.process_tls_records(received), task, out),
            Self::Server(session) => take(session.process_tls_records(received), task, out),
        }
    }

    /// What both kinds have in common.
    pub(super) fn common(&self) -> &CommonState {
        match self {
            Self::Client(session) => session,
            Self::Server(session) => session,
        }
    }
}

fn take<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    task: Task<'_, '_>,
    out: &mut Outgoing,
) -> (usize, Result<Step, Error>) {
    let UnbufferedStatus { mut discard, state } = status;
    let step = state.and_then(|state| match state {
        ConnectionState::EncodeTlsData(mut data) => {
            out.add(RECORD_OVERHEAD, |room| data.encode(room).map_err(needed_to_encode))?;
            Ok(Step::More)
        }
        // The records are among those to write.
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            Ok(Step::Answered)
        }
        ConnectionState::ReadTraffic(mut records) => {
            let Task::Read(buf, rest) = task else { return Err(Error::HandshakeNotComplete) };
            let Some(record) = records.next_record() else { return Ok(Step::More) };
            let record = record?;
            discard += record.discard;
            let (fitting, over) = record.payload.split_at(record.payload.len().min(buf.remaining()));
            buf.put_slice(fitting);
            // Only one record is decrypted at a time, so there is no other rest.
            rest.bytes.extend_from_slice(over);
            Ok(Step::Plaintext(record.payload.len()))
        }
        ConnectionState::WriteTraffic(traffic) => write(traffic, task, out),
        ConnectionState::PeerClosed => Ok(Step::Ended),
        ConnectionState::Closed if matches!(task, Task::Read(..)) => Ok(Step::Ended),
        ConnectionState::BlockedHandshake if matches!(task, Task::Read(..)) => Ok(Step::Blocked),
        _ => Err(Error::HandshakeNotComplete),
    });
    (discard, step)
}

fn write<Data>(
    mut traffic: WriteTraffic<'_, Data>,
    task: Task<'_, '_>,
    out: &mut Outgoing,
) -> Result<Step, Error> {
    match task {
        Task::Read(..) => return Ok(Step::Blocked),
        Task::Write(plaintext) => {
            let records = plaintext.len().div_ceil(RECORD_BYTES_MAX);
            out.add(plaintext.len() + records * RECORD_OVERHEAD, |room| {
                traffic.encrypt(plaintext, room).map_err(needed_to_encrypt)
            })?;
        }
        Task::Close => {
            out.add(2 * RECORD_OVERHEAD, |room| traffic.queue_close_notify(room).map_err(needed_to_encrypt))?
        }
    }
    Ok(Step::Written)
}

impl From<Exhausted> for Error {
    fn from(_: Exhausted) -> Self {
        Self::EncryptError
    }
}

/// The room that is needed, or 0 if no room helps.
fn needed_to_encrypt(error: EncryptError) -> usize {
    match error {
        EncryptError::InsufficientSize(size) => size.required_size,
        EncryptError::EncryptExhausted => 0,
    }
}

fn needed_to_encode(error: EncodeError) -> usize {
    match error {
        EncodeError::InsufficientSize(size) => size.required_size,
        EncodeError::AlreadyEncoded => 0,
    }
}
