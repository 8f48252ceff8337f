//! The header row, which names the columns.

use super::fault::{Defect, Faults, Location, Spot, shorten};
use super::scan::MAX_COLUMNS;
use super::word::nearest;
use crate::program::{Field, Text};

/// Columns that every file must have.
const REQUIRED: [Field; 6] = [Field::Id, Field::Date, Field::Start, Field::End, Field::Kind, Field::Title];

/// The most bytes of a column's name. A longer text is only quoted in a message.
const MAX_NAME: usize = 256;

/// Whether every file must have a column for the field, and every row a text in the column.
pub(super) fn is_required(field: Field) -> bool {
    REQUIRED.contains(&field)
}

/// Whether a cell of the header row, as written in the file, names a field.
pub(super) fn names_field(cell: &str) -> bool {
    cell.len() <= MAX_NAME && field(cell.trim_matches(['"', ' ', '\u{a0}'])).is_some()
}

/// Names of columns in other tools and languages, by the field that they mean. Spaces, hyphens and underscores are left out.
const MEANINGS: [(Field, &[&str]); 20] = [
    (
        Field::Date,
        &[
            "day",
            "startdate",
            "sessiondate",
            "eventdate",
            "datum",
            "tag",
            "starttag",
            "startdatum",
            "fecha",
            "data",
            "jour",
            "日付",
            "日",
        ],
    ),
    (
        Field::Start,
        &[
            "from",
            "begin",
            "begins",
            "beginning",
            "starts",
            "starttime",
            "timestart",
            "startsat",
            "datetime",
            "dateandtime",
            "startdatetime",
            "time",
            "von",
            "beginn",
            "anfang",
            "startzeit",
            "startet",
            "beginnt",
            "beginntum",
            "startuhrzeit",
            "uhrzeit",
            "zeit",
            "inicio",
            "horainicio",
            "hora",
            "début",
            "heure",
            "início",
            "inizio",
            "ora",
            "開始",
            "開始時間",
            "時間",
        ],
    ),
    (
        Field::End,
        &[
            "to",
            "until",
            "till",
            "ends",
            "endtime",
            "timeend",
            "endsat",
            "enddatetime",
            "finish",
            "bis",
            "ende",
            "endzeit",
            "endet",
            "endetum",
            "enduhrzeit",
            "fin",
            "horafin",
            "fim",
            "fine",
            "終了",
            "終了時間",
        ],
    ),
    (Field::EndDate, &["lastday", "dateend", "endday", "enddatum", "endtag", "fechafin"]),
    (
        Field::Kind,
        &[
            "type",
            "sessiontype",
            "eventtype",
            "talktype",
            "format",
            "sessionformat",
            "category",
            "typ",
            "art",
            "kategorie",
            "sessiontyp",
            "vortragsart",
            "tipo",
            "種別",
            "形式",
        ],
    ),
    (
        Field::Title,
        &[
            "name",
            "sessiontitle",
            "sessionname",
            "session",
            "talk",
            "talktitle",
            "talkname",
            "eventtitle",
            "eventname",
            "subject",
            "summary",
            "titel",
            "vortrag",
            "vortragstitel",
            "sessiontitel",
            "veranstaltung",
            "bezeichnung",
            "betreff",
            "titre",
            "título",
            "titulo",
            "titolo",
            "タイトル",
            "題名",
            "演題",
        ],
    ),
    (Field::Track, &["tracks", "trackname", "stream", "theme", "topic", "strang", "thema", "トラック"]),
    (Field::Block, &["sessionblock", "group", "blockname"]),
    (
        Field::Room,
        &[
            "location",
            "place",
            "venue",
            "where",
            "hall",
            "stage",
            "roomname",
            "raum",
            "ort",
            "saal",
            "bühne",
            "zimmer",
            "standort",
            "veranstaltungsort",
            "salle",
            "lieu",
            "sala",
            "lugar",
            "local",
            "luogo",
            "会場",
            "部屋",
            "場所",
        ],
    ),
    (
        Field::Speakers,
        &[
            "speaker",
            "speakername",
            "speakernames",
            "presenter",
            "presenters",
            "presentedby",
            "author",
            "authors",
            "lecturer",
            "panelists",
            "host",
            "hosts",
            "who",
            "referent",
            "referenten",
            "referentin",
            "referentinnen",
            "redner",
            "rednerin",
            "vortragender",
            "vortragende",
            "sprecher",
            "orateur",
            "orateurs",
            "intervenant",
            "intervenants",
            "ponente",
            "ponentes",
            "palestrante",
            "palestrantes",
            "relatore",
            "relatori",
            "登壇者",
            "講演者",
            "発表者",
        ],
    ),
    (
        Field::Abstract,
        &[
            "description",
            "sessiondescription",
            "summarytext",
            "details",
            "about",
            "content",
            "body",
            "text",
            "beschreibung",
            "kurzbeschreibung",
            "zusammenfassung",
            "inhalt",
            "résumé",
            "descripción",
            "descripcion",
            "descrição",
            "descrizione",
            "概要",
            "説明",
            "内容",
        ],
    ),
    (
        Field::Bios,
        &["bio", "biography", "biographies", "speakerbio", "speakerbios", "aboutthespeaker", "biografie"],
    ),
    (Field::Url, &["link", "website", "webpage", "page", "sessionurl", "homepage", "lien", "enlace"]),
    (Field::Links, &["slides", "video", "videos", "materials", "resources", "attachments"]),
    (Field::Language, &["lang", "locale", "spokenlanguage", "sprache", "langue", "idioma", "lingua", "言語"]),
    (
        Field::Tags,
        &[
            "keywords",
            "keyword",
            "topics",
            "labels",
            "schlagwörter",
            "themen",
            "étiquettes",
            "etiquetas",
            "タグ",
        ],
    ),
    (
        Field::Image,
        &["imageurl", "picture", "pictureurl", "logo", "cover", "bild", "imagen", "imagem", "画像"],
    ),
    (Field::FeedbackUrl, &["feedback", "feedbacklink", "survey", "surveyurl"]),
    (
        Field::Recording,
        &["record", "recorded", "recordingallowed", "aufzeichnung", "enregistrement", "grabación", "録画"],
    ),
    (Field::Guid, &["uid", "uuid", "code", "sessionid", "externalid", "kennung"]),
];

