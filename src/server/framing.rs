//! Where requests begin and end in the bytes of a connection (RFC 9112, 2.2, 6.3 and 7.1).
//!
//! hyper accepts a bare LF as the end of a line in a head. RFC 9112 allows that, but some proxies reject it, so hyper
//! and a proxy could disagree about where a request ends. To refuse a bare LF, heads must be told from bodies. So
//! bytes that were received together are handed over one request at a time. hyper parses each head and reports the
//! length of its body; this module interprets only the line ends of a head.

/// Replaces a bare LF and everything after it. hyper rejects a NUL anywhere in a head with 400, but only once the
/// head has ended; hence the empty line.
pub(super) const REFUSED: &[u8] = b"\0\r\n\r\n";

/// The part of a message that the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessagePart {
    /// A head, or the empty lines that may stand before one.
    Head {
        /// Bytes of the line so far; counting stops at 2.
        line: u8,
        after_cr: bool,
        /// Whether the request line has begun.
        begun: bool,
    },
    /// The bytes after a head that hyper has not parsed yet.
    Unknown,
    /// A bare LF in a head. No further bytes are handed over.
    Refused,
    /// A body with this many bytes left.
    Body(u64),
    /// A chunked body.
    Chunked(Chunk),
}

/// A place within a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// The line with a chunk's size and, optionally, extensions.
    Size { size: u64, is_extension: bool },
    /// A chunk's data and the line end after it, with this many bytes left.
    Data(u64),
    /// A line after the last chunk.
    Trailer { is_empty: bool },
}

const START: MessagePart = MessagePart::Head { line: 0, after_cr: false, begun: false };
const CHUNKS: MessagePart = MessagePart::Chunked(Chunk::Size { size: 0, is_extension: false });

impl Default for MessagePart {
    fn default() -> Self {
        START
    }
}

impl MessagePart {
    /// Whether the next request line has not begun.
    pub(super) fn is_between(self) -> bool {
        matches!(self, Self::Head { begun: false, .. })
    }

    /// Whether the next byte is a bare LF in a head.
    pub(super) fn is_refused(self) -> bool {
        self == Self::Refused
    }

    /// Whether hyper must parse the last head before more bytes can be followed.
    pub(super) fn is_unknown(self) -> bool {
        self == Self::Unknown
    }

    /// The part after a head whose body has this length; none stands for a chunked body.
    pub(super) fn behind_head(length: Option<u64>) -> Self {
        match length {
            Some(0) => START,
            Some(length) => Self::Body(length),
            None => CHUNKS,
        }
    }

