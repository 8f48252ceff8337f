//! The names of months and weekdays, in the languages in which programs were met: English, German, French, Spanish,
//! Portuguese, Italian and Dutch. Accents and case do not matter, and three letters are enough.

use unicode_normalization::UnicodeNormalization;

/// The names of the months, without accents.
const MONTHS: [&[&str]; 12] = [
    &["january", "januar", "janner", "janvier", "janeiro", "gennaio", "januari", "enero"],
    &["february", "februar", "feber", "fevrier", "febrero", "fevereiro", "febbraio", "februari"],
    &["march", "marz", "maerz", "mars", "marzo", "marco", "maart", "mrt"],
    &["april", "avril", "abril", "aprile"],
    &["may", "mai", "mayo", "maio", "maggio", "mei"],
    &["june", "juni", "juin", "junio", "junho", "giugno"],
    &["july", "juli", "juillet", "julio", "julho", "luglio"],
    &["august", "aout", "agosto", "augustus"],
    &["september", "septembre", "septiembre", "setembro", "settembre", "sept"],
    &["october", "oktober", "octobre", "octubre", "outubro", "ottobre"],
    &["november", "novembre", "noviembre", "novembro"],
    &["december", "dezember", "decembre", "diciembre", "dezembro", "dicembre"],
];

/// The names of the weekdays, without accents, from Monday.
const WEEKDAYS: [&[&str]; 7] = [
    &["monday", "montag", "lundi", "lunes", "segunda", "lunedi", "maandag"],
    &["tuesday", "dienstag", "mardi", "martes", "terca", "martedi", "dinsdag"],
    &["wednesday", "mittwoch", "mercredi", "miercoles", "quarta", "mercoledi", "woensdag"],
    &["thursday", "donnerstag", "jeudi", "jueves", "quinta", "giovedi", "donderdag"],
    &["friday", "freitag", "vendredi", "viernes", "sexta", "venerdi", "vrijdag"],
    &["saturday", "samstag", "sonnabend", "samedi", "sabado", "sabato", "zaterdag"],
    &["sunday", "sonntag", "dimanche", "domingo", "domenica", "zondag"],
];

/// The weekdays as German calendars shorten them.
const SHORT_WEEKDAYS: [&str; 7] = ["mo", "di", "mi", "do", "fr", "sa", "so"];

/// Words of a date that say nothing.
const FILLERS: [&str; 7] = ["of", "de", "den", "der", "the", "le", "feira"];

/// The month, from 0; none if the word is no month, or is the beginning of two.
pub(super) fn month(word: &str) -> Option<usize> {
    one_of(&MONTHS, &plain(word))
}

/// The weekday, from Monday as 0.
pub(super) fn weekday(word: &str) -> Option<usize> {
    let word = plain(word);
    one_of(&WEEKDAYS, &word).or_else(|| SHORT_WEEKDAYS.iter().position(|short| *short == word))
}

/// Whether a word says nothing.
pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

/// The number of a day without the ending of an ordinal.
pub(super) fn without_ordinal(word: &str) -> &str {
    ["st", "nd", "rd", "th", "er", "º", "ª"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word)
}

fn plain(word: &str) -> String {
    let is_mark = |c: &char| unicode_normalization::char::is_combining_mark(*c);
    word.nfd().filter(|c| !is_mark(c)).flat_map(char::to_lowercase).collect()
}

/// The only entry with a name that starts with the word. A whole name wins over the beginnings of others.
fn one_of(names: &[&[&str]], word: &str) -> Option<usize> {
    let whole = names.iter().position(|names| names.contains(&word));
    let starts = |names: &&[&str]| names.iter().any(|name| name.starts_with(word));
    let mut found = names.iter().enumerate().filter(|(_, names)| word.len() >= 3 && starts(names));
    let first = found.next().map(|(place, _)| place);
    whole.or_else(|| first.filter(|_| found.next().is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_each_language_by_three_letters() {
        for (word, place) in [
            ("Mai", 4),
            ("März", 2),
            ("mrz", usize::MAX),
            ("févr", 1),
            ("août", 7),
            ("DEZ", 11),
            ("giu", 5),
            ("juin", 5),
            ("jui", usize::MAX),
            ("ma", usize::MAX),
            ("enero", 0),
            ("Sept", 8),
        ] {
            assert_eq!(month(word).unwrap_or(usize::MAX), place, "{word}");
        }
        for (word, place) in [
            ("Fr", 4),
            ("fri", 4),
            ("miércoles", 2),
            ("sáb", 5),
            ("Do", 3),
            ("x", usize::MAX),
            ("s", usize::MAX),
        ] {
            assert_eq!(weekday(word).unwrap_or(usize::MAX), place, "{word}");
        }
    }
}
