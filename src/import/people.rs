//! The columns `speakers` and `bios`.
//!
//! Speakers are separated by line ends or `;`. Each speaker is `Name, Affiliation`, split at the first comma, or `Role:
//! Name, Affiliation`. A name has no colon; an affiliation may have colons and commas. Bios are separated by a line
//! `--` and belong to the speakers in order. More bios than speakers are an error, since a bio would be lost; fewer
//! bios are a warning.

use super::cell;
use super::fault::{Defect, Faults, Spot, counted, shorten};
use crate::program::{Speaker, Text};

/// Roles in the plural, which must not become the role of the first speaker alone.
const PLURALS: [&str; 15] = [
    "chairs",
    "co-chairs",
    "cochairs",
    "moderators",
    "panelists",
    "panellists",
    "speakers",
    "hosts",
    "presenters",
    "organizers",
    "organisers",
    "facilitators",
    "instructors",
    "leads",
    "authors",
];

/// Parts of a name that follow a comma, without a full stop at the end.
const SUFFIXES: [&str; 15] =
    ["jr", "sr", "ii", "iii", "iv", "phd", "ph.d", "ph. d", "md", "m.d", "esq", "dr", "prof", "msc", "mba"];

/// The most bytes of a name, an affiliation or a role.
const MAX_PART: usize = 1024;

/// The speakers of a cell; none if the cell has an error.
pub(super) fn speakers(spot: Spot<'_>, faults: &mut Faults) -> Option<Vec<Speaker>> {
    let text = cell::block(spot, faults);
    let entries: Vec<&str> =
        text.as_str().split(['\n', ';']).map(str::trim).filter(|entry| !entry.is_empty()).collect();
    let mut found: Vec<Speaker> = Vec::with_capacity(entries.len());
    let mut names = std::collections::HashSet::new();
    let mut is_sound = true;
    for entry in &entries {
        let speaker = match speaker(entry) {
            Ok(speaker) => speaker,
            Err(defect) => {
                faults.error(spot.part(entry), defect);
                is_sound = false;
                continue;
            }
        };
        if !names.insert(speaker.name.as_str().to_lowercase()) {
            let message = format!("{} is in the cell twice", speaker.name);
            faults.warn(spot.part(entry), Defect::new("speaker-twice", message, "delete one of the two"));
        }
        if let Some(defect) = several(&speaker) {
            faults.warn(spot.part(entry), defect);
        }
        found.push(speaker);
    }
    let on_lines = text.as_str().lines().filter(|line| !line.trim().is_empty()).count();
    if on_lines > 1 && text.as_str().contains(';') {
        let message = "a semicolon separates speakers too, so a line with one has two speakers";
        let remedy =
            "write one speaker per line, and a comma in place of the semicolon within an affiliation";
        faults.warn(spot, Defect::new("speaker-semicolon", message, remedy));
    }
    if let Some(defect) = plural_role(&found) {
        faults.error(spot, defect);
        is_sound = false;
    }
    is_sound.then_some(found)
}

fn speaker(entry: &str) -> Result<Speaker, Defect> {
    let (person, affiliation) = match entry.split_once(',') {
        Some((person, affiliation)) => (person, affiliation.trim()),
        None => (entry, ""),
    };
    let (role, name) = match person.split_once(':') {
        Some((role, name)) => (Some(role.trim()), name.trim()),
        None => (None, person.trim()),
    };
    let form = "write Name, Affiliation or Role: Name, Affiliation";
    if name.is_empty() || role.is_some_and(str::is_empty) {
        let missing = if name.is_empty() { "name" } else { "role" };
        return Err(Defect::new(
            "speaker",
            format!("the {missing} is missing in {:?}", shorten(entry)),
            form,
        ));
    }
    if name.contains(':') || name.starts_with("//") {
        let message = format!("the name {:?} contains a colon", shorten(name));
        return Err(Defect::new("speaker", message, form));
    }
    if [name, affiliation, role.unwrap_or_default()].iter().any(|part| part.len() > MAX_PART) {
        let message =
            format!("a name, an affiliation or a role has more than {MAX_PART} bytes: {:?}", shorten(entry));
        return Err(Defect::new("too-long", message, "write one speaker per line"));
    }
    let text = |raw: &str| Some(Text::line(raw).0).filter(|text| !text.is_empty());
    Ok(Speaker {
        name: Text::line(name).0,
        affiliation: text(affiliation),
        role: role.and_then(text),
        bio: Text::default(),
    })
}

/// The defect of an entry such as `A and B, X`, which the grammar reads as one speaker.
fn several(speaker: &Speaker) -> Option<Defect> {
    let name = speaker.name.as_str();
    let affiliation = speaker.affiliation.as_ref().map(Text::as_str).unwrap_or_default();
    if SUFFIXES.contains(&affiliation.trim_end_matches('.').to_lowercase().as_str()) {
        let message = format!("{affiliation:?} is read as the affiliation of {}", speaker.name);
        let remedy = format!("write {name} {affiliation} without the comma if it belongs to the name");
        return Some(Defect::new("speaker-suffix", message, remedy));
    }
    let joined =
        [" and ", " & ", "/", " + "].iter().any(|word| name.contains(word)) || affiliation.contains(", and ");
    joined.then(|| {
        let message = format!("{:?} is read as one person", shorten(&speaker.line()));
        Defect::new("several-speakers", message, "write one speaker per line, each with an affiliation")
    })
}

/// Whether a role is in the plural: `Program Co-Chairs`.
pub fn names_several(role: &str) -> bool {
    let last = role.rsplit(' ').next().unwrap_or_default().to_lowercase();
    PLURALS.contains(&last.as_str())
}

