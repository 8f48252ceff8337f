//! Calendar invitations by mail: the form of the agenda page, and the pages behind the links in mails.
//!
//! Some mail programs open every link of a mail. So a link opens a page with a button, and only the button's POST confirms
//! or ends anything. The link itself is the permission: its POST needs no cookie and may come from anywhere (RFC 8058).

use super::PageRequest;
use super::visitor::done;
use crate::http::agendas::AgendaError;
use crate::http::api::{ask_mailbox, mail_and_keys};
use crate::http::reply::html;
use crate::http::{Body, Problem};
use crate::reach::MailLink;
use crate::web::{self, AgendaDone, MailNotice};
use http::{Method, Response};

impl PageRequest<'_> {
    /// Asks the mailbox of a form for a confirmation.
    pub(in crate::http) async fn ask_mailbox(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let owned = self.own_for_change()?;
        ask_mailbox(self.publisher, self.allowed, owned.key.hash(), form.one("address"))?;
        done(AgendaDone::MailAsked)
    }

    /// The page behind the link of a mail that asks for a confirmation; a POST confirms.
    pub(in crate::http) async fn confirm_mailbox(&self, link: &str) -> Result<Response<Body>, Problem> {
        let (_, keys) = mail_and_keys(self.publisher)?;
        let Some(MailLink::Confirm { agenda, address, until }) = keys.open(link) else {
            return Err(Problem::NotFound);
        };
        if until <= self.clock.now() {
            return Err(Problem::MailLink);
        }
        let gone = |error| match error {
            // The agenda was deleted or got a new key.
            AgendaError::UnknownKey => Problem::MailLink,
            error => error.into(),
        };
        if self.request.method != Method::POST {
            self.agendas.is_open(&agenda).map_err(gone)?;
            return Ok(self.mail_page(&MailNotice::Confirm { link, address: &address.masked() }));
        }
        self.agendas.confirm_mailbox(agenda, &address).await.map_err(gone)?;
        self.publisher.outbox().wake();
        Ok(self.mail_page(&MailNotice::Confirmed))
    }

    /// The page behind the link that ends invitations; a POST ends them. It works while mails are off, too.
    pub(in crate::http) async fn end_mailbox(&self, link: &str) -> Result<Response<Body>, Problem> {
        let keys = self.publisher.mail_keys()?.ok_or(Problem::NotFound)?;
        let Some(MailLink::End { agenda, subscription }) = keys.open(link) else {
            return Err(Problem::NotFound);
        };
        let is_subscribed = self.agendas.has_mailbox(&agenda, &subscription)?;
        if is_subscribed && self.request.method != Method::POST {
            return Ok(self.mail_page(&MailNotice::End { link }));
        }
        if is_subscribed {
            self.agendas.end_mailbox(agenda, &subscription).await?;
        }
        Ok(self.mail_page(&MailNotice::Ended))
    }

    fn mail_page(&self, notice: &MailNotice<'_>) -> Response<Body> {
        html(web::mail_notice(&self.published.release, notice))
    }
}
