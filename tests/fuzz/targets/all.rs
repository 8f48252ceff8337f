//! The fuzz targets. A target takes any bytes and panics if a promise is broken.
//!
//! The engine (`tests/fuzz`) and the replay of the corpora (`tests/suite/fuzz.rs`) run the same functions.
//! They use only the public API.

mod adopt;
mod api;
mod csv;
mod feed;
mod fuzz_app;
mod grown;
mod ics;
mod journal;
mod router;
mod skeleton;
#[allow(dead_code, reason = "the suite's fixture, of which targets need a part")]
#[path = "../../suite/http/test_app.rs"]
mod test_app;
mod tokens;
mod xml;

/// A target.
pub(crate) type Target = fn(&[u8]);

/// All targets by name. Their corpora are in `corpus/NAME`.
pub(crate) const ALL: &[(&str, Target)] = &[
    ("adopt", adopt::run),
    ("api", api::run),
    ("csv", csv::run),
    ("feed", feed::run),
    ("ics", ics::run),
    ("journal", journal::run),
    ("router", router::run),
    ("tokens", tokens::run),
    ("xml", xml::run),
];
