//! The lines of a checkpoint: one record each, as JSON for other programs.
//!
//! ```text
//! {"callboard":"checkpoint","version":2,"conference":"srecon25americas","sequence":7}
//! {"table":"entry","id":"keynote-1","record":{…}}      a JSON record, as stored
//! {"table":"agenda","hex":"00ff…","record":[…]}        an id that is a digest or a number
//! {"table":"links","hex":"00ffc0","record":{…}}        the read links whose hashes begin with these bits
//! {"table":"csv","hex":"0000000000000001","bytes":"…"} any other record, in base64
//! {"table":"note",…,"bytes":"…","packed":2}            a record that the store compresses into two parts
//! {"table":"link","hex":"00ff…","gone":true}           the removal of a record of an earlier line
//! {"key":"00ff…","value":"…"}                          a row that this version cannot read
//! {"records":5,"sequence":9,"sha256":"…"}              the end: lines between first and last, state, their digest
//! ```
//!
//! A record's line names its `conference` if it differs from that of the first line. A later line of a record
//! replaces the earlier one.

use crate::store::record::RecordTable;
use crate::store::rows::{FORMAT, KeySpace, KeyValue, RecordAddress, RowChanges, packed_parts};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The version that is written, and the newest that is read: the store's format, since lines hold the store's records.
pub(super) const VERSION: u32 = FORMAT as u32;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CheckpointHead {
    pub(super) callboard: String,
    pub(super) version: u32,
    pub(super) conference: String,
    /// The sequence at which the scan began.
    pub(super) sequence: u64,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CheckpointEnd {
    pub(super) records: u64,
    /// The sequence of the state that the checkpoint holds.
    pub(super) sequence: u64,
    pub(super) sha256: String,
    /// The hash of the shared log up to that sequence, in hexadecimal; none for a local journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) chain: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointLine<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    conference: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<RecordTable>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    record: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    bytes: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed: Option<u16>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    value: Option<Cow<'a, str>>,
}

/// A parsed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParsedLine {
    /// A record with its number of parts if it is compressed, or the removal of a record.
    Record(RecordAddress, Option<(Vec<u8>, Option<u16>)>),
    /// A row, or the removal of a row.
    Row(Vec<u8>, Option<Vec<u8>>),
}

/// Prints changes, with the parts of a record together. Calls `out` for each line, without the line end.
pub(super) fn print_changes<E>(
    conference: &str,
    changes: &RowChanges,
    mut out: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let rows: Vec<_> = changes.iter().collect();
    let base = |key: &[u8]| key.len().saturating_sub(2);
    for parts in rows.chunk_by(|(a, _), (b, _)| a.get(..base(a)) == b.get(..base(b))) {
        let whole: Vec<KeyValue> =
            parts.iter().filter_map(|(key, value)| Some(((*key).clone(), (*value).clone()?))).collect();
        let all_gone =
            whole.is_empty().then(|| parts.first()).flatten().and_then(|(key, _)| RecordAddress::of_key(key));
        match (all_gone, record(&whole)) {
            (Some((address, own, id)), _) => {
                let line = CheckpointLine { gone: true, ..named(conference, &address, own, id) };
                out(&json(&line))?;
            }
            (None, Some(line)) => out(&line.print(conference))?,
            (None, None) => {
                for (key, value) in parts {
                    out(&row_line(key, value.as_deref()))?;
                }
            }
        }
    }
    Ok(())
}

/// Prints one record: one line, or one line per row if the record cannot be read.
pub(super) fn print_record<E>(
    conference: &str,
    parts: &[KeyValue],
    mut out: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    match record(parts) {
        Some(line) => out(&line.print(conference)),
        None => parts.iter().try_for_each(|(key, value)| out(&row_line(key, Some(value)))),
    }
}

struct WholeRecord<'a> {
    address: RecordAddress,
    conference: &'a str,
    id: &'a [u8],
    bytes: Vec<u8>,
    packed: Option<u16>,
}

