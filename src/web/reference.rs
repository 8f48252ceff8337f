//! The reference of the API: a page without scripts.

use super::site::{Head, Site};
use super::write;
use crate::release::Release;
use askama::Template;

/// The operations about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiChapter {
    /// The subject.
    pub name: String,
    /// A description of the subject.
    pub text: String,
    /// The operations.
    pub operations: Vec<ApiOperation>,
}

/// An operation of the API: a method of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiOperation {
    /// The operation's name, unique in the document.
    pub id: String,
    /// The HTTP method, e.g. `GET`.
    pub method: String,
    /// The path, with its parameters in braces.
    pub path: String,
    /// A summary of one sentence.
    pub summary: String,
    /// The description; may be empty.
    pub text: String,
    /// The credential that the operation needs.
    pub key: Option<&'static str>,
    /// The parameters.
    pub parameters: Vec<ApiParameter>,
    /// An example of the request's body.
    pub body: Option<String>,
    /// The responses.
    pub answers: Vec<ApiResponse>,
    /// An example of the response's body.
    pub example: Option<String>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiParameter {
    /// The parameter's name.
    pub name: String,
    /// The place of the parameter: `path`, `query` or `header`.
    pub place: String,
    /// Whether the parameter is required.
    pub is_required: bool,
    /// A description of the parameter.
    pub text: String,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The HTTP status, e.g. `200`.
    pub status: String,
    /// A description of the response.
    pub text: String,
}

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage<'a> {
    site: Site<'a>,
    head: Head,
    chapters: &'a [ApiChapter],
}

/// Renders the page.
pub fn reference(release: &Release, chapters: &[ApiChapter]) -> String {
    let site = Site::of(release);
    let head = Head::public(&site, site.words.api, site.words.api_text, "/api").at("api");
    write(&ReferencePage { head, chapters, site })
}
