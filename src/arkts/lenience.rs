//! Arguments that the platform takes though they are wrong: they are taken here too, and a warning names what is wrong with each.

use std::fmt;

use super::napi::Value;
use crate::logging;

/// The most characters of a name in a log line.
const NAME_CHARACTERS_MAX: usize = 64;

/// A call whose arguments are looked at.
#[derive(Clone, Copy)]
pub struct Lenience {
    /// The number of the client in log lines.
    pub client: u64,
    pub method: &'static str,
}

impl Lenience {
    /// Logs what is wrong with the argument or property `name`, and what happens instead.
    pub fn warn(self, name: &str, what: impl fmt::Display) {
        let Self { client, method } = self;
        logging::warn(format_args!("[c{client}] {method}: {}: {what}", shown(name)));
    }

    /// As [`Lenience::warn`], for a value of another type than it must have.
    pub fn leave_out(self, name: &str, wanted: &str) {
        self.warn(name, format_args!("must be {wanted}; the value is ignored"));
    }

    /// As [`Lenience::warn`], for a property that nothing reads. What stands before the last point of `name` is the object's.
    pub fn unknown(self, name: &str, known: &[&str]) {
        let nearest = nearest(name.rsplit('.').next().unwrap_or(name), known);
        self.warn(name, format_args!("is unknown and ignored; the nearest known name is {nearest}"));
    }

    /// The string `value`. Anything else is left out.
    pub fn text(self, name: &str, value: Value<'_>) -> Option<String> {
        let text = value.to_text();
        if text.is_none() {
            self.leave_out(name, "a string");
        }
        text
    }

    /// The boolean `value`. Anything else is left out.
    pub fn boolean(self, name: &str, value: Value<'_>) -> Option<bool> {
        let boolean = value.to_boolean();
        if boolean.is_none() {
            self.leave_out(name, "a boolean");
        }
        boolean
    }
}

/// The one of `known` that a misspelt `name` stands for most likely.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    known.iter().min_by_key(|known| distance(name, known)).copied().unwrap_or_default()
}

/// How many characters must be put in, taken out or exchanged to make one name of the other, whatever their case.
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

/// A name of an application in a log line: one line, and not a long one.
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
