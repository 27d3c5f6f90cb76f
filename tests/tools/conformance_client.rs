//! Drives a fuzzing server of the Autobahn kind: runs its cases one by one, echoes their messages, and requests its reports.
//! tests/conformance/run.sh starts the server and judges the reports.
//!
//!     conformance_client ws://127.0.0.1:9001 [--without-context CASES] [CASE]
//!
//! With CASE, a number from 1, only that case is run. CASES are those, by number and comma-separated, for which the client
//! offers to give up its compression context between messages, as the servers of some cases insist on.

use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, Opened, Options, PerMessageDeflate, Request,
    SEND_LIMIT_BYTES, SessionOptions,
};

const AGENT: &str = "net_websocket";
/// Longer than any case takes.
const DEADLINE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut without_context: Vec<&str> = Vec::new();
    if let [_, "--without-context", cases, ..] = arguments[..] {
        without_context = cases.split(',').collect();
        arguments.drain(1..3);
    }
    let run_case = |server: &str, case: &str| {
        connect(&format!("{server}/runCase?case={case}&agent={AGENT}"), without_context.contains(&case))
            .map(drop)
            .map_err(|error| format!("case {case}: {error}"))
    };
    let outcome = match arguments[..] {
        [server] => run_all(server, run_case),
        [server, case] => run_case(server, case),
        _ => Err("usage: conformance_client ws://HOST:PORT [--without-context CASES] [CASE]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance_client: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(server: &str, run_case: impl Fn(&str, &str) -> Result<(), String>) -> Result<(), String> {
    let count =
        connect(&format!("{server}/getCaseCount"), false)?.ok_or("the server told no number of cases")?;
    let count: u32 = count.parse().map_err(|_| format!("'{count}' is no number of cases"))?;
    for case in 1..=count {
        run_case(server, &case.to_string())?;
    }
    connect(&format!("{server}/updateReports?agent={AGENT}"), false).map(drop)
}

/// Echoes on one connection until its last event; the first text that came.
fn connect(url: &str, without_context: bool) -> Result<Option<String>, String> {
    // Every message compressed, and no ping among the frames that the server expects.
    let deflate = PerMessageDeflate {
        client_no_context_takeover: without_context,
        threshold: 0,
        ..PerMessageDeflate::default()
    };
    let options = Options {
        session: SessionOptions {
            ping_interval: None,
            per_message_deflate: Some(deflate),
            ..SessionOptions::default()
        },
        ..Options::default()
    };
    let request = Request::parse(url, options).map_err(|error| error.to_string())?;
    let (ended, end) = channel();
    let own = Arc::new(OnceLock::new());
    let echo = Echo { client: own.clone(), first_text: None, opened: false, ended };
    let client = Arc::new(Client::new(Box::new(echo), SEND_LIMIT_BYTES));
    own.get_or_init(|| Arc::downgrade(&client));
    client.connect(request).map_err(|error| format!("{error:?}"))?;
    end.recv_timeout(DEADLINE).map_err(|error| error.to_string())?
}

/// Echoes each message inside the callback, as an application would.
struct Echo {
    client: Arc<OnceLock<Weak<Client>>>,
    first_text: Option<String>,
    opened: bool,
    ended: Sender<Result<Option<String>, String>>,
}

impl Listener for Echo {
    fn opened(&mut self, _opened: &Opened) {
        self.opened = true;
    }

    fn message(&mut self, message: Message<'_>) {
        if let Some(client) = self.client.get().and_then(Weak::upgrade) {
            // A refusal means that the server has closed, as it may before it has read all.
            let _ = client.send(message.kind(), message.data());
        }
        if self.first_text.is_none() {
            self.first_text = String::from_utf8(message.data().to_vec()).ok();
        }
    }

    fn failed(&mut self, failure: &Failure) {
        // Many cases break the protocol on an open connection, which then ends by `closed`.
        if !self.opened {
            let _ = self.ended.send(Err(failure.to_string()));
        }
    }

    fn closed(&mut self, _closed: &Closed) {
        let _ = self.ended.send(Ok(self.first_text.take()));
    }
}
