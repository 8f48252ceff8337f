//! Which changes of later releases a program takes back: it was made from an earlier release, and its author may not know
//! the later ones.

use super::Publisher;
use crate::program::{Change, Session, SessionId};
use crate::release::Release;
use crate::store::{ReadError, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Publisher {
    /// The sessions that `changes` to the live release give back a state of release `base`, wholly or in a field, each with
    /// the last release that had changed it. It reads those releases, so run it on a thread that may block.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn reverted_changes(
        &self,
        base: u64,
        live: &Release,
        changes: &[Change],
    ) -> Result<BTreeMap<SessionId, u64>, ReadError> {
        let changed = changed_since(&self.store, base, live.number())?;
        let reverted = changes.iter().filter_map(|change| {
            let Changed { earlier, release } = changed.get(&change.session)?;
            reverts(change, earlier.as_ref()).then(|| (change.session.clone(), *release))
        });
        Ok(reverted.collect())
    }
}

/// What releases changed after an earlier one.
struct Changed {
    /// The session in the earlier release; none if it was not in its program.
    earlier: Option<Arc<Session>>,
    /// The last release that changed the session.
    release: u64,
}

/// The sessions that releases changed after `base`.
fn changed_since(store: &Store, base: u64, live: u64) -> Result<BTreeMap<SessionId, Changed>, ReadError> {
    let mut changed = BTreeMap::new();
    for number in base + 1..=live {
        let Some(release) = store.release(number)? else { continue };
        for Change { session, before, .. } in release.changes {
            let first = Changed { earlier: before, release: number };
            changed.entry(session).or_insert(first).release = number;
        }
    }
    Ok(changed)
}

/// Whether a change brings back something of an earlier state.
fn reverts(change: &Change, earlier: Option<&Arc<Session>>) -> bool {
    if change.after.as_ref() == earlier || change.before.is_none() {
        return true;
    }
    let (Some(earlier), Some(after)) = (earlier, &change.after) else { return false };
    let still_differ = Change::between(Some(earlier), Some(after)).map(|change| change.fields());
    let still_differ = still_differ.unwrap_or_default();
    change.fields().iter().any(|field| still_differ.iter().all(|other| other.field != field.field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Field, Text};

    #[test]
    fn a_field_that_goes_back_is_reverted_and_a_third_value_is_not() {
        let release = crate::fixtures::tricky().release();
        let earlier = &release.program.order()[0];
        let with = |title: &str, abstract_text: &str| {
            let mut session = Session::clone(earlier);
            session.title = Text::from(title);
            session.abstract_text = Text::from(abstract_text);
            Arc::new(session)
        };
        let (title, text) = (earlier.title.as_str(), earlier.abstract_text.as_str());
        let live = with("Renamed", text);
        let to = |after: Option<&Arc<Session>>| Change::between(Some(&live), after).unwrap();
        assert!(reverts(&to(Some(earlier)), Some(earlier)));
        let partly = to(Some(&with(title, "Rewritten")));
        assert!(reverts(&partly, Some(earlier)));
        assert!(partly.fields().iter().any(|change| change.field == Field::Abstract));
        assert!(!reverts(&to(Some(&with("Third", text))), Some(earlier)));
        assert!(!reverts(&to(Some(&with("Renamed", "Rewritten"))), Some(earlier)));
        assert!(reverts(&to(None), None), "a session that a later release added is removed again");
        assert!(!reverts(&to(None), Some(earlier)), "it is removed, which nobody had done or undone");
        let back = Change::between(None, Some(earlier)).unwrap();
        assert!(reverts(&back, Some(earlier)), "a session that a later release removed is back");
    }
}
