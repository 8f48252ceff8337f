//! Erasing a withdrawn session's text.

use super::venue::{Venue, csv, id, moved};
use callboard::program::SessionId;
use callboard::publisher::PublishError;

fn named() -> String {
    csv().replace("Talk 6", "Secret merger").replace("Ada 6", "Eve Mallory").replace("About 6", "Classified")
}

/// Everything that the store says about releases and sessions, as text.
fn kept(venue: &Venue) -> String {
    let store = venue.store.as_ref().unwrap();
    let mut text = format!("{:?}", venue.running().current().program);
    for kept in store.releases().unwrap() {
        text.push_str(&format!("{:?}", store.release(kept.number).unwrap()));
        let csv = store.program_csv(kept.number).unwrap().unwrap_or_default();
        text.push_str(&String::from_utf8(csv).unwrap());
    }
    text + &format!("{:?}", store.entry(&id(6)).unwrap())
}

const SECRETS: [&str; 3] = ["Secret merger", "Eve Mallory", "Classified"];

#[tokio::test]
async fn the_text_of_a_withdrawn_session_leaves_everything_that_is_kept() {
    let mut venue = Venue::started();
    venue.saved(&named()).await.unwrap().unwrap();
    venue.saved(&moved(&named(), 6)).await.unwrap().unwrap();
    assert!(matches!(venue.running().erase(id(6)).await, Err(PublishError::NotWithdrawn { .. })));
    venue
        .saved(&moved(&named(), 6).replace("Classified,confirmed", "Classified,withdrawn"))
        .await
        .unwrap()
        .unwrap();
    assert!(SECRETS.iter().all(|secret| kept(&venue).contains(secret)));
    let (feeds, sequence) = (venue.feeds(), venue.sequence(6));

    let erased = venue.running().erase(id(6)).await.unwrap();
    assert_eq!(erased.releases, 4);
    for secret in SECRETS {
        assert!(!kept(&venue).contains(secret), "{secret}");
    }
    assert_eq!(venue.feeds(), feeds);
    venue.look();
    assert_eq!(venue.running().erase(id(6)).await.unwrap().releases, 4, "again, with nothing left to blank");

    venue.restart().await;
    assert_eq!((venue.number(), venue.feeds()), (4, feeds));
    // Rolled back to a release that had it, it stays withdrawn.
    venue.running().roll_back(2, None, None, None).await.unwrap();
    venue.look();
    assert!(!venue.entry(6).is_shown() && venue.sequence(6) >= sequence);
}

#[tokio::test]
async fn what_never_was_cannot_be_erased() {
    let venue = Venue::started();
    let stranger = SessionId::parse("nobody").unwrap();
    assert!(matches!(venue.running().erase(stranger).await, Err(PublishError::NoSession { .. })));
}
