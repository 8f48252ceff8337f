//! A followed source: what its readings do to the status, and programs of it that an organizer discards.

use super::venue::{CONFIG, Venue, csv, moved, without};
use callboard::adopt::SheetDoubt;
use callboard::publisher::{AttemptResult, FollowResult, SourceReading, SourceStatus};
use callboard::store::Origin;
use chrono::TimeDelta;

impl Venue {
    fn following() -> Self {
        let mut venue = Self::new();
        venue.config = format!("{CONFIG}\n[source]\nurl = \"https://cfp.example/schedule.json\"\n");
        venue.start().unwrap();
        venue
    }

    async fn read(&mut self, csv: &str) -> FollowResult {
        self.clock.advance(TimeDelta::minutes(1));
        let reading = SourceReading { csv: csv.to_owned().into(), doubts: Vec::new(), memory: "etag".into() };
        let result = self.running().follow(reading).await.unwrap();
        self.check_invariants();
        result
    }

    async fn discard(&self) {
        let held = self.running().status().held.newest().unwrap().digest.clone();
        assert!(self.running().discard(&held).await.unwrap());
    }

    fn source(&self) -> SourceStatus {
        self.running().status().source.unwrap()
    }
}

/// The source's program without most of its sessions, which the guard holds.
fn cut() -> String {
    without(&csv(), |n| n > 4)
}

#[tokio::test]
async fn a_discarded_program_is_ignored_until_the_source_changes_and_the_status_says_so() {
    let mut venue = Venue::following();
    assert!(matches!(venue.read(&csv()).await, FollowResult::Unchanged));
    assert!(matches!(venue.read(&cut()).await, FollowResult::Held(_)) && !venue.source().discarded);
    venue.discard().await;
    assert!(venue.source().discarded, "at once, not at the next reading");
    assert!(venue.running().status().last.is_none(), "it is not held any more");
    assert!(matches!(venue.read(&cut()).await, FollowResult::Discarded) && venue.source().discarded);
    venue.restart().await;
    assert!(venue.source().discarded, "after a restart too");
    assert!(matches!(venue.read(&moved(&csv(), 1)).await, FollowResult::Published(_)));
    assert!(!venue.source().discarded);
}

/// A bug: a source that went back to the discarded program was ignored for good if it had answered meanwhile that
/// nothing changed, or if its other program was held.
#[tokio::test]
async fn a_source_that_returns_to_a_discarded_program_is_held_again() {
    let mut venue = Venue::following();
    assert!(matches!(venue.read(&csv()).await, FollowResult::Unchanged));
    for other in ["not modified", "the same", "held", "refused"] {
        assert!(matches!(venue.read(&cut()).await, FollowResult::Held(_)), "before {other}");
        venue.discard().await;
        match other {
            "not modified" => venue.running().source_is_unchanged().await.unwrap(),
            "the same" => assert!(matches!(venue.read(&csv()).await, FollowResult::Unchanged)),
            "held" => {
                let others = without(&csv(), |n| n > 3);
                assert!(matches!(venue.read(&others).await, FollowResult::Held(_)));
            }
            _ => {
                let broken = csv().replace("09:00", "25:00");
                assert!(matches!(venue.read(&broken).await, FollowResult::Refused(_)));
            }
        }
        assert!(!venue.source().discarded, "after {other}");
    }
    assert!(matches!(venue.read(&cut()).await, FollowResult::Held(_)));
}

/// A bug: the store then had an empty program as the last one, so every later reading was refused.
#[tokio::test]
async fn a_first_reading_that_was_discarded_does_not_stop_the_next_one() {
    let mut venue = Venue::following();
    let more = format!("{}talk-9,2025-03-26,09:00,10:00,talk,Talk 9,One,Room 9,,,\n", csv());
    let doubts = vec![SheetDoubt::LacksLineBreak];
    let reading = SourceReading { csv: more.into(), doubts, memory: "etag".into() };
    assert!(matches!(venue.running().follow(reading).await.unwrap(), FollowResult::Held(_)));
    venue.discard().await;
    assert!(matches!(venue.read(&csv()).await, FollowResult::Unchanged));
}

#[tokio::test]
async fn a_source_that_is_in_order_again_leaves_no_fault_behind() {
    let mut venue = Venue::following();
    assert!(matches!(venue.read(&csv()).await, FollowResult::Unchanged));
    for wrong in [csv().replace("09:00", "25:00"), cut()] {
        for is_unmodified in [true, false] {
            venue.read(&wrong).await;
            assert_eq!(venue.running().status().last.unwrap().origin, Origin::Source);
            match is_unmodified {
                true => venue.running().source_is_unchanged().await.unwrap(),
                false => assert!(matches!(venue.read(&csv()).await, FollowResult::Unchanged)),
            }
            let last = venue.running().status().last.unwrap();
            assert_eq!(
                (last.origin, last.verdict),
                (Origin::Source, AttemptResult::Unchanged { release: 1 })
            );
        }
    }
}
