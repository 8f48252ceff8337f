//! Content codings of public feeds and pages, made at publication (RFC 9110, 8.4; RFC 7932; RFC 8878).

use arc_swap::ArcSwap;
use bytes::Bytes;
use std::io::Write;
use std::sync::Arc;

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
}

/// The codings of a body that have been made so far. Better codings replace them later.
#[derive(Debug, Default)]
pub struct Codings(ArcSwap<CodedBodies>);

#[derive(Debug, Default)]
struct CodedBodies {
    /// The effort with which the codings were made; none if there are none yet.
    effort: Option<Effort>,
    coded: Vec<Coded>,
}

impl Codings {
    /// The coded body that `choose` selects; none for the plain body.
    pub fn choose(&self, choose: impl FnOnce(&[Coded]) -> Option<&Coded>) -> Option<Coded> {
        choose(&self.0.load().coded).cloned()
    }

    /// Makes the codings, unless they were already made with that effort, as in a feed that two releases share.
    pub fn make(&self, effort: Effort, codings: &[Coding], plain: &[u8]) {
        if self.0.load().effort >= Some(effort) {
            return;
        }
        let coded = codings.iter().filter_map(|coding| Coded::make(*coding, effort, plain)).collect();
        self.0.store(Arc::new(CodedBodies { effort: Some(effort), coded }));
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
        (bytes.len() < plain.len()).then(|| Self { coding, level, bytes: bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let level = || codings.choose(|made| made.first()).map(|coded| coded.level);
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
}
