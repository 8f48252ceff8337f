//! What is found: whom it concerns, which rule, where, and what to do.

use crate::program::Severity;
use serde::Serialize;
use std::fmt;

/// A calendar client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// All of them: the standard itself.
    Every,
    /// Google Calendar.
    Google,
    /// Apple Calendar.
    Apple,
    /// Outlook and Exchange.
    Outlook,
    /// Thunderbird.
    Thunderbird,
    /// ICSx5 and DAVx5.
    Icsx5,
    /// Giggity.
    Giggity,
    /// EventFahrplan.
    Fahrplan,
    /// vdirsyncer and khal.
    Vdirsyncer,
}

impl Client {
    /// Every value.
    pub const ALL: [Self; 9] = [
        Self::Every,
        Self::Google,
        Self::Apple,
        Self::Outlook,
        Self::Thunderbird,
        Self::Icsx5,
        Self::Giggity,
        Self::Fahrplan,
        Self::Vdirsyncer,
    ];

    /// Its name in one word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Every => "every",
            Self::Google => "google",
            Self::Apple => "apple",
            Self::Outlook => "outlook",
            Self::Thunderbird => "thunderbird",
            Self::Icsx5 => "icsx5",
            Self::Giggity => "giggity",
            Self::Fahrplan => "fahrplan",
            Self::Vdirsyncer => "vdirsyncer",
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Every => "every client",
            Self::Google => "Google Calendar",
            Self::Apple => "Apple Calendar",
            Self::Outlook => "Outlook",
            Self::Thunderbird => "Thunderbird",
            Self::Icsx5 => "ICSx5",
            Self::Giggity => "Giggity",
            Self::Fahrplan => "EventFahrplan",
            Self::Vdirsyncer => "vdirsyncer",
        })
    }
}

/// One thing that would break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In which client.
    pub client: Client,
    /// The rule's name, stable.
    pub rule: &'static str,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// How bad.
    pub severity: Severity,
    /// What happens.
    pub message: String,
    /// What to write instead.
    pub remedy: &'static str,
}

/// Findings in the making.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
}

/// Findings of one rule that are kept; after so many nobody reads on.
const KEPT: usize = 100;

impl Findings {
    pub(super) fn error(
        &mut self,
        client: Client,
        rule: &'static str,
        line: usize,
        message: impl Into<String>,
        remedy: &'static str,
    ) {
        let severity = Severity::Error;
        self.push(Finding { client, rule, line, severity, message: message.into(), remedy });
    }

    pub(super) fn warn(
        &mut self,
        client: Client,
        rule: &'static str,
        line: usize,
        message: impl Into<String>,
        remedy: &'static str,
    ) {
        let severity = Severity::Warning;
        self.push(Finding { client, rule, line, severity, message: message.into(), remedy });
    }

    fn push(&mut self, finding: Finding) {
        let alike = self.list.iter().filter(|known| known.rule == finding.rule).count();
        if alike < KEPT {
            self.list.push(finding);
        }
    }

    pub(super) fn into_list(self) -> Vec<Finding> {
        let mut list = self.list;
        list.sort_by_key(|finding| (finding.line, finding.severity, finding.client, finding.rule));
        list.dedup();
        list
    }
}
