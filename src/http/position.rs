//! Read your writes: with several replicas, the answer to a write carries the position in the log. A later request
//! sends it back, and a replica that is behind waits until it has caught up.
//!
//! Browsers send it in a cookie, other programs in a header. It is no secret: it counts the writes so far. A replica
//! that cannot reach the database answers reads from its copy and refuses writes, even one that would change nothing
//! there: the client may have changed the state on another replica since.

use super::browser::cookie;
use crate::store::Store;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

const HEADER: HeaderName = HeaderName::from_static("callboard-position");
const COOKIE: &str = "position";

/// How long the browser brings its position, in seconds. No replica is that far behind.
const MAX_AGE: u32 = 600;

/// How long a request waits for its position.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Waits until this replica has what the client has seen. Returns whether it has; a store of its own always has.
pub(super) async fn wait(store: &Store, headers: &HeaderMap) -> bool {
    if store.log_position().is_none() {
        return true;
    }
    let in_header = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let wanted = [in_header, cookie(headers, COOKIE)].into_iter().flatten();
    match wanted.filter_map(|text| text.parse().ok()).max() {
        // Boxed, because this future is large and hardly any request needs it.
        Some(position) => Box::pin(store.wait_for(position, TIMEOUT)).await,
        None => true,
    }
}

/// Adds the position to the answer to a write.
pub(super) fn add(store: &Store, headers: &mut HeaderMap) {
    let Some(position) = store.log_position() else { return };
    headers.insert(HEADER, HeaderValue::from(position));
    let cookie = format!("{COOKIE}={position}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}
