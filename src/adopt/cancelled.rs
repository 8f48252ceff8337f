//! Titles that say that their session is cancelled, as organizers write them in tools without a status.

/// Words for "cancelled" at the start or the end of a title, in lower case.
const WORDS: [&str; 54] = [
    "canceled",
    "cancelled",
    "cancellation",
    "called off",
    "abgesagt",
    "fällt aus",
    "entfällt",
    "ausgefallen",
    "gestrichen",
    "annulé",
    "annulée",
    "annulés",
    "annulées",
    "supprimé",
    "supprimée",
    "cancelado",
    "cancelada",
    "cancelado/a",
    "cancelada/o",
    "cancelados",
    "canceladas",
    "anulado",
    "anulada",
    "suspendido",
    "suspendida",
    "annullato",
    "annullata",
    "annullati",
    "annullate",
    "cancellato",
    "cancellata",
    "geannuleerd",
    "afgelast",
    "vervallen",
    "aflyst",
    "avlyst",
    "inställd",
    "inställt",
    "peruttu",
    "peruutettu",
    "odwołane",
    "odwołany",
    "odwołana",
    "zrušeno",
    "zrušen",
    "elmarad",
    "отменено",
    "отменён",
    "отменен",
    "скасовано",
    "中止",
    "キャンセル",
    "取消",
    "취소",
];

/// Brackets and marks that people put around such a word.
const AROUND: [(char, char); 12] = [
    ('[', ']'),
    ('(', ')'),
    ('{', '}'),
    ('<', '>'),
    ('【', '】'),
    ('（', '）'),
    ('「', '」'),
    ('［', '］'),
    ('*', '*'),
    ('~', '~'),
    ('!', '!'),
    ('_', '_'),
];

/// Words that start a reason after such a word in brackets: `[Cancelled due to illness]`.
const REASONS: [&str; 17] = [
    "by",
    "due",
    "because",
    "as",
    "for",
    "on",
    "until",
    "wegen",
    "aufgrund",
    "krankheitsbedingt",
    "par",
    "pour",
    "en",
    "por",
    "debido",
    "per",
    "door",
];

/// What separates such a word from the title.
const SEPARATORS: [&str; 5] = [" - ", " – ", " — ", " | ", " // "];

/// The title without the word for "cancelled"; none if the title has no such word.
///
/// The word counts in brackets, with or without a reason (`[CANCELED] Talk`, `Talk (abgesagt wegen Krankheit)`), before a
/// colon, before or after a spaced dash (`Annulé : Talk`, `Talk - cancelled`), and in capitals beside a title that is not
/// all in capitals (`CANCELED Talk`). A title of that word alone stays as it is.
pub(super) fn without_cancelled(title: &str) -> Option<String> {
    let title = title.trim();
    let mut rest = without_one(title)?;
    while let Some(shorter) = without_one(rest).filter(|shorter| shorter.len() < rest.len()) {
        rest = shorter;
    }
    Some(if rest.is_empty() { title } else { rest }.to_owned())
}

fn without_one(title: &str) -> Option<&str> {
    let bare = title.trim_start_matches(|c: char| c.is_whitespace() || is_symbol(c));
    let rest = bracketed_start(title)
        .or_else(|| bracketed_end(title))
        .or_else(|| separated_start(bare))
        .or_else(|| separated_end(title))
        .or_else(|| capitals_at_start(bare))
        .or_else(|| capitals_at_end(title))?;
    let is_mark =
        |c: char| c.is_whitespace() || matches!(c, ':' | '：' | '–' | '—' | '-' | '|') || is_symbol(c);
    Some(rest.trim_matches(is_mark))
}

/// Arrows, signs and emoji: `❌ CANCELLED ❌`.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

fn is_word(text: &str) -> bool {
    let is_around = |c: char| c.is_whitespace() || matches!(c, '!' | '.' | '*') || is_symbol(c);
    WORDS.contains(&text.trim_matches(is_around).to_lowercase().as_str())
}

/// Whether a text in brackets is the word, or the word and a reason.
fn is_word_with_reason(text: &str) -> bool {
    let text = text.trim();
    let mut ends = text.match_indices([' ', ',', ':', ';', '.']).map(|(at, _)| at);
    is_word(text)
        || ends.any(|at| {
            let (word, reason) = text.split_at_checked(at).unwrap_or_default();
            let is_set_off =
                !reason.starts_with(' ') || reason.trim_start().starts_with(['-', '–', '—', '(']);
            let first = reason.split_whitespace().next().unwrap_or_default().to_lowercase();
            is_word(word) && (is_set_off || REASONS.contains(&first.as_str()))
        })
}

