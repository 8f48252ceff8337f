//! `busy`, `alarm` and `cancelled`: what a subscriber may choose per link.

use std::fmt;

/// How a cancelled session is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cancelled {
    /// `STATUS:CANCELLED`, which clients strike through.
    #[default]
    Strike,
    /// Confirmed, with a prefix in the title: Google deletes what has the status.
    Title,
    /// Left out.
    Drop,
}

/// The options of a feed's link; the default is the canonical feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// Whether sessions block the hour; none: as the kind of feed has it.
    pub busy: Option<bool>,
    /// Minutes before the start at which to remind, 1 to 1440.
    pub alarm: Option<u16>,
    /// How cancelled sessions are shown.
    pub cancelled: Cancelled,
}

/// An option that cannot be used; the text says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the option {option} has no value {value:?}; write {remedy}")]
pub struct OptionError {
    /// The option's name.
    pub option: &'static str,
    /// What was written.
    pub value: String,
    /// What to write.
    pub remedy: &'static str,
}

impl Options {
    /// Takes one pair of a query; false where the key is none of the options.
    ///
    /// # Errors
    /// [`OptionError`] for a value that the option does not know.
    pub fn take(&mut self, key: &str, value: &str) -> Result<bool, OptionError> {
        let wrong = |option, remedy| OptionError { option, value: value.chars().take(40).collect(), remedy };
        match key {
            "busy" => {
                self.busy = match value {
                    "yes" => Some(true),
                    "no" => Some(false),
                    _ => return Err(wrong("busy", "busy=yes or busy=no")),
                }
            }
            "alarm" => {
                let minutes =
                    value.strip_suffix('m').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
                let minutes =
                    minutes.and_then(|digits| digits.parse().ok()).filter(|m| (1..=1440).contains(m));
                let remedy = "minutes from 1m to 1440m, such as alarm=10m";
                self.alarm = Some(minutes.ok_or_else(|| wrong("alarm", remedy))?);
            }
            "cancelled" => {
                self.cancelled = match value {
                    "strike" => Cancelled::Strike,
                    "title" => Cancelled::Title,
                    "drop" => Cancelled::Drop,
                    _ => return Err(wrong("cancelled", "cancelled=strike, title or drop")),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The options that differ from the default, as query pairs in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let busy = self.busy.map(|busy| ("busy", if busy { "yes" } else { "no" }.to_owned()));
        let alarm = self.alarm.map(|minutes| ("alarm", format!("{minutes}m")));
        let cancelled = match self.cancelled {
            Cancelled::Strike => None,
            Cancelled::Title => Some("title"),
            Cancelled::Drop => Some("drop"),
        };
        let cancelled = cancelled.map(|word| ("cancelled", word.to_owned()));
        alarm.into_iter().chain(busy).chain(cancelled).collect()
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> =
            self.pairs().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        f.write_str(&pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_values_print_back_and_bad_ones_name_the_remedy() {
        let mut options = Options::default();
        for (key, value) in [("cancelled", "title"), ("busy", "yes"), ("alarm", "10m")] {
            assert_eq!(options.take(key, value), Ok(true));
        }
        assert_eq!(options.to_string(), "alarm=10m&busy=yes&cancelled=title");
        assert_eq!(options.take("utm_source", "x"), Ok(false));
        for (key, value) in [
            ("busy", "maybe"),
            ("alarm", "0m"),
            ("alarm", "1441m"),
            ("alarm", "10"),
            ("alarm", "+5m"),
            ("cancelled", ""),
        ] {
            let error = options.take(key, value).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
