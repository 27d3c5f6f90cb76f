//! How a session lends its socket and takes it back, and how a caller uses it meanwhile. `outlet` has the reason.

use std::io::IoSlice;
use std::task::{Context, Poll};

use super::outlet::{Holder, Outlet, Rest};
use super::{Guarded, Shared, wake};
use crate::client::send_queue::{Backlog, Chunk, HELPED_BYTES, SendQueue, recycle_chunk};
use crate::client::transport::LentSocket;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{LazyLock, MutexGuard};

/// The most chunks in one write. They are few, because each except the last is full or one message.
const WRITE_SLICES_MAX: usize = 16;

/// The number of sessions that lend their sockets.
static LENDERS: LazyLock<AtomicU32> = LazyLock::new(AtomicU32::default);

/// A session's half of its outlet. After its drop no caller has the socket.
pub(in crate::client) struct Lending<'a> {
    shared: &'a Shared,
    /// There is an outlet.
    has_lent: bool,
}

/// The session's next action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum Plan {
    /// It sleeps until there is something to do.
    Sleep,
    /// It continues when the kernel takes more.
    Blocked,
    /// It checks soon whether callers write.
    Look,
}

/// The result for a session that has lent its socket.
pub(in crate::client) struct Returned {
    pub(in crate::client) rest: Rest,
    /// Bytes that callers have written.
    pub(in crate::client) written: usize,
    /// The kernel's buffer became full.
    pub(in crate::client) full: bool,
}

impl<'a> Lending<'a> {
    pub(in crate::client) fn new(shared: &'a Shared) -> Self {
        Self { shared, has_lent: false }
    }

    /// Ready when the session has the socket.
    pub(in crate::client) fn poll_take(&self, cx: &Context<'_>) -> Poll<Option<Returned>> {
        if !self.has_lent {
            return Poll::Ready(None);
        }
        let mut guarded = self.shared.lock();
        let Some(outlet) = &mut guarded.outlet else { return Poll::Ready(None) };
        let full = match &mut outlet.holder {
            Holder::Session => return Poll::Ready(None),
            Holder::Caller { awaited } => {
                *awaited = true;
                guarded.register(cx);
                return Poll::Pending;
            }
            Holder::Returned { full } => *full,
            Holder::Free | Holder::Blocked => false,
        };
        outlet.holder = Holder::Session;
        let (rest, written) = (std::mem::take(&mut outlet.rest), std::mem::take(&mut outlet.written));
        Poll::Ready(Some(Returned { rest, written, full }))
    }

    /// Whether the socket was lent before. Then the outlet still has it.
    pub(in crate::client) fn has_lent(&self) -> bool {
        self.has_lent
    }

    /// Lends the socket and `rest` until [`Lending::poll_take`], unless the listener traces frames. `may_be_lent` runs
    /// under the lock, so it sees the effect of an earlier [`Shared::frames_are_wanted`].
    pub(in crate::client) fn lend(
        &mut self,
        socket: Option<LentSocket>,
        rest: impl FnOnce() -> Rest,
        plan: Plan,
        may_be_lent: impl FnOnce() -> bool,
    ) {
        let mut guarded = self.shared.lock();
        if !may_be_lent() {
            return;
        }
        let Guarded { outlet, send_queue, .. } = &mut *guarded;
        let outlet = outlet.get_or_insert_default();
        if outlet.socket.is_none() {
            outlet.socket = socket;
        }
        if !std::mem::replace(&mut self.has_lent, true) {
            LENDERS.fetch_add(1, Ordering::Relaxed);
        }
        if outlet.socket.is_some() {
            outlet.rest = rest();
            send_queue.note_in_flight(outlet.rest.pending);
            outlet.holder = if plan == Plan::Blocked { Holder::Blocked } else { Holder::Free };
            outlet.watched = plan == Plan::Look;
        }
    }
}

impl Drop for Lending<'_> {
    fn drop(&mut self) {
        if self.has_lent {
            LENDERS.fetch_sub(1, Ordering::Relaxed);
            let outlet = self.shared.lock().outlet.take();
            drop(outlet);
        }
    }
}

