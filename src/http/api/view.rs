//! Agendas and links as the API shows them, with absolute addresses.

use crate::freshness::Freshness;
use crate::http::agendas::{Created, Owned, ReadLink};
use crate::release::Release;
use serde_json::{Value, json};

/// The answer to a creation: the only place, beside a replacement, where an edit key is told.
pub(super) fn created(created: &Created, release: &Release, freshness: &Freshness) -> Value {
    let mut answer = json!({ "edit_key": created.0.key.reveal() });
    if let (Value::Object(answer), Value::Object(rest)) =
        (&mut answer, agenda(&created.0, release, freshness))
    {
        answer.extend(rest);
    }
    answer
}

pub(super) fn agenda(owned: &Owned, release: &Release, freshness: &Freshness) -> Value {
    let picks: Vec<String> = owned.picks(release).iter().map(ToString::to_string).collect();
    json!({ "name": owned.record.name, "picks": picks, "read_links": links(owned, release, freshness) })
}

pub(super) fn links(owned: &Owned, release: &Release, freshness: &Freshness) -> Value {
    let seen = |link: &ReadLink| {
        let (seen, behind) = owned.fetched(link, release, freshness)?;
        Some(
            json!({ "at": seen.at, "client": seen.by.display_name(), "release": seen.release, "behind": behind }),
        )
    };
    owned.links().iter().map(|one| link(one, release, seen(one))).collect()
}

/// Page and feed are null where the link was made with an earlier edit key: nobody can derive its token.
pub(super) fn link(link: &ReadLink, release: &Release, seen: Option<Value>) -> Value {
    let path = link.token.as_ref().map(|token| format!("/agendas/{}", token.reveal()));
    let absolute = |path: &String| release.program.conference.link(path);
    let page = path.as_ref().map(absolute);
    let feed = path.as_ref().map(|path| absolute(&format!("{path}.ics")));
    json!({ "n": link.n, "label": link.label, "page": page, "feed": feed, "seen": seen })
}
