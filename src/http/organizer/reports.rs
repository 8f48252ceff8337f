//! Responses that only read: status, releases, program files, picks. They read the store on threads that may block.

use super::{Organizer, OrganizerRequest, document, file};
use crate::export::picks_csv;
use crate::http::Problem;
use crate::http::reply::{Answer, html};
use crate::program::{Session, SessionId};
use crate::publisher::{OriginDescription, count_picks, describe_changes};
use crate::release::Release;
use crate::store::{ReadError, ReleaseSummary, Skipped, Store};
use crate::web::{self, PicksOrder};
use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The least number of picks of a session that is shown. Fewer picks could identify somebody.
const SHOWN_FROM: usize = 5;

impl Organizer {
    /// Makes a response on a thread that may block.
    pub(super) async fn read(&self, answer: impl FnOnce(&Self) -> Answer + Send + 'static) -> Answer {
        let organizer = self.clone();
        self.store.read(move |_| answer(&organizer)).await
    }

    pub(in crate::http) fn live_program(&self) -> Answer {
        self.release_program(self.publisher.current().number())
    }

    pub(in crate::http) fn release_program(&self, number: u64) -> Answer {
        Ok(file(number, self.publisher.release_csv(number)?))
    }

    pub(in crate::http) fn status(&self) -> Answer {
        let publisher = &self.publisher;
        let (release, status) = (publisher.current(), publisher.status());
        let now = self.clock.now();
        let share = self.freshness.share(release.number(), now);
        let feeds = self.freshness.audience(now).into_iter().map(|audience| {
            let releases = audience.releases.iter();
            json!({
                "feed": audience.kind,
                "client": audience.client.display_name(),
                "releases": releases
                    .map(|(release, clients)| json!({ "release": release, "clients": clients }))
                    .collect::<Vec<_>>(),
                "last": audience.last,
            })
        });
        let answer = json!({
            "release": release.number(),
            "published": release.published(),
            "sessions": release.feeds.events().len(),
            "last": status.last,
            "held": status.held.newest(),
            "unstored": status.unstored,
            "source": status.source,
            "schedule": status.schedule,
            "faults": status.faults,
            "file": {
                "path": publisher.file().display().to_string(),
                "readable": status.file.is_some(),
                "stale": publisher.file_is_stale(),
            },
            "freshness": {
                "polled": share.polled,
                "current": share.current,
                "since": self.started,
                "feeds": feeds.collect::<Vec<_>>(),
            },
        });
        Ok(document(StatusCode::OK, release.number(), &answer))
    }

    pub(in crate::http) fn releases(&self) -> Answer {
        let running = self.publisher.current().number();
        let releases: Vec<Value> = readable_releases(&self.store)?.iter().rev().map(summary).collect();
        Ok(document(StatusCode::OK, running, &json!({ "running": running, "releases": releases })))
    }

    pub(in crate::http) fn release(&self, number: u64) -> Answer {
        let record = self.store.release(number)?.ok_or(Problem::NotFound)?;
        let mut answer = summary(&record.summary());
        if let Value::Object(answer) = &mut answer {
            answer.insert(
                "changes".to_owned(),
                json!(describe_changes(&record.changes, record.conference.zone)),
            );
            answer.insert("warnings".to_owned(), json!(record.warnings));
        }
        Ok(document(StatusCode::OK, number, &answer))
    }

    /// The sessions that enough agendas hold, with the number of those agendas, the most picked first.
    fn counted(&self, release: &Release) -> Result<Vec<(Arc<Session>, usize)>, ReadError> {
        let picks = count_picks(&self.store)?.into_iter().filter(|(_, count)| *count >= SHOWN_FROM);
        let visible = |(id, count): (SessionId, usize)| {
            let entry = release.ledger.entries.get(&id).filter(|entry| entry.is_visible())?;
            Some((Arc::clone(&entry.session), count))
        };
        let mut counted: Vec<_> = picks.filter_map(visible).collect();
        counted.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.id.cmp(&b.id)));
        Ok(counted)
    }

    /// The number of picks of each session, which helps to choose rooms.
    pub(in crate::http) fn picks(&self) -> Answer {
        let release = self.publisher.current();
        let conference = self.publisher.conference();
        let row = |(session, picks): &(Arc<Session>, usize)| {
            let mut row =
                json!({ "session": session.id.as_str(), "title": session.title.as_str(), "picks": picks });
            let room = session.slot.room.as_ref();
            if let Value::Object(row) = &mut row {
                row.extend(room.map(|room| ("room".to_owned(), json!(room.as_str()))));
                row.extend(conference.capacity(room).map(|seats| ("capacity".to_owned(), json!(seats))));
            }
            row
        };
        let rows: Vec<Value> = self.counted(&release)?.iter().map(row).collect();
        let answer = json!({ "shown_from": SHOWN_FROM, "picks": rows });
        Ok(document(StatusCode::OK, release.number(), &answer))
    }
}

