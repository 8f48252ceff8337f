//! Prometheus' text format, version 0.0.4: single values with their type.
//!
//! `prometheus-client` was weighed and not taken: it keeps the values itself and writes OpenMetrics, while these are read from
//! the store, the publisher and the system at each scrape. What it would have enforced holds here by construction: a
//! counter's name ends with `_total`, and each family is written once with help and type.

use std::fmt::{Display, Write};

/// The text that a scrape gets.
#[derive(Debug, Default)]
pub(super) struct Exposition(pub(super) String);

impl Exposition {
    /// A value that only rises until the process ends. `_total` is added to the name.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(&format!("{name}_total"), "counter", help, value);
    }

    /// A value that rises and falls.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help, value);
    }

    /// 1 with labels that say something about the process. The values need no escaping.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        // Writing to a String cannot fail, here and below.
        let _ =
            writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{{{}}} 1", labels.join(","));
    }

    fn family(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
}
