//! The formats of foreign programs.

use std::fmt;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// A spreadsheet, or a program.csv.
    Csv,
    /// iCalendar.
    Ics,
    /// iCalendar in XML.
    Xcal,
    /// A frab or Pentabarf schedule in XML.
    FrabXml,
    /// A frab schedule in JSON.
    FrabJson,
    /// Version 2 of c3voc's schedule in JSON.
    ScheduleV2,
    /// The JSON of Sessionize.
    Sessionize,
    /// The JSON of pretalx's API.
    Pretalx,
    /// The JSON of Indico.
    Indico,
}

impl SourceFormat {
    /// The word of the config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ics => "ics",
            Self::Xcal => "xcal",
            Self::FrabXml => "frab-xml",
            Self::FrabJson => "frab-json",
            Self::ScheduleV2 => "schedule-v2",
            Self::Sessionize => "sessionize",
            Self::Pretalx => "pretalx",
            Self::Indico => "indico",
        }
    }
}

impl fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
