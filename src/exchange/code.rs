//! Numbers of sessions as a short text for an address, so that a QR code carries the agenda itself.
//!
//! The text is base64url of: a format byte, the differences of the sorted numbers in LEB128, and two bytes of a
//! CRC, since a link that was cut off must not look like a shorter agenda. A hundred picks take some 200
//! characters, 500 at most 2,700: both fit a QR code.

use super::ExchangeError;
use super::pack::{pack, unpack};
use crate::agenda::MOST_PICKS;
use data_encoding::BASE64URL_NOPAD;

const FORMAT: u8 = 1;

/// Characters of a code: 500 numbers of five bytes each, and some.
pub const LONGEST_CODE: usize = 3400;

/// The code of sessions, by their numbers; an agenda's [`MOST_PICKS`] at most.
pub fn to_code(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut numbers: Vec<u32> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(MOST_PICKS);
    let mut bytes = vec![FORMAT];
    bytes.extend(pack(&numbers));
    let check = check(&bytes);
    bytes.extend_from_slice(&check);
    BASE64URL_NOPAD.encode(&bytes)
}

/// The numbers of a code, in order.
///
/// # Errors
/// [`ExchangeError::Code`] for whatever [`to_code`] does not write.
pub fn from_code(code: &str) -> Result<Vec<u32>, ExchangeError> {
    let decode = || {
        let bytes = BASE64URL_NOPAD.decode(code.as_bytes()).ok()?;
        let (body, sum) = bytes.split_last_chunk::<2>()?;
        let [FORMAT, rest @ ..] = body else { return None };
        let numbers = unpack(rest).filter(|_| check(body) == *sum)?;
        // No session has the number 0.
        (numbers.first() != Some(&0)).then_some(numbers)
    };
    let numbers = if code.len() > LONGEST_CODE { None } else { decode() };
    numbers.filter(|numbers| numbers.len() <= MOST_PICKS).ok_or(ExchangeError::Code)
}

fn check(bytes: &[u8]) -> [u8; 2] {
    let [a, b, ..] = crc32fast::hash(bytes).to_be_bytes();
    [a, b]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_short_and_one_that_is_cut_off_is_none() {
        let code = to_code((1..=100).map(|n| n * 499));
        assert!(code.len() < 280, "{}", code.len());
        assert_eq!(from_code(&code).unwrap().len(), 100);
        for length in 0..code.len() {
            assert_eq!(from_code(&code[..length]), Err(ExchangeError::Code), "{length}");
        }
        let full = to_code((0..500).map(|n| u32::MAX - n * 8_000_000));
        assert!(full.len() < LONGEST_CODE && from_code(&full).unwrap().len() == 500, "{}", full.len());
        assert_eq!(from_code(&to_code([])), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(numbers in proptest::collection::btree_set(1..=u32::MAX, 0..40)) {
            let numbers: Vec<u32> = numbers.into_iter().collect();
            prop_assert_eq!(from_code(&to_code(numbers.iter().rev().copied())), Ok(numbers));
        }

        #[test]
        fn no_text_panics(code in "[A-Za-z0-9_=-]{0,40}|.{0,20}") {
            let _ = from_code(&code);
        }
    }
}
