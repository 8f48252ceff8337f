//! Conditional requests (RFC 9110, 13), by the precedence of 13.2.2:
//!
//! 1. If-Match, strongly compared: no match is 412.
//! 2. Without it, If-Unmodified-Since: changed since is 412.
//! 3. If-None-Match, weakly compared: a match is 304 for GET and HEAD, 412 for the others.
//! 4. Without it, for GET and HEAD, If-Modified-Since: not changed since is 304.
//! 5. Else the request is performed. There are no ranges, so If-Range (14.2) has nothing to decide.
//!
//! A date field that is malformed or repeated is ignored, and so is every date if there is no modification time (13.1.3,
//! 13.1.4). Evaluation needs the validators only.

use super::EntityTag;
use super::etag::Tags;
use chrono::{DateTime, Utc};
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderValue, Method};
use std::cell::RefCell;

/// The validators of a resource's current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// The state's entity tag.
    pub tag: EntityTag,
    /// When the state last changed, if Last-Modified is sent.
    pub modified: Option<DateTime<Utc>>,
}

/// The outcome of the conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionResult {
    /// Perform the request.
    Perform,
    /// 304, with the client's ETag if it spells the current one differently.
    NotModified(Option<String>),
    /// 412.
    Failed,
}

/// Evaluates the conditions of a request against the current state.
pub fn evaluate(method: &Method, headers: &HeaderMap, present: &Validators) -> ConditionResult {
    let is_read = method == Method::GET || method == Method::HEAD;
    let tag = &present.tag;
    match Tags::of(headers, IF_MATCH) {
        Some(Tags::List(tags)) if !tags.iter().any(|sent| sent.is(tag)) => return ConditionResult::Failed,
        Some(_) => {}
        None => {
            if date(headers, IF_UNMODIFIED_SINCE).zip(present.modified).is_some_and(|(at, last)| last > at) {
                return ConditionResult::Failed;
            }
        }
    }
    let unmodified = |sent: Option<&str>| match is_read {
        true => {
            ConditionResult::NotModified(sent.filter(|sent| *sent != tag.quoted()).map(ToOwned::to_owned))
        }
        false => ConditionResult::Failed,
    };
    // Nearly every client sends back exactly the tag that it received.
    if headers.get(IF_NONE_MATCH).is_some_and(|sent| sent == tag.quoted()) {
        return unmodified(None);
    }
    match Tags::of(headers, IF_NONE_MATCH) {
        Some(Tags::Any) => unmodified(None),
        Some(Tags::List(tags)) => match tags.iter().find(|sent| sent.resembles(tag)) {
            Some(sent) => unmodified(Some(sent.quoted())),
            None => ConditionResult::Perform,
        },
        None => {
            let since = date(headers, IF_MODIFIED_SINCE).filter(|_| is_read);
            if since.zip(present.modified).is_some_and(|(at, last)| last <= at) {
                return ConditionResult::NotModified(None);
            }
            ConditionResult::Perform
        }
    }
}