/// The defect of `Program Co-Chairs: A, X; B, Y`, which the grammar reads as a role of A alone.
fn plural_role(speakers: &[Speaker]) -> Option<Defect> {
    let (index, role) = speakers.windows(2).enumerate().find_map(|(index, pair)| {
        let [first, second] = pair else { return None };
        let role = first.role.as_ref()?.as_str();
        (second.role.is_none() && names_several(role)).then_some((index, role))
    })?;
    let one = role.strip_suffix(['s', 'S']).unwrap_or(role);
    let lines: Vec<String> = speakers
        .iter()
        .enumerate()
        .map(|(n, speaker)| {
            let bare = n >= index && (n == index || speaker.role.is_none());
            let role = if bare { Some(Text::line(one).0) } else { speaker.role.clone() };
            Speaker { role, ..speaker.clone() }.line()
        })
        .collect();
    let message = format!("{role:?} is a role of several people, but only the first one would get it");
    Some(Defect::new("plural-role", message, format!("write one line for each: {}", lines.join("; "))))
}

/// Gives each speaker a bio, in order; false if the cell has an error.
pub(super) fn bios(spot: Spot<'_>, speakers: &mut [Speaker], faults: &mut Faults) -> bool {
    let text = cell::block(spot, faults);
    let mut bios: Vec<String> = vec![String::new()];
    for line in text.as_str().lines() {
        match bios.last_mut() {
            Some(bio) if line.trim() != "--" => {
                bio.push_str(line);
                bio.push('\n');
            }
            _ => bios.push(String::new()),
        }
    }
    while bios.len() > 1 && bios.last().is_some_and(|bio| bio.trim().is_empty()) {
        bios.pop();
    }
    let (found, expected) = (bios.len(), speakers.len());
    let message = format!("the cell has {} for {}", counted(found, "bio"), counted(expected, "speaker"));
    if found > expected {
        let remedy = if expected == 0 {
            "name the speakers in the column \"speakers\", or move the text to the abstract"
        } else {
            "separate bios with a line \"--\", and use such lines for nothing else"
        };
        faults.error(spot, Defect::new("bios-count", message, remedy));
        return false;
    }
    // A line "--" at the end states that the remaining speakers have no bio.
    let is_complete = text.as_str().lines().next_back().is_some_and(|line| line.trim() == "--");
    if found < expected && !is_complete {
        let message = format!("{message}, so the last speakers have none");
        let remedy = "separate bios with a line \"--\", and leave the place of a missing bio empty";
        faults.warn(spot, Defect::new("bios-count", message, remedy));
    }
    for (speaker, bio) in speakers.iter_mut().zip(bios) {
        speaker.bio = Text::block(&bio).0;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Option<Vec<String>>, Vec<&'static str>) {
        let mut faults = Faults::default();
        let people = speakers(Spot { text, ..Spot::FILE }, &mut faults);
        let lines = people.map(|people| people.iter().map(Speaker::line).collect());
        (lines, faults.into_list().iter().map(|fault| fault.rule).collect())
    }

    #[test]
    fn the_first_comma_ends_the_name() {
        for text in [
            "Leonardo Antônio dos Santos, Workday, Inc.",
            "Randall (Randy) Horwitz, IBM CIO",
            "Scott Laird",
            "Program Co-Chair: Dan Fainstein, The D. E. Shaw Group",
            "Jane Doe, Project: Colon",
        ] {
            assert_eq!(read(text), (Some(vec![text.to_owned()]), vec![]), "{text}");
        }
        assert_eq!(read("A B, X; C D, Y\nE F;").0.unwrap(), ["A B, X", "C D, Y", "E F"]);
    }

    #[test]
    fn a_plural_role_is_refused_with_a_line_for_each_speaker() {
        let mut faults = Faults::default();
        let spot = Spot { text: "Program Co-Chairs: A B, X; C D, Y", ..Spot::FILE };
        assert_eq!(speakers(spot, &mut faults), None);
        let list = faults.into_list();
        assert!(list[0].remedy.contains("Program Co-Chair: A B, X; Program Co-Chair: C D, Y"));
        assert_eq!(read("Head of Operations: A B\nC D").1, Vec::<&str>::new());
    }

    #[test]
    fn an_unreadable_speaker_is_an_error() {
        for text in [", Netflix", "Moderator: , X", ": A B", "https://example.org/a", "Panel: Chair: A B"] {
            assert_eq!(read(text), (None, vec!["speaker"]), "{text}");
        }
        assert_eq!(read("A B and C D, X").1, ["several-speakers"]);
        assert_eq!(read("A B, X\na b, Y").1, ["speaker-twice"]);
    }

    proptest! {
        #[test]
        fn printing_a_speaker_gives_the_text_that_was_read(
            role in proptest::option::of("[A-Z][a-z]{1,8}( [A-Z][a-z]{1,5})?"),
            name in "[A-ZÀ-Ö][a-zà-ö]{1,8}( \\([A-Z][a-z]{1,5}\\))? [A-Z][a-z’-]{1,8}[a-z]",
            affiliation in proptest::option::of("[A-Z][a-z]{1,9}(, (Inc\\.|LLC: East))?"),
        ) {
            let line = [
                role.map(|role| format!("{role}: ")).unwrap_or_default(),
                name,
                affiliation.map(|affiliation| format!(", {affiliation}")).unwrap_or_default(),
            ].concat();
            prop_assert_eq!(speaker(&line).unwrap().line(), line);
        }
    }
}
