//! Bodies of responses: whole, held compressed, or streamed. The length is known before a body is sent, except for a
//! stream of events.
//!
//! A cache holds large bodies compressed: all exports of a program of 50,000 sessions are about 250 MB of text, and a tenth
//! of that as gzip. A client that accepts no gzip gets them decompressed piece by piece.

use crate::feed::{Coded, Coding, Effort};
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http_body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::io::{Cursor, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body. It never fails; a failing connection is the server's concern.
#[derive(Default)]
pub enum Body {
    /// Nothing, or nothing more.
    #[default]
    Empty,
    /// One piece.
    Whole(Bytes),
    /// A few pieces, shared with others.
    Pieces(VecDeque<Bytes>),
    /// Pieces that arrive over time, such as server-sent events.
    Stream(Pin<Box<dyn Stream>>),
}

/// The source of a [`Body::Stream`]. None ends it.
pub trait Stream: Send {
    /// The next piece.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>>;

    /// The bytes that are left, if known.
    fn length(&self) -> Option<u64> {
        None
    }
}

impl Body {
    /// The body's length in bytes, if it is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Pieces(pieces) => Some(pieces.iter().map(|piece| piece.len() as u64).sum()),
            Self::Stream(stream) => stream.length(),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        let next = match body {
            Self::Empty => None,
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                *body = Self::Empty;
                Some(bytes).filter(|bytes| !bytes.is_empty())
            }
            Self::Pieces(pieces) => pieces.pop_front(),
            Self::Stream(stream) => match stream.as_mut().poll_next(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Whole(bytes) }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

/// Prints only the length, since a body may hold an agenda.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length()).finish()
    }
}

/// A body of this many bytes or more is held compressed.
const LARGE: usize = 1024 * 1024;

/// The bytes of one piece: its decompression takes about 40 µs of a thread that answers requests.
const PIECE_BYTES: u64 = 16 * 1024;

/// A body that is held plain or, if it is large, compressed.
#[derive(Debug, Clone)]
pub(super) enum Packed {
    Plain(Bytes),
    Gzip {
        gzip: Bytes,
        /// The length of the plain body.
        length: u64,
    },
}

impl Packed {
    pub(super) fn new(plain: Bytes) -> Self {
        if plain.len() < LARGE {
            return Self::Plain(plain);
        }
        let gzip = Coded::make(Coding::Gzip, Effort::Best, &plain);
        Self::with(plain, gzip.as_ref())
    }

    /// [`Self::new`], if the gzip form exists already.
    pub(super) fn with(plain: Bytes, gzip: Option<&Coded>) -> Self {
        match gzip {
            Some(gzip) if plain.len() >= LARGE => {
                Self::Gzip { gzip: gzip.bytes.clone(), length: plain.len() as u64 }
            }
            _ => Self::Plain(plain),
        }
    }

    /// The bytes that the body takes in memory.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Plain(plain) => plain.len(),
            Self::Gzip { gzip, .. } => gzip.len(),
        }
    }

    /// The compressed body, if the body is held compressed.
    pub(super) fn gzip(&self) -> Option<Bytes> {
        match self {
            Self::Plain(_) => None,
            Self::Gzip { gzip, .. } => Some(gzip.clone()),
        }
    }

    /// The plain body.
    pub(super) fn body(&self) -> Body {
        match self {
            Self::Plain(plain) => Body::from(plain.clone()),
            Self::Gzip { gzip, length } => {
                let decoder = GzDecoder::new(Cursor::new(gzip.clone()));
                Body::Stream(Box::pin(Unpacking { decoder, left: *length }))
            }
        }
    }
}

struct Unpacking {
    decoder: GzDecoder<Cursor<Bytes>>,
    left: u64,
}

impl Stream for Unpacking {
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let most = self.left.min(PIECE_BYTES);
        let mut piece = Vec::with_capacity(usize::try_from(most).unwrap_or_default());
        let read = (&mut self.decoder).take(most).read_to_end(&mut piece);
        // An error is impossible unless memory is corrupt. A body that ends early closes the connection.
        match read {
            Ok(read) if read > 0 => {
                self.left = self.left.saturating_sub(read as u64);
                Poll::Ready(Some(piece.into()))
            }
            _ => Poll::Ready(None),
        }
    }

    fn length(&self) -> Option<u64> {
        Some(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use http_body_util::BodyExt;

    struct Countdown(u8);

    impl Stream for Countdown {
        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
            self.0 = self.0.saturating_sub(1);
            Poll::Ready((self.0 > 0).then(|| Bytes::from(self.0.to_string())))
        }
    }

    #[tokio::test]
    async fn every_kind_gives_its_bytes_and_knows_its_length() {
        let pieces = VecDeque::from([Bytes::from_static(b"a"), Bytes::from_static(b"bc")]);
        for (body, length, text) in [
            (Body::Empty, Some(0), ""),
            (Body::from("abc"), Some(3), "abc"),
            (Body::from(String::new()), Some(0), ""),
            (Body::Pieces(pieces), Some(3), "abc"),
            (Body::Stream(Box::pin(Countdown(4))), None, "321"),
        ] {
            assert_eq!(body.size_hint().exact(), length);
            assert_eq!(body.is_end_stream(), length == Some(0));
            assert_eq!(body.collect().await.unwrap().to_bytes(), text);
        }
    }

    #[tokio::test]
    async fn a_large_body_is_small_in_memory_and_comes_out_as_it_went_in() {
        for (plain, is_packed) in [("short", false), (&"a line of text\n".repeat(100_000), true)] {
            let packed = Packed::new(Bytes::from(plain.to_owned()));
            assert_eq!(packed.weight() < plain.len() / 10, is_packed);
            let body = packed.body();
            assert_eq!(body.size_hint().exact(), Some(plain.len() as u64));
            assert_eq!(body.collect().await.unwrap().to_bytes(), plain);
        }
    }
}
