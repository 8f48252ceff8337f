//! Large bodies that a cache holds compressed. A client that accepts no gzip gets them decompressed piece by piece.
//!
//! All exports of a program of 50,000 sessions are about 250 MB of text, and a tenth of that as gzip.

use super::Body;
use super::body::Stream;
use crate::feed::{Coded, Coding, Effort};
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use std::io::{Cursor, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body of this many bytes or more is held compressed.
const LARGE: usize = 1024 * 1024;

/// The bytes of one piece: its decompression takes about 40 µs of a thread that answers requests.
const PIECE: u64 = 16 * 1024;

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
        let most = self.left.min(PIECE);
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
