//! One small program in every format that carries identity.

use serde_json::{Value, json};

/// A session of a source. It lasts an hour and starts in the hour after nine.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Talk {
    pub(super) guid: String,
    pub(super) title: String,
    pub(super) minute: u32,
    pub(super) room: String,
    pub(super) is_cancelled: bool,
}

pub(super) fn talk(guid: &str, title: &str, minute: u32, room: &str) -> Talk {
    Talk { guid: guid.into(), title: title.into(), minute, room: room.into(), is_cancelled: false }
}

/// Writes talks in a format.
pub(super) type Form = fn(&[Talk]) -> String;

/// Every format that carries identity, by name.
pub(super) const FORMS: &[(&str, Form)] = &[
    ("frab XML", frab),
    ("frab JSON", frab_json),
    ("schedule v2", schedule_v2),
    ("iCalendar", calendar),
    ("xCal", xcal),
    ("Pentabarf", pentabarf),
    ("Sessionize groups", sessionize),
    ("Sessionize All", sessionize_all),
    ("pretalx API", pretalx),
    ("pretalx widget", pretalx_widget),
    ("Indico contributions", indico),
    ("Indico timetable", indico_timetable),
    ("spreadsheet", sheet),
];

impl Talk {
    /// The title of a format that has no place for a status.
    fn stated_title(&self) -> String {
        if self.is_cancelled { format!("[CANCELED] {}", self.title) } else { self.title.clone() }
    }

    /// The start with seconds, without an offset.
    fn start(&self) -> String {
        format!("2025-03-25T09:{:02}:00", self.minute)
    }

    fn end(&self) -> String {
        format!("2025-03-25T10:{:02}:00", self.minute)
    }

    /// A word of a format that has a place for a status.
    fn state(&self, confirmed: &str, cancelled: &str) -> String {
        if self.is_cancelled { cancelled } else { confirmed }.to_owned()
    }
}

