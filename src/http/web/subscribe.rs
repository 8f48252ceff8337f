//! How to subscribe, for any feed: `/subscribe` and the feed's path without its suffix.

use super::{Visit, html};
use crate::agenda::{Members, ReadToken};
use crate::export::deep_link;
use crate::feed::{FeedKey, Filter, parse_query};
use crate::http::feeds::{borrowed, options, pairs};
use crate::http::{Body, Problem};
use crate::program::Text;
use crate::web::{self, Platform, Subject};
use http::Response;
use http::header::USER_AGENT;

impl Visit<'_> {
    pub(super) fn subscribe(&self, path: &str) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        // A plain form sends its empty fields too.
        let mut pairs = pairs(self.request);
        pairs.retain(|(_, value)| !value.is_empty());
        let agent = self.request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let platform = Platform::of(agent.unwrap_or_default());
        if let Some(token) = path.strip_prefix("agendas/") {
            let token = ReadToken::parse(token).map_err(|_| Problem::NotFound)?;
            let record = self.open_link(&token)?;
            let (token, name) = (token.reveal(), Text::line(&record.name).0);
            let subject = Subject::Agenda { token: &token, name: &name };
            let page = web::subscribe(release, &subject, options(&pairs)?, platform, None);
            return Ok(html(page.ok_or(Problem::NotFound)?));
        }
        if let Some(members) = path.strip_prefix("team/") {
            let members = Members::parse(members).map_err(|_| Problem::NotFound)?;
            let name = self.open_team(&members)?.name();
            let members = members.reveal();
            let subject = Subject::Team { members: &members, name: &name };
            let page = web::subscribe(release, &subject, options(&pairs)?, platform, None);
            return Ok(html(page.ok_or(Problem::NotFound)?));
        }
        let key = FeedKey::parse(&format!("/{path}.ics")).ok_or(Problem::NotFound)?;
        let (filter, options) = match key {
            FeedKey::Program => parse_query(borrowed(&pairs), &release.ledger.slugs)?,
            _ => (Filter::default(), options(&pairs)?),
        };
        let subject = if key == FeedKey::Program { Subject::Program(filter) } else { Subject::Part(key) };
        // Giggity takes the whole program, in a format of its own.
        let giggity = matches!(&subject, Subject::Program(filter) if filter.is_empty());
        let giggity = giggity.then(|| deep_link(release));
        let page = web::subscribe(release, &subject, options, platform, giggity);
        Ok(html(page.ok_or(Problem::NotFound)?))
    }
}
