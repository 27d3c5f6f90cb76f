//! Converts `NWS_ServerOptions` to the core's options.

use std::mem::size_of;
use std::net::IpAddr;
use std::time::Duration;

use crate::client::{Password, PerMessageDeflate, ServerTls};
use crate::ndk::abi::ErrCode;
use crate::ndk::abi::server::RawServerOptions;
use crate::ndk::error::CallError;
use crate::ndk::ext::options::{bytes, deflate, duration, flag, limit, milliseconds, send_limits, text};
use crate::server::{RateLimit, ServerOptions};

impl RawServerOptions {
    /// Returns the core's defaults.
    pub fn defaults() -> Self {
        let ServerOptions {
            listen,
            socket_path: _,
            addresses_max,
            connections_per_address_max,
            rate_limit: _,
            protocols: _,
            tls: _,
            handshake_timeout,
            handshakes_max,
            send_limits,
            session,
        } = ServerOptions::default();
        let deflate = PerMessageDeflate::default();
        let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            size: size_of::<Self>(),
            address: std::ptr::null(),
            cert_path: std::ptr::null(),
            key_path: std::ptr::null(),
            key_password: std::ptr::null(),
            client_ca_path: std::ptr::null(),
            protocols: std::ptr::null(),
            socket_path: std::ptr::null(),
            max_message_size: session.message_limit,
            send_queue_limit: send_limits.bytes as u64,
            send_low_water: send_limits.low_water as u64,
            send_queue_messages: 0,
            max_addresses: narrow(addresses_max),
            max_connections_per_address: narrow(connections_per_address_max),
            max_handshakes: narrow(handshakes_max),
            handshake_timeout_ms: milliseconds(Some(handshake_timeout)),
            close_timeout_ms: milliseconds(Some(session.close_timeout)),
            ping_interval_ms: milliseconds(session.ping_interval),
            pong_timeout_ms: milliseconds(session.pong_timeout),
            rate_connections: 0,
            rate_period_ms: milliseconds(Some(RateLimit::PLATFORM.period)),
            rate_ban_ms: milliseconds(Some(RateLimit::PLATFORM.ban)),
            deflate_threshold: narrow(deflate.threshold),
            port: listen.port(),
            tls13_only: 0,
            per_message_deflate: u8::from(session.per_message_deflate.is_some()),
            client_no_context_takeover: u8::from(deflate.client_no_context_takeover),
            server_no_context_takeover: u8::from(deflate.server_no_context_takeover),
            client_max_window_bits: deflate.client_max_window_bits,
            server_max_window_bits: deflate.server_max_window_bits,
            receive_pieces: u8::from(session.in_pieces),
            fragment_messages: u8::from(send_limits.fragments),
        }
    }

    pub fn parse(&self) -> Result<ServerOptions, CallError> {
        let refused = |text: &str| CallError::new(ErrCode::InvalidArgument, text);
        let mut options = ServerOptions::default();
        if let Some(address) = text("address", self.address)? {
            let address: IpAddr =
                address.parse().map_err(|_| refused("address: must be an IPv4 or IPv6 address"))?;
            options.listen.set_ip(address);
        }
        options.listen.set_port(self.port);
        options.socket_path = text("socketPath", self.socket_path)?.map(Into::into);
        if options.socket_path.is_some() && !(self.address.is_null() && self.port == 0) {
            return Err(refused("socketPath: cannot be used with an address or a port"));
        }
        options.addresses_max = self.max_addresses as usize;
        options.connections_per_address_max = self.max_connections_per_address as usize;
        options.handshakes_max = match self.max_handshakes {
            0 => return Err(refused("maxHandshakes: 0; it must be 1 or more")),
            count => count as usize,
        };
        options.handshake_timeout = limit("handshakeTimeoutMs", self.handshake_timeout_ms)?;
        options.rate_limit = match self.rate_connections {
            0 => None,
            connections => Some(RateLimit {
                connections,
                period: limit("ratePeriodMs", self.rate_period_ms)?,
                ban: Duration::from_millis(self.rate_ban_ms.into()),
            }),
        };
        let protocols = text("protocols", self.protocols)?.unwrap_or_default();
        let names = protocols.split(',').map(str::trim).filter(|name| !name.is_empty());
        options.protocols = names.map(str::to_owned).collect();
        options.tls = self.tls()?;
        options.send_limits = send_limits(
            self.send_queue_limit,
            self.send_low_water,
            self.send_queue_messages,
            self.fragment_messages,
        )?;
        let session = &mut options.session;
        session.close_timeout = limit("closeTimeoutMs", self.close_timeout_ms)?;
        session.ping_interval = duration(self.ping_interval_ms);
        session.pong_timeout = duration(self.pong_timeout_ms);
        session.message_limit = bytes("maxMessageSize", self.max_message_size)?;
        session.in_pieces = flag("receivePieces", self.receive_pieces)?;
        let deflate = deflate(
            (self.client_no_context_takeover, self.server_no_context_takeover),
            (self.client_max_window_bits, self.server_max_window_bits),
            self.deflate_threshold,
        )?;
        session.per_message_deflate = flag("perMessageDeflate", self.per_message_deflate)?.then_some(deflate);
        Ok(options)
    }

    fn tls(&self) -> Result<Option<ServerTls>, CallError> {
        let refused = |text: &str| Err(CallError::new(ErrCode::InvalidArgument, text));
        let authorities = text("clientCaPath", self.client_ca_path)?;
        let tls13_only = flag("tls13Only", self.tls13_only)?;
        let password = text("keyPassword", self.key_password)?;
        match (text("certPath", self.cert_path)?, text("keyPath", self.key_path)?) {
            (Some(certificate), Some(key)) => Ok(Some(ServerTls {
                certificate: certificate.into(),
                key: key.into(),
                password: password.map(Password::new),
                client_authorities: authorities.map(Into::into),
                tls13_only,
            })),
            (Some(_), None) => refused("keyPath: needed by certPath"),
            (None, Some(_)) => refused("certPath: needed by keyPath"),
            // Without TLS the option would have no effect, and the application would not notice.
            (None, None) if authorities.is_some() => refused("clientCaPath: needs certPath and keyPath"),
            (None, None) if tls13_only => refused("tls13Only: needs certPath and keyPath"),
            (None, None) => Ok(None),
        }
    }
}
