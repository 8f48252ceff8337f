//! Everything that can go wrong in an answer, and what it looks like (RFC 9457; RFC 9110, 15).
//!
//! The only file that knows the status codes of errors. The public text says what to do; the private cause
//! goes into the log, once, and never into an answer.

mod answer;
mod publication;

pub(super) use answer::{Page, prefers_page};

use super::agendas::AgendaError;
use super::dav::Refusal;
use super::query::ParameterError;
use crate::exchange::ExchangeError;
use crate::feed::QueryError;
use crate::publisher::PublishError;
use crate::store::{CommitError, ReadError};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};

/// An answer that is an error.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The request's target is no path.
    #[error("the request's target is not a path")]
    BadTarget,
    /// What is wrong with the Host field.
    #[error("{0}")]
    BadHost(&'static str),
    /// Nothing is there, and nothing was.
    #[error("nothing is here")]
    NotFound,
    /// Something was there.
    #[error("it is gone")]
    Gone,
    /// Not with this method, but with these.
    #[error("not with this method")]
    Method(&'static [&'static str]),
    /// A method that no resource here has.
    #[error("an unknown method")]
    UnknownMethod,
    /// A transfer coding other than chunked.
    #[error("a transfer coding that is not implemented")]
    TransferCoding,
    /// A body in a content coding.
    #[error("a body in a content coding")]
    ContentCoding,
    /// A filter or an option that names no feed.
    #[error("{0}")]
    Query(#[from] QueryError),
    /// A query of the API that cannot be answered.
    #[error("{0}")]
    Parameter(#[from] ParameterError),
    /// A body that cannot be read as what it should be.
    #[error("{0}")]
    BadBody(String),
    /// A body of another media type than the one here.
    #[error("not {0}")]
    MediaType(&'static str),
    /// A body over its cap, in bytes.
    #[error("more than {0} bytes")]
    TooLarge(usize),
    /// A body that did not come in time.
    #[error("the body did not come in time")]
    TooSlow,
    /// A condition of the request does not hold.
    #[error("a condition of the request does not hold")]
    Condition,
    /// Values that cannot be taken, by field.
    #[error("values that cannot be taken")]
    Values(Vec<Fault>),
    /// A change of an agenda that was not made.
    #[error(transparent)]
    Agenda(#[from] AgendaError),
    /// An organizer's secret that is wrong.
    #[error("the organizer's secret is wrong")]
    WrongSecret,
    /// No organizer's secret, where one is needed.
    #[error("the organizer's secret is missing")]
    NoSecret,
    /// No edit key, where one is needed.
    #[error("the edit key is missing")]
    NoKey,
    /// Something that was not published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A write by cookie that does not come from our own pages.
    #[error("from another site")]
    OtherSite,
    /// A hand-over code that was redeemed or is over.
    #[error("a code that works no longer")]
    UsedUp,
    /// A preview that is to be published and is no longer kept.
    #[error("a preview that is not kept")]
    NoPreview,
    /// A file of picks that could not be read.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// A format that could not be written, which is a fault of ours.
    #[error("not exported: {0}")]
    Export(String),
    /// What CalDAV refuses for a reason that programs read.
    #[error(transparent)]
    Dav(#[from] Refusal),
    /// Too much of something that is allowed now and then.
    #[error("too often")]
    TooOften {
        /// What, as the beginning of a sentence.
        what: &'static str,
        /// By what, as its end.
        by: &'static str,
        /// Seconds until it is allowed again.
        wait: u64,
    },
    /// Requests come faster than they are answered.
    #[error("overloaded")]
    Overloaded,
    /// No place left for another stream.
    #[error("no place left")]
    Busy,
}

/// A value that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where it stands, such as `name` or `picks[3]`.
    pub field: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl Fault {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// Work on a thread of its own that ended early, as at a stop.
impl From<tokio::task::JoinError> for Problem {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Publish(error.into())
    }
}

impl Problem {
    /// Tells credentials that open nothing from credentials that were not sent, where they belong into Authorization:
    /// the key of a page is in its cookie.
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
            Self::Gone | Self::UsedUp | Self::NoPreview => StatusCode::GONE,
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
            Self::Read(error) => unread(error),
            Self::WrongSecret | Self::NoSecret | Self::NoKey | Self::Dav(Refusal::SignIn) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Dav(_) => StatusCode::FORBIDDEN,
            Self::Publish(error) => publication::status(error),
            Self::Agenda(error) => match error {
                AgendaError::UnknownKey => StatusCode::UNAUTHORIZED,
                AgendaError::NoSuchSession | AgendaError::NoSuchLink => StatusCode::NOT_FOUND,
                AgendaError::UnknownSessions(_)
                | AgendaError::TooManyPicks
                | AgendaError::TooManyLinks
                | AgendaError::NameTooLong(_) => StatusCode::UNPROCESSABLE_ENTITY,
                AgendaError::Changed => StatusCode::PRECONDITION_FAILED,
                AgendaError::Commit(error) => uncommitted(error),
                AgendaError::Read(error) => unread(error),
                AgendaError::Random(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// Whether the same request may be answered a little later.
    fn passes(&self) -> bool {
        matches!(self.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE)
    }

    /// What a person reads: what is wrong, and what to do.
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
            Self::NoPreview => {
                "This preview is no longer kept, so nothing was published. Preview the program again."
                    .to_owned()
            }
            Self::Export(_) => "This format could not be made of the program.".to_owned(),
            Self::Exchange(error) => sentence(&error.to_string()),
            Self::Busy => "Too many pages listen at the moment.".to_owned(),
            Self::Overloaded => "Too many requests come at once. Try again in a moment.".to_owned(),
            Self::TooOften { what, by, wait } => {
                format!("{what} too often {by}. Try again in {wait} s.")
            }
            Self::Method(allowed) => format!("This address takes {}.", allowed.join(", ")),
            Self::UnknownMethod => "No address of this server takes this method.".to_owned(),
            Self::TransferCoding => {
                "Send the body with a Content-Length, or with Transfer-Encoding: chunked alone.".to_owned()
            }
            Self::ContentCoding => "Send the body without a Content-Encoding.".to_owned(),
            Self::Query(error) => sentence(&error.to_string()),
            Self::Parameter(error) => sentence(&error.to_string()),
            Self::BadBody(what) => sentence(what),
            Self::MediaType(expected) => format!("Send the body as {expected}."),
            Self::TooLarge(cap) => format!("The body may have {cap} bytes at most."),
            Self::TooSlow => "The body did not come in time. Send it again.".to_owned(),
            Self::Condition | Self::Agenda(AgendaError::Changed) => {
                "It was changed in the meantime. Read it again, then repeat the change with the new ETag."
                    .to_owned()
            }
            Self::Values(_) => "Some values cannot be taken; errors names each.".to_owned(),
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
            Self::Publish(error) => publication::detail(error),
            Self::Dav(refusal) => refusal.detail(),
            Self::Agenda(error) => match error {
                AgendaError::Commit(CommitError::Full) => {
                    "The server's disk is full. Nothing was promised; try again later.".to_owned()
                }
                AgendaError::Commit(CommitError::TooLarge) => "The agenda is too large.".to_owned(),
                AgendaError::Commit(_) => {
                    "The change could not be kept at the moment. Try again shortly.".to_owned()
                }
                AgendaError::Random(_) => "The server cannot make a key at the moment.".to_owned(),
                other => sentence(&other.to_string()),
            },
        }
    }

    /// The values at fault, where single ones are.
    fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Values(faults) => faults.clone(),
            Self::Parameter(ParameterError::Invalid { key, expected }) => vec![Fault::new(*key, expected)],
            Self::Agenda(AgendaError::UnknownSessions(ids)) => {
                ids.iter().map(|id| Fault::new("picks", format!("there is no session {id:?}"))).collect()
            }
            Self::Agenda(error @ AgendaError::TooManyPicks) => vec![Fault::new("picks", error.to_string())],
            Self::Agenda(error @ AgendaError::NameTooLong(field)) => {
                vec![Fault::new(*field, error.to_string())]
            }
            _ => Vec::new(),
        }
    }

    /// What only the log gets to read; none where the client is at fault.
    pub(super) fn cause(&self) -> Option<String> {
        self.status().is_server_error().then(|| with_causes(self))
    }
}

/// An error with what caused it, down to the disk.
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

fn uncommitted(error: &CommitError) -> StatusCode {
    match error {
        CommitError::Full => StatusCode::INSUFFICIENT_STORAGE,
        CommitError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        CommitError::Conflict | CommitError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A damaged record does not get better by waiting.
fn unread(error: &ReadError) -> StatusCode {
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
