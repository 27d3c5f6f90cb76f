//! A part of a test in its own process, which the test stops for a while, as an app freezer does. Its lines that begin with
//! `event ` are its events.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::DEADLINE;

/// A process that runs one of this program's tests.
pub struct Frozen {
    pub child: Child,
    events: Receiver<String>,
}

impl Frozen {
    /// Runs the test of this name.
    pub fn run(test: &str, variables: &[(&str, &str)]) -> Self {
        let program = std::env::current_exe().expect("a path");
        let mut child = Command::new(program)
            .args(["--exact", test, "--ignored", "--nocapture"])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            let events = lines.map_while(Result::ok);
            for event in events.filter_map(|line| line.strip_prefix("event ").map(str::to_owned)) {
                let _ = sender.send(event);
            }
        });
        Self { child, events }
    }

    /// The next event.
    pub fn next(&self) -> String {
        self.events.recv_timeout(DEADLINE).expect("an event in time")
    }

    /// The next event contains this.
    pub fn expect(&self, event: &str) {
        let told = self.next();
        assert!(told.contains(event), "{told} instead of {event}");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill(1)").success());
    }

    /// Stops the process; does something; and lets it go on after `time`.
    pub fn stopped_for(&self, time: Duration, meanwhile: impl FnOnce()) {
        self.signal("-STOP");
        let state = format!("/proc/{}/stat", self.child.id());
        while !fs::read_to_string(&state).expect("it is there").contains(") T ") {
            std::thread::yield_now();
        }
        meanwhile();
        std::thread::sleep(time);
        self.signal("-CONT");
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
