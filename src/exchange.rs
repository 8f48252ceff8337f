//! Picks in and out: lists of sessions in the words of other tools, matched to a release.
//!
//! Owns the forms that picks travel in (a calendar, a list of ids, a short code for an address) and how each
//! line finds its session. It fetches nothing, changes nothing, and drops nothing silently: every line that
//! came in is in the [`Matching`]. Pure: it knows neither the store nor HTTP.

mod code;
mod find;
mod ical;
mod list;
mod out;
mod pack;

pub use code::{LONGEST_CODE, from_code, to_code};
pub use find::{Line, Matching, Outcome};
pub use out::to_json;
pub use pack::{pack, unpack};

use crate::program::SessionId;
use crate::release::Release;
use chrono::{DateTime, Utc};
use find::Index;
use uuid::Uuid;

/// Bytes of a file.
pub const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Lines of a file; more is no agenda.
pub const MOST_LINES: usize = 2000;

/// Why nothing of a file could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// Over [`MOST_BYTES`].
    #[error("the file may have {MOST_BYTES} bytes at most")]
    TooLarge,
    /// Over [`MOST_LINES`].
    #[error("the file holds {0} sessions, and {MOST_LINES} are read at most; import a part of it")]
    TooMany(usize),
    /// Neither a calendar nor JSON.
    #[error("the file is neither a calendar (.ics) nor a JSON list of guids or ids")]
    Unknown,
    /// JSON that is none.
    #[error("the file is not JSON: {0}")]
    NotJson(String),
    /// JSON of another form.
    #[error(
        "the JSON is no list of guids, ids, codes or numbers, nor an object with such a list as \"picks\"{0}"
    )]
    NoList(String),
    /// A code that is cut off or mistyped.
    #[error("this link holds no picks; it may be cut off")]
    Code,
}

/// A session as somebody else's file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// How a report calls it.
    text: String,
    keys: Vec<Key>,
}

/// A way to find a session. The first that finds any decides.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// A calendar's UID.
    Uid(String),
    /// A guid of frab's.
    Guid(Uuid),
    /// A number of frab's, or ours in a code.
    Number(u32),
    /// An id, a UID, a guid, a code or a number, whichever it is.
    Any(String),
    /// A title and its time.
    Titled(String, DateTime<Utc>),
}

/// Matches a file, whichever of the forms it has, against a release. `held` are picked already.
///
/// # Errors
/// [`ExchangeError`] where nothing could be read; a line that finds nothing is in the matching.
pub fn from_file(bytes: &[u8], release: &Release, held: &[SessionId]) -> Result<Matching, ExchangeError> {
    if bytes.len() > MOST_BYTES {
        return Err(ExchangeError::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wanted = match bytes.trim_ascii_start().first() {
        Some(b'[' | b'{') => list::read(bytes)?,
        _ => ical::read(bytes, release.program.conference.zone)?,
    };
    if wanted.len() > MOST_LINES {
        return Err(ExchangeError::TooMany(wanted.len()));
    }
    Ok(Index::of(release, &wanted).matching(wanted, held))
}

/// Matches the numbers of a code.
pub fn from_numbers(numbers: &[u32], release: &Release, held: &[SessionId]) -> Matching {
    let name = |number: &u32| Wanted { text: format!("number {number}"), keys: vec![Key::Number(*number)] };
    let wanted: Vec<Wanted> = numbers.iter().map(name).collect();
    Index::of(release, &wanted).matching(wanted, held)
}

/// A text of a stranger's file, short and without what could steer a page or a terminal.
fn shortened(text: &str) -> String {
    let line = crate::program::Text::line(text).0;
    let short: String = line.as_str().chars().take(80).collect();
    if short.len() < line.as_str().len() { format!("{short}…") } else { short }
}
