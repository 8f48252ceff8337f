//! A config reload of a running server.

use super::venue::{Venue, csv, moved};
use callboard::config::{Config, Overrides};
use callboard::publisher::{AttemptResult, Publication, PublishError, PublisherSettings};
use callboard::store::Origin;
use chrono::TimeDelta;
use std::sync::Arc;

impl Venue {
    /// Reloads the config as SIGHUP does.
    async fn reload(&mut self) -> Result<Option<Publication>, PublishError> {
        self.clock.advance(TimeDelta::minutes(1));
        let config = Config::parse(Some(&self.config), Overrides::default()).unwrap();
        let settings = PublisherSettings {
            conference: Arc::new(config.conference(config.listen)),
            publishing: config.publishing,
            webhooks: config.webhooks,
            push: config.push,
            source: config.source,
            mail: config.mail,
        };
        let result = self.running().reconfigure(settings).await;
        self.check_invariants();
        result
    }
}

#[tokio::test]
async fn a_reload_publishes_a_renamed_track_like_a_restart() {
    let mut venue = Venue::started();
    assert!(venue.reload().await.unwrap().is_none(), "nothing changed");
    venue.config = venue.config.replace("name = \"One\"", "name = \"First\"");
    // The file names the track by its slug.
    let csv = csv().replace(",One,", ",one,");
    venue.save_and_publish(&csv).await.unwrap().unwrap();
    let before = venue.number();
    assert!(venue.reload().await.unwrap().unwrap().is_new);
    assert_eq!(venue.number(), before + 1);
    let record = venue.store.as_ref().unwrap().release(before + 1).unwrap().unwrap();
    assert_eq!((record.origin, record.changes.len()), (Origin::Config, 4));
    assert!(!venue.running().file_is_stale(), "the file gives the same program, so it is not stale");
    let feeds = venue.feeds();
    venue.restart().await;
    assert_eq!((venue.number(), venue.feeds()), (before + 1, feeds), "a restart finds nothing left to do");
}

#[tokio::test]
async fn a_config_change_that_only_pages_show_makes_no_release() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    venue.config = venue.config.replace("[conference]", "[conference]\nclock = \"12h\"");
    assert!(!venue.reload().await.unwrap().unwrap().is_new);
    assert_eq!((venue.number(), venue.feeds()), (1, before));
    assert_eq!(venue.running().current().program.conference.clock, callboard::program::ClockStyle::Twelve);
}

#[tokio::test]
async fn a_changed_zone_is_held_until_the_config_is_set_back_or_confirmed() {
    let mut venue = Venue::started();
    let (config, before) = (venue.config.clone(), venue.feeds());
    venue.config = config.replace("America/Los_Angeles", "America/New_York");
    assert!(matches!(venue.reload().await, Err(PublishError::Held(_))));
    assert_eq!((venue.number(), venue.feeds()), (1, before));
    let held_proposal = venue.running().status().held.newest().cloned().unwrap();
    assert_eq!(held_proposal.origin, Origin::Config);
    venue.config = config;
    assert!(venue.reload().await.unwrap().is_none());
    assert!(venue.running().status().held.newest().is_none());
    let last = venue.running().status().last.unwrap();
    assert_eq!((last.origin, last.verdict), (Origin::Config, AttemptResult::Unchanged { release: 1 }));

    venue.config = venue.config.replace("America/Los_Angeles", "America/New_York");
    assert!(matches!(venue.reload().await, Err(PublishError::Held(_))));
    let published = venue.upload_with(&csv(), Some(held_proposal.digest), None).await.unwrap();
    assert!(published.is_new && venue.running().status().held.newest().is_none());
    venue.restart().await;
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn a_config_that_gives_the_program_errors_is_refused() {
    let mut venue = Venue::started();
    // 02:30 does not exist on that day in that zone.
    let csv = csv().replace("talk-1,2025-03-25,09:00,10:00", "talk-1,2025-03-30,02:30,03:30");
    venue.save_and_publish(&csv).await.unwrap().unwrap();
    let (before, feeds) = (venue.running().conference(), venue.feeds());
    venue.config = venue.config.replace("America/Los_Angeles", "Europe/Berlin");
    assert!(matches!(venue.reload().await, Err(PublishError::Refused(_))));
    assert!(matches!(venue.running().status().last.unwrap().verdict, AttemptResult::Refused { errors: 1.. }));
    assert_eq!((venue.running().conference(), venue.feeds()), (before, feeds));
    let next = venue.save_and_publish(&moved(&csv, 2)).await.unwrap().unwrap();
    assert!(next.is_new, "the next file is imported under the config in force");
}

#[tokio::test]
async fn a_config_whose_release_cannot_be_stored_is_refused() {
    let mut venue = Venue::started();
    let before = venue.running().conference();
    venue.config = venue.config.replace("title = \"Conf\"", "title = \"Other\"");
    venue.store.as_ref().unwrap().close();
    let config = Config::parse(Some(&venue.config), Overrides::default()).unwrap();
    let settings = PublisherSettings {
        conference: Arc::new(config.conference(config.listen)),
        publishing: config.publishing,
        webhooks: config.webhooks,
        push: config.push,
        source: None,
        mail: config.mail,
    };
    assert!(venue.running().reconfigure(settings).await.is_err());
    assert_eq!(venue.running().conference(), before);
}

#[tokio::test]
async fn a_webhook_that_a_reload_adds_gets_only_later_releases() {
    let mut venue = Venue::started();
    let config = venue.config.clone();
    venue.config =
        format!("{config}\n[[webhooks]]\nurl = \"https://one.example/\"\nsecret_file = \"secret\"\n");
    venue.reload().await.unwrap();
    venue.running().announce_releases().await;
    assert!(venue.delivery_ids().is_empty(), "no past releases");
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    assert_eq!(venue.delivery_ids(), ["0000000002-0"]);

    // A webhook that is removed and added again gets none of the releases in between.
    let with = std::mem::replace(&mut venue.config, config);
    venue.reload().await.unwrap();
    venue.save_and_publish(&moved(&csv(), 3)).await.unwrap().unwrap();
    venue.config = with;
    venue.reload().await.unwrap();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    assert_eq!(venue.delivery_ids(), ["0000000002-0", "0000000004-0"]);
}