/// Evaluates the conditions of a GET or HEAD, if it has none or just this tag in If-None-Match, as nearly all have:
/// whether the state is as the client has it. None for other conditions, which [`evaluate`] must decide.
pub(super) fn is_unchanged(headers: &HeaderMap, tag: &HeaderValue) -> Option<bool> {
    if headers.contains_key(IF_MATCH) || headers.contains_key(IF_UNMODIFIED_SINCE) {
        return None;
    }
    match headers.get(IF_NONE_MATCH) {
        Some(sent) => (sent == tag).then_some(true),
        None => (!headers.contains_key(IF_MODIFIED_SINCE)).then_some(false),
    }
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<DateTime<Utc>> {
    let mut lines = headers.get_all(name).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    httpdate::parse_http_date(line.to_str().ok()?).ok().map(DateTime::from)
}

/// A time in the format of header fields (RFC 9110, 5.6.7).
///
/// The last value is cached, since most answers have the time of the live release and formatting costs as much as all other
/// fields of a 304.
pub(super) fn http_date(at: DateTime<Utc>) -> HeaderValue {
    thread_local! {
        static LAST: RefCell<(i64, HeaderValue)> = RefCell::new((0, printed(DateTime::UNIX_EPOCH)));
    }
    LAST.with_borrow_mut(|last| {
        if last.0 != at.timestamp() {
            *last = (at.timestamp(), printed(at));
        }
        last.1.clone()
    })
}

fn printed(at: DateTime<Utc>) -> HeaderValue {
    let text = httpdate::fmt_http_date(at.max(DateTime::UNIX_EPOCH).into());
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn present() -> Validators {
        Validators { tag: EntityTag::plain("now"), modified: DateTime::from_timestamp(1_000_000_000, 0) }
    }

    fn at(offset: i64) -> String {
        let at = http_date(present().modified.unwrap() + TimeDelta::seconds(offset));
        at.to_str().unwrap().to_owned()
    }

    fn verdict(method: Method, fields: &[(HeaderName, &str)]) -> ConditionResult {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().unwrap());
        }
        evaluate(&method, &headers, &present())
    }

    fn read(fields: &[(HeaderName, &str)]) -> ConditionResult {
        assert_eq!(verdict(Method::GET, fields), verdict(Method::HEAD, fields));
        verdict(Method::GET, fields)
    }

    fn unmodified() -> ConditionResult {
        ConditionResult::NotModified(None)
    }

    #[test]
    fn row_1_if_match_decides_first_and_compares_strongly() {
        assert_eq!(read(&[(IF_MATCH, "\"old\"")]), ConditionResult::Failed);
        assert_eq!(read(&[(IF_MATCH, "W/\"now\"")]), ConditionResult::Failed);
        assert_eq!(read(&[(IF_MATCH, "nonsense")]), ConditionResult::Failed);
        assert_eq!(read(&[(IF_MATCH, "\"old\", \"now\"")]), ConditionResult::Perform);
        assert_eq!(read(&[(IF_MATCH, "*")]), ConditionResult::Perform);
        assert_eq!(verdict(Method::PUT, &[(IF_MATCH, "\"old\"")]), ConditionResult::Failed);
        assert_eq!(read(&[(IF_MATCH, "\"old\""), (IF_NONE_MATCH, "\"now\"")]), ConditionResult::Failed);
        assert_eq!(read(&[(IF_MATCH, "\"now\""), (IF_UNMODIFIED_SINCE, &at(-1))]), ConditionResult::Perform);
    }

    #[test]
    fn row_2_if_unmodified_since_counts_without_if_match() {
        assert_eq!(read(&[(IF_UNMODIFIED_SINCE, &at(-1))]), ConditionResult::Failed);
        assert_eq!(read(&[(IF_UNMODIFIED_SINCE, &at(0))]), ConditionResult::Perform);
        assert_eq!(read(&[(IF_UNMODIFIED_SINCE, "yesterday")]), ConditionResult::Perform);
        assert_eq!(read(&[(IF_UNMODIFIED_SINCE, &at(0)), (IF_NONE_MATCH, "\"now\"")]), unmodified());
    }

    #[test]
    fn row_3_if_none_match_compares_weakly() {
        assert_eq!(read(&[(IF_NONE_MATCH, "\"now\"")]), unmodified());
        assert_eq!(read(&[(IF_NONE_MATCH, "\"a,b\", W/\"now\"")]), unmodified());
        assert_eq!(read(&[(IF_NONE_MATCH, "*")]), unmodified());
        assert_eq!(read(&[(IF_NONE_MATCH, "\"old\"")]), ConditionResult::Perform);
        assert_eq!(verdict(Method::PUT, &[(IF_NONE_MATCH, "\"now\"")]), ConditionResult::Failed);
        assert_eq!(verdict(Method::PUT, &[(IF_NONE_MATCH, "*")]), ConditionResult::Failed);
    }

    #[test]
    fn row_4_if_modified_since_counts_without_if_none_match_and_for_reads_alone() {
        assert_eq!(read(&[(IF_MODIFIED_SINCE, &at(0))]), unmodified());
        assert_eq!(read(&[(IF_MODIFIED_SINCE, &at(9))]), unmodified());
        assert_eq!(read(&[(IF_MODIFIED_SINCE, &at(-1))]), ConditionResult::Perform);
        assert_eq!(read(&[(IF_MODIFIED_SINCE, "0")]), ConditionResult::Perform);
        assert_eq!(
            read(&[(IF_NONE_MATCH, "\"old\""), (IF_MODIFIED_SINCE, &at(0))]),
            ConditionResult::Perform
        );
        assert_eq!(verdict(Method::PUT, &[(IF_MODIFIED_SINCE, &at(0))]), ConditionResult::Perform);
    }

    #[test]
    fn a_repeated_date_is_ignored() {
        let (since, unmodified) = (IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE);
        assert_eq!(read(&[(since.clone(), &at(0)), (since.clone(), &at(9))]), ConditionResult::Perform);
        assert_eq!(read(&[(since.clone(), &at(9)), (since.clone(), &at(9))]), ConditionResult::Perform);
        assert_eq!(read(&[(since, &format!("{}, {}", at(9), at(9)))]), ConditionResult::Perform);
        assert_eq!(read(&[(unmodified.clone(), &at(-1)), (unmodified, &at(-1))]), ConditionResult::Perform);
    }

    #[test]
    fn row_5_without_conditions_the_request_is_performed() {
        assert_eq!(read(&[]), ConditionResult::Perform);
    }

    #[test]
    fn a_tag_of_another_level_is_returned_as_sent() {
        let tag = EntityTag::coded("now", crate::feed::Coding::Gzip, 9);
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, "\"now-g1\"".parse().unwrap());
        let verdict = evaluate(&Method::GET, &headers, &Validators { tag, modified: None });
        assert_eq!(verdict, ConditionResult::NotModified(Some("\"now-g1\"".to_owned())));
    }

    #[test]
    fn a_date_is_ignored_without_a_modification_time() {
        let present = Validators { modified: None, ..present() };
        let mut headers = HeaderMap::new();
        headers.insert(IF_MODIFIED_SINCE, at(9).parse().unwrap());
        headers.insert(IF_UNMODIFIED_SINCE, at(-9).parse().unwrap());
        assert_eq!(evaluate(&Method::GET, &headers, &present), ConditionResult::Perform);
    }

    #[test]
    fn dates_have_the_format_of_the_rfc() {
        for _ in 0..2 {
            assert_eq!(http_date(present().modified.unwrap()), "Sun, 09 Sep 2001 01:46:40 GMT");
            assert_eq!(http_date(DateTime::UNIX_EPOCH), "Thu, 01 Jan 1970 00:00:00 GMT");
            assert_eq!(http_date(DateTime::from_timestamp(-1, 0).unwrap()), http_date(DateTime::UNIX_EPOCH));
        }
    }
}
