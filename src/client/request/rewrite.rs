//! An application's changes to the handshake of a later attempt.

use std::fmt;

use crate::client::headers::RawHeader;

/// The answer of an application that was asked to prepare an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// Continue with these changes. They also apply to later attempts.
    Proceed(Rewrite),
    /// This attempt cannot be made; a later one perhaps can.
    Fail,
    /// Stop: the last failure is final.
    Stop,
}

/// Changes to the handshake of an attempt.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// Another URL. Credentials and the headers Authorization, Cookie and Host belong to one origin. A URL of another origin
    /// gets only those in [`Rewrite::headers`] and its own userinfo. The TLS options apply to it unchanged.
    pub url: Option<String>,
    /// Headers that replace those of the same names.
    pub headers: Vec<RawHeader>,
}

/// A URL and headers may hold credentials.
impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rewrite").field("headers", &self.headers.len()).finish_non_exhaustive()
    }
}
