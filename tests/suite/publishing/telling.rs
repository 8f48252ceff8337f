//! What a webhook is told.

use super::venue::{Venue, csv, moved};
use callboard::config::Webhook;
use callboard::publisher::Call;

fn hook(host: &str) -> Webhook {
    Webhook { url: format!("https://{host}.example/").parse().unwrap(), secret_file: "secret".into() }
}

fn calls(venue: &Venue) -> Vec<Call> {
    let Ok(entries) = std::fs::read_dir(venue.dir.path().join("spool")) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn each_release_is_one_call_to_each_webhook() {
    let mut venue = Venue::new();
    venue.webhooks = vec![hook("one"), hook("two")];
    venue.start().unwrap();
    venue.saved(&moved(&csv(), 2)).await.unwrap().unwrap();
    venue.saved(&moved(&csv(), 2)).await;
    let told: Vec<_> = calls(&venue).iter().map(|call| (call.release, call.webhook.clone())).collect();
    assert_eq!(told, [(1, hook("one")), (1, hook("two")), (2, hook("one")), (2, hook("two"))]);
    let body: serde_json::Value = serde_json::from_str(&calls(&venue)[2].body).unwrap();
    assert_eq!(body["release"], 2);
    assert_eq!(body["changes"][0]["change"], "moved");
    let start = &body["changes"][0]["fields"]["start"];
    assert_eq!(
        (&start["from"], &start["to"]),
        (&"2025-03-25T10:00:00-07:00".into(), &"2025-03-26T10:00:00-07:00".into(),)
    );
}

#[tokio::test]
async fn a_webhook_that_comes_later_is_told_of_what_comes_after_it() {
    let mut venue = Venue::started();
    venue.saved(&moved(&csv(), 2)).await.unwrap().unwrap();
    venue.webhooks = vec![hook("one")];
    venue.restart().await;
    venue.running().tell_what_was_not().await;
    assert!(calls(&venue).is_empty());
    venue.saved(&moved(&csv(), 3)).await.unwrap().unwrap();
    let told: Vec<u64> = calls(&venue).iter().map(|call| call.release).collect();
    assert_eq!(told, [3]);
}
