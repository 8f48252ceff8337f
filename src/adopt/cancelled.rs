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

/// The title without the word for "cancelled"; none if the title has no such word.
///
/// The word counts in brackets (`[CANCELED] Talk`, `Talk (abgesagt)`), before a colon or a spaced dash (`Annulé :
/// Talk`), and in capitals before a title that is not all in capitals (`CANCELED Talk`). A title of that word alone
/// stays as it is.
pub(super) fn without_cancelled(title: &str) -> Option<String> {
    let title = title.trim();
    let rest = bracketed_start(title).or_else(|| bracketed_end(title)).or_else(|| bare_start(title))?;
    let rest =
        rest.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | '–' | '—' | '-' | '|'));
    Some(if rest.is_empty() { title } else { rest }.to_owned())
}

fn is_word(text: &str) -> bool {
    let bare = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '!' | '.' | '*'));
    WORDS.contains(&bare.to_lowercase().as_str())
}

fn bracketed_start(title: &str) -> Option<&str> {
    let open = title.chars().next()?;
    let (_, close) = AROUND.iter().find(|(start, _)| *start == open)?;
    let inside = title.trim_start_matches(open);
    let (word, rest) = inside.split_once(*close)?;
    is_word(word).then(|| rest.trim_start_matches(*close))
}

fn bracketed_end(title: &str) -> Option<&str> {
    let close = title.chars().next_back()?;
    let (open, _) = AROUND.iter().find(|(_, end)| *end == close)?;
    let (rest, word) = title.trim_end_matches(close).rsplit_once(*open)?;
    is_word(word).then(|| rest.trim_end_matches(*open))
}

fn bare_start(title: &str) -> Option<&str> {
    let end = title
        .find([':', '：'])
        .or_else(|| [" - ", " – ", " — ", " | "].iter().find_map(|dash| title.find(dash)));
    if let Some((word, rest)) =
        end.and_then(|end| title.split_at_checked(end)).filter(|(word, _)| is_word(word))
    {
        let _ = word;
        return Some(rest);
    }
    let (word, rest) = title.split_once(char::is_whitespace)?;
    let is_loud = |text: &str| text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase);
    (is_word(word) && is_loud(word) && !is_loud(rest)).then_some(rest)
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
        ] {
            assert_eq!(without_cancelled(title), None, "{title}");
        }
    }
}
