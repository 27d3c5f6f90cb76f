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
        let mut rest = &*self.text;
        let mut start = 0;
        let mut piece = move |end: u32| {
            let (piece, behind) = rest.split_at(end as usize - start);
            (rest, start) = (behind, end as usize);
            piece
        };
        let (pairs, _) = self.ends.as_chunks();
        pairs.iter().map(move |&[name, value]| (piece(name), piece(value)))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut collected = HeadersBuilder::default();
        for (name, value) in headers {
            collected.piece(name.as_ref());
            collected.piece(value.as_ref());
        }
        collected.finish()
    }
}

/// Collects headers, in order.
#[derive(Default)]
pub(super) struct HeadersBuilder {
    text: String,
    ends: Vec<u32>,
}

impl HeadersBuilder {
    /// With room for `count` headers of `bytes` bytes together.
    pub(super) fn with_room(count: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(2 * count) }
    }

    /// Adds a header, its name in lower case.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        self.piece(name);
        self.text[start..].make_ascii_lowercase();
        self.piece(value);
    }

    fn piece(&mut self, piece: &str) {
        self.text.push_str(piece);
        // A response head is far below 4 GiB.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    pub(super) fn finish(self) -> Headers {
        Headers { text: self.text.into(), ends: self.ends.into() }
    }
}

/// RFC 9110 section 5.6.2.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
