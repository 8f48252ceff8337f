//! The feed of a shared agenda, and what is left of it when it is no longer shared.

use super::{Source, options, pairs};
use crate::agenda::ReadToken;
use crate::http::agendas::{Agendas, Shared};
use crate::http::{Body, Problem};
use crate::program::Text;
use crate::release::Release;
use chrono::{DateTime, Utc};
use http::Response;
use http::request::Parts;

/// Answers a read link.
pub(in crate::http) fn agenda(
    token: &ReadToken,
    agendas: &Agendas,
    release: &Release,
    request: &Parts,
    now: DateTime<Utc>,
) -> Result<Response<Body>, Problem> {
    let title = &release.program.conference.title;
    match agendas.shared(token)? {
        Shared::Never => Err(Problem::NotFound),
        Shared::Gone => Err(Problem::Gone),
        // Some clients would keep the sessions for ever if the feed just went away, so it is emptied first.
        Shared::Closed { since } => {
            let name = Text::line(&format!("{title} (no longer shared)")).0;
            let about = Text::from("Whoever shared this agenda no longer does. You can remove the calendar.");
            let joined = release.feeds.closed(&name, &about, since);
            Source::Joined(joined).representation(request, None, now).answer(request)
        }
        Shared::Open(agenda) => {
            let options = options(&pairs(request))?;
            let name = match agenda.name.is_empty() {
                true => Text::line(&format!("{title}: my agenda")).0,
                false => Text::line(&agenda.name).0,
            };
            let joined = release.feeds.agenda(&name, &agenda.picks, options, agenda.modified);
            let floor = agenda.modified.max(release.published());
            Source::Joined(joined).representation(request, Some(floor), now).answer(request)
        }
    }
}
