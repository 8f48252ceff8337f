//! Measures the crates alone on a program of this size: csv with owned rows, icalendar for one calendar of all
//! sessions, and sled for one batch of the rows that the store has after a publication.

use crate::timing::Watch;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use icalendar::{Calendar, CalendarDateTime, Component, Event, EventLike};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::fs::File;
use std::path::Path;

const ZONE: &str = "America/Los_Angeles";

#[derive(Deserialize)]
struct Row {
    id: String,
    date: String,
    start: String,
    end: String,
    kind: String,
    title: String,
    track: String,
    room: String,
    speakers: String,
    r#abstract: String,
}

pub(crate) fn measure(csv: &str, data: &str, dir: &str) -> Result<Value, Box<dyn Error>> {
    let mut batch = sled::Batch::default();
    let mut bytes = 0;
    let held = sled::Config::default().path(Path::new(data).join("index")).flush_every_ms(None).open()?;
    for row in held.iter() {
        let (key, value) = row?;
        bytes += key.len() + value.len();
        batch.insert(key, value);
    }
    drop(held);

    let watch = Watch::start()?;
    let rows: Vec<Row> = csv::Reader::from_path(csv)?.into_deserialize().collect::<Result<_, _>>()?;
    let parsed = watch.read()?;
    let text = calendar(&rows)?.to_string();
    let rendered = watch.read()?;
    let db = sled::Config::default().path(dir).flush_every_ms(None).open()?;
    db.apply_batch(batch)?;
    db.flush()?;
    File::open(Path::new(dir).join("db"))?.sync_data()?;
    Ok(json!({
        "rows": rows.len(),
        "text_bytes": text.len(),
        "store_bytes": bytes,
        "parsed": parsed,
        "rendered": rendered,
        "stored": watch.read()?,
    }))
}

fn calendar(rows: &[Row]) -> Result<Calendar, Box<dyn Error>> {
    let mut calendar = Calendar::new();
    for row in rows {
        let day: NaiveDate = row.date.parse()?;
        let at = |time: &str| -> Result<NaiveDateTime, Box<dyn Error>> {
            Ok(day.and_time(NaiveTime::parse_from_str(time, "%H:%M")?))
        };
        let zoned = |date_time| CalendarDateTime::WithTimezone { date_time, tzid: ZONE.to_owned() };
        let description = format!("{}\n\n{}", row.speakers, row.r#abstract);
        let mut event = Event::new();
        event
            .uid(&format!("{}@example.invalid", row.id))
            .timestamp(chrono::DateTime::UNIX_EPOCH)
            .last_modified(chrono::DateTime::UNIX_EPOCH)
            .sequence(0)
            .starts(zoned(at(&row.start)?))
            .ends(zoned(at(&row.end)?))
            .summary(&row.title)
            .location(if row.room.is_empty() { &row.track } else { &row.room })
            .description(&description)
            .class(icalendar::Class::Public)
            .status(icalendar::EventStatus::Confirmed)
            .url(&format!("https://example.invalid/sessions/{}", row.id))
            .categories([row.track.as_str(), row.kind.as_str()]);
        event.append_property(("TRANSP", "TRANSPARENT"));
        calendar.push(event.done());
    }
    Ok(calendar)
}
