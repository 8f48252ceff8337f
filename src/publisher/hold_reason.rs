//! Why a release is held.

use crate::adopt::SheetDoubt;
use crate::texts::Texts;
use serde::{Serialize, Serializer};
use std::fmt;

/// The most sessions that a reason names.
const MAX_NAMED: usize = 3;

/// A reason for holding a release. [`fmt::Display`] and JSON give its English text, for logs and programs;
/// pages show it in their own language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldReason {
    /// The release removes, moves or retitles too many of the live sessions.
    TouchesMany {
        /// How many sessions the release removes, moves or retitles.
        touched: usize,
        /// How many sessions the live program has.
        of: usize,
    },
    /// The release changes the conference's zone or dates, and so every session.
    ZoneOrDates,
    /// The file lacks exactly the last rows of the live program, so many.
    LacksLastRows(usize),
    /// The file ends in the middle of the row of this session.
    EndsWithin(String),
    /// The followed spreadsheet may have been cut off.
    Source(SheetDoubt),
    /// The scheduled release was held when its time came.
    HeldWhenDue,
    /// The scheduled release would overwrite what later releases changed.
    Overwrites {
        /// The first of the later releases.
        first: u64,
        /// The last of the later releases.
        last: u64,
        /// The ids of the sessions; not empty.
        sessions: Vec<String>,
    },
}

impl HoldReason {
    /// The reason in a language, as a clause about the release: "it changes the conference's time zone or dates".
    pub(crate) fn text(&self, texts: &Texts) -> String {
        match self {
            Self::TouchesMany { touched, of } => {
                let percent = (touched.saturating_mul(100) + of / 2) / (*of).max(1);
                texts.hold_touches(*touched, *of, percent)
            }
            Self::ZoneOrDates => texts.hold_zone_or_dates.to_owned(),
            Self::LacksLastRows(rows) => texts.hold_lacks_rows(*rows),
            Self::EndsWithin(session) => texts.hold_ends_within(session),
            Self::Source(SheetDoubt::LacksLastRows(rows)) => texts.hold_sheet_lacks_rows(*rows),
            Self::Source(SheetDoubt::LacksLineBreak) => texts.hold_sheet_lacks_line_break.to_owned(),
            Self::Source(SheetDoubt::EndsWithinRow) => texts.hold_sheet_ends_within_row.to_owned(),
            Self::HeldWhenDue => texts.hold_when_due.to_owned(),
            Self::Overwrites { first, last, sessions } => {
                let mut named: Vec<String> = sessions.iter().take(MAX_NAMED).cloned().collect();
                let more = sessions.len() - named.len();
                if more > 0 {
                    named.push(texts.hold_more(more));
                }
                let sessions = texts.list(&named);
                if first == last {
                    texts.hold_overwrites_one(*first, &sessions)
                } else {
                    texts.hold_overwrites(*first, *last, &sessions)
                }
            }
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Texts::of("en-US")))
    }
}

impl Serialize for HoldReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reasons in one English line.
pub(crate) fn join(reasons: &[HoldReason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
