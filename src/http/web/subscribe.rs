//! How to subscribe, for any feed: `/subscribe` and the feed's path without its suffix.

use super::{Visit, html};
use crate::agenda::ReadToken;
use crate::feed::{FeedKey, Filter, Options, QueryError, parse_query};
use crate::http::{Body, Problem};
use crate::program::Text;
use crate::web::{self, Platform, Subject};
use http::Response;
use http::header::USER_AGENT;
use url::form_urlencoded;

impl Visit<'_> {
    pub(super) fn subscribe(&self, path: &str) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let query = self.request.uri.query().unwrap_or_default();
        // A plain form sends its empty fields too.
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let pairs = || pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let agent = self.request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let platform = Platform::of(agent.unwrap_or_default());
        if let Some(token) = path.strip_prefix("agendas/") {
            let token = ReadToken::parse(token).map_err(|_| Problem::NotFound)?;
            let record = self.open_link(&token)?;
            let (token, name) = (token.reveal(), Text::line(&record.name).0);
            let subject = Subject::Agenda { token: &token, name: &name };
            let page = web::subscribe(release, &subject, options(pairs())?, platform);
            return Ok(html(page.ok_or(Problem::NotFound)?));
        }
        let key = FeedKey::parse(&format!("/{path}.ics")).ok_or(Problem::NotFound)?;
        let (filter, options) = match key {
            FeedKey::Program => parse_query(pairs(), &release.ledger.slugs)?,
            _ => (Filter::default(), options(pairs())?),
        };
        let subject = if key == FeedKey::Program { Subject::Program(filter) } else { Subject::Part(key) };
        let page = web::subscribe(release, &subject, options, platform);
        Ok(html(page.ok_or(Problem::NotFound)?))
    }
}

fn options<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Options, Problem> {
    let mut options = Options::default();
    for (key, value) in pairs {
        options.take(key, value).map_err(QueryError::from)?;
    }
    Ok(options)
}
