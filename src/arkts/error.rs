//! Maps the errors of `client` to the codes and texts of `@ohos.net.webSocket`.

use std::io;

use super::napi::{Deferred, Engine, EngineError, Value};
use crate::client::{
    AlreadyConnected, Cause, CloseError, Closed, ConnectError, Error, Failure, OptionsError, Phase,
    PingError, Reconnecting, RefusedUpgrade, SendError, ServerFile, Times, TrustError, UpgradeError,
};
use crate::platform::may_use_network;
use crate::server::{FaultyOption, StartError};

/// The error of a call: a wrong argument or a refusal.
#[derive(Debug)]
pub struct ApiError {
    pub code: i32,
    pub message: String,
}

const PERMISSION: i32 = 201;
const PARAMETER: i32 = 401;
const URL: i32 = 2_302_001;
const CERTIFICATE_FILE: i32 = 2_302_002;
const ALREADY_EXISTS: i32 = 2_302_003;
const SERVER_ADDRESS: i32 = 2_302_004;
const SERVER_PORT: i32 = 2_302_005;
const NO_CONNECTION: i32 = 2_302_006;
const PORT_TAKEN: i32 = 2_302_007;
/// The platform's code for failures of a running server.
pub const SERVER_EVENT: i32 = 200;
const OTHER: i32 = 2_302_999;
/// The platform's code for an upgrade that the server answered with a status other than 101. `data` has the status.
const UPGRADE_STATUS: i32 = 200;

impl ApiError {
    pub fn is_parameter(&self) -> bool {
        self.code == PARAMETER
    }

    pub fn is_permission(&self) -> bool {
        self.code == PERMISSION
    }

    /// A parameter error. Its message begins with the parameter's name.
    pub fn parameter(name: &str, wanted: &str) -> Self {
        Self { code: PARAMETER, message: format!("{name}: {wanted}") }
    }

    /// The error of a refused [`crate::client::Client::send_piece`].
    pub fn of_send_piece(error: SendError) -> Self {
        match error {
            SendError::TooLong => Self::other("sendPiece: the piece is longer than sendQueueLimit"),
            SendError::Unfinished => Self::other("sendPiece: the earlier pieces have the other type"),
            SendError::NotConnected
            | SendError::QueueFull
            | SendError::Utf8
            | SendError::Interrupted
            | SendError::NoMemory => Self::other(&format!("sendPiece: {error}")),
        }
    }

    /// The error of a call without the required permission. As on the platform, it precedes all other errors except those of
    /// wrong arguments.
    pub fn no_permission(method: &str) -> Self {
        Self { code: PERMISSION, message: format!("{method}: the app needs ohos.permission.INTERNET") }
    }

    /// The error of the missing permission if that is the cause, else this error.
    pub fn or_no_permission(self, method: &str) -> Self {
        if self.code == OTHER && !may_use_network() { Self::no_permission(method) } else { self }
    }

    /// A server cannot listen on the given address.
    pub fn server_address(message: &str) -> Self {
        Self { code: SERVER_ADDRESS, message: message.to_owned() }
    }

    /// A server cannot listen on the given port.
    pub fn server_port(message: &str) -> Self {
        Self { code: SERVER_PORT, message: message.to_owned() }
    }

    /// A server has no such connection.
    pub fn no_connection(method: &str) -> Self {
        let message = format!("{method}: the server has no such connection");
        Self { code: NO_CONNECTION, message }
    }

    /// The reason why a server was not started. The text names the option that must change.
    pub fn of_start(error: &StartError) -> Self {
        let code = match error {
            shortage if shortage.is_shortage() => OTHER,
            StartError::Trust { cause: TrustError { path: Some(_), .. }, .. } => CERTIFICATE_FILE,
            StartError::Listen { cause, .. } => match (error.option(), cause.kind()) {
                (Some(FaultyOption::Port), io::ErrorKind::AddrInUse) => PORT_TAKEN,
                // A port below 1024 needs a privilege.
                (Some(FaultyOption::Port), _) => SERVER_PORT,
                (Some(FaultyOption::Address), _) => SERVER_ADDRESS,
                (_, io::ErrorKind::PermissionDenied) => PERMISSION,
                _ => OTHER,
            },
            StartError::ListenAtPath { cause, .. } => match cause.kind() {
                io::ErrorKind::AddrInUse => PORT_TAKEN,
                _ => SERVER_ADDRESS,
            },
            StartError::Trust { .. } | StartError::Exhausted(_) => OTHER,
        };
        let option = match error.option() {
            Some(FaultyOption::File(ServerFile::Certificate)) => "serverCert.certPath: ",
            Some(FaultyOption::File(ServerFile::Key)) => "serverCert.keyPath: ",
            Some(FaultyOption::File(ServerFile::ClientAuthorities)) => "clientCaPath: ",
            Some(FaultyOption::Address) => "serverIP: ",
            Some(FaultyOption::Port) => "serverPort: ",
            None => "",
        };
        Self { code, message: format!("start: {option}{error}") }
    }

    pub fn other(message: &str) -> Self {
        Self { code: OTHER, message: message.to_owned() }
    }

    /// Makes the error object.
    pub fn value<'env>(&self, env: Engine) -> Result<Value<'env>, EngineError> {
        env.business_error(self.code, &self.message)
    }

    /// Throws the error object.
    pub fn throw(&self, env: Engine) -> EngineError {
        self.value(env).map_or_else(|failed| failed, |error| env.throw(error))
    }

