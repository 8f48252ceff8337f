//! Import and export of picks: lists of sessions as other tools name them, matched to a release.
//!
//! Owns the formats of picks (a calendar, a JSON list, a short code for an address) and the matching of names to
//! sessions. Fetches and changes nothing, and knows neither the store nor HTTP. Invariant: every entry of a file is in
//! its [`Matching`].
//!
//! The short code lets a link or a QR code carry a whole agenda: base64url of a format byte, the packed numbers of the
//! sessions, and two bytes of a CRC. Without the CRC, a truncated link would look like a shorter agenda. A hundred picks
//! take about 200 characters, and 500 picks at most 2,700. Both fit into a QR code.

mod busy;
mod matching;
mod read;

pub use busy::{BusyFile, busy_from_file};
pub use matching::{MatchOutcome, MatchedPick, Matching};
pub use read::{ExchangeError, MAX_BYTES, MAX_ENTRIES};

use crate::agenda::{Agenda, AgendaItem, MAX_PICKS};
use crate::export::{code, session_guid};
use crate::program::SessionId;
use crate::release::Release;
use data_encoding::BASE64URL_NOPAD;
use matching::{NameIndex, NameKey, SessionName};
use serde_json::{Value, json};

/// Matches a file to a release. `picked` are the sessions that are already picked.
///
/// # Errors
/// [`ExchangeError`] if the file cannot be read. An entry that matches no session is not an error; the result lists it.
pub fn from_file(bytes: &[u8], release: &Release, picked: &[SessionId]) -> Result<Matching, ExchangeError> {
    let names = read::read(bytes, release.program.conference.zone)?;
    Ok(NameIndex::of(release, &names).matching(names, picked))
}

/// Matches the numbers of a code to a release.
pub fn from_numbers(numbers: &[u32], release: &Release, picked: &[SessionId]) -> Matching {
    let name =
        |number: &u32| SessionName { text: format!("number {number}"), keys: vec![NameKey::Number(*number)] };
    let names: Vec<SessionName> = numbers.iter().map(name).collect();
    NameIndex::of(release, &names).matching(names, picked)
}

/// The picks as JSON that can be imported again: `{"conference", "release", "picks": [{"id", "guid", "code", "number",
/// "title", "start", "end", "cancelled"}], "gone"}`, in program order. `gone` lists the ids that the program no longer
/// shows.
pub fn to_json(release: &Release, picks: &[SessionId]) -> Value {
    let agenda = Agenda::of(picks, release);
    let pick = |item: &AgendaItem<'_>| {
        let session = item.session();
        json!({
            "id": session.id.as_str(),
            "guid": session_guid(session, &release.ledger.uid(&session.id)).to_string(),
            "code": code(item.entry.number.into()),
            "number": item.entry.number,
            "title": session.title.as_str(),
            "start": session.slot.start,
            "end": session.slot.end,
            "cancelled": item.entry.is_cancelled(),
        })
    };
    let gone: Vec<&str> = agenda.gone.iter().map(SessionId::as_str).collect();
    json!({
        "conference": release.program.conference.title.as_str(),
        "release": release.number(),
        "picks": agenda.items.iter().map(pick).collect::<Vec<Value>>(),
        "gone": gone,
    })
}

const FORMAT: u8 = 1;

/// The most characters of a code: 500 numbers of five bytes each, in base64.
const MAX_CODE: usize = 3400;

/// Encodes the numbers of sessions as a code. Only the lowest [`MAX_PICKS`] numbers are kept.
pub fn to_code(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut numbers: Vec<u32> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(MAX_PICKS);
    let mut bytes = vec![FORMAT];
    bytes.extend(pack(&numbers));
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    BASE64URL_NOPAD.encode(&bytes)
}

/// The numbers of a code, in order.
///
/// # Errors
/// [`ExchangeError::Code`] for a text that [`to_code`] does not write.
pub fn from_code(code: &str) -> Result<Vec<u32>, ExchangeError> {
    let decode = || {
        let bytes = BASE64URL_NOPAD.decode(code.as_bytes()).ok()?;
        let (body, sum) = bytes.split_last_chunk::<2>()?;
        let [FORMAT, rest @ ..] = body else { return None };
        let numbers = unpack(rest).filter(|_| checksum(body) == *sum)?;
        // No session has the number 0.
        (numbers.first() != Some(&0)).then_some(numbers)
    };
    let numbers = if code.len() > MAX_CODE { None } else { decode() };
    numbers.filter(|numbers| numbers.len() <= MAX_PICKS).ok_or(ExchangeError::Code)
}

/// The first two bytes of the CRC.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let [a, b, ..] = crc32fast::hash(bytes).to_be_bytes();
    [a, b]
}

/// Packs ascending numbers without duplicates: their differences in LEB128.
pub fn pack(numbers: &[u32]) -> Vec<u8> {
    let (mut bytes, mut last) = (Vec::new(), 0);
    for number in numbers {
        let mut distance = number.saturating_sub(last);
        last = *number;
        while distance > 0x7f {
            bytes.push(low_bits(distance) | 0x80);
            distance >>= 7;
        }
        bytes.push(low_bits(distance));
    }
    bytes
}

/// Unpacks numbers; none if [`pack`] cannot have written the bytes.
pub fn unpack(bytes: &[u8]) -> Option<Vec<u32>> {
    let (mut numbers, mut distance, mut shift) = (Vec::<u32>::new(), 0_u32, 0_u32);
    for byte in bytes {
        let bits = u32::from(byte & 0x7f);
        distance |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
        shift += 7;
        if byte & 0x80 == 0 {
            let next = match numbers.last() {
                Some(last) => last.checked_add(distance).filter(|_| distance > 0)?,
                None => distance,
            };
            numbers.push(next);
            (distance, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(numbers)
}

fn low_bits(number: u32) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_short_and_a_truncated_code_is_refused() {
        let code = to_code((1..=100).map(|n| n * 499));
        assert!(code.len() < 280, "{}", code.len());
        assert_eq!(from_code(&code).unwrap().len(), 100);
        for length in 0..code.len() {
            assert_eq!(from_code(&code[..length]), Err(ExchangeError::Code), "{length}");
        }
        let full = to_code((0..500).map(|n| u32::MAX - n * 8_000_000));
        assert!(full.len() < MAX_CODE && from_code(&full).unwrap().len() == 500, "{}", full.len());
        assert_eq!(from_code(&to_code([])), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn reading_a_code_gives_its_numbers(numbers in proptest::collection::btree_set(1..=u32::MAX, 0..40)) {
            let numbers: Vec<u32> = numbers.into_iter().collect();
            prop_assert_eq!(from_code(&to_code(numbers.iter().rev().copied())), Ok(numbers));
        }

        #[test]
        fn no_text_panics(code in "[A-Za-z0-9_=-]{0,40}|.{0,20}") {
            let _ = from_code(&code);
        }

        #[test]
        fn packing_and_unpacking_are_inverse(numbers in proptest::collection::btree_set(any::<u32>(), 0..500)) {
            let numbers: Vec<u32> = numbers.into_iter().collect();
            prop_assert_eq!(unpack(&pack(&numbers)), Some(numbers));
        }

        #[test]
        fn unpacking_any_bytes_gives_ascending_numbers(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let numbers = unpack(&bytes).unwrap_or_default();
            prop_assert!(numbers.is_sorted_by(|a, b| a < b));
        }
    }
}