/// The record in `parts`, if writing the record again gives the same rows.
fn record(parts: &[KeyValue]) -> Option<WholeRecord<'_>> {
    let (address, conference, id) = RecordAddress::of_key(&parts.first()?.0)?;
    let bytes = address.join(parts).ok()?;
    let packed = packed_parts(parts);
    (address.write_as(&bytes, packed).ok()? == parts).then_some(WholeRecord {
        address,
        conference,
        id,
        bytes,
        packed,
    })
}

impl WholeRecord<'_> {
    fn print(&self, conference: &str) -> Vec<u8> {
        let mut line = named(conference, &self.address, self.conference, self.id);
        line.packed = self.packed;
        // Only raw JSON that stays byte for byte the same may be printed as JSON.
        let raw = Some(&self.bytes)
            .filter(|_| self.address.table.is_json())
            .and_then(|bytes| serde_json::from_slice::<&RawValue>(bytes).ok())
            .filter(|raw| {
                raw.get().len() == self.bytes.len() && raw.get() != "null" && !raw.get().contains('\n')
            });
        match raw {
            Some(_) => line.record = raw,
            None => line.bytes = Some(BASE64.encode(&self.bytes).into()),
        }
        json(&line)
    }
}

fn named<'a>(conference: &str, address: &RecordAddress, own: &'a str, id: &'a [u8]) -> CheckpointLine<'a> {
    let text = Some(id).filter(|_| address.table.has_text_ids()).and_then(|id| std::str::from_utf8(id).ok());
    let text = text.filter(|text| !text.chars().any(char::is_control));
    CheckpointLine {
        conference: (own != conference).then(|| own.into()),
        table: Some(address.table),
        id: text.map(Into::into),
        hex: if text.is_none() { Some(HEXLOWER.encode(id)) } else { None },
        ..CheckpointLine::default()
    }
}

fn row_line(key: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let value = value.map(|value| BASE64.encode(value).into());
    json(&CheckpointLine {
        key: Some(HEXLOWER.encode(key)),
        gone: value.is_none(),
        value,
        ..CheckpointLine::default()
    })
}

fn json(line: &impl Serialize) -> Vec<u8> {
    // Strings, numbers and raw JSON always have a JSON form.
    serde_json::to_vec(line).unwrap_or_default()
}

/// Prints the first or last line.
pub(super) fn print_envelope(end: &impl Serialize) -> Vec<u8> {
    json(end)
}