fn all<T: FromIterator<U>, U>(talks: &[Talk], one: impl Fn(&Talk) -> U) -> T {
    talks.iter().map(one).collect()
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn ics(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,")
}

pub(super) fn frab(talks: &[Talk]) -> String {
    let events: String = all(talks, |talk| {
        format!(
            "<event guid=\"{}\" id=\"1\"><title>{}</title><date>{}Z</date><start>09:{:02}</start>\
             <duration>01:00</duration><room>{}</room></event>",
            talk.guid,
            xml(&talk.stated_title()),
            talk.start(),
            talk.minute,
            xml(&talk.room)
        )
    });
    format!(
        "<schedule><conference><title>C</title><time_zone_name>UTC</time_zone_name></conference>\
         <day index=\"1\" date=\"2025-03-25\"><room name=\"R\">{events}</room></day></schedule>"
    )
}

fn frab_json(talks: &[Talk]) -> String {
    let events: Vec<Value> = all(talks, |talk| {
        json!({ "guid": talk.guid, "id": 1, "code": talk.guid, "title": talk.stated_title(), "duration": "01:00",
            "date": format!("{}+00:00", talk.start()), "start": format!("09:{:02}", talk.minute), "room": talk.room,
            "type": null, "track": null, "persons": [], "links": [] })
    });
    json!({ "schedule": { "conference": { "title": "C", "time_zone_name": "UTC",
        "days": [{ "index": 1, "date": "2025-03-25", "rooms": { "R": events } }] } } })
    .to_string()
}

fn schedule_v2(talks: &[Talk]) -> String {
    let events: Vec<Value> = all(talks, |talk| {
        json!({ "guid": talk.guid, "title": talk.title, "start": format!("{}Z", talk.start()), "duration": "PT1H",
            "room": talk.room, "state": talk.state("CONFIRMED", "CANCELED") })
    });
    json!({ "schedule": { "conference": { "title": "C", "time_zone_name": "UTC" }, "events": events } })
        .to_string()
}

pub(super) fn calendar(talks: &[Talk]) -> String {
    let events: String = all(talks, |talk| {
        format!(
            "BEGIN:VEVENT\r\nUID:{}\r\nSUMMARY:{}\r\nDTSTART:20250325T09{:02}00Z\r\nDURATION:PT1H\r\nLOCATION:{}\r\n\
             STATUS:{}\r\nEND:VEVENT\r\n",
            talk.guid,
            ics(&talk.title),
            talk.minute,
            ics(&talk.room),
            talk.state("CONFIRMED", "CANCELLED")
        )
    });
    format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n")
}

fn xcal(talks: &[Talk]) -> String {
    let text = |name: &str, value: &str| format!("<{name}><text>{}</text></{name}>", xml(value));
    let time = |name: &str, at: String| format!("<{name}><date-time>{at}Z</date-time></{name}>");
    let events: String = all(talks, |talk| {
        format!(
            "<vevent><properties>{}{}{}{}{}{}</properties></vevent>",
            text("uid", &talk.guid),
            text("summary", &talk.title),
            time("dtstart", talk.start()),
            time("dtend", talk.end()),
            text("location", &talk.room),
            text("status", &talk.state("CONFIRMED", "CANCELLED"))
        )
    });
    format!(
        "<icalendar xmlns=\"urn:ietf:params:xml:ns:icalendar-2.0\"><vcalendar><components>{events}</components>\
         </vcalendar></icalendar>"
    )
}

fn pentabarf(talks: &[Talk]) -> String {
    let events: String = all(talks, |talk| {
        format!(
            "<vevent><uid>{}</uid><summary>{}</summary><dtstart>20250325T09{:02}00</dtstart>\
             <dtend>20250325T10{:02}00</dtend><duration>01:00</duration><location>{}</location><status>{}</status></vevent>",
            talk.guid,
            xml(&talk.title),
            talk.minute,
            talk.minute,
            xml(&talk.room),
            talk.state("CONFIRMED", "CANCELLED")
        )
    });
    format!("<iCalendar><vcalendar>{events}</vcalendar></iCalendar>")
}

fn sessionize(talks: &[Talk]) -> String {
    let sessions: Vec<Value> = all(
        talks,
        |talk| json!({ "id": talk.guid, "title": talk.stated_title(), "room": talk.room, "startsAt": talk.start(), "endsAt": talk.end() }),
    );
    json!([{ "groupId": null, "sessions": sessions }]).to_string()
}

fn sessionize_all(talks: &[Talk]) -> String {
    let sessions: Vec<Value> = all(talks, |talk| {
        json!({ "id": talk.guid, "title": talk.title, "roomId": talk.room, "startsAt": talk.start(), "endsAt": talk.end(),
            "speakers": [], "status": talk.state("Accepted", "Canceled") })
    });
    let rooms: Vec<Value> = all(talks, |talk| json!({ "id": talk.room, "name": talk.room }));
    json!({ "sessions": sessions, "speakers": [], "rooms": rooms, "categories": [], "questions": [] })
        .to_string()
}

fn pretalx(talks: &[Talk]) -> String {
    let results: Vec<Value> = all(talks, |talk| {
        let slot = json!({ "id": 1, "start": format!("{}Z", talk.start()), "end": format!("{}Z", talk.end()),
            "room": { "id": 1, "name": { "en": talk.room } } });
        json!({ "code": talk.guid, "title": talk.title, "state": talk.state("confirmed", "canceled"), "speakers": [], "slots": [slot] })
    });
    json!({ "count": results.len(), "next": null, "previous": null, "results": results }).to_string()
}

fn pretalx_widget(talks: &[Talk]) -> String {
    let entries: Vec<Value> = all(talks, |talk| {
        json!({ "code": talk.guid, "id": 1, "title": talk.stated_title(), "start": format!("{}+00:00", talk.start()),
            "end": format!("{}+00:00", talk.end()), "room": { "en": talk.room }, "speakers": [], "track": null })
    });
    json!({ "talks": entries, "rooms": [], "tracks": [], "speakers": [], "timezone": "UTC" }).to_string()
}

fn when(time: &str) -> Value {
    let (date, time) = time.split_at(10);
    json!({ "date": date, "time": time.trim_start_matches('T'), "tz": "UTC" })
}

fn indico(talks: &[Talk]) -> String {
    let contributions: Vec<Value> = all(talks, |talk| {
        json!({ "db_id": talk.guid, "id": "1", "title": talk.stated_title(), "startDate": when(&talk.start()),
            "endDate": when(&talk.end()), "duration": 60, "room": talk.room, "speakers": [] })
    });
    json!({ "count": 1, "_type": "HTTPAPIResult",
        "results": [{ "id": "12", "title": "C", "timezone": "UTC", "contributions": contributions }] })
    .to_string()
}

fn indico_timetable(talks: &[Talk]) -> String {
    let day: serde_json::Map<String, Value> = all(talks, |talk| {
        let entry = json!({ "entryType": "Contribution", "title": talk.stated_title(), "startDate": when(&talk.start()),
            "endDate": when(&talk.end()), "room": talk.room, "presenters": [] });
        (talk.guid.clone(), entry)
    });
    json!({ "count": 1, "results": { "12": { "20250325": day } } }).to_string()
}

fn sheet(talks: &[Talk]) -> String {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let rows: String = all(talks, |talk| {
        let (title, room, minute) = (cell(&talk.stated_title()), cell(&talk.room), talk.minute);
        format!("{title};{};2025-03-25;09:{minute:02};10:{minute:02};{room}\n", talk.guid)
    });
    format!("Talk;Code;Day;From;To;Place\n{rows}")
}
