//! The description of the API as a page, without a script.

use super::head::Head;
use super::site::Site;
use super::write;
use crate::release::Release;
use askama::Template;

/// The operations of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// The subject.
    pub name: String,
    /// What it is about.
    pub text: String,
    /// What can be asked.
    pub operations: Vec<Operation>,
}

/// A method of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name, unique in the document.
    pub id: String,
    /// `GET` …
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// More about it; may be empty.
    pub text: String,
    /// What it takes to be allowed.
    pub key: Option<&'static str>,
    /// What can be named.
    pub parameters: Vec<Parameter>,
    /// A body to send.
    pub body: Option<String>,
    /// What can come back.
    pub answers: Vec<Answer>,
    /// A body that comes back.
    pub example: Option<String>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it means.
    pub text: String,
}

/// A status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `200` …
    pub status: String,
    /// What it means.
    pub text: String,
}

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage<'a> {
    site: Site<'a>,
    head: Head,
    chapters: &'a [Chapter],
}

/// Renders it.
pub fn reference(release: &Release, chapters: &[Chapter]) -> String {
    let site = Site::of(release);
    let head = Head::public(&site, site.words.api, site.words.api_text, "/api").at("api");
    write(&ReferencePage { head, chapters, site })
}
