//! Random programs with random edits, in every format: exactly the changed sessions change in the feeds, by UID.

use super::forms::{FORMS, Talk, talk};
use super::merging::{by_guid, conference, merged, now, read};
use super::*;
use std::collections::BTreeSet;

/// Random edits of one talk: a new title, minute or room, cancelled, or removed.
#[derive(Debug, Clone)]
struct Edit {
    title: Option<String>,
    minute: Option<u32>,
    room: Option<String>,
    is_cancelled: bool,
    is_removed: bool,
}

fn edits() -> impl Strategy<Value = Edit> {
    let word = || proptest::option::of("[=A-Za-z'][A-Za-z,\"é]{0,6}[a-z]");
    (word(), proptest::option::of(0..60u32), word(), prop::bool::weighted(0.2), prop::bool::weighted(0.2))
        .prop_map(|(title, minute, room, is_cancelled, is_removed)| Edit {
            title,
            minute,
            room,
            is_cancelled,
            is_removed,
        })
}

impl Edit {
    fn of(&self, talk: &Talk) -> Talk {
        let Self { title, minute, room, is_cancelled, .. } = self.clone();
        Talk {
            guid: talk.guid.clone(),
            title: title.unwrap_or_else(|| talk.title.clone()),
            minute: minute.unwrap_or(talk.minute),
            room: room.unwrap_or_else(|| talk.room.clone()),
            is_cancelled: is_cancelled || talk.is_cancelled,
        }
    }
}

/// Title, minute, room, and whether the session is cancelled.
type State = (String, u32, String, bool);

fn state(session: &Session) -> State {
    let minute = chrono::Timelike::minute(&session.slot.start);
    let room = session.slot.room.as_ref().map(ToString::to_string).unwrap_or_default();
    (session.title.to_string(), minute, room, session.status == Status::Cancelled)
}

fn states(program: &Program) -> BTreeMap<String, State> {
    by_guid(program).iter().map(|(guid, session)| (guid.clone(), state(session))).collect()
}

/// Edits the cells of a program file by hand, and adds a row.
fn edited(csv: &[u8], talks: &BTreeMap<String, Talk>) -> Vec<u8> {
    let guarded = |text: &str| {
        if text.trim_start_matches('\'').starts_with('=') { format!("'{text}") } else { text.to_owned() }
    };
    let mut reader = csv::Reader::from_reader(csv);
    let mut header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    if !header.iter().any(|name| name == "status") {
        header.push("status".to_owned());
    }
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    let column = |name: &str| header.iter().position(|known| known == name).unwrap();
    for row in reader.records() {
        let mut cells: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        cells.resize(header.len(), String::new());
        let Some(talk) = talks.get(&cells[column("guid")]) else { continue };
        cells[column("title")] = guarded(&talk.title);
        cells[column("room")] = guarded(&talk.room);
        cells[column("start")] = format!("09:{:02}", talk.minute);
        cells[column("end")] = format!("10:{:02}", talk.minute);
        cells[column("status")] = if talk.is_cancelled { "cancelled" } else { "" }.to_owned();
        writer.write_record(&cells).unwrap();
    }
    let own = [
        ("id", "own"),
        ("date", "2025-03-25"),
        ("start", "08:01"),
        ("end", "08:30"),
        ("kind", "break"),
        ("title", "By hand"),
    ];
    let cell = |name: &String| own.iter().find(|(column, _)| name == column).map_or("", |(_, cell)| *cell);
    writer.write_record(header.iter().map(cell)).unwrap();
    writer.into_inner().unwrap()
}

/// The sequence of each event in the feed of the program, by its UID.
fn sequences(release: &Release) -> BTreeMap<String, u32> {
    let (_, feed) = release.feeds.feeds().find(|(key, _)| key.to_string() == "/program.ics").unwrap();
    let text = String::from_utf8(feed.identity.to_vec()).unwrap();
    let value = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().to_owned()
    };
    let events = text.split("BEGIN:VEVENT").skip(1);
    events.map(|event| (value(event, "UID:"), value(event, "SEQUENCE:").parse().unwrap())).collect()
}

