//! UTF-8 validation of text that arrives in pieces (RFC 6455 section 8.1, RFC 3629).

/// Validates a stream of bytes. Fails at the first byte that no later byte can make valid.
#[derive(Clone, Default)]
pub(crate) struct Utf8Validator {
    /// A character cut by the end of the last piece. It is valid so far.
    partial: [u8; 4],
    partial_len: u8,
}

impl Utf8Validator {
    /// Validates the next piece. False means that the text cannot be UTF-8.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) -> bool {
        while self.partial_len > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                return true;
            };
            self.partial[usize::from(self.partial_len)] = byte;
            self.partial_len += 1;
            piece = rest;
            match std::str::from_utf8(&self.partial[..usize::from(self.partial_len)]) {
                Ok(_) => self.partial_len = 0,
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        if simdutf8::basic::from_utf8(piece).is_ok() {
            return true;
        }
        match simdutf8::compat::from_utf8(piece) {
            Ok(_) => true,
            Err(error) if error.error_len().is_some() => false,
            Err(error) => {
                let tail = &piece[error.valid_up_to()..];
                self.partial[..tail.len()].copy_from_slice(tail);
                // A cut character has at most three bytes.
                self.partial_len = tail.len() as u8;
                true
            }
        }
    }

    /// Whether the text may end here. Resets the validator for the next text.
    pub(crate) fn finish(&mut self) -> bool {
        std::mem::take(&mut self.partial_len) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Validates `bytes` in pieces of `step`. Returns the index of the piece that failed, or whether the text may end
    /// there.
    fn validate(bytes: &[u8], step: usize) -> Result<bool, usize> {
        let mut validator = Utf8Validator::default();
        for (at, piece) in bytes.chunks(step).enumerate() {
            if !validator.feed(piece) {
                return Err(at * step);
            }
        }
        Ok(validator.finish())
    }

    #[test]
    fn agrees_with_std_at_every_cut() {
        let samples: [&[u8]; 8] = [
            "κόσμε 你好 🎉 plain".as_bytes(),
            b"",
            b"\xff",
            b"abc\xed\xa0\x80def",
            b"\xf4\x90\x80\x80",
            b"\xf0\x9f\x8e",
            b"ok\xc0\xaf",
            b"\xe4\xbd\xa0\xe5",
        ];
        for sample in samples {
            let expected = std::str::from_utf8(sample).is_ok();
            for step in 1..=sample.len().max(1) {
                assert_eq!(validate(sample, step).unwrap_or(false), expected, "{sample:?} by {step}");
            }
        }
    }

    #[test]
    fn fails_at_the_first_bad_byte() {
        // 0xF4 0x90 is already beyond U+10FFFF: byte 1 decides, not byte 3.
        assert_eq!(validate(b"\xf4\x90\x80\x80", 1), Err(1));
        assert_eq!(validate(b"a\xed\xa0", 1), Err(2));
    }
}
