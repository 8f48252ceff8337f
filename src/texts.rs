//! Every text that people read on pages and in feeds, in each language, and the dates, numbers and lists within them.
//!
//! A language is one Fluent catalogue, `texts/{tag}.ftl`. The build script turns the American catalogue into the
//! struct [`Texts`]: `texts.search` is a text, and `texts.sessions(3)` fills values into one. So an unknown message
//! does not compile, and neither does a missing value. British English has only the messages that differ. The tests
//! below compare the other catalogues with the American one.
//!
//! Some texts are always in English and not here: those of the command line, log lines, problem documents and the
//! faults of a program file.

mod dates;
mod languages;
#[cfg(test)]
mod tests;

use crate::program::{Field, SessionKind, Status};
use fluent_bundle::{FluentArgs, FluentValue};
use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement, VariantKey};
use languages::Catalogue;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

impl Texts {
    /// The texts for a BCP 47 language tag; American English if no catalogue fits.
    pub(crate) fn of(tag: &str) -> &'static Self {
        languages::negotiate(tag).unwrap_or(&languages::AMERICAN).texts()
    }

    /// Whether a catalogue is in the language of a tag.
    pub(crate) fn has(tag: &str) -> bool {
        languages::negotiate(tag).is_some()
    }

    /// The tags of all catalogues.
    pub(crate) fn all_tags() -> impl Iterator<Item = &'static str> {
        languages::LANGUAGES.into_iter().map(|language| language.tag)
    }

    /// The texts of every language.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        languages::LANGUAGES.into_iter().map(languages::Language::texts)
    }

    /// The tag of the catalogue, such as `pt-BR`.
    pub(crate) fn tag(&self) -> &'static str {
        self.catalogue.tag
    }

    /// The name of a kind of session.
    pub(crate) fn kind(&self, kind: SessionKind) -> &'static str {
        match kind {
            SessionKind::Talk => self.talk,
            SessionKind::Plenary => self.plenary,
            SessionKind::Lightning => self.lightning,
            SessionKind::Panel => self.panel,
            SessionKind::Workshop => self.workshop,
            SessionKind::Discussion => self.discussion,
            SessionKind::Remarks => self.remarks,
            SessionKind::Break => self.pause,
            SessionKind::Meal => self.meal,
            SessionKind::Social => self.social,
        }
    }

    /// The name of a kind of session in the middle of a text. German nouns keep their capital.
    pub(crate) fn kind_within_text(&self, kind: SessionKind) -> String {
        let name = self.kind(kind);
        if self.tag() == "de" { name.to_owned() } else { name.to_lowercase() }
    }

    /// The name of a status in the middle of a text.
    pub(crate) fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Confirmed => self.status_confirmed,
            Status::Tentative => self.status_tentative,
            Status::Cancelled => self.status_cancelled,
            Status::Withdrawn => self.status_withdrawn,
        }
    }

    /// The name of a field of a session.
    pub(crate) fn field(&self, field: Field) -> &'static str {
        match field {
            Field::Id => self.field_id,
            Field::Date => self.field_date,
            Field::Start => self.field_start,
            Field::End => self.field_end,
            Field::EndDate => self.field_end_date,
            Field::Kind => self.field_kind,
            Field::Title => self.field_title,
            Field::Track => self.field_track,
            Field::Block => self.field_block,
            Field::Room => self.field_room,
            Field::Speakers => self.field_speakers,
            Field::Abstract => self.field_abstract,
            Field::Bios => self.field_bios,
            Field::Url => self.field_url,
            Field::Links => self.field_links,
            Field::Language => self.field_language,
            Field::Tags => self.field_tags,
            Field::Image => self.field_image,
            Field::FeedbackUrl => self.field_feedback_url,
            Field::Recording => self.field_recording,
            Field::Guid => self.field_guid,
            Field::Status => self.field_status,
        }
    }

    /// A list in words: `a, b, and c`.
    pub(crate) fn list<S: AsRef<str>>(&self, items: &[S]) -> String {
        match items {
            [] => String::new(),
            [only] => only.as_ref().to_owned(),
            [first, last] => self.list_two(first.as_ref(), last.as_ref()),
            [first @ .., last] => {
                let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
                self.list_end(&first.join(self.list_comma), last.as_ref())
            }
        }
    }

    /// The messages that scripts show, by id.
    pub(crate) fn for_scripts(&self) -> BTreeMap<&'static str, ScriptText> {
        FOR_SCRIPTS.iter().map(|id| (*id, self.catalogue.script_text(id))).collect()
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Texts").field(&self.tag()).finish()
    }
}

/// A message for scripts, with `{name}` in the place of each value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum ScriptText {
    /// The text.
    Plain(String),
    /// The text for each plural category of `n`, by its CLDR name or number.
    Plural(BTreeMap<String, String>),
}

/// A number that a message shows, and whose plural form it may select.
pub(crate) trait Number {
    /// The number as Fluent's.
    fn value(self) -> FluentValue<'static>;
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl Number for $number {
            fn value(self) -> FluentValue<'static> {
                self.into()
            }
        })+
    };
}

numbers!(u8, u32, u64, usize, i64);

impl Catalogue {
    /// The text of a message without values.
    fn text(&'static self, id: &str) -> &'static str {
        match self.resolve(id, None) {
            Cow::Borrowed(text) => text,
            // A text of several lines. It is loaded once in a process.
            Cow::Owned(text) => Box::leak(text.into_boxed_str()),
        }
    }

    /// The text of a message with its values.
    fn format<'a, const N: usize>(
        &'static self,
        id: &str,
        values: [(&'static str, FluentValue<'a>); N],
    ) -> String {
        let values: FluentArgs<'a> = values.into_iter().collect();
        self.resolve(id, Some(&values)).into_owned()
    }

    fn resolve(&'static self, id: &str, values: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
        // A test formats every message of every catalogue without an error.
        let mut errors = Vec::new();
        let pattern = self.pattern(id);
        pattern.map(|pattern| self.bundle.format_pattern(pattern, values, &mut errors)).unwrap_or_default()
    }

    fn pattern(&self, id: &str) -> Option<&Pattern<&str>> {
        self.bundle.get_message(id)?.value()
    }

    fn script_text(&self, id: &str) -> ScriptText {
        let Some(pattern) = self.pattern(id) else { return ScriptText::Plain(String::new()) };
        let [PatternElement::Placeable { expression: Expression::Select { variants, .. } }] =
            pattern.elements.as_slice()
        else {
            return ScriptText::Plain(template(pattern));
        };
        let key = |key: &VariantKey<&str>| match key {
            VariantKey::Identifier { name: key } | VariantKey::NumberLiteral { value: key } => {
                (*key).to_owned()
            }
        };
        ScriptText::Plural(variants.iter().map(|it| (key(&it.key), template(&it.value))).collect())
    }
}

/// The text of a pattern, with `{name}` in the place of each value.
fn template(pattern: &Pattern<&str>) -> String {
    let part = |element: &PatternElement<&str>| match element {
        PatternElement::TextElement { value } => (*value).to_owned(),
        PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
            InlineExpression::VariableReference { id } => format!("{{{}}}", id.name),
            InlineExpression::StringLiteral { value } => (*value).to_owned(),
            _ => String::new(),
        },
        PatternElement::Placeable { .. } => String::new(),
    };
    pattern.elements.iter().map(part).collect()
}
