//! Base64 and base16 (RFC 4648) for a few bytes at a time. Simple, without other alphabets.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE16: &[u8; 16] = b"0123456789abcdef";

/// Encodes bytes in base64 (section 4), padded.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let digits = |bits: u32| [18, 12, 6, 0].map(|shift| BASE64[(bits >> shift & 0x3f) as usize]);
    let (groups, rest) = bytes.as_chunks();
    for &[first, second, third] in groups {
        text.extend_from_slice(&digits(u32::from_be_bytes([0, first, second, third])));
    }
    if let [first, rest @ ..] = rest {
        let second = rest.first().copied().unwrap_or(0);
        text.extend_from_slice(&digits(u32::from_be_bytes([0, *first, second, 0]))[..2 + rest.len()]);
        text.extend_from_slice(&b"=="[rest.len()..]);
    }
    String::from_utf8(text).unwrap_or_default()
}

/// Decodes padded base64. `None` unless [`base64`] makes the same text from the bytes (section 3.5).
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    append_digits(digits.bytes(), &mut bytes)?;
    (base64(&bytes) == text).then_some(bytes)
}

/// Decodes digits of base64, without padding. `None` at any other character. Bits that make no whole byte do not count.
pub(super) fn append_digits(digits: impl Iterator<Item = u8>, bytes: &mut Vec<u8>) -> Option<()> {
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(())
}

/// Encodes bytes in base16 (section 8), in lower case like HTTP's digests.
pub(super) fn base16(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(BASE16[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// Decodes base16 of either case.
pub(super) fn from_base16(text: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let (pairs, []) = text.as_chunks() else { return None };
    pairs.iter().map(|&[high, low]| Some(value(high)? << 4 | value(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER, HEXUPPER_PERMISSIVE};
    use proptest::prelude::*;

    use super::*;

    /// The examples of section 10.
    #[test]
    fn encodes_the_vectors_of_the_rfc() {
        for (text, in_base64, in_base16) in [
            ("", "", ""),
            ("f", "Zg==", "66"),
            ("fo", "Zm8=", "666f"),
            ("foo", "Zm9v", "666f6f"),
            ("foob", "Zm9vYg==", "666f6f62"),
            ("fooba", "Zm9vYmE=", "666f6f6261"),
            ("foobar", "Zm9vYmFy", "666f6f626172"),
        ] {
            assert_eq!(base64(text.as_bytes()), in_base64);
            assert_eq!(base16(text.as_bytes()), in_base16);
            assert_eq!(from_base64(in_base64).as_deref(), Some(text.as_bytes()));
            assert_eq!(from_base16(in_base16.as_bytes()).as_deref(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn refuses_what_is_not_base64() {
        for text in [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Zm9v=", "Zm 9v", "Zm9v\n", "Zm-_",
            "Zg==Zg==", "é",
        ] {
            assert_eq!(from_base64(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_another_implementation(bytes: Vec<u8>, digits in "[A-Da-d+/=]{0,9}", hex in "[0-9a-gA-G]{0,6}") {
            prop_assert_eq!(base64(&bytes), BASE64.encode(&bytes));
            prop_assert_eq!(base16(&bytes), HEXLOWER.encode(&bytes));
            prop_assert_eq!(from_base64(&BASE64.encode(&bytes)), Some(bytes));
            // The other implementation takes two texts in a row as one.
            if !digits.trim_end_matches('=').contains('=') {
                prop_assert_eq!(from_base64(&digits), BASE64.decode(digits.as_bytes()).ok());
            }
            prop_assert_eq!(from_base16(hex.as_bytes()), HEXUPPER_PERMISSIVE.decode(hex.as_bytes()).ok());
        }
    }
}
