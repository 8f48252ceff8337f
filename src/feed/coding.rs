//! Content codings of public feeds and pages, made at publication (RFC 9110, 8.4; RFC 7932; RFC 8878).
//!
//! A feed's gzip is one member that is joined from deflated pieces (RFC 1951, RFC 1952). Each piece is raw deflate that
//! ends with a full flush: at a byte boundary, without references to earlier bytes, so pieces can be joined in any order.
//! The CRC-32s of the pieces combine into the CRC-32 of the trailer. A sequence of gzip members would be simpler, but curl,
//! wget, httpx, PHP and Perl cannot read it.

use arc_swap::ArcSwap;
use bytes::Bytes;
use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};
use http::{HeaderMap, HeaderValue};
use std::io::Write;
use std::sync::{Arc, OnceLock};

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// The body is not coded.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// The codings that are made, in order of preference. Brotli compresses feeds best.
    pub const MADE: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// The Content-Encoding token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// How much time to spend on compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Fast; used right after a publication.
    Quick,
    /// Slow; made in the background, and replaces the quick codings.
    Best,
}

/// A compressed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// The coding.
    pub coding: Coding,
    /// The compression level, which distinguishes the entity tags of two bodies in one coding.
    pub level: u32,
    /// The body.
    pub bytes: Bytes,
    /// Set by the first response.
    pub heads: Heads,
}

/// The heads of the responses with one body. They never change, so `http` makes them once and stores them here.
pub type Heads = OnceLock<Box<ResponseHeads>>;

/// The header fields of the responses with one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHeads {
    /// The entity tag.
    pub tag: HeaderValue,
    /// The fields of a 200.
    pub ok: HeaderMap,
    /// The fields of a 304.
    pub not_modified: HeaderMap,
}

/// The codings of a body that have been made so far. Better codings replace them later.
#[derive(Debug, Default)]
pub struct Codings {
    made: ArcSwap<CodedBodies>,
    /// The heads of the responses with the plain body.
    plain: Heads,
}

#[derive(Debug, Default)]
struct CodedBodies {
    /// The effort with which the codings were made; none if there are none yet.
    effort: Option<Effort>,
    coded: Vec<Coded>,
}

impl Codings {
    /// Calls `choose` with the heads of the plain body and with all coded bodies.
    pub fn choose<T>(&self, choose: impl FnOnce(&Heads, &[Coded]) -> T) -> T {
        choose(&self.plain, &self.made.load().coded)
    }

    /// Makes the codings, unless they were already made with that effort, as in a feed that two releases share.
    pub fn make(&self, effort: Effort, codings: &[Coding], plain: &[u8]) {
        if self.made.load().effort >= Some(effort) {
            return;
        }
        let coded = codings.iter().filter_map(|coding| Coded::make(*coding, effort, plain)).collect();
        self.made.store(Arc::new(CodedBodies { effort: Some(effort), coded }));
    }
}

/// The size in bytes above which the best levels take minutes of processor time and save only a few per cent.
const LARGE: usize = 256 * 1024;

impl Coded {
    /// The compressed body; none if compression fails or does not save bytes.
    pub fn make(coding: Coding, effort: Effort, plain: &[u8]) -> Option<Self> {
        let large = plain.len() > LARGE;
        let level = match (coding, effort, large) {
            (Coding::Identity, ..) => return None,
            (Coding::Gzip, Effort::Quick, _) => 1,
            (Coding::Gzip, Effort::Best, false) => 9,
            (Coding::Gzip, Effort::Best, true) => 6,
            (Coding::Brotli, Effort::Quick, _) => 3,
            (Coding::Brotli, Effort::Best, false) => 11,
            (Coding::Brotli, Effort::Best, true) => 5,
            (Coding::Zstd, Effort::Quick, _) => 2,
            (Coding::Zstd, Effort::Best, false) => 19,
            (Coding::Zstd, Effort::Best, true) => 6,
        };
        let mut bytes = match coding {
            Coding::Identity => return None,
            Coding::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
                writer.write_all(plain).ok()?;
                writer.finish().ok()?
            }
            Coding::Brotli => {
                let mut out = Vec::new();
                let params = brotli::enc::BrotliEncoderParams {
                    quality: i32::try_from(level).unwrap_or(5),
                    size_hint: plain.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*plain, &mut out, &params).ok()?;
                out
            }
            Coding::Zstd => zstd::bulk::compress(plain, i32::try_from(level).unwrap_or(3)).ok()?,
        };
        // zstd's buffer is as large as the plain text, and would stay in memory as long as the release.
        bytes.shrink_to_fit();
        (bytes.len() < plain.len()).then(|| Self { coding, level, bytes: bytes.into(), heads: Heads::new() })
    }
}

/// A deflated piece of a body.
#[derive(Debug, Clone)]
pub(super) struct Deflated {
    deflated: Bytes,
    crc: Hasher,
}

/// ID, CM = deflate, no flags, no time, XFL = 0, OS = unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// An empty final block.
const FINAL: [u8; 2] = [3, 0];

