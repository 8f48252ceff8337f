//! A shared agenda's page: read-only, compared with the visitor's own. A closed link's page is gone at once.

use super::cookie::Jar;
use super::{Visit, html};
use crate::agenda::ReadToken;
use crate::http::{Body, Problem};
use crate::program::{SessionId, Text};
use crate::store::AgendaRecord;
use crate::web;
use http::Response;

impl Visit<'_> {
    /// The agenda behind a link that works.
    pub(super) fn open_link(&self, token: &ReadToken) -> Result<AgendaRecord, Problem> {
        self.agendas.shared(token)?.open()
    }

    pub(super) fn shared_agenda(&self, token: &ReadToken) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let record = self.open_link(token)?;
        let jar = Jar::of(&release.program.conference.public_url);
        let own = jar.key(&self.request.headers).and_then(|key| self.agendas.open(&key).ok());
        let own: Option<Vec<SessionId>> = own.map(|owned| owned.record.picks);
        let name = Text::line(&record.name).0;
        Ok(html(web::shared(release, &token.reveal(), &name, &record.picks, own.as_deref())))
    }
}
