//! The texts of the interface, by language. Templates and scripts contain no texts.

mod english;

use crate::program::SessionKind;
use english::{AMERICAN, BRITISH};
use std::collections::BTreeMap;

pub(super) use english::Phrases;

impl Phrases {
    /// The texts for a BCP 47 language tag: American English for `en-US`, else British.
    pub(super) fn of(language: &str) -> &'static Self {
        if language.eq_ignore_ascii_case("en-US") { &AMERICAN } else { &BRITISH }
    }

    /// Fills a number into `one` for 1 and into `many` for other numbers: `1 change`, `2 changes`.
    pub(super) fn count(&self, n: usize, one: &str, many: &str) -> String {
        fill(if n == 1 { one } else { many }, &[("n", &n.to_string())])
    }

    /// The name of a kind of session.
    pub(super) fn kind(&self, kind: SessionKind) -> &'static str {
        match kind {
            SessionKind::Talk => self.talk,
            SessionKind::Plenary => self.plenary,
            SessionKind::Lightning => self.lightning,
            SessionKind::Panel => self.panel,
            SessionKind::Workshop => self.workshop,
            SessionKind::Discussion => self.discussion,
            SessionKind::Remarks => self.remarks,
            SessionKind::Break => self.pause,
            SessionKind::Meal => self.meal,
            SessionKind::Social => self.social,
        }
    }

    /// The texts that scripts show, keyed by the names that scripts use.
    pub(super) fn for_scripts(&self) -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("pick", self.pick),
            ("picked", self.picked),
            ("refused", self.refused),
            ("queued", self.queued),
            ("settled", self.settled),
            ("unsettled", self.unsettled),
            ("now", self.now),
            ("next", self.next),
            ("toNow", self.to_now),
            ("toNext", self.to_next),
            ("unfold", self.unfold),
            ("fold", self.fold),
            ("overlaps", self.overlaps),
            ("keepBoth", self.keep_both),
            ("replace", self.replace),
            ("replaced", self.replaced),
            ("resultFor", self.result_for),
            ("resultsFor", self.results_for),
            ("nothingFor", self.nothing_found_for),
            ("myZone", self.my_zone),
            ("venueZone", self.venue_zone),
            ("venueDate", self.venue_date),
            ("release", self.new_release),
            ("reload", self.reload),
            ("offline", self.offline_since),
            ("yourTimes", self.your_times),
            ("copied", self.copied),
            ("copyFailed", self.copy_failed),
            ("am", self.am),
            ("pm", self.pm),
        ])
    }
}

/// Replaces each `{name}` by its value. Names without a value are left as they are. Values are not searched for names.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, after)) => {
                match values.iter().find(|(known, _)| *known == name) {
                    Some((_, value)) => out.push_str(value),
                    None => out.push_str(&format!("{{{name}}}")),
                }
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_searched_for_names() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
        assert_eq!(fill("no names", &[]), "no names");
        assert_eq!(fill("{a} {left} {", &[("a", "1")]), "1 {left} {");
    }
}