impl Shared {
    /// From now on the application traces frames. Only a session reports frames.
    pub(in crate::client) fn frames_are_wanted(&self) {
        if let Some(outlet) = &mut self.lock().outlet {
            match &mut outlet.holder {
                Holder::Session | Holder::Blocked | Holder::Returned { .. } => {}
                Holder::Free => outlet.holder = Holder::Returned { full: false },
                Holder::Caller { awaited } => *awaited = true,
            }
        }
    }

    /// A message was queued. Wakes the session, or writes the waiting data.
    pub(super) fn queued(&self, mut guarded: MutexGuard<'_, Guarded>) {
        let Guarded { outlet, send_queue, .. } = &mut *guarded;
        let needs_help = |queue: &SendQueue| queue.needs_help(LENDERS.load(Ordering::Relaxed));
        let outlet = match outlet {
            Some(outlet) if outlet.holder == Holder::Free && needs_help(send_queue) => outlet,
            Some(outlet) if outlet.holder == Holder::Blocked || outlet.is_watched() => return,
            _ => return wake(guarded),
        };
        let mut taken = take(outlet, send_queue);
        let Some(socket) = outlet.socket.take_if(|_| !taken.chunks.is_empty()) else {
            return wake(guarded);
        };
        outlet.holder = Holder::Caller { awaited: false };
        drop(guarded);

        let written = write(&socket, &mut taken);
        self.counters.sent_bytes(written.bytes);
        self.counters.sent_messages(written.messages);

        let mut guarded = self.lock();
        let Guarded { outlet, send_queue, .. } = &mut *guarded;
        send_queue.note_written(written);
        let Some(outlet) = outlet else {
            // The session was dropped in the meantime, so nothing would write the rest.
            return;
        };
        let awaited = outlet.holder == Holder::Caller { awaited: true };
        let all = taken.chunks.is_empty();
        outlet.holder = if all && !awaited { Holder::Free } else { Holder::Returned { full: !all } };
        outlet.socket = Some(socket);
        outlet.written += written.bytes;
        outlet.rest.of_first = taken.of_first;
        while let Some(chunk) = taken.chunks.pop_back() {
            outlet.rest.chunks.push_front(chunk);
        }
        let left = !send_queue.is_empty() && !outlet.watched;
        if !all || awaited || left || send_queue.has_drained() {
            wake(guarded);
        }
    }
}

/// Takes the data that a caller may write next.
fn take(outlet: &mut Outlet, send_queue: &mut SendQueue) -> Rest {
    let Rest { chunks: rest, of_first, .. } = &mut outlet.rest;
    let mut taken = Rest { of_first: std::mem::take(of_first), ..Rest::default() };
    let mut room = HELPED_BYTES;
    while room > 0
        && rest.front().is_some_and(Chunk::is_ready)
        && let Some(chunk) = rest.pop_front()
    {
        room = room.saturating_sub(chunk.len());
        taken.chunks.push_back(chunk);
    }
    if rest.is_empty() {
        send_queue.take_ready(room, &mut taken.chunks);
    }
    if taken.chunks.is_empty() {
        *of_first = taken.of_first;
    }
    taken
}

/// Writes as much as the kernel takes at once. If that fails, the session gets the failure when it writes the rest.
fn write(socket: &LentSocket, Rest { chunks, of_first, .. }: &mut Rest) -> Backlog {
    let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
    let mut used = 0;
    let mut skip = *of_first;
    for (slice, chunk) in slices.iter_mut().zip(&*chunks) {
        *slice = IoSlice::new(&chunk.bytes[std::mem::take(&mut skip)..]);
        used += 1;
    }
    let mut written = Backlog { bytes: socket.write_now(&slices[..used]).unwrap_or(0), messages: 0 };
    *of_first += written.bytes;
    while chunks.front().is_some_and(|chunk| *of_first >= chunk.len())
        && let Some(chunk) = chunks.pop_front()
    {
        *of_first -= chunk.len();
        written.messages += chunk.messages;
        recycle_chunk(chunk.bytes);
    }
    written
}
