//! Physical lines to content lines (RFC 5545, 3.1).

use super::{Flaw, FlawKind};

/// One unfolded line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raw {
    /// The first physical line, from 1.
    pub number: usize,
    pub text: String,
}

pub(super) fn unfold(bytes: &[u8], flaws: &mut Vec<Flaw>) -> Vec<Raw> {
    let mut flaw = |line, kind| flaws.push(Flaw { line, kind });
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => {
            flaw(1, FlawKind::ByteOrderMark);
            rest
        }
        None => bytes,
    };
    let mut unfolded: Vec<(usize, Vec<u8>, bool)> = Vec::new();
    let mut bare = false;
    let mut number = 0;
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        let (line, ended) = match (piece.strip_suffix(b"\r\n"), piece.strip_suffix(b"\n")) {
            (Some(line), _) => (line, true),
            (None, Some(line)) => {
                if !bare {
                    flaw(number, FlawKind::BareLineFeed);
                }
                bare = true;
                (line, true)
            }
            (None, None) => (piece, false),
        };
        if !ended {
            flaw(number, FlawKind::NoFinalLineEnd);
        }
        if line.len() > 75 {
            flaw(number, FlawKind::LongLine(line.len()));
        }
        let whole = std::str::from_utf8(line).is_ok();
        match line.split_first() {
            None => flaw(number, FlawKind::BlankLine),
            Some((b' ' | b'\t', rest)) => {
                if line.first() == Some(&b'\t') {
                    flaw(number, FlawKind::FoldedByTab);
                }
                match unfolded.last_mut() {
                    Some((_, text, sound)) => {
                        text.extend_from_slice(rest);
                        *sound &= whole;
                    }
                    None => flaw(number, FlawKind::NothingToContinue),
                }
            }
            Some(_) => unfolded.push((number, line.to_vec(), whole)),
        }
    }
    let mut lines = Vec::with_capacity(unfolded.len());
    for (number, bytes, sound) in unfolded {
        let text = match String::from_utf8(bytes) {
            Ok(text) => {
                if !sound {
                    flaw(number, FlawKind::SplitCharacter);
                }
                text
            }
            Err(error) => {
                flaw(number, FlawKind::NotUtf8);
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        if let Some(control) = text.chars().find(|c| c.is_ascii_control() && *c != '\t') {
            flaw(number, FlawKind::Control(control));
        }
        lines.push(Raw { number, text });
    }
    lines
}
