//! The parameters of a path. They arrive percent-encoded and are decoded and parsed here, once, so an id, slug,
//! date or token that could not exist is "not found" before any look-up (RFC 3986, 2.1 and 3.3).

use super::Endpoint;
use crate::agenda::{Members, ReadToken};
use crate::feed::FeedKey;
use crate::http::dav::{Name, Place, Tree};
use crate::program::{SessionId, Slug};
use matchit::Params;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The parameters of a path, to be decoded and parsed.
pub(super) struct Decoded<'a>(pub(super) &'a Params<'a, 'a>);

impl Decoded<'_> {
    fn decoded(&self, name: &str) -> Option<Cow<'_, str>> {
        percent_decode_str(self.0.get(name)?).decode_utf8().ok()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.decoded(name).map(Cow::into_owned)
    }

    pub(super) fn feed(&self, part: &str, name: &str) -> Option<Endpoint> {
        FeedKey::part(part, &self.decoded(name)?).map(Endpoint::Feed)
    }

    pub(super) fn session(&self, name: &str) -> Option<SessionId> {
        SessionId::parse(&self.decoded(name)?).ok()
    }

    pub(super) fn slug(&self, name: &str) -> Option<Slug> {
        Slug::parse(&self.decoded(name)?).ok()
    }

    pub(super) fn token(&self, name: &str) -> Option<ReadToken> {
        ReadToken::parse(&self.decoded(name)?).ok()
    }

    pub(super) fn members(&self) -> Option<Members> {
        Members::parse(&self.decoded("members")?).ok()
    }

    pub(super) fn calendar(&self) -> Place {
        Place::public(self.decoded("calendar").as_deref())
    }

    pub(super) fn object(&self) -> Place {
        Place::public_object(self.decoded("calendar").as_deref(), self.decoded("session").as_deref())
    }

    pub(super) fn picked(&self) -> Place {
        Place::object(Some(Name::Agenda), self.decoded("session").as_deref(), Tree::AGENDAS)
    }

    /// In its one spelling: no sign, no leading zero.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let text = self.decoded(name)?;
        text.parse().ok().filter(|number: &u32| *number > 0 && number.to_string() == text)
    }
}
