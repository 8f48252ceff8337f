//! `[source]`: the program at an address that `callboard follow` reads.

use super::ConfigError;
use crate::program::Field;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The words of `source.format`.
const FORMATS: &[&str] = &[
    "auto",
    "csv",
    "ics",
    "xcal",
    "frab-xml",
    "frab-json",
    "schedule-v2",
    "sessionize",
    "pretalx",
    "indico",
];

/// The longest time between two requests: a day.
const MAX_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    url: String,
    format: Option<String>,
    every: Option<String>,
    headers_file: Option<PathBuf>,
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

/// A program at another address, which is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The address. It may be a secret, so only its host is shown.
    pub url: Url,
    /// The format that the answer must have; none accepts every format.
    pub format: Option<String>,
    /// The time between two requests.
    pub every: Duration,
    /// A file with header fields of the requests, such as `Authorization: Token …`.
    pub headers_file: Option<PathBuf>,
    /// The fields of columns of a spreadsheet whose names do not say it.
    pub columns: Vec<(String, Field)>,
}

impl Source {
    /// The source's host, for people.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl SourceTable {
    pub(super) fn resolve(self) -> Result<Source, ConfigError> {
        let url = Url::parse(&self.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                ConfigError::value(
                    "source.url",
                    "write an http or https URL, such as \"https://pretalx.example.org/conf/schedule/export/schedule.json\"",
                )
            })?;
        if !url.username().is_empty() || url.password().is_some() {
            let problem = "credentials do not belong here; write a line such as \"Authorization: Basic …\" into headers_file";
            return Err(ConfigError::value("source.url", problem));
        }
        let format = self.format.unwrap_or_else(|| "auto".to_owned());
        if !FORMATS.contains(&format.as_str()) {
            let problem = format!("{format:?} is no format; write one of {}", FORMATS.join(", "));
            return Err(ConfigError::value("source.format", problem));
        }
        let every = self.every.as_deref().unwrap_or("60s");
        let every = duration(every).filter(|every| (Duration::from_secs(1)..=MAX_INTERVAL).contains(every));
        let every = every.ok_or_else(|| {
            ConfigError::value(
                "source.every",
                "write a time between \"1s\" and \"24h\", such as \"60s\" or \"5m\"",
            )
        })?;
        let column = |(name, field): (String, String)| match field.parse::<Field>() {
            Ok(field) => Ok((name, field)),
            Err(_) => {
                let fields = Field::WORDS.join(", ");
                let problem = format!("{field:?} is no field; write one of {fields}");
                Err(ConfigError::value("source.columns", problem))
            }
        };
        Ok(Source {
            url,
            format: Some(format).filter(|format| format != "auto"),
            every,
            headers_file: self.headers_file,
            columns: self.columns.into_iter().map(column).collect::<Result<_, _>>()?,
        })
    }
}

/// A number of seconds, minutes or hours: `60s`, `5m`, `1h`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_at_checked(text.trim().len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        _ => return None,
    };
    number.trim().parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<Source, String> {
        let table: SourceTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.resolve().map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_address_is_required() {
        let found = source("url = \"https://sheets.example/pub?output=csv\"").unwrap();
        assert_eq!((found.host(), found.every.as_secs()), ("sheets.example", 60));
        assert_eq!(found.format, None);
        let all = "url = \"http://a.example/\"\nformat = \"csv\"\nevery = \"5m\"\nheaders_file = \"h\"\ncolumns = { Slot = \"start\" }";
        let found = source(all).unwrap();
        assert_eq!((found.every.as_secs(), found.format.as_deref()), (300, Some("csv")));
        assert_eq!(found.columns, [("Slot".to_owned(), Field::Start)]);
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_remedy() {
        for (line, expected) in [
            ("url = \"program.json\"", "source.url: write an http"),
            ("url = \"ftp://a.example/\"", "source.url: write an http"),
            ("url = \"https://me:word@a.example/\"", "headers_file"),
            ("url = \"https://a.example/\"\nformat = \"xlsx\"", "one of auto, csv"),
            ("url = \"https://a.example/\"\nevery = \"60\"", "\"60s\""),
            ("url = \"https://a.example/\"\nevery = \"0s\"", "source.every"),
            ("url = \"https://a.example/\"\nevery = \"25h\"", "source.every"),
            ("url = \"https://a.example/\"\nevery = \"µs\"", "source.every"),
            ("url = \"https://a.example/\"\ncolumns = { A = \"begin\" }", "source.columns"),
            ("format = \"csv\"", "url"),
        ] {
            let error = source(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
            assert!(!error.contains("word"), "{error}");
        }
    }
}
