//! Wrong arguments that the platform accepts. This library accepts them too, and a warning names each fault.

use std::fmt;

use super::napi::Value;
use crate::logging;

/// The most characters of a name in a log line.
const NAME_CHARACTERS_MAX: usize = 64;

/// The call whose arguments are checked.
#[derive(Clone, Copy)]
pub struct Lenience {
    /// The number of the client in log lines.
    pub client: u64,
    pub method: &'static str,
}

impl Lenience {
    /// Logs the fault of the argument or property `name`, and the consequence.
    pub fn warn(self, name: &str, what: impl fmt::Display) {
        let Self { client, method } = self;
        logging::warn(format_args!("[c{client}] {method}: {}: {what}", shown(name)));
    }

    /// Like [`Lenience::warn`], for a value of the wrong type.
    pub fn leave_out(self, name: &str, wanted: &str) {
        self.warn(name, format_args!("must be {wanted}; the value is ignored"));
    }

    /// Like [`Lenience::warn`], for an unknown property. The part of `name` before the last point names the object.
    pub fn unknown(self, name: &str, known: &[&str]) {
        let nearest = nearest(name.rsplit('.').next().unwrap_or(name), known);
        self.warn(name, format_args!("is unknown and ignored; the nearest known name is {nearest}"));
    }

    /// The string `value`. Ignores any other value.
    pub fn text(self, name: &str, value: Value<'_>) -> Option<String> {
        let text = value.to_text();
        if text.is_none() {
            self.leave_out(name, "a string");
        }
        text
    }

    /// The boolean `value`. Ignores any other value.
    pub fn boolean(self, name: &str, value: Value<'_>) -> Option<bool> {
        let boolean = value.to_boolean();
        if boolean.is_none() {
            self.leave_out(name, "a boolean");
        }
        boolean
    }
}

/// The entry of `known` that is probably meant by a misspelt `name`.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    known.iter().min_by_key(|known| distance(name, known)).copied().unwrap_or_default()
}

/// The number of characters to insert, remove or replace to turn one name into the other, ignoring case.
pub fn distance(one: &str, other: &str) -> usize {
    let lower = |text: &str| -> Vec<char> {
        text.chars().take(NAME_CHARACTERS_MAX).flat_map(char::to_lowercase).collect()
    };
    let (one, other) = (lower(one), lower(other));
    // The distances of all beginnings of `other` from a beginning of `one`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, character) in one.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], index + 1);
        for (place, candidate) in other.iter().enumerate() {
            let exchanged = before + usize::from(character != candidate);
            before = row[place + 1];
            row[place + 1] = exchanged.min(before + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

/// An application's name in the form for the log: one short line.
pub fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_name_with_the_fewest_changes() {
        let known = ["header", "caPath", "protocol", "pingInterval", "certificatePinning"];
        for (name, meant) in [
            ("headers", "header"),
            ("CAPATH", "caPath"),
            ("protocols", "protocol"),
            ("pingIntervall", "pingInterval"),
            ("pingTimeInterval", "pingInterval"),
            ("certificatePining", "certificatePinning"),
            ("", "header"),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(nearest("x", &[]), "");
        assert_eq!((distance("", "abc"), distance("abc", ""), distance("kitten", "sitting")), (3, 3, 3));
        assert_eq!(distance("Code", "code"), 0);
    }

    #[test]
    fn a_shown_name_is_one_short_line() {
        assert_eq!(shown("a\nb"), "a\\nb");
        assert_eq!(shown(&"x".repeat(1_000)).len(), NAME_CHARACTERS_MAX);
    }
}
