//! Data directories that hold something else than what is opened.

use super::sample::{key, open, put};
use crate::database::database;
use callboard::store::{OpenError, Snapshot, Store, StoreOptions};

#[test]
fn conferences_in_one_directory_are_separate() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).commit_blocking(vec![put(1, None, 1)]).unwrap();
    let srecon25 = callboard::program::Slug::parse("srecon25").unwrap();
    let refused = Store::open(dir.path(), &srecon25).unwrap_err().to_string();
    assert!(
        refused.contains("holds the conference srecon25americas, and the config is for srecon25;"),
        "{refused}"
    );
    let options = StoreOptions { new_conference: true, ..StoreOptions::default() };
    drop(Store::open_with(dir.path(), &srecon25, options).unwrap());
    let other = Store::open(dir.path(), &srecon25).unwrap();
    assert_eq!((other.agenda(&key(1)), other.agendas().count()), (Ok(None), 0));
    other.commit_blocking(vec![put(1, None, 1), put(2, None, 1)]).unwrap();
    drop(other);
    assert_eq!(open(dir.path()).agendas().count(), 1);
}

#[test]
fn on_a_database_a_copy_and_a_store_of_its_own_are_not_mistaken_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let slug = super::sample::slug();
    let database = database(dir.path().to_str().unwrap(), "a");
    let [own, copy] = ["own", "copy"].map(|name| dir.path().join(name));
    open(&own).commit_blocking(vec![put(1, None, 1)]).unwrap();
    let options = StoreOptions::default();
    let error = Store::open_replica(&own, &slug, options, &database).unwrap_err();
    assert!(matches!(error, OpenError::NotAReplica { .. }), "{error}");
    assert!(error.to_string().contains("callboard move --to-database"), "{error}");

    let replica = Store::open_replica(&copy, &slug, options, &database).unwrap();
    replica.commit_blocking(vec![put(2, None, 1)]).unwrap();
    drop(replica);
    let error = Store::open(&copy, &slug).unwrap_err();
    assert!(matches!(error, OpenError::Replica { .. }), "{error}");
    // A copy can be read without the database.
    let snapshot = Snapshot::of(&copy, &slug, options).unwrap();
    assert!(snapshot.store().agenda(&key(2)).unwrap().is_some());
}
