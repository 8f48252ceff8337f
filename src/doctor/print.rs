//! The findings for people and for programs.

use super::finding::Finding;
use crate::program::Severity;
use std::fmt::Write as _;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const GREEN: &str = "\x1b[1;32m";
const BOLD: &str = "\x1b[1m";

/// The findings for people, with a summary; in colour for a terminal.
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
    let told = match (errors, findings.len() - errors) {
        (0, 0) => paint(GREEN, "nothing would break"),
        (errors, warnings) => {
            let told = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
            paint(if errors > 0 { RED } else { YELLOW }, &told)
        }
    };
    let _ = writeln!(out, "{source}: {told}");
    out
}

/// The findings for programs: `{"errors", "warnings", "findings": [{"client", "rule", "line", "severity",
/// "message", "remedy"}]}`.
pub fn to_json(findings: &[Finding]) -> serde_json::Value {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    serde_json::json!({ "errors": errors, "warnings": findings.len() - errors, "findings": findings })
}

/// A stranger's file may hold what drives a terminal; none of it is a line end here.
fn printable(text: &str) -> String {
    crate::program::printable(text).replace('\n', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::super::lint;
    use super::*;

    #[test]
    fn a_finding_names_client_line_rule_and_remedy_and_drives_no_terminal() {
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
    fn a_sound_feed_gets_a_sentence() {
        assert_eq!(render("a.ics", &[], false), "a.ics: nothing would break\n");
    }
}
