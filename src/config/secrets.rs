//! The format of the organizer secrets file: lines `LABEL sha256:HEX`, comments and blank lines.
//!
//! The file holds SHA-256 digests and no secret, so it may be world-readable. A line of any other form is reported only by
//! its number: its text may be a secret that somebody wrote there by mistake.

use std::fmt;

/// The longest file that is read, in bytes: room for ten thousand secrets.
pub const MAX_SECRETS_FILE: u64 = 1024 * 1024;

/// An organizer secret as the file holds it: label and digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizerSecret {
    /// Who or what uses the secret; the log and the list of releases show it.
    pub label: SecretLabel,
    /// The SHA-256 of the secret's bytes.
    pub sha256: [u8; 32],
}

/// Prints the file's line.
impl fmt::Display for OrganizerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {PREFIX}{}", self.label, data_encoding::HEXLOWER.encode(&self.sha256))
    }
}

/// The name of a secret: one word of letters, digits and `.`, `_`, `-`, `@`, `+`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretLabel(String);

/// The error of an invalid label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a label is 1 to 64 letters, digits and . _ - @ +, and begins with a letter or a digit")]
pub struct SecretLabelError;

impl SecretLabel {
    /// Checks a label.
    ///
    /// # Errors
    /// [`SecretLabelError`].
    pub fn parse(text: &str) -> Result<Self, SecretLabelError> {
        let mut letters = text.chars();
        let is_label = letters.next().is_some_and(char::is_alphanumeric)
            && letters.all(|letter| letter.is_alphanumeric() || "._-@+".contains(letter))
            && text.chars().count() <= 64;
        if is_label { Ok(Self(text.to_owned())) } else { Err(SecretLabelError) }
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One parsed line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretLine {
    /// A comment or a blank line.
    Nothing,
    /// A secret.
    Secret(OrganizerSecret),
    /// Anything else, perhaps a secret in plain text.
    Malformed,
}

/// A secrets file, parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretsFile {
    /// The secrets, in the file's order.
    pub secrets: Vec<OrganizerSecret>,
    /// The numbers of the malformed lines, from 1.
    pub malformed: Vec<usize>,
}

const PREFIX: &str = "sha256:";

impl SecretsFile {
    /// Parses a file. Comments may hold a byte order mark and bytes that are not UTF-8.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
            match SecretLine::parse(line) {
                SecretLine::Nothing => {}
                SecretLine::Secret(secret) => file.secrets.push(secret),
                SecretLine::Malformed => file.malformed.push(number),
            }
        }
        file
    }
}

impl SecretLine {
    /// Parses one line, with or without its line end.
    pub fn parse(line: &[u8]) -> Self {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            return Self::Nothing;
        }
        secret(text).map_or(Self::Malformed, Self::Secret)
    }
}

fn secret(text: &str) -> Option<OrganizerSecret> {
    let mut words = text.split_whitespace();
    let (Some(label), Some(sha256), None) = (words.next(), words.next(), words.next()) else { return None };
    let label = SecretLabel::parse(label).ok()?;
    let sha256 = data_encoding::HEXLOWER_PERMISSIVE.decode(sha256.strip_prefix(PREFIX)?.as_bytes()).ok()?;
    Some(OrganizerSecret { label, sha256: sha256.try_into().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn comments_blank_lines_and_secrets_are_read() {
        let text = format!(
            "\u{feff}# organizer secrets, one per line\r\n\n  chair   sha256:{HEX}\t\r\nZoë@sre.example sha256:{}",
            HEX.to_uppercase()
        );
        let file = SecretsFile::parse(text.as_bytes());
        let labels: Vec<_> = file.secrets.iter().map(|secret| secret.label.as_str()).collect();
        assert_eq!(labels, ["chair", "Zoë@sre.example"]);
        assert!(file.secrets.iter().all(|secret| secret.sha256.starts_with(&[0x2b, 0xb8, 0x0d, 0x53])));
        assert!(file.malformed.is_empty());
        let printed = file.secrets.first().unwrap().to_string();
        assert_eq!(printed, format!("chair sha256:{HEX}"));
        assert_eq!(
            SecretLine::parse(printed.as_bytes()),
            SecretLine::Secret(file.secrets.first().unwrap().clone())
        );
    }

    #[test]
    fn plain_secrets_and_passphrases_are_malformed() {
        let text =
            "# organizer secrets, one per line\ncorrect horse battery staple\nchair SECRETSECRETSECRET0001\n";
        let file = SecretsFile::parse(text.as_bytes());
        assert_eq!((file.secrets, file.malformed), (vec![], vec![2, 3]));
        for line in [
            "0123456789abcdef0",
            "chair",
            &format!("sha256:{HEX}"),
            &format!("chair {HEX}"),
            &format!("chair sha256:{}", &HEX[1..]),
            &format!("chair sha256:{HEX}00"),
            &format!("chair sha256:{HEX} # trailing"),
            &format!("program chairs sha256:{HEX}"),
            &format!("-chair sha256:{HEX}"),
        ] {
            assert_eq!(SecretLine::parse(line.as_bytes()), SecretLine::Malformed, "{line}");
        }
        assert_eq!(SecretLine::parse(b"# \xff"), SecretLine::Nothing);
        assert_eq!(SecretLine::parse(b"chair\xff sha256:00"), SecretLine::Malformed);
    }

    #[test]
    fn labels_are_one_short_word() {
        for label in ["chair", "7", "Zoë", "a.b_c-d@e+f", &"x".repeat(64)] {
            assert_eq!(SecretLabel::parse(label).unwrap().as_str(), label);
        }
        for label in ["", "#chair", "two words", "tab\t", "a#", "a/b", "\u{202e}a", &"x".repeat(65)] {
            assert_eq!(SecretLabel::parse(label), Err(SecretLabelError), "{label}");
        }
    }
}
