//! Crashes between the steps of a publication: prepared, committed, swapped, announced.
//!
//! An acknowledged commit is on disk, so a copy of the data directory is what a crash at that moment leaves.

use super::venue::{CONFIG, Venue, csv, moved, proposal};
use callboard::config::Webhook;
use callboard::reach::Body;
use callboard::store::{AnnouncedReleases, NamedRecord, Origin, ReleaseWrite, Write};
use std::future::Future;
use std::path::Path;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Publishes the next release up to the commit, without the swap and the deliveries.
async fn commit_only(venue: &Venue, text: &str) {
    let preview = venue.running().preview(text.as_bytes());
    let prepared = preview.prepared.unwrap();
    let store = venue.store.as_ref().unwrap();
    let record = callboard::store::ReleaseRecord {
        number: prepared.release.number(),
        published: prepared.release.published(),
        origin: Origin::Upload,
        who: None,
        csv_digest: callboard::revision::Digest::of(text.as_bytes()),
        changes: prepared.changes,
        conference: venue.conference(),
        warnings: vec![],
        complete: true,
    };
    let write = ReleaseWrite::between(
        Some(&preview.base.ledger),
        &prepared.release.ledger,
        record,
        text.to_owned().into(),
    );
    store.commit(vec![Write::PutRelease(Box::new(write))]).await.unwrap();
}

#[tokio::test]
async fn a_crash_before_the_commit_leaves_the_old_release() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    let _never_committed = venue.running().preview(moved(&csv(), 2).as_bytes());
    venue.stop();
    venue.start().unwrap();
    assert_eq!((venue.number(), venue.feeds()), (1, before));
}

#[tokio::test]
async fn a_crash_between_commit_and_swap_leaves_the_new_release() {
    let mut venue = Venue::started();
    commit_only(&venue, &moved(&csv(), 2)).await;
    assert_eq!((venue.number(), venue.sequence(2)), (1, 0), "nobody saw it yet");
    venue.stop();
    venue.start().unwrap();
    assert_eq!((venue.number(), venue.sequence(2)), (2, 1));
    venue.running().catch_up().await;
    assert_eq!((venue.number(), venue.sequence(2)), (2, 1), "the file is older");
}

#[tokio::test]
async fn the_next_publication_serves_a_release_whose_commit_seemed_to_fail() {
    let mut venue = Venue::started();
    commit_only(&venue, &moved(&csv(), 2)).await;
    let published = venue.upload(&moved(&moved(&csv(), 2), 3)).await.unwrap();
    assert_eq!((published.release.number(), venue.sequence(2), venue.sequence(3)), (3, 1, 1));
    venue.restart().await;
    assert_eq!(venue.number(), 3);
}

#[tokio::test]
async fn a_crash_at_any_moment_leaves_one_of_the_published_releases() {
    let mut venue = Venue::started();
    let mut moments = Vec::new();
    let shots = tempfile::tempdir().unwrap();
    for n in 1..=5 {
        venue.upload(&moved(&csv(), n)).await.unwrap();
        let shot = shots.path().join(n.to_string());
        copy(&venue.data(), &shot);
        moments.push((shot, venue.number(), venue.feeds()));
    }
    venue.stop();
    for (shot, number, feeds) in moments {
        let mut cut = Venue::new();
        cut.start_in(&shot).unwrap();
        assert_eq!((cut.number(), cut.feeds()), (number, feeds));
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_interrupt_a_publication() {
    let mut venue = Venue::started();
    for n in 1..=4 {
        let publisher = std::sync::Arc::clone(venue.running());
        let mut releases = publisher.subscribe();
        let mut publication = Box::pin(publisher.publish(proposal(&moved(&csv(), n), None, None)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(publication.as_mut().poll(&mut context), Poll::Pending));
        drop(publication);
        tokio::time::timeout(Duration::from_secs(10), releases.changed()).await.unwrap().unwrap();
        venue.check_invariants();
    }
    assert_eq!(venue.number(), 5);
}

#[tokio::test]
async fn the_next_start_announces_the_releases_whose_announcement_a_crash_prevented() {
    let mut venue = Venue::new();
    venue.webhooks =
        vec![Webhook { url: "https://hook.example/".parse().unwrap(), secret_file: "secret".into() }];
    venue.start().unwrap();
    venue.running().announce_releases().await;
    assert_eq!(venue.delivery_ids(), ["0000000001-0"]);
    // Two releases that were published and not announced.
    venue.upload(&moved(&csv(), 1)).await.unwrap();
    venue.upload(&moved(&csv(), 2)).await.unwrap();
    let lost = venue.deliveries().into_iter().map(|(id, record)| {
        let expect = Some(record.version.version);
        Write::PutDelivery { id, expect, record: None }
    });
    let announced = NamedRecord::Announced(AnnouncedReleases { release: 1, after: None });
    let writes = lost.chain([announced.into()]).collect();
    venue.store.as_ref().unwrap().commit_blocking(writes).unwrap();
    venue.restart().await;
    venue.running().announce_releases().await;
    assert_eq!(venue.delivery_ids(), ["0000000002-0", "0000000003-0"]);
    let claimed = venue.running().claim_messages(9, &[]).unwrap().messages;
    assert!(
        claimed[0].release == 2
            && matches!(&claimed[0].message.body, Body::Text(text) if text.contains("talk-1"))
    );
    venue.running().announce_releases().await;
    assert_eq!(venue.delivery_ids().len(), 2, "each release is announced once");
    assert!(CONFIG.contains("conf.example"));
}