impl Organizer {
    /// [`Self::picks`] as a table.
    pub(in crate::http) fn picks_csv(&self) -> Answer {
        let release = self.publisher.current();
        let table = picks_csv(&self.publisher.conference(), &self.counted(&release)?);
        let mut response = file(release.number(), table);
        let name = HeaderValue::from_static("attachment; filename=\"picks.csv\"");
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
        Ok(response)
    }

    /// [`Self::picks`] as a page, by day.
    fn picks_page(&self, order: PicksOrder) -> Answer {
        let release = self.publisher.current();
        Ok(html(web::picks(
            &release,
            &self.publisher.conference(),
            &self.counted(&release)?,
            SHOWN_FROM,
            order,
        )))
    }
}

impl OrganizerRequest<'_> {
    pub(in crate::http) async fn picks_page(self) -> Answer {
        let is_by_time = self.query("by").as_deref() == Some("time");
        let order = if is_by_time { PicksOrder::Time } else { PicksOrder::Picks };
        self.read(move |organizer| organizer.picks_page(order)).await
    }
}

/// Every release with a readable record, the oldest first. A damaged record must not hide the others.
pub(super) fn readable_releases(store: &Store) -> Result<Vec<ReleaseSummary>, ReadError> {
    let mut skipped = Skipped::default();
    let releases = skipped.over(store.each_release()).collect();
    skipped.log("listing releases");
    releases
}

fn summary(release: &ReleaseSummary) -> Value {
    let OriginDescription { origin, rollback_of } = release.origin.into();
    json!({
        "release": release.number,
        "published": release.published,
        "origin": origin,
        "rollback_of": rollback_of,
        "who": release.who,
        "changes": release.changes,
        "warnings": release.warnings,
        "program": release.complete.then(|| format!("/organizer/releases/{}/program.csv", release.number)),
    })
}

#[cfg(test)]
mod tests {
    use crate::http::App;
    use crate::http::test_app::{PROGRAM, SECRET, TestApp, request};
    use bytes::Bytes;
    use http::{Method, StatusCode};
    use http_body_util::Full;
    use std::time::Duration;

    /// The cookie of a browser that signed in.
    async fn signed_in(app: &App) -> String {
        let body = format!("secret={SECRET}");
        let request = request(&Method::POST, "/organizer/session", &body);
        let answer = app.respond(request.body(Full::new(Bytes::from(body))).unwrap()).await;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// The test's runtime has one thread, so a read on it would stop the clock that ticks beside the request.
    #[tokio::test]
    async fn other_tasks_go_on_while_the_organizer_waits_for_the_disk() {
        let TestApp { app, store, _dir } = TestApp::new();
        let cookie = signed_in(&app).await;
        for (method, path, status) in [
            (Method::GET, "/organizer", StatusCode::OK),
            (Method::GET, "/organizer/program", StatusCode::OK),
            (Method::GET, "/organizer/releases/1/program.csv", StatusCode::OK),
            (Method::GET, "/organizer/status", StatusCode::OK),
            (Method::GET, "/organizer/releases", StatusCode::OK),
            (Method::GET, "/organizer/releases/1", StatusCode::OK),
            (Method::GET, "/organizer/picks", StatusCode::OK),
            (Method::POST, "/organizer/releases/1/preview", StatusCode::SEE_OTHER),
            (Method::POST, "/organizer/releases/1/publish", StatusCode::OK),
            (Method::DELETE, "/organizer/schedule", StatusCode::NOT_FOUND),
            (Method::PUT, "/organizer/program", StatusCode::CREATED),
        ] {
            let stalled = store.stall();
            let body = if method == Method::PUT { PROGRAM.replace("10:40", "10:50") } else { String::new() };
            let mut request = request(&method, path, &body).header("cookie", &cookie);
            if path != "/organizer" {
                request = request.header("authorization", format!("Bearer {SECRET}"));
            }
            let request = request.body(Full::new(Bytes::from(body))).unwrap();
            let asked = app.clone();
            let answer = tokio::spawn(async move { asked.respond(request).await });
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let waits = !answer.is_finished();
            assert!(stalled.end() && waits, "{method} {path} holds up the other tasks, or reads nothing");
            assert_eq!(answer.await.unwrap().status(), status, "{method} {path}");
        }
    }
}
