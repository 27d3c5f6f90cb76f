//! Signals to other threads, which a worker holds back while it has more turns to run.
//!
//! Owns the signals of each worker. Knows nothing of what they tell.
//!
//! A signal wakes a thread that does something with an event, such as JavaScript's. If both threads share a processor, the
//! system often lets the woken one run at once. It finds one event, sleeps, and is woken for the next one. So a worker first
//! runs the turns that are due, up to a limit, and the thread finds the events of all of them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::now;
use super::turn::TURN;

/// How long a signal may be held back. A turn that is longer ends first.
const HELD_FOR: u64 = Duration::from_micros(250).as_nanos() as u64;

/// Tells another thread something. It does not block.
pub(crate) trait Signal: Send + Sync {
    fn send(&self);
}

thread_local! {
    static HELD: Cell<Vec<Arc<dyn Signal>>> = const { Cell::new(Vec::new()) };
}

/// Sends a signal soon: at once, or after the next turns of the worker that runs here.
#[cfg_attr(
    not(any(target_env = "ohos", feature = "arkts", test)),
    expect(dead_code, reason = "ArkTS alone has any")
)]
pub(crate) fn signal(signal: Arc<dyn Signal>) {
    let holds = TURN.with(|turn| {
        let holds = turn.holds_signals.get();
        if holds && turn.signals_since.get() == 0 {
            turn.signals_since.set(now().max(1));
        }
        holds
    });
    if !holds {
        return signal.send();
    }
    HELD.with(|held| {
        let mut signals = held.take();
        signals.push(signal);
        held.set(signals);
    });
}

/// Whether signals that are held back since `since` must go out now.
pub(super) fn are_due(since: u64) -> bool {
    now().saturating_sub(since) >= HELD_FOR
}

/// Holds no signal back until the next turn. For a thread that may run no other turn after this one.
pub(super) fn hold_none() {
    TURN.with(|turn| turn.holds_signals.set(false));
}

/// Sends the signals that are held back on this thread. The worker calls it before it sleeps, or runs code that may block.
pub(super) fn send_held() {
    if TURN.with(|turn| turn.signals_since.replace(0)) == 0 {
        return;
    }
    HELD.with(|held| {
        let mut signals = held.take();
        signals.drain(..).for_each(|signal| signal.send());
        held.set(signals);
    });
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::mpsc::{Sender, channel};
    use std::task::Poll;

    use super::*;
    use crate::runtime;

    /// Longer than anything here takes; a test that reaches it has failed.
    const DEADLINE: Duration = Duration::from_secs(20);

    struct Sent(Sender<&'static str>);

    impl Signal for Sent {
        fn send(&self) {
            let _ = self.0.send("signal");
        }
    }

    #[test]
    fn another_thread_sends_at_once() {
        let (sender, sent) = channel();
        signal(Arc::new(Sent(sender)));
        assert_eq!(sent.try_recv(), Ok("signal"));
    }

    #[test]
    fn a_worker_sends_after_its_turn_and_before_it_sleeps() {
        let (sender, sent) = channel();
        let turn = async move {
            signal(Arc::new(Sent(sender.clone())));
            let _ = sender.send("turn");
        };
        runtime::spawn(turn).expect("a runtime");
        assert_eq!(sent.recv_timeout(DEADLINE), Ok("turn"));
        assert_eq!(sent.recv_timeout(DEADLINE), Ok("signal"));
    }

    #[test]
    fn a_worker_sends_before_code_that_may_block() {
        let (sender, sent) = channel();
        let turn = async move {
            signal(Arc::new(Sent(sender.clone())));
            let _ = runtime::callback(|| sender.send("callback"));
        };
        runtime::spawn(turn).expect("a runtime");
        assert_eq!(sent.recv_timeout(DEADLINE), Ok("signal"));
        assert_eq!(sent.recv_timeout(DEADLINE), Ok("callback"));
    }

    #[test]
    fn a_thread_that_stops_being_a_worker_sends_at_once() {
        let (inside, is_inside) = channel();
        let (release, released) = channel::<()>();
        // It has the place of the one callback that runs on its worker.
        let blocked = async move {
            runtime::callback(|| {
                let _ = inside.send(());
                let _ = released.recv();
            });
        };
        runtime::spawn(blocked).expect("a runtime");
        assert_eq!(is_inside.recv_timeout(DEADLINE), Ok(()));
        let (sender, sent) = channel();
        let (go_on, told) = channel::<()>();
        let turn = async move {
            runtime::callback(|| {
                let _ = sender.send("callback");
                let _ = told.recv();
            });
            signal(Arc::new(Sent(sender)));
        };
        runtime::spawn(turn).expect("a runtime");
        assert_eq!(sent.recv_timeout(DEADLINE), Ok("callback"));
        // Both workers are in callbacks: only a thread that has taken over runs it.
        runtime::spawn(async move { drop(go_on) }).expect("a runtime");
        assert_eq!(sent.recv_timeout(DEADLINE), Ok("signal"));
        drop(release);
    }

    #[test]
    fn a_worker_that_never_sleeps_sends_after_a_while() {
        let (sender, sent) = channel();
        let (stop, stopped) = channel();
        // Each turn asks for the next one.
        let turns = poll_fn(move |cx| {
            if sender.send("turn").is_ok() && stopped.try_recv().is_err() {
                signal(Arc::new(Sent(sender.clone())));
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        });
        runtime::spawn(turns).expect("a runtime");
        let turns = (0..).take_while(|_| sent.recv_timeout(DEADLINE) == Ok("turn")).count();
        assert!(turns > 0, "a signal came before its turn");
        assert_eq!(stop.send(()), Ok(()));
    }
}
