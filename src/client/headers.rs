//! Names and values of HTTP headers, sent and received. Knows no request and no response.

/// A header's name and value as the application passed them.
pub type RawHeader = (Vec<u8>, Vec<u8>);

/// Names and values of headers, in order. They are one piece of memory, because each connection keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    text: Box<str>,
    /// Where each name and each value ends in the text.
    ends: Box<[u32]>,
}

impl Headers {
    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let start_of = move |at: usize| at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let piece = move |at: usize| &self.text[start_of(at)..self.ends[at] as usize];
        (0..self.ends.len() / 2).map(move |pair| (piece(2 * pair), piece(2 * pair + 1)))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for (name, value) in headers {
            for piece in [name.as_ref(), value.as_ref()] {
                text.push_str(piece);
                // A response head is far below 4 GiB.
                ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            }
        }
        Self { text: text.into(), ends: ends.into() }
    }
}

/// RFC 9110 section 5.6.2.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