fn bracketed_start(title: &str) -> Option<&str> {
    let open = title.chars().next()?;
    let (_, close) = AROUND.iter().find(|(start, _)| *start == open)?;
    let inside = title.trim_start_matches(open);
    let (word, rest) = inside.split_once(*close)?;
    is_word_with_reason(word).then(|| rest.trim_start_matches(*close))
}

fn bracketed_end(title: &str) -> Option<&str> {
    let close = title.chars().next_back()?;
    let (open, _) = AROUND.iter().find(|(_, end)| *end == close)?;
    let (rest, word) = title.trim_end_matches(close).rsplit_once(*open)?;
    is_word_with_reason(word).then(|| rest.trim_end_matches(*open))
}

fn separated_start(title: &str) -> Option<&str> {
    let dash = || SEPARATORS.iter().filter_map(|dash| title.find(dash)).min();
    let end = title.find([':', '：']).into_iter().chain(dash()).min()?;
    let (word, rest) = title.split_at_checked(end)?;
    is_word(word).then_some(rest)
}

fn separated_end(title: &str) -> Option<&str> {
    let (at, dash) =
        SEPARATORS.iter().filter_map(|dash| Some((title.rfind(dash)?, *dash))).max_by_key(|(at, _)| *at)?;
    let (rest, word) = title.split_at_checked(at)?;
    is_word(word.strip_prefix(dash)?).then_some(rest)
}

fn is_in_capitals(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
}

fn capitals_at_start(title: &str) -> Option<&str> {
    let spaces = title.match_indices(char::is_whitespace).map(|(at, _)| at).take(2);
    let mut splits = spaces.filter_map(|at| title.split_at_checked(at));
    let found = splits.find(|(word, rest)| is_word(word) && is_in_capitals(word) && !is_in_capitals(rest));
    found.map(|(_, rest)| rest)
}

fn capitals_at_end(title: &str) -> Option<&str> {
    let spaces = title.rmatch_indices(char::is_whitespace).map(|(at, _)| at).take(2);
    let mut splits = spaces.filter_map(|at| title.split_at_checked(at));
    let found = splits.find(|(rest, word)| is_word(word) && is_in_capitals(word) && !is_in_capitals(rest));
    found.map(|(rest, _)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_say_so_are_cancelled_and_lose_the_word() {
        for title in [
            "[CANCELED] Carving heaps",
            "(cancelled) Carving heaps",
            "CANCELED: Carving heaps",
            "CANCELED Carving heaps",
            "Abgesagt: Carving heaps",
            "[Fällt aus] Carving heaps",
            "Annulé : Carving heaps",
            "CANCELADA - Carving heaps",
            "Cancelado/a: Carving heaps",
            "*ANNULLATO* Carving heaps",
            "【中止】Carving heaps",
            "キャンセル：Carving heaps",
            "Carving heaps (abgesagt)",
            "Carving heaps [CANCELLED]",
            "!!! ABGESAGT !!! Carving heaps",
            "ОТМЕНЕНО: Carving heaps",
            "**CANCELLED** Carving heaps",
            "Carving heaps - CANCELLED",
            "Carving heaps – entfällt",
            "Carving heaps | ANNULÉ",
            "Carving heaps: CANCELLED",
            "Carving heaps ABGESAGT!",
            "FÄLLT AUS Carving heaps",
            "❌ CANCELLED ❌ Carving heaps",
            "🚫 Abgesagt: Carving heaps 🚫",
            "[CANCELLED] [CANCELLED] Carving heaps",
            "[CANCELLED] Carving heaps (cancelled)",
            "[Canceled by speaker] Carving heaps",
            "Carving heaps (abgesagt wegen Krankheit)",
            "[Cancelled - see you next year] Carving heaps",
        ] {
            assert_eq!(without_cancelled(title).as_deref(), Some("Carving heaps"), "{title}");
        }
        assert_eq!(without_cancelled("[CANCELED]").as_deref(), Some("[CANCELED]"));
    }

    #[test]
    fn other_titles_stay() {
        for title in [
            "Cancelled checks and other stories",
            "Noise-cancelled rooms",
            "Cancel culture",
            "CANCELED FLIGHTS AND DELAYS",
            "[Workshop] Carving heaps",
            "Event cancellation: a guide",
            "",
            "[",
            "キャンセル待ち",
            "Carving (heaps)",
            "Carving heaps: cancelled",
            "Why we cancelled",
            "(Cancelled checks) and other stories",
            "FLIGHTS ARE CANCELLED",
            "- ",
            "❌",
        ] {
            assert_eq!(without_cancelled(title), None, "{title}");
        }
    }
}
