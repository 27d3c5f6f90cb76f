#!/usr/bin/env bash
# A rustls server that skips early data counts it again in each call, so it refuses clients that keep to its limit.
#
# A good guess: a server that has forgotten a session skips the client's early data, up to `max_early_data_size` bytes
# (RFC 8446 section 4.2.10). rustls keeps the skipped records until the client's next message. Each call of
# `process_new_packets` or `process_tls_records` tries to decrypt all of them again, and takes them off the limit again.
# Here the limit is 16,384 bytes, and a record is 17 bytes longer than its data. 16 records of 100 bytes are too many if
# each comes in a call of its own. 9,000 bytes in one record are too many if the client's last message comes in a
# later call. The unbuffered API needs one more call to send its answer, so there 6,000 bytes are too many. Needs Rust.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_crates rustls@0.23.46:ring,std rcgen@0.14.10:crypto,ring <<'RS'
use std::io::Write;
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection};

enum Server {
    Buffered(ServerConnection),
    Unbuffered(UnbufferedServerConnection, Vec<u8>),
}

impl Server {
    fn new(config: &Arc<ServerConfig>, is_buffered: bool) -> Server {
        match is_buffered {
            true => Server::Buffered(ServerConnection::new(config.clone()).unwrap()),
            false => Server::Unbuffered(UnbufferedServerConnection::new(config.clone()).unwrap(), Vec::new()),
        }
    }

    /// Takes bytes from the client, and gives the answer.
    fn take(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut answer = Vec::new();
        match self {
            Server::Buffered(tls) => {
                while !bytes.is_empty() {
                    tls.read_tls(&mut bytes).unwrap();
                    tls.process_new_packets()?;
                }
                while tls.wants_write() {
                    tls.write_tls(&mut answer).unwrap();
                }
            }
            Server::Unbuffered(tls, received) => {
                received.extend_from_slice(bytes);
                let mut goes_on = true;
                while goes_on {
                    let UnbufferedStatus { mut discard, state, .. } = tls.process_tls_records(received);
                    match state? {
                        ConnectionState::EncodeTlsData(mut data) => {
                            let mut chunk = [0; 20_000];
                            let length = data.encode(&mut chunk).unwrap();
                            answer.extend_from_slice(&chunk[..length]);
                        }
                        ConnectionState::TransmitTlsData(data) => data.done(),
                        ConnectionState::ReadEarlyData(mut data) => {
                            while let Some(record) = data.next_record() {
                                discard += record?.discard;
                            }
                        }
                        _ => goes_on = false,
                    }
                    received.drain(..discard);
                }
            }
        }
        Ok(answer)
    }

    fn is_handshaking(&self) -> bool {
        match self {
            Server::Buffered(tls) => tls.is_handshaking(),
            Server::Unbuffered(tls, _) => tls.is_handshaking(),
        }
    }
}

/// All bytes that the client has to send.
fn sent(client: &mut ClientConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    bytes
}

fn records(mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
    // The length of a record is behind its type and a version.
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let rest = bytes.split_off(5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]])));
        records.push(std::mem::replace(&mut bytes, rest));
    }
    records
}

/// A handshake. The client's first bytes come at once, or a record at a time.
fn handshake(client: &mut ClientConnection, server: &mut Server, one_by_one: bool) -> String {
    let first = sent(client);
    let mut parts = if one_by_one { records(first) } else { vec![first] };
    while !parts.is_empty() {
        for part in std::mem::take(&mut parts) {
            let answer = match server.take(&part) {
                Ok(answer) => answer,
                Err(error) => return error.to_string(),
            };
            let mut answer = answer.as_slice();
            while !answer.is_empty() {
                client.read_tls(&mut answer).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        parts.extend(Some(sent(client)).filter(|bytes| !bytes.is_empty()));
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    match client.is_early_data_accepted() {
        true => "early data is accepted".to_owned(),
        false => "a handshake without it".to_owned(),
    }
}

fn main() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let start_server = || {
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let mut config = config.with_single_cert(vec![own.cert.der().clone()], key).unwrap();
        config.max_early_data_size = 16_384;
        Arc::new(config)
    };
    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();
    for (is_buffered, api) in [(true, "ServerConnection"), (false, "UnbufferedServerConnection")] {
        let outcome = |lengths: &[usize], one_by_one, restarts| {
            let mut config = ClientConfig::builder().with_root_certificates(roots.clone()).with_no_client_auth();
            config.enable_early_data = true;
            let config = Arc::new(config);
            let name = ServerName::try_from("localhost").unwrap();
            let server = start_server();
            let mut client = ClientConnection::new(config.clone(), name.clone()).unwrap();
            handshake(&mut client, &mut Server::new(&server, is_buffered), false);

            let server = if restarts { start_server() } else { server };
            let mut client = ClientConnection::new(config, name).unwrap();
            for length in lengths {
                client.early_data().unwrap().write_all(&vec![b'x'; *length]).unwrap();
            }
            handshake(&mut client, &mut Server::new(&server, is_buffered), one_by_one)
        };
        println!("{api}");
        println!("  it knows the session: 9000 bytes: {}", outcome(&[9_000], false, false));
        println!("  it knows the session: 16 * 100 bytes, one by one: {}", outcome(&[100; 16], true, false));
        println!("  it has restarted: 16 * 100 bytes, at once: {}", outcome(&[100; 16], false, true));
        println!("  it has restarted: 15 * 100 bytes, one by one: {}", outcome(&[100; 15], true, true));
        println!("  it has restarted: 16 * 100 bytes, one by one: {}", outcome(&[100; 16], true, true));
        println!("  it has restarted: 6000 bytes: {}", outcome(&[6_000], false, true));
        println!("  it has restarted: 9000 bytes: {}", outcome(&[9_000], false, true));
    }
}
RS
"$work/program" | compare "ServerConnection
  it knows the session: 9000 bytes: early data is accepted
  it knows the session: 16 * 100 bytes, one by one: early data is accepted
  it has restarted: 16 * 100 bytes, at once: a handshake without it
  it has restarted: 15 * 100 bytes, one by one: a handshake without it
  it has restarted: 16 * 100 bytes, one by one: cannot decrypt peer's message
  it has restarted: 6000 bytes: a handshake without it
  it has restarted: 9000 bytes: cannot decrypt peer's message
UnbufferedServerConnection
  it knows the session: 9000 bytes: early data is accepted
  it knows the session: 16 * 100 bytes, one by one: early data is accepted
  it has restarted: 16 * 100 bytes, at once: a handshake without it
  it has restarted: 15 * 100 bytes, one by one: a handshake without it
  it has restarted: 16 * 100 bytes, one by one: cannot decrypt peer's message
  it has restarted: 6000 bytes: cannot decrypt peer's message
  it has restarted: 9000 bytes: cannot decrypt peer's message"
