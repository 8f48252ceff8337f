//! The reference of the API, as a page without scripts.

use super::site::{Head, Site};
use super::write;
use crate::release::Release;
use askama::Template;

/// The operations of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiChapter {
    /// The subject.
    pub name: String,
    /// Its description.
    pub text: String,
    /// Its operations.
    pub operations: Vec<ApiOperation>,
}

/// A method of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiOperation {
    /// Its name, unique in the document.
    pub id: String,
    /// E.g. `GET`.
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// One sentence.
    pub summary: String,
    /// The description; may be empty.
    pub text: String,
    /// The credential that it needs.
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
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Whether it is required.
    pub is_required: bool,
    /// Its description.
    pub text: String,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The status, e.g. `200`.
    pub status: String,
    /// Its description.
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