/// The field that a column of another tool means by its name; none if the name is not known.
pub fn field_meant(name: &str) -> Option<Field> {
    let bare = |text: &str| text.to_lowercase().replace([' ', '-', '_', '.', ':', '*', '/', '\u{a0}'], "");
    // `Start (CEST)`, `Datum (TT.MM.JJJJ)`
    let name =
        bare(name.split(['(', '[', '（']).next().filter(|name| !name.trim().is_empty()).unwrap_or(name));
    Field::ALL
        .iter()
        .find(|field| bare(field.as_str()) == name)
        .or_else(|| MEANINGS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| field))
        .copied()
}

/// A known name that is almost the same. A hint must not be wrong, so half the letters are not enough here.
fn near<'c>(name: &str, candidates: &[&'c str]) -> Option<&'c str> {
    nearest(name, candidates).filter(|near| {
        let (name, near) = (name.to_lowercase(), near.to_lowercase());
        name.contains(&near)
            || near.contains(&name)
            || strsim::normalized_damerau_levenshtein(&name, &near) >= 0.7
    })
}

fn field(name: &str) -> Option<Field> {
    name.to_lowercase().parse().ok()
}

/// The header row: the field of each column.
#[derive(Debug)]
pub(super) struct Header {
    /// The columns' names as the file spells them, trimmed.
    pub(super) names: Vec<String>,
    fields: Vec<Option<Field>>,
}

