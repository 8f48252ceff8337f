//! Language tags: BCP 47, as far as their form (RFC 5646, 2.1), and what people write in place of one.

/// A language that is no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{raw:?} is not a language tag; write {}", .suggestion.as_deref().map_or_else(
    || "one such as \"en\", \"de-CH\" or \"pt-BR\"".to_owned(), |tag| format!("{tag:?}")))]
pub struct LanguageError {
    raw: String,
    suggestion: Option<String>,
}

/// Names of languages, in English and in the language itself, and their tags.
const NAMES: &[(&str, &str)] = &[
    ("arabic", "ar"),
    ("catalan", "ca"),
    ("català", "ca"),
    ("chinese", "zh"),
    ("中文", "zh"),
    ("czech", "cs"),
    ("čeština", "cs"),
    ("danish", "da"),
    ("dansk", "da"),
    ("dutch", "nl"),
    ("nederlands", "nl"),
    ("english", "en"),
    ("finnish", "fi"),
    ("suomi", "fi"),
    ("french", "fr"),
    ("français", "fr"),
    ("francais", "fr"),
    ("german", "de"),
    ("deutsch", "de"),
    ("greek", "el"),
    ("hebrew", "he"),
    ("hindi", "hi"),
    ("hungarian", "hu"),
    ("magyar", "hu"),
    ("italian", "it"),
    ("italiano", "it"),
    ("japanese", "ja"),
    ("日本語", "ja"),
    ("korean", "ko"),
    ("norwegian", "no"),
    ("norsk", "no"),
    ("polish", "pl"),
    ("polski", "pl"),
    ("portuguese", "pt"),
    ("português", "pt"),
    ("romanian", "ro"),
    ("russian", "ru"),
    ("русский", "ru"),
    ("slovak", "sk"),
    ("spanish", "es"),
    ("español", "es"),
    ("espanol", "es"),
    ("swedish", "sv"),
    ("svenska", "sv"),
    ("turkish", "tr"),
    ("türkçe", "tr"),
    ("ukrainian", "uk"),
    ("українська", "uk"),
    ("vietnamese", "vi"),
];

/// Checks a language tag. The case stays as it was written: tags are compared without it.
///
/// Primary subtags of four letters and more are refused, though RFC 5646 has a place for them: none was ever
/// registered, and what has this form is a language's name.
///
/// # Errors
/// [`LanguageError`], which names the tag to write instead where that can be told.
pub fn language_tag(raw: &str) -> Result<&str, LanguageError> {
    let raw = raw.trim();
    if is_tag(raw) {
        Ok(raw)
    } else {
        Err(LanguageError { raw: raw.to_owned(), suggestion: suggestion(raw) })
    }
}

fn suggestion(raw: &str) -> Option<String> {
    let lower = raw.to_lowercase();
    let named = NAMES.iter().find(|(name, _)| *name == lower).map(|(_, tag)| (*tag).to_owned());
    // A locale's name, such as en_US.UTF-8.
    let locale = || raw.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    named.or_else(|| Some(locale()).filter(|tag| is_tag(tag)))
}

fn is_tag(raw: &str) -> bool {
    let mut parts = raw.split('-').peekable();
    let letters = |part: &str, n: std::ops::RangeInclusive<usize>| {
        n.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let mixed = |part: &str, n: std::ops::RangeInclusive<usize>| {
        n.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let digit_first = |part: &str| part.bytes().next().is_some_and(|b| b.is_ascii_digit());
    if !parts.next().is_some_and(|primary| letters(primary, 2..=3)) {
        return false;
    }
    for _ in 0..3 {
        parts.next_if(|part| letters(part, 3..=3)); // extlang
    }
    parts.next_if(|part| letters(part, 4..=4)); // script
    parts.next_if(|part| letters(part, 2..=2) || part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()));
    while parts
        .next_if(|part| mixed(part, 5..=8) || part.len() == 4 && digit_first(part) && mixed(part, 4..=4))
        .is_some()
    {}
    while let Some(singleton) = parts.next() {
        // An extension, or with `x` private use, to the end.
        let least = if singleton.eq_ignore_ascii_case("x") { 1 } else { 2 };
        let mut found = false;
        while parts.next_if(|part| mixed(part, least..=8)).is_some() {
            found = true;
        }
        if !mixed(singleton, 1..=1) || !found {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_as_they_are() {
        for tag in [
            "en",
            "en-US",
            "de-ch",
            "pt-BR",
            "zh-Hant-TW",
            "es-419",
            "sl-rozaj-biske",
            "de-CH-1996",
            "zh-cmn-Hans-CN",
            "de-u-co-phonebk",
            "en-x-board",
            "gsw",
        ] {
            assert_eq!(language_tag(tag), Ok(tag));
        }
    }

    #[test]
    fn what_is_no_tag_is_refused_with_the_tag_to_write() {
        for (raw, remedy) in [
            ("english", "write \"en\""),
            ("Deutsch", "write \"de\""),
            ("en_US", "write \"en-US\""),
            ("de_CH.UTF-8", "write \"de-CH\""),
            ("klingon", "such as \"en\""),
            ("?", "such as"),
            ("", "such as"),
            ("en-", "such as"),
            ("en-US-x", "such as"),
            ("e", "such as"),
        ] {
            let text = language_tag(raw).unwrap_err().to_string();
            assert!(text.contains(remedy), "{raw}: {text}");
        }
    }
}
