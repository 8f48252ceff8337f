//! Subscriptions, deliveries and their counts: compare-and-set, erasure, and their way through journal, checkpoint and
//! backup.

use super::sample::{delivery, key, open, put, reach, slug, subscriptions};
use callboard::store::{
    CalendarSource, CommitError, FollowedCalendar, Store, StoreOptions, SubscriptionsRecord, Write, verify,
};
use std::fs;

fn subscribe(agenda: u64, expect: Option<u64>, version: u64) -> Write {
    Write::PutSubscriptions { key: key(agenda), expect, record: subscriptions(version) }
}

fn deliver(id: &str, expect: Option<u64>, version: Option<u64>) -> Write {
    Write::PutDelivery { id: id.to_owned(), expect, record: version.map(delivery) }
}

#[test]
fn a_record_is_written_only_over_the_version_that_was_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let conflict = Err(CommitError::Conflict);
    store.commit_blocking(vec![deliver("a", None, Some(1))]).unwrap();
    assert_eq!(store.commit_blocking(vec![deliver("a", None, Some(2))]), conflict, "it exists");
    assert_eq!(store.commit_blocking(vec![deliver("a", Some(2), Some(3))]), conflict, "it was not read");
    store.commit_blocking(vec![deliver("a", Some(1), Some(2))]).unwrap();
    store.commit_blocking(vec![deliver("a", Some(1), Some(2))]).unwrap(); // the same write again
    assert_eq!(store.commit_blocking(vec![deliver("a", Some(1), None)]), conflict);
    // Nothing of a commit is written when one of its writes meets a conflict.
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    let both = vec![subscribe(1, None, 1), deliver("a", Some(9), None)];
    assert_eq!(store.commit_blocking(both), conflict);
    assert_eq!(store.subscriptions(&key(1)).unwrap(), None);
    store.commit_blocking(vec![deliver("a", Some(2), None)]).unwrap();
    assert_eq!(store.deliveries().count(), 0);
}

#[test]
fn an_agenda_takes_its_subscriptions_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking(vec![put(1, None, 1), subscribe(1, None, 2)]).unwrap();
    store.commit_blocking(vec![put(2, None, 1), subscribe(2, None, 1)]).unwrap();
    store.commit_blocking(vec![Write::DeleteAgenda { key: key(1), expect: Some(1) }]).unwrap();
    assert_eq!(store.subscriptions(&key(1)).unwrap(), None);
    let gone = store.commit_blocking(vec![subscribe(1, None, 1)]);
    assert_eq!(gone, Err(CommitError::Conflict), "a deleted agenda gets no subscription");
    let left: Vec<_> = store.all_subscriptions().map(|row| row.unwrap().0).collect();
    assert_eq!(left, [key(2)]);
    // Without a device there is no record.
    let mut none = subscriptions(2);
    none.list.clear();
    store
        .commit_blocking(vec![Write::PutSubscriptions { key: key(2), expect: Some(1), record: none }])
        .unwrap();
    assert_eq!(store.subscriptions(&key(2)).unwrap(), None);
}

#[test]
fn subscriptions_to_public_calendars_belong_to_no_agenda() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut public = subscriptions(2);
    for (one, source) in public
        .list
        .iter_mut()
        .zip([CalendarSource::Feed("/program.ics".to_owned()), CalendarSource::Link(key(7))])
    {
        one.calendar = Some(FollowedCalendar { source, topic: "t".to_owned(), expires: one.created });
    }
    let place = SubscriptionsRecord::public_key(&public.list[0].id);
    let put = |record| vec![Write::PutSubscriptions { key: place, expect: None, record }];
    let refused = store.commit_blocking(put(public.clone()));
    assert_eq!(refused, Err(CommitError::Conflict), "nothing would erase the one of an agenda");
    public.list.truncate(1);
    store.commit_blocking(put(public.clone())).unwrap();
    assert_eq!(store.subscriptions(&place).unwrap(), Some(public));
}

#[test]
fn subscriptions_and_deliveries_come_back_from_every_copy() {
    let dir = tempfile::tempdir().unwrap();
    let content = |store: &Store| {
        let deliveries: Vec<_> = store.deliveries().map(Result::unwrap).collect();
        (store.subscriptions(&key(1)).unwrap(), deliveries, store.reach(2).unwrap())
    };
    let expected = (Some(subscriptions(2)), vec![("b".to_owned(), delivery(1))], Some(reach(1)));
    let store = open(dir.path());
    store
        .commit_blocking(vec![
            put(1, None, 1),
            subscribe(1, None, 2),
            deliver("a", None, Some(1)),
            deliver("b", None, Some(1)),
            Write::PutReach { release: 2, expect: None, record: reach(1) },
        ])
        .unwrap();
    store.commit_blocking(vec![deliver("a", Some(1), None)]).unwrap();
    drop(store);
    // From the journal alone.
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let store = open(dir.path());
    assert_eq!(content(&store), expected);
    // From a checkpoint alone.
    store.checkpoint().unwrap();
    let backup = dir.path().join("backup");
    store.back_up(Box::new(fs::File::create(&backup).unwrap())).unwrap();
    drop(store);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    let store = open(dir.path());
    assert_eq!(content(&store), expected);
    drop(store);
    assert_eq!(verify(dir.path()).unwrap().faults, []);
    // From a backup.
    let other = tempfile::tempdir().unwrap();
    fs::create_dir_all(other.path().join("checkpoints")).unwrap();
    fs::copy(&backup, other.path().join("checkpoints/00000000000000000003.ndjson")).unwrap();
    let store = Store::open_with(other.path(), &slug(), StoreOptions::default()).unwrap();
    assert_eq!(content(&store), expected);
}
