//! The decompressor of zlib-rs. It writes into uninitialized memory.
//!
//! Owns one stream of raw DEFLATE (RFC 1951). Knows nothing of messages.

pub(crate) use zlib_rs::Status;
use zlib_rs::{Inflate, InflateFlush};

/// The window that [`Inflate::reset`] sets in any case, as its base-2 logarithm.
const DEFAULT_WINDOW_BITS: u8 = 15;

/// A stream of raw DEFLATE. About 40 KiB.
pub(crate) struct InflateStream {
    inflate: Inflate,
    window_bits: u8,
}

/// The result of a call.
pub(crate) struct Inflated {
    /// The number of input bytes that it took.
    pub(crate) taken: usize,
    /// The number of bytes that it appended.
    pub(crate) written: usize,
    pub(crate) status: Status,
}

/// The bytes are not DEFLATE.
pub(crate) struct NotDeflate;

/// Where a call stops while it still has input and room.
#[derive(Clone, Copy)]
pub(crate) enum StopAt {
    /// After the final block of the stream.
    StreamEnd,
    /// After each block, before the first byte of the next one.
    BlockEnd,
}

impl InflateStream {
    /// `window_bits`: 9 to 15.
    pub(crate) fn new(window_bits: u8) -> Self {
        Self { inflate: Inflate::new(false, window_bits), window_bits }
    }

    /// Begins another stream.
    pub(crate) fn restart(&mut self) {
        match self.window_bits {
            DEFAULT_WINDOW_BITS => self.inflate.reset(false),
            bits => self.inflate = Inflate::new(false, bits),
        }
    }

    /// Appends the output of `input` to `out`: `most` bytes, or as many as its capacity holds.
    pub(crate) fn append(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        most: usize,
        stop: StopAt,
    ) -> Result<Inflated, NotDeflate> {
        let flush = match stop {
            StopAt::StreamEnd => InflateFlush::SyncFlush,
            StopAt::BlockEnd => InflateFlush::Block,
        };
        let (taken, written) = (self.inflate.total_in(), self.inflate.total_out());
        let spare = out.spare_capacity_mut();
        let most = most.min(spare.len());
        let status = self.inflate.decompress_uninit(input, &mut spare[..most], flush);
        let taken = (self.inflate.total_in() - taken) as usize;
        let written = (self.inflate.total_out() - written) as usize;
        // SAFETY: the call has written that many bytes to the beginning of the spare capacity.
        unsafe { out.set_len(out.len() + written) };
        status.map(|status| Inflated { taken, written, status }).map_err(|_| NotDeflate)
    }
}