impl Header {
    /// Reads the cells of the header row and reports their faults; none if no row below the header can be read.
    ///
    /// `width` counts all cells of the row. A row with more than [`MAX_COLUMNS`] is a mistake of a spreadsheet.
    pub(super) fn read(cells: &[Spot<'_>], width: usize, faults: &mut Faults) -> Option<Self> {
        let name = |cell: &Spot<'_>| match cell.text.len() {
            0..=MAX_NAME => Text::line(cell.text).0.to_string(),
            _ => shorten(cell.text),
        };
        let names: Vec<String> = cells.iter().map(name).collect();
        let file = cells.first().copied().unwrap_or(Spot::FILE);
        if width > MAX_COLUMNS {
            let message = format!("the header row has {width} columns, more than {MAX_COLUMNS}");
            faults.error(file, Defect::new("too-many-columns", message, "delete the columns without a name"));
            return None;
        }
        let fields: Vec<_> = names.iter().map(|name| field(name)).collect();
        if fields.iter().all(Option::is_none) {
            let expected = REQUIRED.map(Field::as_str).join(",");
            let message = "the first row names no column of a program";
            let renames: Vec<String> =
                names.iter().filter_map(|name| Some(format!("{name} to {}", field_meant(name)?))).collect();
            let remedy = match renames.as_slice() {
                [] => {
                    format!("write a first row such as {expected}, separated by commas, semicolons or tabs")
                }
                _ => format!("write a first row such as {expected}; perhaps rename {}", renames.join(", ")),
            };
            faults.error(file, Defect::new("no-header", message, remedy));
            return None;
        }
        let header = Self { names, fields };
        header.report(cells, faults);
        Some(header)
    }

    fn report(&self, cells: &[Spot<'_>], faults: &mut Faults) {
        for (index, ((cell, name), field)) in cells.iter().zip(&self.names).zip(&self.fields).enumerate() {
            let spot = Spot { column: Some(name), ..*cell };
            match field {
                Some(field) if self.position(*field) != Some(index) => {
                    let message = format!("the column {name:?} is there twice");
                    faults.error(
                        spot,
                        Defect::new("duplicate-column", message, "delete or rename one of them"),
                    );
                }
                None if !name.is_empty() => faults.warn(spot, self.unknown(name)),
                _ => {}
            }
        }
        let span = |cell: &Spot<'_>| cell.location.span;
        let row = Location {
            line: cells.first().map_or(1, |cell| cell.location.line),
            span: cells.first().and_then(span).zip(cells.last().and_then(span)).map(|(a, b)| (a.0, b.1)),
        };
        for field in REQUIRED.into_iter().filter(|field| self.position(*field).is_none()) {
            faults.error(Spot { location: row, column: Some(field.as_str()), text: "" }, self.missing(field));
        }
    }

    fn unknown(&self, name: &str) -> Defect {
        let known: Vec<&str> = Field::WORDS.to_vec();
        let is_free = |name: &&str| field(name).is_some_and(|field| self.position(field).is_none());
        let free: Vec<&str> = known.iter().copied().filter(is_free).collect();
        let meant = field_meant(name).map(Field::as_str);
        let remedy = match meant.or_else(|| near(name, &free)).or_else(|| near(name, &known)) {
            Some(near) if is_free(&near) => format!("rename it to {near:?} if that is what it holds"),
            Some(near) => format!("delete it if {near:?} holds the same; otherwise leave it"),
            None => format!("leave it, or rename it to one of {}", known.join(", ")),
        };
        Defect::new("unknown-column", format!("the column {name:?} is unknown and ignored"), remedy)
    }

    fn missing(&self, field: Field) -> Defect {
        let is_unknown = |(name, field): &(&String, &Option<Field>)| field.is_none() && !name.is_empty();
        let unknown = self.names.iter().zip(&self.fields).filter(is_unknown);
        let unknown: Vec<&str> = unknown
            .map(|(name, _)| name.as_str())
            .filter(|name| field_meant(name).is_none_or(|meant| meant == field))
            .collect();
        let meant = unknown.iter().copied().find(|name| field_meant(name) == Some(field));
        let remedy = match meant.or_else(|| near(field.as_str(), &unknown)) {
            Some(near) => format!("rename the column {near:?} to \"{field}\", or add a column \"{field}\""),
            None => format!("add a column \"{field}\" and fill it in for every session"),
        };
        Defect::new("missing-column", format!("the required column \"{field}\" is missing"), remedy)
    }

    /// The field of each column.
    pub(super) fn fields(&self) -> &[Option<Field>] {
        &self.fields
    }

    /// The index of a field's column. If two columns have the field, the first.
    pub(super) fn position(&self, field: Field) -> Option<usize> {
        self.fields.iter().position(|known| *known == Some(field))
    }
}
