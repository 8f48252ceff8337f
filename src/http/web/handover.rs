//! Handing an agenda over to another device: a one-time code, ten minutes, in memory only.
//!
//! The link leads to a page with a button; only the button's POST redeems the code, so that a messenger's
//! link preview does not burn it.

use super::{Visit, html, see, set_cookies};
use crate::agenda::EditKey;
use crate::http::agendas::AgendaError;
use crate::http::pass::Passes;
use crate::http::{Body, Problem};
use crate::web;
use chrono::TimeDelta;
use http::{Method, Response};

/// How long a code works.
const LASTS: TimeDelta = TimeDelta::minutes(10);

/// The codes that were made and not redeemed.
#[derive(Debug)]
pub(in crate::http) struct Codes(Passes<EditKey>);

impl Default for Codes {
    fn default() -> Self {
        Self(Passes::new(LASTS))
    }
}

impl Visit<'_> {
    /// Makes a code and shows the owner the link.
    pub(super) async fn make_hand_over(&self) -> Result<Response<Body>, Problem> {
        self.form()?;
        let owned = self.own()?.ok_or(AgendaError::UnknownKey)?;
        let code = self.codes.0.issue(owned.key.clone(), self.clock.now()).map_err(AgendaError::from)?;
        let link = self.published.release.program.conference.link(&format!("/handover/{code}"));
        self.queues.short.make(|| self.page(&owned, Some((&link, LASTS)))).await
    }

    /// The page behind the link, and what its button does.
    pub(super) fn hand_over(&self, code: &str) -> Result<Response<Body>, Problem> {
        let now = self.clock.now();
        if self.request.method != Method::POST {
            self.codes.0.find(code, now).ok_or(Problem::UsedUp)?;
            return Ok(html(web::hand_over(&self.published.release, code)));
        }
        self.form()?;
        let key = self.codes.0.redeem(code, now).ok_or(Problem::UsedUp)?;
        let mut response = see("/agenda");
        set_cookies(&mut response, self.jar().keep(&key));
        Ok(response)
    }
}
