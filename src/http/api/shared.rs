//! A shared agenda as JSON, by its read link: what its page shows, for programs.

use super::query::Query;
use super::{Call, JSON};
use crate::agenda::{Agenda, ReadToken};
use crate::export::SessionDocument;
use crate::feed::Coding;
use crate::http::conditional::Validators;
use crate::http::representation::{Content, Representation};
use crate::http::{Body, EntityTag, Problem};
use crate::revision::Digest;
use http::Response;
use serde_json::json;

impl Call<'_> {
    /// Answers a read link. The tag comes from the release, the agenda's version and what is asked for.
    pub(super) fn shared(&self, token: &ReadToken) -> Result<Response<Body>, Problem> {
        let release = self.release;
        let fields = Query::of(self.request).fields()?;
        let record = self.agendas.shared(token)?.open()?;
        let text = fields.text();
        let state = [release.number().to_le_bytes(), record.version.to_le_bytes()];
        let parts = [env!("CARGO_PKG_VERSION").as_bytes(), &token.hash().0, text.as_bytes()];
        let hash = Digest::of_parts(parts.into_iter().chain(state.iter().map(<[u8; 8]>::as_slice))).short();
        let body = || {
            let agenda = Agenda::of(&record.picks, release);
            let path = format!("/agendas/{}", token.reveal());
            let sessions = agenda.items.iter().map(|item| {
                let session = fields.select(json!(SessionDocument::of(item.entry, release)));
                json!({ "session": session, "clashes": item.clashes })
            });
            let document = json!({
                "name": record.name,
                "release": release.number(),
                "picks": sessions.collect::<Vec<_>>(),
                "gone": agenda.gone,
                "page": release.program.conference.link(&path),
                "feed": release.program.conference.link(&format!("{path}.ics")),
            });
            document.to_string().into()
        };
        let representation = Representation {
            media_type: JSON,
            validators: Validators { tag: EntityTag::plain(hash), modified: None },
            coding: Coding::Identity,
            body: Content::Made(Box::new(|| Ok(body()))),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }
}