fn pick<T: PartialEq + Clone>(base: &T, now: &T, own: &T, conflicts: &mut usize) -> T {
    if own == base {
        return now.clone();
    }
    *conflicts += usize::from(now != base && now != own);
    own.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A program is imported, published, edited by hand and published again; then its source changes. Each value that
    /// the source changed reaches the file unless it was edited, and exactly the sessions that changed get a higher
    /// sequence in the feeds, under the UID that they had.
    #[test]
    fn exactly_the_changed_sessions_change_in_every_format(
        first in proptest::collection::vec(edits(), 2..7),
        theirs in proptest::collection::vec(edits(), 7),
        ours in proptest::collection::vec(edits(), 7),
        order in any::<prop::sample::Index>(),
    ) {
        // Several sessions have the same title, time and room.
        let plain = |n: usize| talk(&format!("g{n}"), "Hours", 0, "Hall");
        let base: Vec<Talk> = first.iter().enumerate().map(|(n, edit)| edit.of(&plain(n))).collect();
        let mut source: Vec<Talk> = Vec::new();
        let mut own: BTreeMap<String, Talk> = BTreeMap::new();
        for ((n, talk), (theirs, ours)) in base.iter().enumerate().zip(theirs.iter().zip(&ours)) {
            // The first session stays in the source, so that it is the same program.
            source.extend((n == 0 || !theirs.is_removed).then(|| theirs.of(talk)));
            own.extend((n == 0 || !ours.is_removed).then(|| (talk.guid.clone(), ours.of(talk))));
        }
        source.push(talk("gnew", "Hours", 5, "Hall"));
        let turn = order.index(source.len());
        source.rotate_left(turn);
        let mut conflicts = 0;
        let mut expected: BTreeMap<String, State> = BTreeMap::new();
        for b in &base {
            let gone = || Talk { is_cancelled: true, ..b.clone() };
            let now = source.iter().find(|talk| talk.guid == b.guid).cloned().unwrap_or_else(gone);
            let Some(own) = own.get(&b.guid) else {
                conflicts += usize::from(now != *b && !now.is_cancelled);
                continue;
            };
            expected.insert(b.guid.clone(), (
                pick(&b.title, &now.title, &own.title, &mut conflicts),
                pick(&b.minute, &now.minute, &own.minute, &mut conflicts),
                pick(&b.room, &now.room, &own.room, &mut conflicts),
                pick(&b.is_cancelled, &now.is_cancelled, &own.is_cancelled, &mut conflicts),
            ));
        }
        expected.insert("gnew".to_owned(), ("Hours".to_owned(), 5, "Hall".to_owned(), false));
        expected.insert("own".to_owned(), ("By hand".to_owned(), 1, String::new(), false));

        let empty = Ledger::empty(&conference().uid_domain);
        for (name, form) in FORMS {
            let imported = merged(None, &now(*form, &base), &now(*form, &base));
            let published = Release::prepare(read(&imported.csv), &empty, at(PUBLISHED)).release;
            let file = edited(&imported.csv, &own);
            let published = published.follow(read(&file), at("2025-02-02T12:00:00Z")).release;
            let before = sequences(&published);
            let old = states(&published.program);
            let result = merged(Some(&imported.source), &now(*form, &source), &file);
            prop_assert_eq!(result.conflicts.len(), conflicts, "{}: {:?}", name, result.conflicts);
            let published = published.follow(read(&result.csv), at("2025-02-03T12:00:00Z")).release;
            prop_assert_eq!(&states(&published.program), &expected, "{}", name);
            let after = sequences(&published);
            let risen: BTreeSet<&String> = after.keys().filter(|uid| before.get(*uid) != after.get(*uid)).collect();
            let uid = |guid: &String| format!("{}@{}", by_guid(&published.program)[guid].id, conference().uid_domain);
            let changed: Vec<String> =
                expected.iter().filter(|(guid, state)| old.get(*guid) != Some(state)).map(|(guid, _)| uid(guid)).collect();
            prop_assert_eq!(risen, changed.iter().collect(), "{}", name);
            prop_assert!(before.keys().all(|uid| after.contains_key(uid)), "{}", name);
        }
    }
}
