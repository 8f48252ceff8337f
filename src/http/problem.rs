//! Every error response, with its status and its public text (RFC 9457; RFC 9110, 15).
//!
//! Only this module knows the status codes of errors. The public text says what to do. An organizer's program that was not
//! published gets further members, such as the report. Invariant: the private cause goes into the log, once, and never into
//! an answer.

mod answer;

pub(super) use answer::{RenderPage, prefers_page};

use super::agendas::AgendaError;
use super::dav::Refusal;
use super::query::ParameterError;
use crate::exchange::ExchangeError;
use crate::feed::QueryError;
use crate::import::counted;
use crate::publisher::{PublishError, describe_changes, join_reasons};
use crate::store::{CommitError, ReadError};
use crate::texts::Texts;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// An error response.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The request's target is not a path.
    #[error("the request's target is not a path")]
    BadTarget,
    /// The Host field is missing, repeated or invalid.
    #[error("{0}")]
    BadHost(&'static str),
    /// Nothing was ever at this address.
    #[error("nothing is at this address")]
    NotFound,
    /// The resource existed and is gone.
    #[error("the resource is gone")]
    Gone,
    /// The resource allows only these methods.
    #[error("the resource does not allow the method")]
    Method(&'static [&'static str]),
    /// An unknown method.
    #[error("the method is unknown")]
    UnknownMethod,
    /// A transfer coding other than chunked.
    #[error("the transfer coding is not implemented")]
    TransferCoding,
    /// The body has a content coding other than identity.
    #[error("the body has a content coding")]
    ContentCoding,
    /// A filter or an option of a feed is invalid.
    #[error("{0}")]
    Query(#[from] QueryError),
    /// A query parameter of the API is invalid.
    #[error("{0}")]
    Parameter(#[from] ParameterError),
    /// The body is malformed.
    #[error("{0}")]
    BadBody(String),
    /// The body must have this media type.
    #[error("the body is not {0}")]
    MediaType(&'static str),
    /// The body is longer than this many bytes.
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    /// The body was not complete in time.
    #[error("the body was not complete in time")]
    TooSlow,
    /// A condition of the request does not hold.
    #[error("a condition of the request does not hold")]
    Condition,
    /// Invalid values, by field.
    #[error("the request has invalid values")]
    Values(Vec<InvalidValue>),
    /// An agenda was not changed.
    #[error(transparent)]
    Agenda(#[from] AgendaError),
    /// The organizer's secret is wrong.
    #[error("the organizer's secret is wrong")]
    WrongSecret,
    /// The organizer's secret is missing.
    #[error("the organizer's secret is missing")]
    NoSecret,
    /// The edit key is missing.
    #[error("the edit key is missing")]
    NoKey,
    /// A program was not published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A write with a cookie does not come from one of our pages.
    #[error("the request comes from another site")]
    OtherSite,
    /// The hand-over code was redeemed or has expired.
    #[error("the hand-over code was redeemed or has expired")]
    UsedUp,
    /// The link of a mail has expired, or its agenda is gone.
    #[error("the link of a mail no longer works")]
    MailLink,
    /// The preview to publish is no longer stored.
    #[error("the preview is no longer stored")]
    NoPreview,
    /// A file of picks that could not be read.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// An export failed, which is a fault of the server.
    #[error("the export failed: {0}")]
    Export(String),
    /// CalDAV refuses the request, for a reason that programs can read.
    #[error(transparent)]
    Dav(#[from] Refusal),
    /// A rate limit is exceeded.
    #[error("a rate limit is exceeded")]
    TooOften {
        /// The beginning of the message, such as `New agendas are made`.
        what: &'static str,
        /// The end of the message, such as `with this agenda`.
        by: &'static str,
        /// Seconds until the client may try again.
        wait: u64,
    },
    /// Requests arrive faster than they are answered.
    #[error("the server is overloaded")]
    Overloaded,
    /// There are too many event streams.
    #[error("there are too many event streams")]
    Busy,
}

/// An invalid value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InvalidValue {
    /// The value's place, such as `name` or `picks[3]`.
    pub field: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl InvalidValue {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// A blocking task ended early, as when the server stops.
impl From<tokio::task::JoinError> for Problem {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Publish(error.into())
    }
}

impl Problem {
    /// Replaces the error of wrong credentials by that of missing ones if the request has no `Authorization` field.
    /// Pages send their edit key in a cookie, so their error stays.
    pub(super) fn with_credentials(self, pattern: &str, headers: &HeaderMap) -> Self {
        match self {
            _ if headers.contains_key(AUTHORIZATION) => self,
            Self::WrongSecret => Self::NoSecret,
            Self::Agenda(AgendaError::UnknownKey) if pattern.starts_with("/api/") => Self::NoKey,
            other => other,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadTarget | Self::BadHost(_) | Self::BadBody(_) => StatusCode::BAD_REQUEST,
            Self::Query(QueryError::Option(_) | QueryError::TooMany) => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::Query(QueryError::Unknown { .. }) => StatusCode::NOT_FOUND,
            Self::Gone | Self::UsedUp | Self::MailLink | Self::NoPreview => StatusCode::GONE,
            Self::Parameter(error) => match error {
                ParameterError::Invalid { .. } => StatusCode::BAD_REQUEST,
                ParameterError::Future { .. } => StatusCode::NOT_FOUND,
                ParameterError::TooOld { .. } | ParameterError::Stale => StatusCode::GONE,
            },
            Self::OtherSite => StatusCode::FORBIDDEN,
            Self::Export(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Exchange(ExchangeError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Exchange(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownMethod | Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::MediaType(_) | Self::ContentCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Condition => StatusCode::PRECONDITION_FAILED,
            Self::Values(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Read(error) => read_status(error),
            Self::WrongSecret | Self::NoSecret | Self::NoKey | Self::Dav(Refusal::SignIn) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Dav(_) => StatusCode::FORBIDDEN,
            Self::Publish(error) => publication_status(error),
            Self::Agenda(error) => match error {
                AgendaError::UnknownKey => StatusCode::UNAUTHORIZED,
                AgendaError::NoSuchSession | AgendaError::NoSuchLink | AgendaError::NoSuchDevice => {
                    StatusCode::NOT_FOUND
                }
                AgendaError::UnknownSessions(_)
                | AgendaError::TooManyPicks
                | AgendaError::TooManyLinks
                | AgendaError::TooManyBusy
                | AgendaError::TooManyDevices
                | AgendaError::TooManyMailboxes
                | AgendaError::BadBusy
                | AgendaError::NameTooLong(_) => StatusCode::UNPROCESSABLE_ENTITY,
                AgendaError::Changed => StatusCode::PRECONDITION_FAILED,
                AgendaError::Commit(error) => commit_status(error),
                AgendaError::Read(error) => read_status(error),
                AgendaError::Random(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// Whether the same request may succeed a little later.
    fn is_temporary(&self) -> bool {
        matches!(self.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE)
    }

    /// The public text: what is wrong, and what to do.
    fn detail(&self) -> String {
        match self {
            Self::BadTarget => "Ask for a path, such as /program.ics.".to_owned(),
            Self::BadHost(what) => format!("The request has {what}; HTTP/1.1 needs exactly one."),
            Self::NotFound => "There is nothing at this address. Check it for a typo.".to_owned(),
            Self::Gone => {
                "This agenda is no longer shared. Remove the subscription, or ask its owner for a new link."
                    .to_owned()
            }
            Self::OtherSite => {
                "This was sent from another site. Open the page here and try again.".to_owned()
            }
            Self::UsedUp => {
                "This link works once and for ten minutes. Make a new one on the device that has the agenda."
                    .to_owned()
            }
            Self::MailLink => {
                "This link no longer works. Enter your mail address on the page of your agenda again."
                    .to_owned()
            }
            Self::NoPreview => {
                "This preview is no longer stored, so nothing was published. Preview the program again."
                    .to_owned()
            }
            Self::Export(_) => "The program could not be converted to this format.".to_owned(),
            Self::Exchange(error) => sentence(&error.to_string()),
            Self::Busy => "Too many event streams are open at the moment. Try again later.".to_owned(),
            Self::Overloaded => "Too many requests come at once. Try again in a moment.".to_owned(),
            Self::TooOften { what, by, wait } => {
                format!("{what} too often {by}. Try again in {wait} s.")
            }
            Self::Method(allowed) => format!("This address allows {}.", allowed.join(", ")),
            Self::UnknownMethod => "No address of this server allows this method.".to_owned(),
            Self::TransferCoding => {
                "Send the body with a Content-Length, or with Transfer-Encoding: chunked alone.".to_owned()
            }
            Self::ContentCoding => "Send the body without a Content-Encoding.".to_owned(),
            Self::Query(error) => sentence(&error.to_string()),
            Self::Parameter(error) => sentence(&error.to_string()),
            Self::BadBody(what) => sentence(what),
            Self::MediaType(expected) => format!("Send the body as {expected}."),
            Self::TooLarge(cap) => format!("The body may have {cap} bytes at most."),
            Self::TooSlow => "The body was not complete in time. Send it again.".to_owned(),
            Self::Condition | Self::Agenda(AgendaError::Changed) => {
                "It was changed in the meantime. Read it again, then repeat the change with the new ETag."
                    .to_owned()
            }
            Self::Values(_) => "Some values are invalid; errors names each of them.".to_owned(),
            Self::Read(_) | Self::Agenda(AgendaError::Read(_)) => {
                "The store cannot be read at the moment. Try again later.".to_owned()
            }
            Self::WrongSecret => {
                "This is not one of the organizer's secrets. Check it for a missing character, or ask the \
                 operator whether it was replaced."
                    .to_owned()
            }
            Self::NoSecret => "Send the organizer's secret as Authorization: Bearer.".to_owned(),
            Self::NoKey => "Send the agenda's edit key as Authorization: Bearer.".to_owned(),
            Self::Publish(error) => publication_detail(error),
            Self::Dav(refusal) => refusal.detail(),
            Self::Agenda(error) => match error {
                AgendaError::Commit(CommitError::Full) => {
                    "The server's disk is full, so nothing was stored. Try again later.".to_owned()
                }
                AgendaError::Commit(CommitError::TooLarge) => "The agenda is too large.".to_owned(),
                AgendaError::Commit(_) => "The change could not be stored. Try again shortly.".to_owned(),
                AgendaError::Random(_) => "The server cannot make a key at the moment.".to_owned(),
                other => sentence(&other.to_string()),
            },
        }
    }

    /// The title and text of a page. They say less than [`Self::detail`], in the language of the conference.
    pub(super) fn for_people(&self, texts: &'static Texts) -> (&'static str, Cow<'static, str>) {
        let (title, text) = match self {
            Self::TooOften { wait, .. } => {
                return (texts.problem_too_often_title, texts.problem_too_often(*wait).into());
            }
            Self::NotFound
            | Self::Query(QueryError::Unknown { .. })
            | Self::Agenda(
                AgendaError::NoSuchSession | AgendaError::NoSuchLink | AgendaError::NoSuchDevice,
            ) => (texts.problem_missing_title, texts.problem_missing),
            Self::Gone => (texts.problem_gone_title, texts.problem_gone),
            Self::UsedUp => (texts.problem_gone_title, texts.problem_used_up),
            Self::MailLink => (texts.problem_gone_title, texts.mail_link_over),
            Self::NoPreview => (texts.problem_gone_title, texts.problem_no_preview),
            Self::OtherSite => (texts.problem_other_site_title, texts.problem_other_site),
            Self::Exchange(_) => (texts.problem_file_title, texts.problem_file),
            Self::TooLarge(_) | Self::Agenda(AgendaError::Commit(CommitError::TooLarge)) => {
                (texts.problem_too_large_title, texts.problem_too_large)
            }
            Self::Agenda(AgendaError::UnknownKey) | Self::NoKey => {
                (texts.problem_key_title, texts.problem_key)
            }
            Self::WrongSecret | Self::NoSecret => (texts.problem_other_site_title, texts.sign_in_wrong),
            Self::Condition | Self::Agenda(AgendaError::Changed) => {
                (texts.problem_changed_title, texts.problem_changed)
            }
            Self::Agenda(
                AgendaError::TooManyPicks
                | AgendaError::TooManyLinks
                | AgendaError::TooManyDevices
                | AgendaError::TooManyMailboxes,
            ) => (texts.problem_full_title, texts.problem_full),
            _ if self.is_temporary() => (texts.problem_busy_title, texts.problem_busy),
            _ if self.status().is_server_error() => (texts.problem_server_title, texts.problem_server),
            _ => (texts.problem_request_title, texts.problem_request),
        };
        (title, text.into())
    }

    /// The invalid values.
    fn faults(&self) -> Vec<InvalidValue> {
        match self {
            Self::Values(faults) => faults.clone(),
            Self::Parameter(ParameterError::Invalid { key, expected }) => {
                vec![InvalidValue::new(*key, expected)]
            }
            Self::Agenda(AgendaError::UnknownSessions(ids)) => ids
                .iter()
                .map(|id| InvalidValue::new("picks", format!("there is no session {id:?}")))
                .collect(),
            Self::Agenda(error @ AgendaError::TooManyPicks) => {
                vec![InvalidValue::new("picks", error.to_string())]
            }
            Self::Agenda(error @ (AgendaError::TooManyBusy | AgendaError::BadBusy)) => {
                vec![InvalidValue::new("busy", error.to_string())]
            }
            Self::Agenda(error @ AgendaError::NameTooLong(field)) => {
                vec![InvalidValue::new(*field, error.to_string())]
            }
            _ => Vec::new(),
        }
    }

    /// The private cause for the log; none if the client is at fault.
    pub(super) fn cause(&self) -> Option<String> {
        self.status().is_server_error().then(|| with_causes(self))
    }
}

/// An error with the chain of its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text = format!("{text}: {inner}");
        }
        cause = error.source();
    }
    text
}

fn commit_status(error: &CommitError) -> StatusCode {
    match error {
        CommitError::Full => StatusCode::INSUFFICIENT_STORAGE,
        CommitError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        CommitError::Conflict | CommitError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A retry does not help with a damaged record.
fn read_status(error: &ReadError) -> StatusCode {
    match error {
        ReadError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        ReadError::Newer { .. } | ReadError::Damaged { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error's text as a sentence.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

fn publication_status(error: &PublishError) -> StatusCode {
    match error {
        PublishError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        PublishError::Held(_) | PublishError::NotWithdrawn { .. } => StatusCode::CONFLICT,
        PublishError::Superseded { .. } => StatusCode::PRECONDITION_FAILED,
        PublishError::NotKept { .. } | PublishError::NoSession { .. } => StatusCode::NOT_FOUND,
        PublishError::Past { .. } => StatusCode::BAD_REQUEST,
        PublishError::Commit(error) => commit_status(error),
        PublishError::Read(error) => read_status(error),
        PublishError::Stored(_) | PublishError::Unsound(_) => StatusCode::INTERNAL_SERVER_ERROR,
        PublishError::Stopping(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn publication_detail(error: &PublishError) -> String {
    match error {
        PublishError::Refused(report) => {
            let errors = counted(report.error_count(), "error");
            format!("The program has {errors}; the live release stays.")
        }
        PublishError::Held(held) => format!(
            "Held, because {}. If that is meant, send it again with ?confirm={}",
            join_reasons(&held.verdict.reasons),
            held.verdict.digest
        ),
        PublishError::Commit(CommitError::Full) => {
            "The disk is full, so the release could not be stored; the live release stays. Free some space on the disk of \
             the data directory, then try again."
                .to_owned()
        }
        PublishError::Commit(error @ CommitError::TooLarge) => sentence(&error.to_string()),
        PublishError::Commit(_) | PublishError::Read(_) => {
            "The release could not be stored; the live release stays. Try again shortly."
                .to_owned()
        }
        other => sentence(&other.to_string()),
    }
}

/// Further members of the document (RFC 9457, 3.2).
fn publication_members(error: &PublishError) -> Map<String, Value> {
    let value = match error {
        PublishError::Refused(report) => json!({
            "report": report.to_json(),
            "report_text": report.render_human("program.csv", b"", false),
        }),
        PublishError::Held(held) => json!({
            "digest": held.verdict.digest,
            "reasons": held.verdict.reasons,
            "changes": describe_changes(&held.changes, held.zone),
            "warnings": held.report.warnings().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        PublishError::Superseded { live } => json!({ "release": live }),
        _ => Value::Null,
    };
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_to_a_full_disk_says_so_to_the_organizer_and_to_the_log() {
        let error = PublishError::Commit(CommitError::Full);
        assert_eq!(publication_status(&error), StatusCode::INSUFFICIENT_STORAGE);
        assert!(publication_detail(&error).starts_with("The disk is full"), "{}", publication_detail(&error));
        let cause = Problem::from(error).cause().unwrap();
        assert!(cause.contains("the disk is full"), "{cause}");
    }
}
