//! What Callboard's own exports write for other programs, read back: they have no place for some fields, and must fill
//! others.
//!
//! Schedules for apps list roles and affiliations in the description. Calendars begin the description with a note about
//! a move, and end it with the links and the session's page. A session without a room has the track, the venue or the
//! conference as its location. Only what can be recognised for certain is taken apart.

use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession};
use crate::program::SessionKind;
use crate::texts::Texts;
use std::collections::HashSet;

/// Takes the locations away that stand in for a room. A venue that stands in cannot be told from a room.
pub(super) fn remove_stand_ins(foreign: &mut ForeignProgram) {
    let title = foreign.title.clone().unwrap_or_default();
    let mut removed = HashSet::new();
    for session in &mut foreign.sessions {
        if !session.room.is_empty() && (session.room == title || session.room == session.track) {
            let message = "a location that is only the name of the track or the conference is no room";
            foreign.notes.add_for(&session.title, message);
            removed.insert(std::mem::take(&mut session.room));
        }
    }
    let used: HashSet<&str> = foreign.sessions.iter().map(|session| session.room.as_str()).collect();
    foreign.rooms.retain(|(name, _)| !removed.contains(name) || used.contains(name.as_str()));
}

/// The speakers with the roles, affiliations and bios of a description: for each speaker `Role: Name, Affiliation`, with
/// the bio below. None if the description has another form.
pub(super) fn speakers_of(description: &str, people: &[ForeignPerson]) -> Option<Vec<ForeignPerson>> {
    let mut rest = description.trim();
    let mut found = Vec::with_capacity(people.len());
    for (n, person) in people.iter().enumerate() {
        let (role, affiliation) = role_and_affiliation(rest, &person.name)?;
        let below = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
        let is_bio = |text: &str| !person.bio.is_empty() && text.starts_with(&person.bio);
        let is_known = below.strip_prefix('\n').is_some_and(is_bio);
        let end = match people.get(n + 1) {
            None => below.len(),
            Some(_) if is_known => 1 + person.bio.len(),
            Some(next) => {
                let is_next = |at: &usize| {
                    let after = below.get(at + 2..).unwrap_or_default();
                    role_and_affiliation(after, &next.name).is_some()
                };
                let mut ends = below.match_indices("\n\n").map(|(at, _)| at).filter(is_next);
                // A bio with a line that could be the next speaker's has two readings.
                ends.next().filter(|_| ends.next().is_none())?
            }
        };
        let bio = below.get(..end)?;
        rest = below.get(end + 2..).unwrap_or_default();
        let bio = if person.bio.is_empty() { bio.trim().to_owned() } else { person.bio.clone() };
        found.push(ForeignPerson { name: person.name.clone(), role, affiliation, bio });
    }
    Some(found)
}

/// The role and the affiliation of the first line of a text, which names a speaker.
fn role_and_affiliation(text: &str, name: &str) -> Option<(String, String)> {
    let line = text.lines().next()?;
    let parts = |at: usize| {
        let (before, after) = (line.get(..at)?, line.get(at + name.len()..)?);
        let role = if before.is_empty() { before } else { before.strip_suffix(": ")? };
        let affiliation = if after.is_empty() { after } else { after.strip_prefix(", ")? };
        Some((role.to_owned(), affiliation.to_owned()))
    };
    line.match_indices(name).find_map(|(at, _)| parts(at)).filter(|_| !name.is_empty())
}

/// The text of a calendar's description, without the note about a move, the links and the session's page. The links
/// become links of the session, and its page is no address of the organizers.
pub(super) fn text_of(description: &str, session: &mut ForeignSession) -> String {
    let page = format!("/sessions/{}", session.own_id);
    let is_page = |line: &str| line.starts_with("http") && line.ends_with(&page);
    if is_page(&session.url) {
        session.url.clear();
    }
    let (text, end) = description.rsplit_once("\n\n").unwrap_or(("", description));
    let mut lines: Vec<&str> = end.lines().collect();
    let links = lines.pop().filter(|last| is_page(last)).and_then(|_| {
        let link = |line: &&str| {
            let (label, address) = line.rsplit_once(": http")?;
            Some((label.to_owned(), format!("http{address}")))
        };
        lines.iter().map(link).collect::<Option<Vec<_>>>()
    });
    let Some(links) = links else { return description.to_owned() };
    session.links.extend(links);
    let (first, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let is_note = Texts::all().any(|texts| first.starts_with(texts.moved_note("").trim_end()));
    if is_note { rest } else { text }.to_owned()
}

/// The track, the kind and the tags of a calendar's CATEGORIES, in this order. A session may have no track.
pub(super) fn categories(names: Vec<String>, session: &mut ForeignSession) {
    // A track may have the name of a kind, with a capital letter.
    let is_kind = |name: &String| name.parse::<SessionKind>().is_ok_and(|kind| kind.as_str() == name);
    let mut names = names.into_iter().peekable();
    session.track = names.next_if(|name| !is_kind(name)).unwrap_or_default();
    session.kind = names.next_if(is_kind).unwrap_or_default();
    session.tags.extend(names);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: &str, name: &str, affiliation: &str, bio: &str) -> ForeignPerson {
        let [role, name, affiliation, bio] = [role, name, affiliation, bio].map(str::to_owned);
        ForeignPerson { name, role, affiliation, bio }
    }

    #[test]
    fn roles_affiliations_and_bios_are_read_from_the_description() {
        let text = "Chair: Jane Doe, ACME, Inc.\nWrites.\n\nJohn, too.\n\nJohn\n\nZoë, A: B";
        let bio = "Writes.\n\nJohn, too.";
        let named =
            [("Jane Doe", bio), ("John", ""), ("Zoë", "")].map(|(name, bio)| person("", name, "", bio));
        assert_eq!(
            speakers_of(text, &named).unwrap(),
            [
                person("Chair", "Jane Doe", "ACME, Inc.", bio),
                person("", "John", "", ""),
                person("", "Zoë", "A: B", "")
            ]
        );
        let names = named.clone().map(|named| ForeignPerson { bio: String::new(), ..named });
        assert_eq!(speakers_of(text, &names), None);
        let found = speakers_of(&text.replace("John, too", "He does"), &names).unwrap();
        assert_eq!(found[0].bio, "Writes.\n\nHe does.");
        assert_eq!(speakers_of("Something else", &named), None);
        assert_eq!(speakers_of("", &[]), Some(Vec::new()));
    }

    #[test]
    fn a_description_loses_only_what_calendars_add() {
        let page = "https://conf.example.org/sessions/aa";
        let session =
            || ForeignSession { own_id: "aa".to_owned(), url: page.to_owned(), ..ForeignSession::default() };
        for note in Texts::all().map(|texts| texts.moved_note("Tue 11:00, Hall")) {
            let mut read = session();
            let text =
                format!("{note}\n\nJane Doe, ACME\n\nOne.\n\nTwo.\n\nSlides: 1: https://a.example/1\n{page}");
            assert_eq!(text_of(&text, &mut read), "Jane Doe, ACME\n\nOne.\n\nTwo.");
            assert_eq!(read.links, [("Slides: 1".to_owned(), "https://a.example/1".to_owned())]);
            assert!(read.url.is_empty());
        }
        let mut read = session();
        assert_eq!(text_of(page, &mut read), "");
        let edited = "One.\n\nhttps://conf.example.org/sessions/bb";
        assert_eq!(text_of(edited, &mut read), edited);
    }
}
