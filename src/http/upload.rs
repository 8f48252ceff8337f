//! A file in a posted form, `multipart/form-data` (RFC 7578).

use super::Problem;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;

/// The boundary of a form with files; none where the body is anything else.
pub(super) fn boundary(request: &Parts) -> Option<String> {
    multer::parse_boundary(request.headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// The file of that name: the first such part.
pub(super) async fn file(request: &Parts, body: Bytes, name: &str) -> Result<Bytes, Problem> {
    let boundary = boundary(request).ok_or(Problem::MediaType("multipart/form-data"))?;
    let bad = |error: multer::Error| Problem::BadBody(error.to_string());
    let whole = http_body_util::BodyDataStream::new(http_body_util::Full::new(body));
    let mut parts = multer::Multipart::new(whole, boundary);
    while let Some(part) = parts.next_field().await.map_err(bad)? {
        if part.name() == Some(name) {
            return part.bytes().await.map_err(bad);
        }
    }
    Err(Problem::BadBody(format!("the form has no part named {name}")))
}
