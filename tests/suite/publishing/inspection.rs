//! Every release is linted before it is stored: findings that stop a release, and findings that are only warnings.

use super::venue::{Venue, csv, moved};
use callboard::doctor::{CalendarClient, FeedFinding, Finding, ParseBackError};
use callboard::program::Severity;
use callboard::publisher::{AttemptResult, PublishError, StartError};
use callboard::release::Release;

fn unsound(_: &Release, _: Option<&Release>) -> Result<Vec<FeedFinding>, ParseBackError> {
    Err(ParseBackError { feed: "/program.ics".to_owned(), problem: "the start of talk-1".to_owned() })
}

/// Lets release 1 pass.
fn unsound_later(release: &Release, _: Option<&Release>) -> Result<Vec<FeedFinding>, ParseBackError> {
    if release.number() == 1 { Ok(Vec::new()) } else { unsound(release, None) }
}

fn warned(_: &Release, _: Option<&Release>) -> Result<Vec<FeedFinding>, ParseBackError> {
    let message = "the feed has 2000000 bytes, and Google reads about a million".to_owned();
    let (client, severity) = (CalendarClient::Google, Severity::Error);
    let finding =
        Finding { client, rule: "google-size", line: 0, severity, message, remedy: "offer feeds per track" };
    Ok(vec![FeedFinding { place: "/program.ics".to_owned(), finding }])
}

#[test]
fn a_first_start_with_an_unsound_feed_stores_nothing() {
    let mut venue = Venue::new();
    venue.inspect = unsound;
    let error = venue.start().unwrap_err();
    assert!(matches!(error, StartError::Unsound(_)));
    assert!(error.to_string().ends_with("/program.ics does not parse back: the start of talk-1"), "{error}");
    venue.inspect = callboard::doctor::inspect;
    assert!(venue.start().unwrap(), "nothing of the failed start is in the store");
}

#[tokio::test]
async fn an_unsound_release_is_not_published_and_the_status_says_why() {
    let mut venue = Venue::new();
    venue.inspect = unsound_later;
    venue.start().unwrap();
    let before = venue.feeds();
    assert!(matches!(venue.upload(&moved(&csv(), 1)).await, Err(PublishError::Unsound(_))));
    assert_eq!((venue.number(), venue.feeds()), (1, before.clone()));
    let last = venue.running().status().last.unwrap();
    assert!(
        matches!(last.verdict, AttemptResult::Failed { reason } if reason.contains("the start of talk-1"))
    );
    // The watched file gets the same result. With the real linter, the next start publishes it as release 2.
    assert!(matches!(venue.save_and_publish(&moved(&csv(), 2)).await, Some(Err(PublishError::Unsound(_)))));
    assert_eq!((venue.number(), venue.feeds()), (1, before));
    venue.inspect = callboard::doctor::inspect;
    venue.restart().await;
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn a_config_that_makes_feeds_unsound_leaves_the_release_live() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    venue.config = venue.config.replace("name = \"One\"", "name = \"First\"");
    venue.save(&csv().replace(",One,", ",First,"));
    venue.inspect = unsound;
    venue.stop();
    venue.start().unwrap();
    assert_eq!((venue.number(), venue.feeds()), (1, before));
    assert!(matches!(venue.running().status().last.unwrap().verdict, AttemptResult::Failed { .. }));
}

#[tokio::test]
async fn a_finding_is_a_warning_of_the_publication() {
    let mut venue = Venue::new();
    venue.inspect = warned;
    venue.start().unwrap();
    let warnings_of = |venue: &Venue, n| venue.store.as_ref().unwrap().release(n).unwrap().unwrap().warnings;
    let expected = "/program.ics, Google Calendar: the feed has 2000000 bytes, and Google reads about a million. \
                Offer feeds per track.";
    assert_eq!(warnings_of(&venue, 1), [expected]);
    let publication = venue.upload(&moved(&csv(), 1)).await.unwrap();
    assert!(publication.is_new && publication.report.program.is_some());
    let warnings: Vec<String> = publication.report.warnings().map(ToString::to_string).collect();
    assert_eq!((warnings, warnings_of(&venue, 2)), (vec![expected.to_owned()], vec![expected.to_owned()]));
    let report = venue.running().status().last.unwrap().report.unwrap();
    assert_eq!(report["faults"][0]["rule"], "google-size");
}

#[test]
fn a_feed_that_google_cannot_read_whole_is_a_warning() {
    let mut venue = Venue::new();
    let mut csv = String::from("id,date,start,end,kind,title,abstract\n");
    for n in 0..40 {
        csv.push_str(&format!("talk-{n},2025-03-25,09:00,10:00,talk,Talk {n},{}\n", "long ".repeat(8_000)));
    }
    venue.save(&csv);
    venue.start().unwrap();
    let warnings = venue.store.as_ref().unwrap().release(1).unwrap().unwrap().warnings;
    assert!(
        warnings.iter().any(|warning| warning.starts_with("/program.ics, Google Calendar: ")),
        "{warnings:?}"
    );
}