/// Parses a record's line.
pub(super) fn parse(conference: &str, line: &[u8]) -> Result<ParsedLine, String> {
    let line: CheckpointLine<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let base64 = |text: &str| BASE64.decode(text.as_bytes()).map_err(|error| error.to_string());
    let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).map_err(|error| error.to_string());
    let Some(table) = line.table else {
        let key = hex(line.key.as_deref().ok_or("it has neither table nor key")?)?;
        let value = line.value.as_deref().map(base64).transpose()?;
        return if value.is_none() == line.gone {
            Ok(ParsedLine::Row(key, value))
        } else {
            Err("it has no value".into())
        };
    };
    let id = match (&line.id, &line.hex) {
        (Some(id), None) => id.as_bytes().to_vec(),
        (None, Some(text)) => hex(text)?,
        _ => return Err("it has no id".to_owned()),
    };
    let own = line.conference.as_deref().unwrap_or(conference);
    let own = crate::program::Slug::parse(own).map_err(|error| error.to_string())?;
    let address = KeySpace::new(&own).address(table, &id);
    match (line.record, line.bytes, line.gone) {
        (Some(record), None, false) => {
            Ok(ParsedLine::Record(address, Some((record.get().as_bytes().to_vec(), line.packed))))
        }
        (None, Some(bytes), false) => Ok(ParsedLine::Record(address, Some((base64(&bytes)?, line.packed)))),
        (None, None, true) => Ok(ParsedLine::Record(address, None)),
        _ => Err("it has no record".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn space(slug: &str) -> KeySpace {
        KeySpace::new(&crate::program::Slug::parse(slug).unwrap())
    }

    fn printed(parts: &[KeyValue]) -> Vec<String> {
        let mut lines = Vec::new();
        print_record("con", parts, |line| {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
            Ok::<_, Infallible>(())
        })
        .unwrap();
        lines
    }

    #[test]
    fn every_kind_of_line_is_as_documented() {
        let agenda = space("con").address(RecordTable::Agenda, &[0xff; 2]);
        let lines = printed(&agenda.write(br#"[1,"x"]"#).unwrap());
        assert_eq!(lines, [r#"{"table":"agenda","hex":"ffff","record":[1,"x"]}"#]);
        let entry = space("other").address(RecordTable::Entry, b"keynote-1");
        let lines = printed(&entry.write(br#"{"n": 1.0}"#).unwrap());
        assert_eq!(lines, [r#"{"conference":"other","table":"entry","id":"keynote-1","record":{"n": 1.0}}"#]);
        let note = space("con").address(RecordTable::Note, b"n");
        assert_eq!(printed(&note.write(b"{}").unwrap()), [r#"{"table":"note","id":"n","bytes":"e30="}"#]);

        let links = space("con").address(RecordTable::Links, b"ab@").write(b"{}").unwrap();
        assert_eq!(printed(&links), [r#"{"table":"links","hex":"616240","record":{}}"#]);

        let unknown = vec![(b"con\0?x\0\0".to_vec(), b"later".to_vec())];
        assert_eq!(printed(&unknown), [r#"{"key":"636f6e003f780000","value":"bGF0ZXI="}"#]);

        let parts = note.write(&[7; 5000]).unwrap();
        let gone: RowChanges = parts.iter().map(|(key, _)| (key.clone(), None)).collect();
        let mut lines = Vec::new();
        let keep = |line: &[u8]| {
            lines.push(line.to_vec());
            Ok::<_, Infallible>(())
        };
        print_changes("con", &gone, keep).unwrap();
        assert_eq!(lines, [br#"{"table":"note","id":"n","gone":true}"#]);
        assert_eq!(parse("con", &lines[0]), Ok(ParsedLine::Record(note, None)));
    }

    #[test]
    fn a_damaged_record_is_printed_row_by_row() {
        let mut parts = space("con").address(RecordTable::Agenda, b"n").write(&[7; 5000]).unwrap();
        parts[1].1[9] ^= 1;
        let lines = printed(&parts);
        let read: Vec<_> = lines.iter().map(|line| parse("con", line.as_bytes()).unwrap()).collect();
        assert_eq!(read, parts.map_rows());
    }

    trait MapRows {
        fn map_rows(self) -> Vec<ParsedLine>;
    }
    impl MapRows for Vec<KeyValue> {
        fn map_rows(self) -> Vec<ParsedLine> {
            self.into_iter().map(|(key, value)| ParsedLine::Row(key, Some(value))).collect()
        }
    }

    proptest! {
        #[test]
        fn any_record_is_read_back(
            table in prop::sample::select(vec![RecordTable::Agenda, RecordTable::Csv, RecordTable::Note, RecordTable::Head, RecordTable::Links]),
            id in prop::collection::vec(any::<u8>(), 0..40),
            record in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..9000),
                "\\[\"[a-z\u{80}-\u{ff}]*\", ?[0-9.]*[0-9]\\]".prop_map(String::into_bytes),
            ],
        ) {
            let address = space("con").address(table, &id);
            let lines = printed(&address.write(&record).unwrap());
            prop_assert_eq!(lines.len(), 1);
            let packed = packed_parts(&address.write(&record).unwrap());
            prop_assert_eq!(parse("con", lines[0].as_bytes()), Ok(ParsedLine::Record(address, Some((record, packed)))));
        }

        #[test]
        fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse("con", &line);
        }
    }
}
