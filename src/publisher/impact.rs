//! The blast radius of a release: what its changes do to people's agendas. And, from the same scan, how many
//! picks each session has.

use crate::agenda::clashes_anew;
use crate::program::{Change, SessionId};
use crate::release::Release;
use crate::store::{ReadError, Skipped, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a release does to agendas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Impact {
    /// Agendas in all.
    pub agendas: usize,
    /// Agendas that hold a session that changes.
    pub touched: usize,
    /// Agendas that get a clash that they do not have now.
    pub new_clashes: usize,
    /// The changed sessions and how many agendas hold each, most first.
    pub sessions: Vec<Holders>,
    /// Agendas whose record is damaged: nobody can say what happens to them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: usize,
}

/// A session, and how many agendas hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holders {
    /// The session.
    pub session: SessionId,
    /// What happens to it: `moved`, `cancelled` …
    pub change: String,
    /// Agendas that hold it.
    pub agendas: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields by reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Scans every agenda; a damaged one is counted and left out. Reads only; a store of 100,000 agendas takes a second or so.
///
/// # Errors
/// When the store cannot be read.
pub fn impact(
    store: &Store,
    base: &Release,
    next: &Release,
    changes: &[Change],
) -> Result<Impact, ReadError> {
    let mut impact = Impact::default();
    let mut held: BTreeMap<&SessionId, usize> = changes.iter().map(|change| (&change.session, 0)).collect();
    let mut skipped = Skipped::default();
    for agenda in skipped.over(store.agendas()) {
        let (_, record) = agenda?;
        impact.agendas += 1;
        let mut touched = false;
        for pick in &record.picks {
            if let Some(count) = held.get_mut(pick) {
                *count += 1;
                touched = true;
            }
        }
        if touched {
            impact.touched += 1;
            impact.new_clashes += usize::from(clashes_anew(&record.picks, base, next));
        }
    }
    skipped.log("counting the agendas that a release changes");
    impact.unreadable = skipped.count();
    let holders = changes.iter().map(|change| Holders {
        session: change.session.clone(),
        change: change.kind.as_str().to_owned(),
        agendas: held.get(&change.session).copied().unwrap_or(0),
    });
    impact.sessions = holders.filter(|holders| holders.agendas > 0).collect();
    impact.sessions.sort_by(|a, b| b.agendas.cmp(&a.agendas).then_with(|| a.session.cmp(&b.session)));
    Ok(impact)
}

/// How many agendas hold each session, for room sizes. A damaged agenda is left out.
///
/// # Errors
/// When the store cannot be read.
pub fn interest(store: &Store) -> Result<BTreeMap<SessionId, usize>, ReadError> {
    let (mut picks, mut skipped) = (BTreeMap::new(), Skipped::default());
    for agenda in skipped.over(store.agendas()) {
        for pick in agenda?.1.picks {
            *picks.entry(pick).or_insert(0) += 1;
        }
    }
    skipped.log("counting picks");
    Ok(picks)
}
