//! HTTP/1.1 answers, as far as upgrades and proxies need them (RFC 9112). Knows neither of them.

mod fault;
mod head;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

pub use self::fault::HeadFault;

pub(super) use self::head::{Head, HeadError, parse_head};

/// The library's User-Agent.
pub(super) const USER_AGENT: &str = concat!("net_websocket/", env!("CARGO_PKG_VERSION"));

/// The longest response head, in bytes, with interim answers before it.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 65_536;
/// The maximum number of bytes of a refusal's body to report.
pub const RESPONSE_BODY_BYTES_MAX: usize = 4_096;
/// How long a refusal waits for its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);
/// A refusal is reported this long before a deadline, so that it is not reported as a timeout.
const BODY_MARGIN: Duration = Duration::from_millis(10);
/// The most bytes read of a chunked body, before decoding.
const CHUNKED_BYTES_MAX: usize = 4 * RESPONSE_BODY_BYTES_MAX;
/// A capacity that fits most heads. Allocators have it at hand.
const READ_STEP_BYTES: usize = 1_024;
/// Reads the final head. Interim answers may come before it (RFC 9110 section 15.2). The bytes after it stay in
/// `received`, which is empty at first.
pub(super) async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    received: &mut Vec<u8>,
) -> Result<Head, HeadError> {
    let mut left = RESPONSE_HEAD_BYTES_MAX;
    loop {
        received.reserve(READ_STEP_BYTES);
        match stream.read_buf(received).await {
            // TLS reports an end without close_notify as a separate error.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(HeadError::Io(error)),
            Err(_) | Ok(0) => return head::cut_refusal(received).ok_or(HeadError::Eof),
            Ok(_) => {}
        }
        // Bytes after the limit are not checked, so the result does not depend on how much arrives at once.
        while let Some(head) = parse_head(&received[..left.min(received.len())])? {
            received.drain(..head.len);
            if head.status == 101 || !(100..200).contains(&head.status) {
                return Ok(head);
            }
            left -= head.len;
        }
        if received.len() > left {
            return Err(HeadError::TooLong);
        }
    }
}

/// The beginning of a body. `received` holds the part that came with the head. Waits only briefly, and stops shortly
/// before `by`.
pub(super) async fn read_body<S: AsyncRead + Unpin>(
    stream: &mut S,
    mut received: Vec<u8>,
    head: &Head,
    by: Instant,
) -> Vec<u8> {
    if matches!(head.status, 100..200 | 204 | 304) {
        return Vec::new();
    }
    let chunked = head.lists("transfer-encoding", "chunked");
    let wanted = match head.values("content-length").next().map(str::parse::<usize>) {
        Some(Ok(length)) if !chunked => length.min(RESPONSE_BODY_BYTES_MAX),
        _ => RESPONSE_BODY_BYTES_MAX,
    };
    let fill = async {
        loop {
            let enough = match chunked {
                true => received.len() >= CHUNKED_BYTES_MAX || unchunk(&received).1,
                false => received.len() >= wanted,
            };
            received.reserve(READ_STEP_BYTES);
            if enough || !stream.read_buf(&mut received).await.is_ok_and(|count| count > 0) {
                return;
            }
        }
    };
    // The part that came in time is returned.
    let until = (Instant::now() + BODY_TIMEOUT).min(by - BODY_MARGIN);
    let _ = tokio::time::timeout_at(until, fill).await;
    if chunked {
        received = unchunk(&received).0;
    }
    received.truncate(wanted);
    received.shrink_to_fit();
    received
}

