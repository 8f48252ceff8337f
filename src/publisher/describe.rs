//! Describes releases and changes to organizers, as JSON and as text for a terminal.
//!
//! Also counts the agendas that a release affects and the picks of each session, for which it scans all agendas.

use crate::agenda::has_new_overlap;
use crate::import::counted;
use crate::program::{Change, ChangeDescription, FromTo, SessionId};
use crate::release::Release;
use crate::store::{Origin, ReadError, Skipped, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The source of a release as one word of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OriginDescription {
    /// `first`, `file`, `upload`, `rollback`, `config`, `upgrade`, `restored`, `scheduled` or `source`.
    pub origin: &'static str,
    /// The release that was published again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<u64>,
}

impl From<Origin> for OriginDescription {
    fn from(origin: Origin) -> Self {
        let (origin, rollback_of) = match origin {
            Origin::First => ("first", None),
            Origin::File => ("file", None),
            Origin::Upload => ("upload", None),
            Origin::Rollback { of } => ("rollback", Some(of)),
            Origin::Config => ("config", None),
            Origin::Upgrade => ("upgrade", None),
            Origin::Restored => ("restored", None),
            Origin::Scheduled => ("scheduled", None),
            Origin::Source => ("source", None),
        };
        Self { origin, rollback_of }
    }
}

/// Changes as text for a terminal.
pub fn changes_as_text(changes: &[ChangeDescription], colour: bool) -> String {
    let mut out = String::new();
    for change in changes {
        let (mark, paint) = match change.change.as_str() {
            "added" | "restored" => ('+', "32"),
            "cancelled" | "withdrawn" => ('-', "31"),
            "moved" => ('>', "33"),
            _ => ('~', "36"),
        };
        let word = if colour {
            format!("\x1b[{paint}m{mark} {}\x1b[0m", change.change)
        } else {
            format!("{mark} {}", change.change)
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{word} {}: {}", change.session, change.title);
        for (field, FromTo { from, to }) in &change.fields {
            let _ = writeln!(out, "    {field}: {} -> {}", brief(from), brief(to));
        }
    }
    if changes.is_empty() {
        out.push_str("no session changes\n");
    }
    out
}

/// A release's effect on agendas as text.
pub fn impact_as_text(impact: &Impact) -> String {
    let mut out = format!(
        "{} of {}: a session changes; {}: a new overlap\n",
        impact.touched,
        counted(impact.agendas, "agenda"),
        impact.new_overlaps
    );
    if impact.unreadable > 0 {
        let _ = writeln!(out, "damaged agendas, not counted: {}", impact.unreadable);
    }
    for holders in impact.sessions.iter().take(10) {
        let _ = writeln!(
            out,
            "    {} ({}) is in {}",
            holders.session,
            holders.change,
            counted(holders.agendas, "agenda")
        );
    }
    out
}

fn brief(value: &str) -> String {
    let line = value.replace('\n', " / ");
    let short: String = line.chars().take(80).collect();
    match (line.is_empty(), short.len() < line.len()) {
        (true, _) => "(nothing)".to_owned(),
        (false, true) => format!("{short}…"),
        (false, false) => line,
    }
}

/// The effect of a release on agendas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Impact {
    /// The number of all agendas.
    pub agendas: usize,
    /// Agendas with a session that changes.
    pub touched: usize,
    /// Agendas in which two sessions newly overlap.
    #[serde(rename = "new_clashes")] // the name in the API
    pub new_overlaps: usize,
    /// The changed sessions that are in an agenda, the most picked first.
    pub sessions: Vec<SessionImpact>,
    /// Agendas whose record is damaged. No other count includes them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: usize,
}

/// A changed session and how many agendas have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionImpact {
    /// The session.
    pub session: SessionId,
    /// Its change: `moved`, `cancelled` and so on.
    pub change: String,
    /// Agendas that have it.
    pub agendas: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields by reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Computes the effect of a release. It reads every agenda: 100,000 agendas take about a second.
///
/// # Errors
/// If the store cannot be read. A damaged agenda is counted and skipped.
pub fn impact(
    store: &Store,
    base: &Release,
    next: &Release,
    changes: &[Change],
) -> Result<Impact, ReadError> {
    let mut impact = Impact::default();
    let mut counts: BTreeMap<&SessionId, usize> = changes.iter().map(|change| (&change.session, 0)).collect();
    let mut skipped = Skipped::default();
    for agenda in skipped.over(store.agendas()) {
        let (_, record) = agenda?;
        impact.agendas += 1;
        let mut touched = false;
        for pick in &record.picks {
            if let Some(count) = counts.get_mut(pick) {
                *count += 1;
                touched = true;
            }
        }
        if touched {
            impact.touched += 1;
            impact.new_overlaps += usize::from(has_new_overlap(&record.picks, base, next));
        }
    }
    skipped.log("counting the agendas that a release changes");
    impact.unreadable = skipped.count();
    let sessions = changes.iter().map(|change| SessionImpact {
        session: change.session.clone(),
        change: change.kind.as_str().to_owned(),
        agendas: counts.get(&change.session).copied().unwrap_or(0),
    });
    impact.sessions = sessions.filter(|session| session.agendas > 0).collect();
    impact.sessions.sort_by(|a, b| b.agendas.cmp(&a.agendas).then_with(|| a.session.cmp(&b.session)));
    Ok(impact)
}

/// How many agendas have each session, which helps to choose rooms. Damaged agendas are skipped.
///
/// # Errors
/// If the store cannot be read.
pub fn count_picks(store: &Store) -> Result<BTreeMap<SessionId, usize>, ReadError> {
    let (mut picks, mut skipped) = (BTreeMap::new(), Skipped::default());
    for agenda in skipped.over(store.agendas()) {
        for pick in agenda?.1.picks {
            *picks.entry(pick).or_insert(0) += 1;
        }
    }
    skipped.log("counting picks");
    Ok(picks)
}
