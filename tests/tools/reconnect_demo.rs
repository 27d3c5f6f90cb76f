//! A client that reconnects, and a server for it to lose.
//!
//! `reconnect_demo serve ADDRESS` runs the server, `reconnect_demo connect URL [PING_S PONG_S]` the client. The client
//! prints a line for every event, which begins with the time in milliseconds. It ends at end-of-file on stdin.
//! tests/network/run.sh runs both in network namespaces.

use std::error::Error;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, LogLevel, Message, Opened, Options, Reconnect, Reconnected,
    Reconnecting, Request, SEND_LIMIT_BYTES, SessionOptions, set_log_level,
};
use tokio_tungstenite::tungstenite;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", address] => serve(address),
        ["connect", url] => connect(url, Options::default()),
        ["connect", url, ping, pong] => {
            let seconds = |text: &str| text.parse().map(Duration::from_secs_f64);
            let options = Options {
                session: SessionOptions {
                    ping_interval: Some(seconds(ping)?),
                    pong_timeout: Some(seconds(pong)?),
                    ..SessionOptions::default()
                },
                ..Options::default()
            };
            connect(url, options)
        }
        _ => Err("usage: reconnect_demo serve ADDRESS | reconnect_demo connect URL [PING_S PONG_S]".into()),
    }
}

/// Events as lines.
struct Teller;

fn tell(line: std::fmt::Arguments<'_>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    println!("{} {line}", now.as_millis());
}

impl Listener for Teller {
    fn opened(&mut self, _opened: &Opened) {
        tell(format_args!("open"));
    }

    fn message(&mut self, _message: Message<'_>) {}

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let Reconnecting { attempt, delay, text, .. } = reconnecting;
        tell(format_args!("reconnecting {attempt} in {} ms: {text}", delay.as_millis()));
    }

    fn reconnected(&mut self, reconnected: &Reconnected) {
        let Reconnected { attempts, downtime } = *reconnected;
        tell(format_args!("reconnected after {attempts} attempts and {} ms", downtime.as_millis()));
    }

    fn failed(&mut self, failure: &Failure) {
        tell(format_args!("error {failure}"));
    }

    fn closed(&mut self, closed: &Closed) {
        tell(format_args!("close {} {}", closed.code, closed.reason));
    }
}

fn connect(url: &str, options: Options) -> Result<(), Box<dyn Error>> {
    set_log_level(LogLevel::Info);
    let options =
        Options { reconnect: Some(Reconnect::default()), connect_timeout: Duration::from_secs(2), ..options };
    let client = Client::new(Box::new(Teller), SEND_LIMIT_BYTES);
    client.connect(Request::parse(url, options)?).map_err(|_| "connected already")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Answers pings, as every WebSocket server does, for connections of any number.
fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address)?;
    println!("ready");
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || answer(stream));
    }
    Ok(())
}

fn answer(stream: TcpStream) {
    if let Ok(mut socket) = tungstenite::accept(stream) {
        while socket.read().is_ok() {}
    }
}
