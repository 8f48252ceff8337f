//! A shared agenda's page: read-only, compared with the visitor's own. A closed link's page is gone at once.

use super::cookie::Jar;
use super::{Visit, chosen, html};
use crate::agenda::ReadToken;
use crate::export::agenda_text;
use crate::http::{Body, Problem, plain};
use crate::program::{SessionId, Text};
use crate::release::Release;
use crate::store::AgendaRecord;
use crate::web;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

impl Visit<'_> {
    /// The agenda behind a link that works.
    pub(super) fn open_link(&self, token: &ReadToken) -> Result<AgendaRecord, Problem> {
        self.agendas.shared(token)?.open()
    }

    pub(super) fn shared_agenda(&self, token: &ReadToken) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let record = self.open_link(token)?;
        if plain::is_wanted(&self.request.headers) {
            return Ok(chosen(text(release, &record)));
        }
        let jar = Jar::of(&release.program.conference.public_url);
        let own = jar.key(&self.request.headers).and_then(|key| self.agendas.open(&key).ok());
        let own: Option<Vec<SessionId>> = own.map(|owned| owned.record.picks);
        let name = Text::line(&record.name).0;
        Ok(chosen(html(web::shared(release, &token.reveal(), &name, &record.picks, own.as_deref()))))
    }
}

/// The agenda as a table for a terminal.
fn text(release: &Release, record: &AgendaRecord) -> Response<Body> {
    let title = match record.name.is_empty() {
        true => Text::line(&format!("{}: a shared agenda", release.program.conference.title)).0,
        false => Text::line(&record.name).0,
    };
    let mut response = Response::new(Body::from(agenda_text(release, &title, &record.picks)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
