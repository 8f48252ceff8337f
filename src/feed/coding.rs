//! Content codings of public feeds, made at publication (RFC 9110, 8.4; RFC 7932; RFC 8878).

use arc_swap::ArcSwap;
use bytes::Bytes;
use std::io::Write;
use std::sync::Arc;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// The codings that are made, in order of preference: Brotli is smallest on this kind of text.
    pub const MADE: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// The token of Content-Encoding.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// At once after a publication.
    Quick,
    /// Swapped in behind.
    Best,
}

/// A compressed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// The coding.
    pub coding: Coding,
    /// Its level: it tells two bodies of one coding apart, in their entity tags.
    pub level: u32,
    /// The body.
    pub bytes: Bytes,
}

/// The codings of a body that are made by now. Better ones are swapped in behind.
#[derive(Debug, Default)]
pub struct Codings(ArcSwap<Made>);

#[derive(Debug, Default)]
struct Made {
    /// The effort that made them; none before the first.
    effort: Option<Effort>,
    coded: Vec<Coded>,
}

impl Codings {
    /// One of them, or none for the plain body.
    pub fn choose(&self, choose: impl FnOnce(&[Coded]) -> Option<&Coded>) -> Option<Coded> {
        choose(&self.0.load().coded).cloned()
    }

    /// Makes them, unless they were made with as much effort already: what releases share is made once.
    pub fn make(&self, effort: Effort, codings: &[Coding], plain: &[u8]) {
        if self.0.load().effort >= Some(effort) {
            return;
        }
        let coded = codings.iter().filter_map(|coding| Coded::make(*coding, effort, plain)).collect();
        self.0.store(Arc::new(Made { effort: Some(effort), coded }));
    }
}

/// Above this the best levels cost minutes of processor time for a few per cent.
const LARGE: usize = 256 * 1024;

impl Coded {
    /// Compresses; none where it fails or saves nothing.
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
        // zstd's buffer is as long as the plain text; kept for as long as the release, it would double it.
        bytes.shrink_to_fit();
        (bytes.len() < plain.len()).then(|| Self { coding, level, bytes: bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn every_coding_gives_the_text_back() {
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
    fn what_saves_nothing_is_not_made() {
        assert_eq!(Coded::make(Coding::Gzip, Effort::Best, b"x"), None);
    }
}
