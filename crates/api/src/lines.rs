//! A body read line by line while it arrives, and answers sent line by line.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One line of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Its bytes, without the end of line.
    Bytes(Bytes),
    /// It is longer than a line may be, and was read away.
    TooLong,
}

/// Why no further line comes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BrokenOff {
    /// The connection failed.
    Failed,
    /// Nothing came for too long.
    Idle,
    /// The server goes down.
    Stopped,
    /// A line has no end.
    Endless,
}

/// Bytes of one line that are read away.
const ENDLESS: usize = 8 * 1024 * 1024;

/// Lines of a body.
pub(crate) struct Lines {
    body: Body,
    read: BytesMut,
    most: usize,
    idle: Duration,
    ended: bool,
}

impl Lines {
    /// Lines of at most `most` bytes; nothing may come for at most `idle`.
    pub(crate) fn new(body: Body, most: usize, idle: Duration) -> Self {
        Self {
            body,
            read: BytesMut::new(),
            most,
            idle,
            ended: false,
        }
    }

    /// The next line; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>, BrokenOff> {
        let mut searched = 0;
        let mut too_long = false;
        let mut thrown_away = 0;
        loop {
            let end = self.read[searched..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = self.read.split_to(searched + end);
                self.read.advance(1);
                return Ok(Some(self.line(line, too_long)));
            }
            searched = self.read.len();
            if searched > self.most {
                thrown_away += searched;
                if thrown_away > ENDLESS {
                    return Err(BrokenOff::Endless);
                }
                self.read.clear();
                (searched, too_long) = (0, true);
            }
            if self.ended {
                let line = self.read.split();
                let nothing = line.is_empty() && !too_long;
                return Ok((!nothing).then(|| self.line(line, too_long)));
            }
            self.fill().await?;
        }
    }

    /// Reads a little more away, so that a client that still sends reads its answers, and no
    /// reset.
    pub(crate) async fn discard(mut self) {
        let mut left = ENDLESS;
        while left > 0 && !self.ended && self.fill().await.is_ok() {
            left = left.saturating_sub(self.read.split().len());
        }
    }

    fn line(&self, line: BytesMut, too_long: bool) -> Line {
        if too_long || line.len() > self.most {
            Line::TooLong
        } else {
            Line::Bytes(line.freeze())
        }
    }

    async fn fill(&mut self) -> Result<(), BrokenOff> {
        match tokio::time::timeout(self.idle, self.body.frame()).await {
            Err(_) => Err(BrokenOff::Idle),
            Ok(Some(Err(_))) => Err(BrokenOff::Failed),
            Ok(None) => {
                self.ended = true;
                Ok(())
            }
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    self.read.extend_from_slice(data);
                }
                Ok(())
            }
        }
    }
}

/// A body that is sent piece by piece. What is not yet sent waits in memory, up to
/// [`WAITING_MAX`]: a client may well send all of its lines before it reads the first answer.
pub(crate) struct Sent {
    pieces: UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// Bytes that may wait to be sent.
const WAITING_MAX: usize = 16 * 1024 * 1024;
const LOOK: Duration = Duration::from_millis(50);

/// Where the pieces of a body are given.
pub(crate) struct Sender {
    pieces: UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

impl Sender {
    /// Gives a piece. A client that went away needs none.
    pub(crate) fn give(&self, piece: Bytes) {
        self.waiting.fetch_add(piece.len(), Ordering::Relaxed);
        drop(self.pieces.send(piece));
    }

    /// Waits until there is room for more; false when the client has gone, or takes nothing for
    /// as long as `idle`.
    pub(crate) async fn room(&self, idle: Duration) -> bool {
        let mut waited = Duration::ZERO;
        while self.waiting.load(Ordering::Relaxed) > WAITING_MAX && waited < idle {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
        waited < idle && !self.pieces.is_closed()
    }
}

/// A sender, and the body that sends what it is given.
pub(crate) fn sent() -> (Sender, Body) {
    let (sender, receiver) = unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let sent = Sent {
        pieces: receiver,
        waiting: Arc::clone(&waiting),
    };
    let pieces = sender;
    (Sender { pieces, waiting }, Body::new(sent))
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        Poll::Ready(piece.map(|bytes| {
            self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
            Ok(Frame::data(bytes))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(pieces: &[&str], most: usize) -> Vec<Line> {
        let (sender, body) = sent();
        for piece in pieces {
            sender.give(Bytes::copy_from_slice(piece.as_bytes()));
        }
        drop(sender);
        let mut lines = Lines::new(body, most, Duration::from_secs(5));
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            found.push(line);
        }
        found
    }

    #[tokio::test]
    async fn lines_are_cut_wherever_the_pieces_end() {
        let line = |text: &'static str| Line::Bytes(Bytes::from_static(text.as_bytes()));
        assert_eq!(lines(&[], 9).await, []);
        assert_eq!(lines(&["a\nb"], 9).await, [line("a"), line("b")]);
        assert_eq!(
            lines(&["a", "b\n", "\nc\n"], 9).await,
            [line("ab"), line(""), line("c")]
        );
        let long = "x".repeat(50);
        assert_eq!(
            lines(&["a\n", &long, &long, "\nb"], 9).await,
            [line("a"), Line::TooLong, line("b")]
        );
        assert_eq!(lines(&[&long], 9).await, [Line::TooLong]);
        assert_eq!(
            lines(&["0123456789\n012345678\n"], 9).await,
            [Line::TooLong, line("012345678")]
        );
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_gets_no_room() {
        let (sender, body) = sent();
        let idle = Duration::from_millis(120);
        assert!(sender.room(idle).await);
        sender.give(Bytes::from(vec![0; WAITING_MAX + 1]));
        assert!(!sender.room(idle).await);
        let mut body = body;
        body.frame().await.unwrap().unwrap();
        assert!(sender.room(idle).await);
        drop(body);
        assert!(!sender.room(idle).await, "it has gone");
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_given_up() {
        let (sender, body) = sent();
        for _ in 0..20 {
            sender.give(Bytes::from(vec![b'x'; 1024 * 1024]));
        }
        let mut lines = Lines::new(body, 100, Duration::from_secs(5));
        assert_eq!(lines.next().await, Err(BrokenOff::Endless));
    }

    #[tokio::test]
    async fn a_body_that_falls_silent_is_given_up() {
        let (sender, body) = sent();
        sender.give(Bytes::from_static(b"half a li"));
        let mut lines = Lines::new(body, 100, Duration::from_millis(20));
        assert_eq!(lines.next().await, Err(BrokenOff::Idle));
        drop(sender);
    }
}
