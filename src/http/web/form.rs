//! A posted form, `application/x-www-form-urlencoded` (the URL standard, 5.1).

use crate::http::Problem;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

const FORM: &str = "application/x-www-form-urlencoded";

/// The pairs of a form, in its order.
pub(in crate::http) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body that says it is a form; an empty one needs not say it.
    pub(in crate::http) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, Problem> {
        let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim();
        if !body.is_empty() && !essence.eq_ignore_ascii_case(FORM) {
            return Err(Problem::MediaType(FORM));
        }
        Ok(Self(url::form_urlencoded::parse(body).into_owned().collect()))
    }

    /// The first value of a field; empty where there is none.
    pub(in crate::http) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// All values of a field.
    pub(in crate::http) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value.clone()).collect()
    }
}