/// The data of a chunked body (RFC 9112 section 7.1) so far, and whether it is complete.
fn unchunk(mut chunks: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let (start, length) = match httparse::parse_chunk_size(chunks) {
            Ok(httparse::Status::Complete((_, 0))) | Err(_) => return (body, true),
            Ok(httparse::Status::Complete(chunk)) => chunk,
            Ok(httparse::Status::Partial) => return (body, false),
        };
        let data = &chunks[start..];
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        body.extend_from_slice(&data[..length.min(data.len())]);
        if body.len() >= RESPONSE_BODY_BYTES_MAX {
            return (body, true);
        }
        // A line end follows the data.
        match length.checked_add(2).and_then(|next| data.get(next..)) {
            Some(rest) => chunks = rest,
            None => return (body, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later() -> Instant {
        Instant::now() + 10 * BODY_TIMEOUT
    }

    async fn read(mut wire: &[u8]) -> Result<(Head, Vec<u8>), HeadError> {
        let mut received = Vec::new();
        let head = read_head(&mut wire, &mut received).await?;
        let body = read_body(&mut wire, received, &head, later()).await;
        Ok((head, body))
    }

    #[tokio::test(start_paused = true)]
    async fn reads_bodies_however_they_are_framed() {
        let body = |head: &'static str, body: &'static [u8]| async move {
            let wire = [b"HTTP/1.1 403 No\r\n", head.as_bytes(), b"\r\n", body].concat();
            read(&wire).await.expect("a good head").1
        };
        assert_eq!(body("Content-Length: 3\r\n", b"abcdef").await, b"abc");
        assert_eq!(body("", b"to the end").await, b"to the end");
        assert_eq!(body("Content-Length: 99\r\n", b"cut off").await, b"cut off");
        let chunked = "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n";
        assert_eq!(body(chunked, b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await, b"abcde");
        assert_eq!(body(chunked, b"3\r\nabc\r\nZ\r\n").await, b"abc");
        assert_eq!(body(chunked, b"ffffffffffffffff\r\nabc").await, b"abc");
        let long = vec![b'x'; 2 * RESPONSE_BODY_BYTES_MAX];
        let wire = [&b"HTTP/1.1 500 No\r\n\r\n"[..], &long].concat();
        assert_eq!(read(&wire).await.expect("a good head").1.len(), RESPONSE_BODY_BYTES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_only_briefly_for_a_missing_body() {
        let (mut near, mut far) = tokio::io::duplex(1_024);
        let wire = b"HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nhalf";
        tokio::io::AsyncWriteExt::write_all(&mut far, wire).await.expect("room");
        let mut received = Vec::new();
        let head = read_head(&mut near, &mut received).await.expect("a good head");
        assert_eq!(read_body(&mut near, received, &head, later()).await, b"half");
        // It waits less if the attempt's time is nearly over.
        let began = Instant::now();
        assert_eq!(read_body(&mut near, Vec::new(), &head, began + BODY_TIMEOUT / 2).await, b"");
        assert!(began.elapsed() < BODY_TIMEOUT / 2, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn reads_the_complete_lines_of_a_truncated_refusal() {
        let wire = "HTTP/1.1 400 Bad Request\r\nServer: QEMU VNC\r\nSec-WebSocket-Version: 13\r\n";
        let cut = |at: usize| async move { read(&wire.as_bytes()[..at]).await };
        let status_line = wire.find('\n').expect("a line") + 1;
        for at in 0..=wire.len() {
            let refused = cut(at).await;
            assert_eq!(refused.is_ok(), at >= status_line, "cut at {at}: {refused:?}");
            assert!(refused.is_ok() || matches!(refused, Err(HeadError::Eof)), "cut at {at}: {refused:?}");
        }
        let (head, body) = cut(wire.len()).await.expect("a refusal");
        assert_eq!((head.status, head.reason.as_str(), head.headers.iter().count()), (400, "Bad Request", 2));
        assert_eq!(body, b"");
        // Success needs all of its head.
        for status in [101, 200] {
            let wire = format!("HTTP/1.1 {status} Fine\r\nX: y\r\n");
            assert!(matches!(read(wire.as_bytes()).await, Err(HeadError::Eof)), "{status}");
        }
    }

    #[tokio::test]
    async fn skips_interim_answers_within_the_limit() {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        let wire = format!("HTTP/1.1 100 Continue\r\n\r\n{interim}HTTP/1.1 200 OK\r\nX: y\r\n\r\n");
        let (head, _) = read(wire.as_bytes()).await.expect("a good head");
        assert_eq!((head.status, head.values("x").next()), (200, Some("y")));
        assert!(matches!(read(b"HTTP/1.1 102 Wait\r\n\r\nSSH-2.0").await, Err(HeadError::NotHttp(_))));
        let endless = interim.repeat(RESPONSE_HEAD_BYTES_MAX / interim.len() + 1_000);
        assert!(matches!(read(endless.as_bytes()).await, Err(HeadError::TooLong)));
    }

    /// A stream that yields this many bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl AsyncRead for Pieces<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _cx: &mut std::task::Context<'_>,
            into: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            let (now, later) = self.0.split_at(self.1.min(self.0.len()).min(into.remaining()));
            into.put_slice(now);
            self.0 = later;
            std::task::Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn refuses_a_long_head_however_it_arrives() {
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
        for (length, good) in [
            (RESPONSE_HEAD_BYTES_MAX - 1, true),
            (RESPONSE_HEAD_BYTES_MAX, true),
            (RESPONSE_HEAD_BYTES_MAX + 1, false),
            (66_000, false),
            (131_000, false),
        ] {
            for before in ["", interim] {
                let start = format!("{before}HTTP/1.1 101 Yes\r\nX: ");
                let wire = format!("{start}{}\r\n\r\nframes", "x".repeat(length - start.len() - 4));
                for step in [wire.len(), 2 * RESPONSE_HEAD_BYTES_MAX, 65_537, 4_096, 1_000] {
                    let mut received = Vec::with_capacity(step);
                    let head = read_head(&mut Pieces(wire.as_bytes(), step), &mut received).await;
                    assert_eq!(head.is_ok(), good, "{length} in steps of {step}: {head:?}");
                    assert!(good || matches!(head, Err(HeadError::TooLong)), "{head:?}");
                }
            }
        }
        // A fault after the limit does not count.
        let wire = format!("HTTP/1.1 101 Yes\r\nX: {}\x01", "x".repeat(70_000));
        for step in [wire.len(), 1_000] {
            let mut received = Vec::with_capacity(step);
            let head = read_head(&mut Pieces(wire.as_bytes(), step), &mut received).await;
            assert!(matches!(head, Err(HeadError::TooLong)), "{head:?}");
        }
    }
}
