//! Errors with a reason for programs (RFC 4918, 16; RFC 3744, 7.1.1).

use crate::xml::XmlWriter;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A precondition that is not met, by the name of its element.
    #[error("{0} does not hold")]
    Unmet(&'static str),
    /// A calendar program cannot subscribe to changes, by the name of its element and the reason.
    #[error("{1}")]
    Push(&'static str, String),
    /// A write to a read-only resource.
    #[error("it is read-only")]
    NeedPrivileges(String),
    /// No valid token of an agenda.
    #[error("no token of an agenda")]
    SignIn,
    /// A token over plain http, which everybody on the network path could read.
    #[error("not over plain http")]
    Insecure,
}

pub(super) const DAV: &str = "DAV:";
pub(super) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
pub(super) const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";
pub(super) const PUSH: &str = "https://bitfire.at/webdav-push";
pub(super) const APPLE: &str = "http://apple.com/ns/ical/";

/// The namespaces of responses, by their prefixes.
pub(super) const NAMESPACES: &[(&str, &str)] = &[
    ("xmlns:D", DAV),
    ("xmlns:C", CALDAV),
    ("xmlns:CS", CALENDAR_SERVER),
    ("xmlns:P", PUSH),
    ("xmlns:A", APPLE),
];

impl Refusal {
    /// The text for people.
    pub(in crate::http) fn detail(&self) -> String {
        match self {
            Self::Unmet(element) => format!("The request does not meet the precondition {element}."),
            Self::Push(_, reason) => reason.clone(),
            Self::NeedPrivileges(_) => "These calendars are read-only.".to_owned(),
            Self::SignIn => {
                "Sign in with the token of the agenda's read link (cbr_…) as password. The user name does not matter and may be \
                 left empty."
                    .to_owned()
            }
            Self::Insecure => {
                "An agenda is opened over https only, since plain http shows the password to everybody on the \
                 network path. The operator has to set public_url to an https address."
                    .to_owned()
            }
        }
    }

    /// The document for programs, if the standards define an element for it.
    pub(in crate::http) fn document(&self) -> Option<Vec<u8>> {
        let mut xml = XmlWriter::default();
        xml.open("D:error", NAMESPACES);
        match self {
            Self::Unmet(element) | Self::Push(element, _) => xml.empty(element, &[]),
            Self::NeedPrivileges(href) => {
                xml.open("D:need-privileges", &[]);
                xml.open("D:resource", &[]);
                xml.leaf("D:href", &[], href);
                xml.open("D:privilege", &[]);
                xml.empty("D:write", &[]);
            }
            Self::SignIn | Self::Insecure => return None,
        }
        Some(xml.finish())
    }
}
