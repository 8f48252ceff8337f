//! The catalogues, and which one a language tag gets.

use super::Texts;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentResource, FluentValue};
use std::sync::OnceLock;

/// A catalogue that is ready to format.
pub(super) struct Catalogue {
    /// The BCP 47 tag.
    pub tag: &'static str,
    pub bundle: FluentBundle<FluentResource>,
}

/// A language with a catalogue. It is loaded when a conference first uses it.
pub(super) struct Language {
    pub tag: &'static str,
    pub source: &'static str,
    catalogue: OnceLock<Catalogue>,
    texts: OnceLock<Texts>,
}

impl Language {
    const fn new(tag: &'static str, source: &'static str) -> Self {
        Self { tag, source, catalogue: OnceLock::new(), texts: OnceLock::new() }
    }

    pub(super) fn texts(&'static self) -> &'static Texts {
        self.texts.get_or_init(|| Texts::load(self.catalogue()))
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        self.catalogue.get_or_init(|| load(self.tag, self.source))
    }
}

pub(super) static AMERICAN: Language = Language::new("en-US", include_str!("en-US.ftl"));
static BRITISH: Language = Language::new("en-GB", include_str!("en-GB.ftl"));
static GERMAN: Language = Language::new("de", include_str!("de.ftl"));
static SPANISH: Language = Language::new("es", include_str!("es.ftl"));
static FRENCH: Language = Language::new("fr", include_str!("fr.ftl"));
static JAPANESE: Language = Language::new("ja", include_str!("ja.ftl"));
static BRAZILIAN: Language = Language::new("pt-BR", include_str!("pt-BR.ftl"));

/// Every language.
pub(super) static LANGUAGES: [&Language; 7] =
    [&AMERICAN, &BRITISH, &GERMAN, &SPANISH, &FRENCH, &JAPANESE, &BRAZILIAN];

/// The English-speaking regions that use American English. In CLDR the others follow the world's English, as Britain
/// does.
const AMERICAN_REGIONS: [&str; 8] = ["US", "AS", "GU", "MP", "PH", "PR", "UM", "VI"];

/// The language for a BCP 47 tag: the same language, of the same region if there is a choice. None if no catalogue is in
/// the tag's language.
pub(super) fn negotiate(tag: &str) -> Option<&'static Language> {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    if primary.eq_ignore_ascii_case("en") {
        let is_region = |part: &&str| part.len() == 2 || part.bytes().all(|byte| byte.is_ascii_digit());
        let region = parts.find(is_region);
        let is_american =
            region.is_none_or(|region| AMERICAN_REGIONS.iter().any(|it| it.eq_ignore_ascii_case(region)));
        return Some(if is_american { &AMERICAN } else { &BRITISH });
    }
    let is_same = |known: &str| known.split('-').next().is_some_and(|it| it.eq_ignore_ascii_case(primary));
    LANGUAGES.into_iter().find(|language| is_same(language.tag))
}

fn load(tag: &'static str, source: &str) -> Catalogue {
    let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
    // Marks around each value would be visible in calendar clients. Pages isolate names with `<bdi>` and `dir`.
    bundle.set_use_isolating(false);
    match tag {
        "de" | "pt-BR" => bundle.set_formatter(Some(grouped::<_, '.', 4>)),
        "es" => bundle.set_formatter(Some(grouped::<_, '.', 5>)),
        "fr" => bundle.set_formatter(Some(grouped::<_, '\u{202f}', 4>)),
        _ => bundle.set_formatter(Some(grouped::<_, ',', 4>)),
    }
    // A test parses every catalogue.
    let resource = |source: &str| match FluentResource::try_new(source.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    if tag == "en-GB" {
        bundle.add_resource_overriding(resource(AMERICAN.source));
    }
    bundle.add_resource_overriding(resource(source));
    Catalogue { tag, bundle }
}

/// An integer with its digits in groups of three, if it has at least `LEAST` digits (CLDR).
fn grouped<M, const SEPARATOR: char, const LEAST: usize>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    let digits = number.as_string();
    if digits.len() < LEAST || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(digits.into_owned());
    }
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * SEPARATOR.len_utf8());
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(SEPARATOR);
        }
        out.push(digit);
    }
    Some(out)
}
