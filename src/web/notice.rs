//! Pages that consist of a heading and a text: a problem, a hand-over, the offline page.

use super::site::{Head, Site};
use super::write;
use crate::release::Release;
use askama::Template;

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    site: Site<'a>,
    head: Head,
    heading: &'a str,
    text: &'a str,
    detail: &'a str,
    /// The address that a button posts to, and its label.
    post: Option<(String, &'a str)>,
    /// The link below the text: its address and its label.
    back: (&'static str, &'a str),
}

/// A problem's public title and text.
pub fn problem(release: &Release, title: &str, detail: &str) -> String {
    let site = Site::of(release);
    let head = Head::secret(&site, title);
    let back = ("/", site.words.to_the_program);
    write(&NoticePage { heading: title, text: detail, detail: "", post: None, back, head, site })
}

/// A problem's public title and text, at the organizer's desk.
pub fn desk_problem(release: &Release, title: &str, detail: &str) -> String {
    let site = Site::of(release);
    let head = Head::desk(&site, title);
    let back = ("/organizer", site.words.to_the_desk);
    write(&NoticePage { heading: title, text: detail, detail: "", post: None, back, head, site })
}

/// The page behind a hand-over link. Only its button redeems the code, so a messenger's link preview does not.
pub fn hand_over(release: &Release, code: &str) -> String {
    let site = Site::of(release);
    let words = site.words;
    write(&NoticePage {
        head: Head::secret(&site, words.hand_over),
        heading: words.hand_over,
        text: words.hand_over_text,
        detail: words.hand_over_replaces,
        post: Some((format!("/handover/{}", super::encode::encode(code)), words.hand_over_button)),
        back: ("/", words.to_the_program),
        site,
    })
}

/// A page behind the link of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailNotice<'a> {
    /// Asks whether a mailbox wants invitations.
    Confirm {
        /// The last segment of the link.
        link: &'a str,
        /// A part of the mail address.
        address: &'a str,
    },
    /// The mailbox gets invitations.
    Confirmed,
    /// Asks whether invitations shall end.
    End {
        /// The last segment of the link.
        link: &'a str,
    },
    /// The mailbox gets no more invitations.
    Ended,
}

/// The page behind the link of a mail. Only its button does anything, so programs that open every link do not.
pub fn mail_notice(release: &Release, notice: &MailNotice<'_>) -> String {
    let site = Site::of(release);
    let words = site.words;
    let post = |path: &str, link: &str| format!("/mail/{path}/{}", super::encode::encode(link));
    let (heading, text, post) = match *notice {
        MailNotice::Confirm { link, address } => {
            let button = (post("confirm", link), words.mail_confirm_button);
            (words.mail_confirm, words.mail_confirm_page(address), Some(button))
        }
        MailNotice::Confirmed => (words.mail_confirm, words.mail_confirmed.to_owned(), None),
        MailNotice::End { link } => {
            let button = (post("end", link), words.mail_end_button);
            (words.mail_end, words.mail_end_page.to_owned(), Some(button))
        }
        MailNotice::Ended => (words.mail_end, words.mail_ended.to_owned(), None),
    };
    let head = Head::secret(&site, heading);
    let back = ("/", words.to_the_program);
    write(&NoticePage { heading, text: &text, detail: "", post, back, head, site })
}

/// The page that the service worker shows offline for pages that it has not cached.
pub(super) fn offline(release: &Release) -> String {
    let site = Site::of(release);
    let words = site.words;
    let head = Head::secret(&site, words.offline);
    write(&NoticePage {
        heading: words.offline,
        text: words.offline_text,
        detail: "",
        post: None,
        back: ("/", words.to_the_program),
        head,
        site,
    })
}
