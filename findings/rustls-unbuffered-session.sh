#!/usr/bin/env bash
# The unbuffered API of rustls keeps a TLS 1.2 session that fails, so each later handshake fails too.
#
# A good guess: both APIs of the client forget such a session, as ClientConnection does since rustls' issue 1617. If the
# server has another key for a session, it agrees to resume it, and the client cannot decrypt its first encrypted record.
# Then ClientConnection calls `remove_tls12_session` of the store, and the next handshake begins a new session.
# UnbufferedClientConnection gives the same error, but does not call it. An application that made the store can do so.
# Here the server takes each session for its first one. Needs Rust.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_crates rustls@0.23.46:ring,std,tls12 rcgen@0.14.10:crypto,ring <<'RS'
use std::sync::{Arc, Mutex};

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::StoresServerSessions;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::version::TLS12;
use rustls::{ClientConfig, ClientConnection, Error, HandshakeKind, RootCertStore, ServerConfig, ServerConnection};

/// The server's sessions with their names. It takes each for the first one.
#[derive(Debug, Default)]
struct Confused(Mutex<Vec<(Vec<u8>, Vec<u8>)>>);

impl StoresServerSessions for Confused {
    fn put(&self, name: Vec<u8>, session: Vec<u8>) -> bool {
        self.0.lock().unwrap().push((name, session));
        true
    }

    fn get(&self, name: &[u8]) -> Option<Vec<u8>> {
        let sessions = self.0.lock().unwrap();
        let is_known = sessions.iter().any(|(known, _)| known == name);
        is_known.then(|| sessions[0].1.clone())
    }

    fn take(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.get(name)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

enum Client {
    Buffered(ClientConnection),
    Unbuffered(UnbufferedClientConnection, Vec<u8>),
}

impl Client {
    fn new(config: &Arc<ClientConfig>, is_buffered: bool) -> Client {
        let name = ServerName::try_from("localhost").unwrap();
        match is_buffered {
            true => Client::Buffered(ClientConnection::new(config.clone(), name).unwrap()),
            false => Client::Unbuffered(UnbufferedClientConnection::new(config.clone(), name).unwrap(), Vec::new()),
        }
    }

    /// Takes bytes from the server, and gives what the client has to send.
    fn take(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut answer = Vec::new();
        match self {
            Client::Buffered(tls) => {
                while !bytes.is_empty() {
                    tls.read_tls(&mut bytes).unwrap();
                    tls.process_new_packets()?;
                }
                while tls.wants_write() {
                    tls.write_tls(&mut answer).unwrap();
                }
            }
            Client::Unbuffered(tls, received) => {
                received.extend_from_slice(bytes);
                let mut goes_on = true;
                while goes_on {
                    let UnbufferedStatus { discard, state, .. } = tls.process_tls_records(received);
                    match state? {
                        ConnectionState::EncodeTlsData(mut data) => {
                            let mut chunk = [0; 20_000];
                            let length = data.encode(&mut chunk).unwrap();
                            answer.extend_from_slice(&chunk[..length]);
                        }
                        ConnectionState::TransmitTlsData(data) => data.done(),
                        _ => goes_on = false,
                    }
                    received.drain(..discard);
                }
            }
        }
        Ok(answer)
    }

    fn kind(&self) -> Option<HandshakeKind> {
        match self {
            Client::Buffered(tls) => tls.handshake_kind(),
            Client::Unbuffered(tls, _) => tls.handshake_kind(),
        }
    }
}

fn handshake(client: &mut Client, server: &mut ServerConnection) -> String {
    let mut answer = Vec::new();
    loop {
        let bytes = match client.take(&answer) {
            Ok(bytes) => bytes,
            Err(error) => return error.to_string(),
        };
        let mut bytes = bytes.as_slice();
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets().unwrap();
        }
        answer.clear();
        while server.wants_write() {
            server.write_tls(&mut answer).unwrap();
        }
        if answer.is_empty() {
            assert!(!server.is_handshaking());
            return format!("{:?}", client.kind().unwrap());
        }
    }
}

fn main() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_protocol_versions(&[&TLS12]).with_no_client_auth();
    let mut server = server.with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    server.session_storage = Arc::new(Confused::default());
    let server = Arc::new(server);
    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();
    // Each has its own sessions.
    let new_config =
        || Arc::new(ClientConfig::builder().with_root_certificates(roots.clone()).with_no_client_auth());
    let connect = |config: &Arc<ClientConfig>, is_buffered| {
        handshake(&mut Client::new(config, is_buffered), &mut ServerConnection::new(server.clone()).unwrap())
    };
    let first = new_config();
    println!("the first client: {}, {}", connect(&first, true), connect(&first, true));
    for (is_buffered, api, handshakes) in [(true, "ClientConnection", 4), (false, "UnbufferedClientConnection", 3)] {
        let config = new_config();
        let outcomes: Vec<String> = (0..handshakes).map(|_| connect(&config, is_buffered)).collect();
        println!("{api}: {}", outcomes.join("; "));
    }
}
RS
"$work/program" | compare "the first client: Full, Resumed
ClientConnection: Full; cannot decrypt peer's message; Full; cannot decrypt peer's message
UnbufferedClientConnection: Full; cannot decrypt peer's message; cannot decrypt peer's message"
