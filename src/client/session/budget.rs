//! How long a session may run on before other tasks of its thread do.

/// What one session may do before others on its thread get their turn.
#[derive(Default)]
pub(super) struct Budget {
    wakes: u32,
    /// Bytes that were read, handed on and written.
    bytes: usize,
}

impl Budget {
    const WAKES_MAX: u32 = 64;
    const BYTES_MAX: usize = 524_288;

    pub(super) fn spend(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Counts a wake; when that is one too many, the budget begins anew.
    pub(super) fn is_spent(&mut self) -> bool {
        self.wakes += 1;
        let spent = self.wakes > Self::WAKES_MAX || self.bytes > Self::BYTES_MAX;
        if spent {
            *self = Self::default();
        }
        spent
    }
}
