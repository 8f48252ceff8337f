//! Findings: the client, the rule, the line and the remedy of a problem; and how findings are printed.

use crate::program::Severity;
use serde::Serialize;
use std::fmt::{self, Write as _};

/// A calendar client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CalendarClient {
    /// Every client: the finding breaks a rule of the standard.
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

impl CalendarClient {
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

    /// The client's name in JSON.
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

impl fmt::Display for CalendarClient {
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

/// One problem in a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The client that is affected.
    pub client: CalendarClient,
    /// The name of the rule. The name never changes.
    pub rule: &'static str,
    /// The line number, from 1; 0 for the file as a whole.
    pub line: usize,
    /// An error loses or falsifies sessions, or the client rejects the file; a warning is less serious.
    pub severity: Severity,
    /// The effect of the problem in the client.
    pub message: String,
    /// How to repair the feed.
    pub remedy: &'static str,
}

/// Collects findings.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
}

/// The most findings that are listed for one rule.
const MAX_PER_RULE: usize = 100;

impl Findings {
    pub(super) fn error(
        &mut self,
        client: CalendarClient,
        rule: &'static str,
        line: usize,
        message: impl Into<String>,
        remedy: &'static str,
    ) {
        self.add(Severity::Error, client, rule, line, message, remedy);
    }

    pub(super) fn warn(
        &mut self,
        client: CalendarClient,
        rule: &'static str,
        line: usize,
        message: impl Into<String>,
        remedy: &'static str,
    ) {
        self.add(Severity::Warning, client, rule, line, message, remedy);
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        client: CalendarClient,
        rule: &'static str,
        line: usize,
        message: impl Into<String>,
        remedy: &'static str,
    ) {
        let alike = self.list.iter().filter(|known| known.rule == rule).count();
        if alike < MAX_PER_RULE {
            self.list.push(Finding { client, rule, line, severity, message: message.into(), remedy });
        }
    }

    pub(super) fn into_list(self) -> Vec<Finding> {
        let mut list = self.list;
        list.sort_by_key(|finding| (finding.line, finding.severity, finding.client, finding.rule));
        list.dedup();
        list
    }
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const GREEN: &str = "\x1b[1;32m";
const BOLD: &str = "\x1b[1m";

/// The findings as text with a summary, in colour for a terminal.
pub fn render(source_name: &str, findings: &[Finding], colour: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colour { format!("{code}{text}\x1b[0m") } else { text.to_owned() }
    };
    let source = printable(source_name);
    let mut out = String::new();
    for finding in findings {
        let code = if finding.severity == Severity::Error { RED } else { YELLOW };
        let head = paint(code, &format!("{}[{}]", finding.severity.as_str(), finding.rule));
        let message = paint(BOLD, &printable(&finding.message));
        let place = if finding.line == 0 { source.clone() } else { format!("{source}:{}", finding.line) };
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(out, "{head}: {message}\n  --> {place}, {}", finding.client);
        let _ = writeln!(out, "   = instead: {}\n", finding.remedy);
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let summary = match (errors, findings.len() - errors) {
        (0, 0) => paint(GREEN, "no problems found"),
        (errors, warnings) => {
            let counts = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
            paint(if errors > 0 { RED } else { YELLOW }, &counts)
        }
    };
    let _ = writeln!(out, "{source}: {summary}");
    out
}

/// The findings as JSON: `{"errors", "warnings", "findings": [{"client", "rule", "line", "severity",
/// "message", "remedy"}]}`.
pub fn to_json(findings: &[Finding]) -> serde_json::Value {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    serde_json::json!({ "errors": errors, "warnings": findings.len() - errors, "findings": findings })
}

/// The text without the control characters with which an untrusted file could control the terminal.
fn printable(text: &str) -> String {
    crate::program::printable(text).replace('\n', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::super::lint;
    use super::*;

    #[test]
    fn a_finding_names_client_line_rule_and_remedy_without_control_characters() {
        let findings = lint(b"BEGIN:VCALENDAR\r\nVERSION:\x1b[31m\r\nEND:VCALENDAR\r\n");
        let text = render("a\x1b.ics", &findings, false);
        assert!(text.contains("error[version]: ") && text.contains(".ics:2, every client"), "{text}");
        assert!(text.contains("instead: write VERSION:2.0") && text.contains("warnings"), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
        let json = to_json(&findings);
        assert_eq!(json["findings"].as_array().unwrap().len(), findings.len());
        assert_eq!(json["findings"][0]["client"], "every");
    }

    #[test]
    fn a_sound_feed_gets_one_line() {
        assert_eq!(render("a.ics", &[], false), "a.ics: no problems found\n");
    }
}
