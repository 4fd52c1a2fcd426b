//! Watches the bytes of a connection for requests that carry both lengths.
//!
//! RFC 9112 §6.3: a message with `Content-Length` and `Transfer-Encoding` is how requests are
//! smuggled, and ought to be an error. hyper quietly drops the first of the two before anybody
//! can see it, so this looks at the bytes on their way in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of a head that are looked at; hyper refuses longer ones.
const HEAD_MAX: usize = 64 * 1024;

/// A connection under watch.
pub(crate) struct Guarded {
    stream: TcpStream,
    watch: Watch,
    conflict: Arc<AtomicBool>,
}

impl Guarded {
    /// Watches a stream; `conflict` is set once a request carried both lengths.
    pub(crate) fn new(stream: TcpStream, conflict: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            watch: Watch::default(),
            conflict,
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if self.watch.feed(&buf.filled()[before..]) {
            self.conflict.store(true, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Where in its messages a connection stands.
#[derive(Debug)]
enum Place {
    /// In a head; its bytes so far.
    Head(Vec<u8>),
    /// In a body of known length; bytes left.
    Body(u64),
    /// In the line that tells a chunk's size; its bytes so far.
    ChunkSize(Vec<u8>),
    /// In a chunk with its line end; bytes left.
    Chunk(u64),
    /// Behind the last chunk; the bytes of the current line so far.
    Trailer(Vec<u8>),
    /// Something that cannot be followed: hyper refuses it, and the connection ends.
    Lost,
}

/// Follows the framing of a connection's requests.
#[derive(Debug)]
struct Watch(Place);

impl Default for Watch {
    fn default() -> Self {
        Self(Place::Head(Vec::new()))
    }
}

impl Watch {
    /// Takes bytes in; true when a head among them carried both lengths.
    fn feed(&mut self, mut bytes: &[u8]) -> bool {
        let mut conflict = false;
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.0 {
                Place::Body(left) | Place::Chunk(left) => {
                    let skipped = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    *left -= u64::try_from(skipped).unwrap_or(*left);
                    bytes = &bytes[skipped..];
                    self.settle();
                    continue;
                }
                Place::Head(line) | Place::ChunkSize(line) | Place::Trailer(line) => {
                    line.push(*first);
                }
                Place::Lost => return conflict,
            }
            bytes = rest;
            if *first == b'\n' {
                conflict |= self.line_ended();
            }
        }
        conflict
    }

    /// A body or a chunk has ended: what comes next.
    fn settle(&mut self) {
        match self.0 {
            Place::Body(0) => self.0 = Place::Head(Vec::new()),
            Place::Chunk(0) => self.0 = Place::ChunkSize(Vec::new()),
            _ => {}
        }
    }

    fn line_ended(&mut self) -> bool {
        match &self.0 {
            Place::Head(head) if head.len() > HEAD_MAX => self.0 = Place::Lost,
            Place::Head(head) if head.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => {
                self.0 = Place::Head(Vec::new());
            }
            Place::Head(head) if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") => {
                let (place, conflict) = after_head(head);
                self.0 = place;
                return conflict;
            }
            Place::ChunkSize(line) => {
                let text = String::from_utf8_lossy(line);
                let size = text.trim().split(';').next().unwrap_or_default().trim();
                self.0 = match u64::from_str_radix(size, 16) {
                    Ok(0) => Place::Trailer(Vec::new()),
                    Ok(size) => Place::Chunk(size.saturating_add(2)),
                    Err(_) => Place::Lost,
                };
            }
            Place::Trailer(line) => {
                let empty = matches!(line.as_slice(), b"\r\n" | b"\n");
                self.0 = if empty {
                    Place::Head(Vec::new())
                } else {
                    Place::Trailer(Vec::new())
                };
            }
            Place::Head(_) | Place::Body(_) | Place::Chunk(_) | Place::Lost => {}
        }
        false
    }
}

/// What follows a head, and whether the head carried both lengths.
fn after_head(head: &[u8]) -> (Place, bool) {
    let text = String::from_utf8_lossy(head);
    let value = |wanted: &str| {
        text.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim()
                .eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
        })
    };
    match (value("content-length"), value("transfer-encoding")) {
        (Some(_), Some(_)) => (Place::Lost, true),
        (None, Some(_)) => (Place::ChunkSize(Vec::new()), false),
        (Some(length), None) => match length.parse() {
            Ok(0) => (Place::Head(Vec::new()), false),
            Ok(length) => (Place::Body(length), false),
            Err(_) => (Place::Lost, false),
        },
        (None, None) => (Place::Head(Vec::new()), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = "POST /a HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello\
        POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\
        GET /c HTTP/1.1\r\nhost: h\r\n\r\n";
    const BOTH: &str = "POST /d HTTP/1.1\r\nContent-Length: 4\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";

    /// However the bytes are cut, both lengths are seen behind clean messages, and only there.
    #[test]
    fn both_lengths_are_seen_however_the_bytes_are_cut() {
        let all = format!("{CLEAN}{CLEAN}{BOTH}");
        for size in 1..all.len() {
            let mut watch = Watch::default();
            let mut seen_at = None;
            let mut fed = 0;
            for part in all.as_bytes().chunks(size) {
                fed += part.len();
                if watch.feed(part) {
                    seen_at.get_or_insert(fed);
                }
            }
            let seen_at = seen_at.expect("must be seen");
            assert!(
                seen_at > CLEAN.len() * 2,
                "cut by {size}: seen too early, at {seen_at}"
            );
        }
    }

    #[test]
    fn a_body_that_looks_like_a_head_is_a_body() {
        let body = BOTH;
        let message = format!(
            "POST /a HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!(!Watch::default().feed(format!("{message}{message}").as_bytes()));
    }
}