    /// Rejects a promise with the error object.
    pub fn reject(&self, deferred: Deferred) {
        if let Ok(error) = self.value(deferred.env()) {
            deferred.settle(Err(error));
        }
    }
}

/// The error of a missing certificate file. The platform reports it at once.
impl From<&Error> for ApiError {
    fn from(error: &Error) -> Self {
        Self { code: error_code(error), message: error.to_string() }
    }
}

impl From<OptionsError> for ApiError {
    fn from(error: OptionsError) -> Self {
        let code = match &error {
            OptionsError::Url(_) => URL,
            OptionsError::HeaderName { .. }
            | OptionsError::HeaderValue { .. }
            | OptionsError::TooManyHeaders
            | OptionsError::HeadersTooLong
            | OptionsError::WindowBits
            | OptionsError::Hosts { .. }
            | OptionsError::Redirects
            | OptionsError::Proxy { .. }
            | OptionsError::Protocol { .. } => PARAMETER,
        };
        Self { code, message: error.to_string() }
    }
}

impl From<AlreadyConnected> for ApiError {
    fn from(error: AlreadyConnected) -> Self {
        Self { code: ALREADY_EXISTS, message: format!("connect: this WebSocket is {error}") }
    }
}

impl From<ConnectError> for ApiError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Already(already) => already.into(),
            ConnectError::Exhausted(_) => Self::other(&format!("connect: {error}")),
        }
    }
}

impl From<SendError> for ApiError {
    fn from(error: SendError) -> Self {
        Self::other(&format!("send: {error}"))
    }
}

impl From<PingError> for ApiError {
    fn from(error: PingError) -> Self {
        match error {
            PingError::NotConnected | PingError::TooMany => Self::other(&format!("ping: {error}")),
            PingError::TooLong => Self::parameter("data", "must be at most 125 bytes"),
        }
    }
}

impl From<CloseError> for ApiError {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::NotConnected => Self::other(&format!("close: {error}")),
        }
    }
}

/// The content of the event `error`.
#[derive(Clone, Debug)]
pub struct ErrorEvent {
    pub code: i32,
    /// The HTTP status if the server answered with a status other than 101. Otherwise empty.
    pub data: String,
    pub message: String,
    /// The response of a server that refused the upgrade.
    pub refused: Option<RefusedUpgrade>,
    /// See [`Failure::unsent`].
    pub unsent: usize,
    pub cause: Cause,
    pub phase: &'static str,
    pub times: Times,
}

impl From<&Failure> for ErrorEvent {
    fn from(failure: &Failure) -> Self {
        let data = failure.error.status().map_or_else(String::new, |status| status.to_string());
        Self {
            code: error_code(&failure.error),
            data,
            message: failure.to_string(),
            refused: failure.error.refused().cloned(),
            unsent: failure.unsent,
            cause: failure.error.cause(),
            phase: match failure.error.phase() {
                Some(Phase::Lookup) => "lookup",
                Some(Phase::Tcp) => "tcp",
                Some(Phase::Proxy) => "proxy",
                Some(Phase::Tls) => "tls",
                Some(Phase::Upgrade) => "upgrade",
                Some(Phase::Prepare) => "prepare",
                None => "open",
            },
            times: failure.times,
        }
    }
}

/// The code and the text for promises that fail with a connection or an attempt.
pub struct Termination {
    code: i32,
    text: String,
}

impl Termination {
    pub fn of_error(error: &ErrorEvent) -> Self {
        Self { code: error.code, text: error.message.clone() }
    }

    pub fn of_close(closed: &Closed) -> Self {
        let Closed { code, reason, cause, unsent: _, times: _, peer: _ } = closed;
        let who = match cause {
            Cause::Application => "closed by the application",
            _ => "closed by the peer",
        };
        let colon = if reason.is_empty() { "" } else { ": " };
        Self { code: OTHER, text: format!("{who} ({code}){colon}{reason}") }
    }

    /// The end of a connection that another attempt follows.
    pub fn of_loss(reconnecting: &Reconnecting) -> Self {
        Self { code: OTHER, text: reconnecting.text.clone() }
    }

    /// Makes the error of a call of `method`.
    pub fn of(&self, method: &str, what: &str) -> ApiError {
        let Self { code, text } = self;
        ApiError { code: *code, message: format!("{method}: {what}: {text}") }
    }
}

fn error_code(error: &Error) -> i32 {
    match error {
        Error::Upgrade { cause: UpgradeError::Status(_) | UpgradeError::Redirect(..), .. } => UPGRADE_STATUS,
        Error::Trust(TrustError { path: Some(_), is_shortage: false, .. }) => CERTIFICATE_FILE,
        // The system refuses a socket to an app without ohos.permission.INTERNET.
        Error::Tcp { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => PERMISSION,
        Error::Upgrade { .. }
        | Error::Trust(_)
        | Error::Exhausted { .. }
        | Error::Lookup { .. }
        | Error::Tcp { .. }
        | Error::Proxy { .. }
        | Error::Tls { .. }
        | Error::Timeout { .. }
        | Error::PhaseTimeout { .. }
        | Error::Abandoned { .. }
        | Error::Protocol(_)
        | Error::Lost(_)
        | Error::PongTimeout(_)
        | Error::NetworkChanged(_)
        | Error::Slept(_)
        | Error::Unprepared(_)
        | Error::Rewrite(_)
        | Error::Url(_)
        | Error::Policy { .. }
        | Error::Internal => OTHER,
    }
}
