//! The server's answer in little memory, for as long as its connection is open.

use std::time::Duration;

use super::opened::Opened;
use crate::client::headers::HeadersBuilder;
use crate::client::stats::Timing;

/// An answer in one piece of memory: numbers of seven bits in each byte, and texts behind their lengths. The number of one of
/// [`WORDS`] stands for it.
#[derive(Clone)]
pub(in crate::client) struct KeptAnswer(Box<[u8]>);

/// A capacity that fits most answers.
const CAPACITY: usize = 256;

/// What most answers contain.
const WORDS: [&str; 7] =
    ["Switching Protocols", "upgrade", "websocket", "connection", "Upgrade", "sec-websocket-accept", ""];

impl KeptAnswer {
    pub(in crate::client) fn of(opened: &Opened) -> Self {
        let Opened { status, reason, protocol, extensions, headers, timing, url } = opened;
        let mut kept = Vec::with_capacity(CAPACITY);
        let Timing { lookup, tcp, proxy, tls, upgrade } = timing;
        for step in [lookup, tcp, proxy, tls, upgrade] {
            put_number(&mut kept, u64::try_from(step.as_nanos()).unwrap_or(u64::MAX));
        }
        put_number(&mut kept, u64::from(*status));
        for text in [Some(reason), protocol.as_ref(), extensions.as_ref(), url.as_ref()] {
            put_text(&mut kept, text.map(AsRef::as_ref));
        }
        for (name, value) in headers.iter() {
            put_text(&mut kept, Some(name));
            put_text(&mut kept, Some(value));
        }
        // A copy, because memory that shrinks leaves a gap.
        Self(kept.as_slice().into())
    }

    /// How long each step took.
    pub(in crate::client) fn timing(&self) -> Timing {
        Rest(&self.0).timing()
    }

    pub(in crate::client) fn opened(&self) -> Opened {
        let mut rest = Rest(&self.0);
        let timing = rest.timing();
        let status = u16::try_from(rest.number()).unwrap_or_default();
        let reason = rest.text().unwrap_or_default().into();
        let (protocol, extensions, url) = (rest.boxed(), rest.boxed(), rest.boxed());
        let mut headers = HeadersBuilder::default();
        while let (Some(name), Some(value)) = (rest.text(), rest.text()) {
            headers.add(name, value);
        }
        Opened { status, reason, protocol, extensions, headers: headers.finish(), timing, url }
    }
}

#[inline(never)]
fn put_number(kept: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        kept.push(number as u8 | 0x80);
        number >>= 7;
    }
    kept.push(number as u8);
}

/// 0 is no text, and the numbers after it are those of the words. The length of another text follows them.
#[inline(never)]
fn put_text(kept: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return put_number(kept, 0) };
    if let Some(word) = WORDS.iter().position(|word| *word == text) {
        return put_number(kept, word as u64 + 1);
    }
    put_number(kept, (text.len() + WORDS.len()) as u64 + 1);
    kept.extend_from_slice(text.as_bytes());
}

/// The part that was not read yet. Few connections read it, so it is compiled once and small.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    #[inline(never)]
    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let Some((&byte, rest)) = self.0.split_first() else { break };
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte <= 0x7f {
                break;
            }
        }
        number
    }

    #[inline(never)]
    fn text(&mut self) -> Option<&'a str> {
        let number = usize::try_from(self.number().checked_sub(1)?).ok()?;
        let Some(length) = number.checked_sub(WORDS.len()) else { return Some(WORDS[number]) };
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        str::from_utf8(text).ok()
    }

    #[inline(never)]
    fn boxed(&mut self) -> Option<Box<str>> {
        self.text().map(Into::into)
    }

    fn timing(&mut self) -> Timing {
        let [lookup, tcp, proxy, tls, upgrade] = std::array::from_fn(|_| Duration::from_nanos(self.number()));
        Timing { lookup, tcp, proxy, tls, upgrade }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::headers::Headers;

    #[test]
    fn a_kept_answer_is_the_one_that_was_given() {
        let timing = Timing {
            lookup: Duration::ZERO,
            tcp: Duration::from_nanos(127),
            proxy: Duration::from_nanos(128),
            tls: Duration::from_secs(100_000),
            upgrade: Duration::from_nanos(u64::MAX),
        };
        let long = "x".repeat(20_000);
        let headers = [("upgrade", "websocket"), ("empty", ""), ("name", "w\u{e4}rme"), ("long", &long)];
        let opened = Opened {
            status: 101,
            reason: "Switching Protocols".into(),
            protocol: Some("chat".into()),
            extensions: Some(Box::default()),
            headers: headers.into_iter().collect(),
            timing,
            url: None,
        };
        for opened in [opened.clone(), Opened { protocol: None, headers: Headers::default(), ..opened }] {
            let kept = KeptAnswer::of(&opened);
            assert_eq!(kept.timing(), timing);
            assert_eq!(kept.opened(), opened);
        }
    }
}
