//! A shared agenda as JSON, by its read link: what its page shows, for programs.

use super::query::Query;
use super::{Call, JSON};
use crate::agenda::{Agenda, ReadToken};
use crate::export::SessionDocument;
use crate::feed::Coding;
use crate::http::conditional::Validators;
use crate::http::representation::{Content, Representation};
use crate::http::{Body, EntityTag, Problem};
use crate::program::SessionId;
use crate::revision::Digest;
use http::Response;
use serde_json::json;

impl Call<'_> {
    /// Answers a read link. The tag is a hash of the document.
    pub(super) fn shared(&self, token: &ReadToken) -> Result<Response<Body>, Problem> {
        let release = self.release;
        let fields = Query::of(self.request).fields()?;
        let record = self.agendas.shared(token)?.open()?;
        let agenda = Agenda::of(&record.picks, release);
        let path = format!("/agendas/{}", token.reveal());
        let sessions = agenda.items.iter().map(|item| {
            let session = fields.select(json!(SessionDocument::of(item.entry, release)));
            let clashes: Vec<&SessionId> = item.clashes.iter().map(|other| &other.session.id).collect();
            json!({ "session": session, "clashes": clashes, "more_clashes": item.more_clashes })
        });
        let document = json!({
            "name": record.name,
            "release": release.number(),
            "picks": sessions.collect::<Vec<_>>(),
            "gone": agenda.gone,
            "page": release.program.conference.link(&path),
            "feed": release.program.conference.link(&format!("{path}.ics")),
        });
        let document = document.to_string();
        let tag = EntityTag::plain(Digest::of(document.as_bytes()).short());
        let representation = Representation {
            media_type: JSON,
            validators: Validators { tag, modified: None },
            coding: Coding::Identity,
            body: Content::Kept(document.into()),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }
}
