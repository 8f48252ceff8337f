//! Damaged records in the store: they are skipped or reported, and everything else works.

use super::venue::{Venue, csv, id, moved, proposal, start_of_day, without};
use callboard::config::Webhook;
use callboard::publisher::{AttemptResult, PublishError, PublisherTask, advance_counters, count_picks};
use callboard::retention::{Retention, RetentionResult};
use callboard::revision::Digest;
use callboard::store::{AgendaRecord, ReadError, Store, Write};
use chrono::TimeDelta;
use std::sync::Arc;

fn put_note(venue: &Venue, name: &str, value: &[u8]) {
    venue.store.as_ref().unwrap().commit_blocking(vec![Write::raw(name, value)]).unwrap();
}

fn note(venue: &Venue, name: &str) -> Option<Vec<u8>> {
    venue.store.as_ref().unwrap().raw(name).unwrap()
}

fn put_agenda(store: &Store, n: usize) {
    let record = AgendaRecord { picks: vec![id(n)], ..AgendaRecord::empty(start_of_day(), 1) };
    let key = Digest::of(&n.to_le_bytes());
    store.commit_blocking(vec![Write::PutAgenda { key, expect: None, record }]).unwrap();
}

/// A venue with three agendas. The only copy of the second one is damaged.
fn with_a_damaged_agenda() -> Venue {
    let mut venue = Venue::started();
    (1..=3).for_each(|n| put_agenda(venue.store.as_ref().unwrap(), n));
    venue.stop();
    let damaged = std::cell::Cell::new(0);
    crate::store::tamper(&venue.data(), "conf", b'a', |value| {
        damaged.set(damaged.get() + 1);
        if damaged.get() == 2 {
            *value.last_mut().unwrap() ^= 1;
        }
    });
    venue.start().unwrap();
    assert_eq!(damaged.get(), 3);
    venue
}

#[tokio::test]
async fn a_preview_skips_a_damaged_agenda() {
    let venue = with_a_damaged_agenda();
    let preview = venue.running().preview(moved(&csv(), 1).as_bytes());
    let impact = venue.running().impact(&preview.base, &preview.prepared.unwrap()).unwrap();
    assert_eq!((impact.agendas, impact.unreadable), (2, 1));
    assert_eq!(count_picks(venue.store.as_ref().unwrap()).unwrap().values().sum::<usize>(), 2);
}

#[tokio::test]
async fn a_restore_skips_a_damaged_agenda() {
    let venue = with_a_damaged_agenda();
    let advanced = advance_counters(venue.store.as_ref().unwrap(), None, venue.clock.now()).unwrap();
    assert_eq!((advanced.agendas, advanced.damaged), (2, 1));
}

#[tokio::test]
async fn retention_skips_a_damaged_agenda() {
    let venue = with_a_damaged_agenda();
    let (publisher, store) = (Arc::clone(venue.running()), venue.store.clone().unwrap());
    let retention = Retention::new(180, publisher, store.clone(), Arc::default(), venue.clock.clone());
    let retention = Arc::new(retention);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    venue.clock.advance(TimeDelta::days(200));
    assert_eq!(retention.pass().await.unwrap(), RetentionResult { agendas: 2, links: 0 });
    let left: Vec<_> = store.agendas().collect();
    assert!(matches!(left.as_slice(), [Err(ReadError::Damaged { .. })]), "a backup may still have it");
    let mut notes = (0..256).map(|n| format!("freshness-{n:02x}")).chain(["freshness".to_owned()]);
    assert!(notes.all(|name| store.raw(&name) == Ok(None)));
}

#[tokio::test]
async fn a_publication_skips_a_damaged_release_record() {
    let mut venue = Venue::started();
    venue.settings.keep_releases = 1;
    venue.save_and_publish(&moved(&csv(), 1)).await.unwrap().unwrap();
    venue.stop();
    let is_first = std::cell::Cell::new(true);
    crate::store::tamper(&venue.data(), "conf", b'r', |value| {
        if is_first.replace(false) {
            *value.last_mut().unwrap() ^= 1;
        }
    });
    venue.start().unwrap();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    assert_eq!(venue.number(), 3);
}

#[tokio::test]
async fn a_damaged_note_about_the_file_does_not_publish_a_stale_file() {
    let mut venue = Venue::started();
    venue.save_and_publish(&moved(&csv(), 1)).await.unwrap().unwrap();
    venue.upload(&moved(&csv(), 2)).await.unwrap();
    for damaged in [&b"short"[..], &[7; 41]] {
        put_note(&venue, "taken-in", damaged);
        venue.restart().await;
        assert_eq!(venue.number(), 3, "the upload stays live");
        let last = venue.running().status().last.unwrap();
        assert!(matches!(last.verdict, AttemptResult::Failed { .. }), "{last:?}");
        assert!(!venue.running().file_is_stale());
        assert_eq!(note(&venue, "taken-in").as_deref(), Some(damaged), "the damaged note stays");
    }
    // An upload repairs the note, as the log advises.
    venue.upload(&moved(&csv(), 3)).await.unwrap();
    assert!(venue.running().file_is_stale());
    venue.restart().await;
    assert_eq!(venue.number(), 4);
    venue.save_and_publish(&moved(&csv(), 4)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_damaged_note_about_deliveries_drops_no_delivery() {
    let mut venue = Venue::new();
    venue.webhooks =
        vec![Webhook { url: "https://one.example/".parse().unwrap(), secret_file: "secret".into() }];
    venue.start().unwrap();
    venue.running().announce_releases().await;
    assert_eq!(venue.delivery_ids().len(), 1);
    put_note(&venue, "spooled", b"damaged");
    venue.upload(&moved(&csv(), 2)).await.unwrap();
    venue.restart().await;
    venue.running().announce_releases().await;
    assert_eq!((venue.delivery_ids().len(), note(&venue, "spooled").as_deref()), (1, Some(&b"damaged"[..])));
    assert!(venue.running().status().faults.contains_key(&PublisherTask::Deliveries));
    // With the note from a backup, the missing release is announced.
    put_note(&venue, "spooled", &1u64.to_le_bytes());
    venue.running().announce_releases().await;
    assert_eq!(venue.delivery_ids().len(), 2);
    assert!(venue.running().status().faults.is_empty());
    // A start without webhooks resets the note.
    put_note(&venue, "spooled", b"damaged");
    for webhooks in [Vec::new(), venue.webhooks.clone()] {
        venue.webhooks = webhooks;
        venue.restart().await;
    }
    assert_eq!(note(&venue, "spooled"), Some(2u64.to_le_bytes().to_vec()));
}

#[tokio::test]
async fn a_damaged_schedule_does_not_prevent_a_start_and_can_be_removed() {
    let mut venue = Venue::started();
    put_note(&venue, "schedule", b"damaged");
    venue.restart().await;
    assert!(venue.running().status().faults.contains_key(&PublisherTask::Schedule));
    let result = venue.running().publish_due().await;
    assert!(matches!(result, Some(Err(PublishError::Read(ReadError::Damaged { .. })))), "{result:?}");
    assert!(venue.running().unschedule(None).await.unwrap());
    assert!(venue.running().status().faults.is_empty() && venue.running().publish_due().await.is_none());
    // A new schedule replaces a damaged one.
    put_note(&venue, "schedule", b"damaged");
    let at = venue.clock.now() + TimeDelta::hours(1);
    let program = without(&csv(), |n| n == 1);
    venue.running().schedule(proposal(&program, None, None), at).await.unwrap();
    assert!(venue.running().publish_due().await.is_none() && venue.running().status().faults.is_empty());
}
