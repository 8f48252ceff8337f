//! Erasing a withdrawn session's text.

use super::venue::{Venue, csv, id, moved};
use callboard::config::Webhook;
use callboard::program::SessionId;
use callboard::publisher::{Proposal, PublishError};
use callboard::reach::{Outcome, SendResult};
use callboard::store::Origin;

fn named() -> String {
    csv().replace("Talk 6", "Secret merger").replace("Ada 6", "Eve Mallory").replace("About 6", "Classified")
}

/// Everything that the store holds about releases and sessions, as text.
fn stored_text(venue: &Venue) -> String {
    let store = venue.store.as_ref().unwrap();
    let mut text = format!("{:?}", venue.running().current().program);
    for release in store.releases().unwrap() {
        text.push_str(&format!("{:?}", store.release(release.number).unwrap()));
        let csv = store.program_csv(release.number).unwrap().unwrap_or_default();
        text.push_str(&String::from_utf8(csv).unwrap());
    }
    text + &format!("{:?}", store.entry(&id(6)).unwrap())
}

const SECRETS: [&str; 3] = ["Secret merger", "Eve Mallory", "Classified"];

#[tokio::test]
async fn erasing_removes_a_withdrawn_sessions_text_from_the_whole_store() {
    let mut venue = Venue::started();
    venue.save_and_publish(&named()).await.unwrap().unwrap();
    venue.save_and_publish(&moved(&named(), 6)).await.unwrap().unwrap();
    assert!(matches!(venue.running().erase(id(6)).await, Err(PublishError::NotWithdrawn { .. })));
    venue
        .save_and_publish(&moved(&named(), 6).replace("Classified,confirmed", "Classified,withdrawn"))
        .await
        .unwrap()
        .unwrap();
    assert!(SECRETS.iter().all(|secret| stored_text(&venue).contains(secret)));
    let (feeds, sequence) = (venue.feeds(), venue.sequence(6));

    let erased = venue.running().erase(id(6)).await.unwrap();
    assert_eq!(erased.releases, 4);
    for secret in SECRETS {
        assert!(!stored_text(&venue).contains(secret), "{secret}");
    }
    assert_eq!(venue.feeds(), feeds);
    venue.check_invariants();
    assert_eq!(venue.running().erase(id(6)).await.unwrap().releases, 4, "again, with nothing left to blank");

    venue.restart().await;
    assert_eq!((venue.number(), venue.feeds()), (4, feeds));
    // A roll-back to a release that had the session leaves it withdrawn.
    venue.running().roll_back(2, None, None, None).await.unwrap();
    venue.check_invariants();
    assert!(!venue.entry(6).is_visible() && venue.sequence(6) >= sequence);
}

#[tokio::test]
async fn a_session_that_never_existed_cannot_be_erased() {
    let venue = Venue::started();
    let stranger = SessionId::parse("nobody").unwrap();
    assert!(matches!(venue.running().erase(stranger).await, Err(PublishError::NoSession { .. })));
}

/// The messages of all deliveries, as text. Their claims are returned.
fn messages(venue: &Venue) -> String {
    let claimed = venue.running().claim_messages(99, &[]).unwrap().messages;
    let outcomes: Vec<Outcome> = claimed
        .iter()
        .map(|one| Outcome {
            id: one.id.clone(),
            claim: one.claim,
            release: one.release,
            result: SendResult::Returned,
        })
        .collect();
    venue.running().outbox().settle(&outcomes).unwrap();
    format!("{claimed:?}")
}

#[tokio::test]
async fn erasing_removes_the_text_from_deliveries_and_from_the_schedule() {
    let mut venue = Venue::new();
    let hook = Webhook { url: "https://hook.example/".parse().unwrap(), secret_file: "secret".into() };
    venue.webhooks = vec![hook];
    venue.start().unwrap();
    venue.save_and_publish(&named()).await.unwrap().unwrap();
    let withdrawn = named().replace("Classified,confirmed", "Classified,withdrawn");
    venue.save_and_publish(&withdrawn).await.unwrap().unwrap();
    let later = Proposal {
        csv: moved(&withdrawn, 2).into(),
        origin: Origin::Upload,
        who: None,
        confirm: None,
        expect: None,
    };
    let at = venue.clock.now() + chrono::TimeDelta::hours(1);
    venue.running().schedule(later, at).await.unwrap();
    assert!(messages(&venue).contains("Secret merger"));

    venue.running().erase(id(6)).await.unwrap();
    let text = messages(&venue);
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
    assert_eq!(text.matches("https://hook.example/").count(), 3, "{text}");
    let note = venue.store.as_ref().unwrap().raw("schedule").unwrap().unwrap();
    let note = String::from_utf8(note).unwrap();
    assert!(SECRETS.iter().all(|secret| !note.contains(secret)) && note.contains("talk-2"), "{note}");

    // The scheduled program is published at its time, without the erased session.
    venue.clock.advance(chrono::TimeDelta::hours(2));
    venue.running().publish_due().await.unwrap().unwrap();
    assert!(!venue.entry(6).is_visible() && venue.entry(2).revision.sequence == 1);
}