    /// Follows `bytes` up to the end of the current head or body, or up to a bare LF, and returns the number of bytes
    /// that it followed.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Head { .. } => self.follow_head(bytes),
            Self::Unknown => bytes.len(),
            Self::Refused => 0,
            Self::Body(left) => {
                let now = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= now as u64;
                if *left == 0 {
                    *self = START;
                }
                now
            }
            Self::Chunked(_) => self.follow_chunks(bytes),
        }
    }

    fn follow_head(&mut self, bytes: &[u8]) -> usize {
        let Self::Head { line, after_cr, begun } = self else { return 0 };
        let mut seen = 0;
        while let Some(rest) = bytes.get(seen..).filter(|rest| !rest.is_empty()) {
            let Some(at) = memchr::memchr(b'\n', rest) else {
                *after_cr = rest.last() == Some(&b'\r');
                // A CR may be the beginning of an empty line.
                *begun |= rest.len() > 1 || !*after_cr || *line > 0;
                *line = line.saturating_add(u8::try_from(rest.len()).unwrap_or(u8::MAX)).min(2);
                return bytes.len();
            };
            let is_after_cr = match at.checked_sub(1).and_then(|before| rest.get(before)) {
                Some(before) => *before == b'\r',
                None => *after_cr,
            };
            if !is_after_cr {
                *self = Self::Refused;
                return seen + at;
            }
            let is_empty = usize::from(*line) + at == 1;
            seen += at + 1;
            (*line, *after_cr) = (0, false);
            match (is_empty, *begun) {
                (true, true) => {
                    *self = Self::Unknown;
                    return seen;
                }
                (true, false) => {}
                (false, _) => *begun = true,
            }
        }
        seen
    }

    fn follow_chunks(&mut self, bytes: &[u8]) -> usize {
        let Self::Chunked(chunk) = self else { return 0 };
        let mut seen = 0;
        while let Some(byte) = bytes.get(seen) {
            match chunk {
                Chunk::Data(left) => {
                    let now = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - seen);
                    *left -= now as u64;
                    seen += now;
                    if *left == 0 {
                        *chunk = Chunk::Size { size: 0, is_extension: false };
                    }
                    continue;
                }
                Chunk::Size { size: 0, .. } if *byte == b'\n' => *chunk = Chunk::Trailer { is_empty: true },
                Chunk::Size { size, .. } if *byte == b'\n' => *chunk = Chunk::Data(size.saturating_add(2)),
                Chunk::Size { size, is_extension } => match char::from(*byte).to_digit(16) {
                    Some(digit) if !*is_extension => {
                        *size = size.saturating_mul(16).saturating_add(digit.into());
                    }
                    _ => *is_extension = true,
                },
                Chunk::Trailer { is_empty: true } if *byte == b'\n' => {
                    *self = START;
                    return seen + 1;
                }
                Chunk::Trailer { is_empty } => *is_empty = *byte == b'\n' || *byte == b'\r' && *is_empty,
            }
            seen += 1;
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lengths of the parts of some bytes, up to a bare LF in a head, and whether there is a bare LF. `bodies`
    /// are the lengths that hyper reports for the heads' bodies.
    fn parts(text: &[u8], piece: usize, bodies: &[Option<u64>]) -> (Vec<usize>, bool) {
        let (mut part, mut bodies) = (MessagePart::default(), bodies.iter());
        let mut lengths = Vec::new();
        let mut length = 0;
        for piece in text.chunks(piece) {
            let mut rest = piece;
            while !rest.is_empty() {
                if part.is_unknown() {
                    part = MessagePart::behind_head(*bodies.next().unwrap_or(&Some(0)));
                }
                let before = part;
                let seen = part.follow(rest);
                length += seen;
                if part.is_refused() {
                    assert_eq!(rest[seen], b'\n');
                    lengths.push(length);
                    return (lengths, true);
                }
                assert!(seen > 0, "{before:?} takes nothing");
                rest = &rest[seen..];
                if part.is_unknown() || part.is_between() && !before.is_between() {
                    lengths.push(std::mem::take(&mut length));
                }
            }
        }
        lengths.push(length);
        lengths.retain(|length| *length > 0);
        (lengths, false)
    }

    const HEAD: &str = "POST / HTTP/1.1\r\nHost: x\r\n\r\n";

    #[test]
    fn heads_and_bodies_are_told_apart_however_they_arrive() {
        let chunked =
            "3;a=\"\n\r\nabc\r\nA\r\n\n\n\n\r\n\r\n\r\n\r\n\n\r\n0\r\nA: b\r\n\r\n".replace("\"\n", "\"");
        let text = format!("\r\n{HEAD}{HEAD}\n\n\n\n\n{HEAD}{chunked}{HEAD}");
        for piece in 1..text.len() {
            let (lengths, is_refused) = parts(text.as_bytes(), piece, &[Some(0), Some(5), None]);
            assert!(!is_refused, "in pieces of {piece}");
            let (head, chunked) = (HEAD.len(), chunked.len());
            assert_eq!(lengths, [head + 2, head, 5, head, chunked, head], "in pieces of {piece}");
        }
    }

    #[test]
    fn a_bare_lf_in_a_head_is_found() {
        for text in
            ["G\nA: b\r\n\r\n", "\nG\r\n\r\n", "G\r\nA: b\n\r\n", "G\r\n\n", "\r\n\n", "G\r\nA:\r\r\n\n"]
        {
            for piece in 1..=text.len() {
                let (lengths, is_refused) = parts(text.as_bytes(), piece, &[]);
                let bare =
                    (0..text.len()).find(|at| text[*at..].starts_with('\n') && !text[..*at].ends_with('\r'));
                assert!(is_refused, "{text:?} in pieces of {piece}");
                assert_eq!(lengths.iter().sum::<usize>(), bare.unwrap(), "{text:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_connection_is_between_requests_until_one_begins() {
        let mut part = MessagePart::default();
        assert!(part.is_between());
        part.follow(b"\r\n");
        assert!(part.is_between());
        part.follow(b"G");
        assert!(!part.is_between());
    }

    proptest! {
        #[test]
        fn no_bytes_are_lost_or_taken_twice(text in "[GA:0-9a-f;\r\n ]{0,200}", piece in 1..40usize, body in prop::option::of(0..20u64)) {
            let (lengths, is_refused) = parts(text.as_bytes(), piece, &[body, None, body, None]);
            let (whole, is_refused_whole) = parts(text.as_bytes(), 1000, &[body, None, body, None]);
            prop_assert_eq!((&lengths, is_refused), (&whole, is_refused_whole), "it depends on the pieces");
            prop_assert!(is_refused || lengths.iter().sum::<usize>() == text.len());
        }
    }
}