impl Deflated {
    /// Compresses a piece, which can then be used in many bodies.
    pub(super) fn piece(plain: &[u8]) -> Self {
        let mut compress = Compress::new(Compression::best(), false);
        let mut out = Vec::with_capacity(plain.len() / 2 + 64);
        let mut rest = plain;
        loop {
            out.reserve(rest.len() / 2 + 64);
            let before = compress.total_in();
            // A full flush is complete if the output still has room (zlib's manual, deflate()).
            let done = compress.compress_vec(rest, &mut out, FlushCompress::Full);
            let taken = usize::try_from(compress.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            if done.is_err() || (rest.is_empty() && out.len() < out.capacity()) {
                break;
            }
        }
        Self { deflated: out.into(), crc: crc_of(plain) }
    }
}

fn crc_of(plain: &[u8]) -> Hasher {
    let mut crc = Hasher::new();
    crc.update(plain);
    crc
}

/// A gzip body under construction.
pub(super) struct Gzip {
    out: Vec<u8>,
    crc: Hasher,
    /// The length of the plain text modulo 2^32.
    length: u32,
    plain: usize,
}

impl Gzip {
    pub(super) fn new(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity + 32);
        out.extend(HEADER);
        Self { out, crc: Hasher::new(), length: 0, plain: 0 }
    }

    /// Appends a deflated piece. `length` is the length of the piece's plain text.
    pub(super) fn piece(&mut self, piece: &Deflated, length: usize) {
        self.out.extend_from_slice(&piece.deflated);
        self.crc.combine(&piece.crc);
        self.add(length);
    }

    /// Appends text as stored blocks. Such text differs in every body and is not worth compressing.
    pub(super) fn text(&mut self, plain: &[u8]) {
        for block in plain.chunks(usize::from(u16::MAX)) {
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            self.out.push(0);
            self.out.extend(length.to_le_bytes());
            self.out.extend((!length).to_le_bytes());
            self.out.extend_from_slice(block);
        }
        self.crc.update(plain);
        self.add(plain.len());
    }

    /// The gzip member; none if the member is not smaller than the plain text. ISIZE is the length modulo 2^32.
    pub(super) fn finish(mut self) -> Option<Bytes> {
        self.out.extend(FINAL);
        self.out.extend(self.crc.finalize().to_le_bytes());
        self.out.extend(self.length.to_le_bytes());
        (self.out.len() < self.plain).then(|| self.out.into())
    }

    fn add(&mut self, length: usize) {
        self.plain += length;
        let modulo = u32::try_from(length as u64 & u64::from(u32::MAX)).unwrap_or_default();
        self.length = self.length.wrapping_add(modulo);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    #[test]
    fn every_coding_decompresses_to_the_text() {
        let plain = "BEGIN:VEVENT\r\nSUMMARY:x\r\n".repeat(400);
        for effort in [Effort::Quick, Effort::Best] {
            for coding in Coding::MADE {
                let coded = Coded::make(coding, effort, plain.as_bytes()).unwrap().bytes;
                let mut back = Vec::new();
                match coding {
                    Coding::Gzip => {
                        flate2::read::GzDecoder::new(&coded[..]).read_to_end(&mut back).map(drop).unwrap()
                    }
                    Coding::Brotli => brotli::BrotliDecompress(&mut &coded[..], &mut back).unwrap(),
                    _ => back = zstd::bulk::decompress(&coded, plain.len()).unwrap(),
                }
                assert_eq!(back, plain.as_bytes(), "{coding:?}");
            }
        }
    }

    #[test]
    fn codings_are_made_again_only_with_more_effort() {
        let plain = "BEGIN:VEVENT\r\n".repeat(100);
        let codings = Codings::default();
        let level = || codings.choose(|_, made| Some(made.first()?.level));
        assert_eq!(level(), None);
        for (effort, expected) in [(Effort::Quick, 1), (Effort::Best, 9), (Effort::Quick, 9)] {
            codings.make(effort, &[Coding::Gzip], plain.as_bytes());
            assert_eq!(level(), Some(expected));
        }
    }

    #[test]
    fn a_coding_that_saves_nothing_is_not_made() {
        assert_eq!(Coded::make(Coding::Gzip, Effort::Best, b"x"), None);
    }

    proptest! {
        #[test]
        fn joined_pieces_are_one_member_that_decompresses_to_the_text(
            parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(0..4u8, 0..4000)), 0..12)
        ) {
            let mut gzip = Gzip::new(0);
            for (stored, part) in &parts {
                if *stored { gzip.text(part) } else { gzip.piece(&Deflated::piece(part), part.len()) }
            }
            let whole: Vec<u8> = parts.iter().flat_map(|(_, part)| part.clone()).collect();
            let Some(body) = gzip.finish() else { return Ok(()) };
            prop_assert!(body.len() < whole.len());
            let mut back = Vec::new();
            let mut reader = flate2::bufread::GzDecoder::new(&body[..]);
            reader.read_to_end(&mut back).unwrap();
            let rest: &[u8] = reader.into_inner();
            prop_assert!(rest.is_empty());
            prop_assert_eq!(back, whole);
        }
    }

    #[test]
    fn a_large_piece_is_complete() {
        let plain: Vec<u8> = (0..300_000u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761) & 0x0f0f_0f0f).to_le_bytes())
            .collect();
        let mut gzip = Gzip::new(0);
        gzip.piece(&Deflated::piece(&plain), plain.len());
        let mut back = Vec::new();
        flate2::bufread::GzDecoder::new(&gzip.finish().unwrap()[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, plain);
    }

    #[test]
    fn a_member_that_would_be_longer_than_its_text_is_not_made() {
        let mut gzip = Gzip::new(0);
        gzip.text(b"BEGIN:VCALENDAR\r\n");
        gzip.piece(&Deflated::piece(b"UID:x\r\n"), 7);
        assert_eq!(gzip.finish(), None);
    }
}
