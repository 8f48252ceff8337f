//! Webhook deliveries after a release.

use super::venue::{Venue, csv, moved};
use callboard::config::Webhook;
use callboard::publisher::Delivery;

fn hook(host: &str) -> Webhook {
    Webhook { url: format!("https://{host}.example/").parse().unwrap(), secret_file: "secret".into() }
}

fn deliveries(venue: &Venue) -> Vec<Delivery> {
    let Ok(entries) = std::fs::read_dir(venue.dir.path().join("spool")) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn each_release_enqueues_one_delivery_for_each_webhook() {
    let mut venue = Venue::new();
    venue.webhooks = vec![hook("one"), hook("two")];
    venue.start().unwrap();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    venue.save_and_publish(&moved(&csv(), 2)).await;
    let sent: Vec<_> = deliveries(&venue).iter().map(|one| (one.release, one.webhook.clone())).collect();
    assert_eq!(sent, [(1, hook("one")), (1, hook("two")), (2, hook("one")), (2, hook("two"))]);
    let body: serde_json::Value = serde_json::from_str(&deliveries(&venue)[2].body).unwrap();
    assert_eq!(body["release"], 2);
    assert_eq!(body["changes"][0]["change"], "moved");
    let start = &body["changes"][0]["fields"]["start"];
    assert_eq!(
        (&start["from"], &start["to"]),
        (&"2025-03-25T10:00:00-07:00".into(), &"2025-03-26T10:00:00-07:00".into(),)
    );
}

#[tokio::test]
async fn a_webhook_that_is_added_later_gets_only_later_releases() {
    let mut venue = Venue::started();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    venue.webhooks = vec![hook("one")];
    venue.restart().await;
    venue.running().enqueue_missing_deliveries().await;
    assert!(deliveries(&venue).is_empty());
    venue.save_and_publish(&moved(&csv(), 3)).await.unwrap().unwrap();
    let sent: Vec<u64> = deliveries(&venue).iter().map(|one| one.release).collect();
    assert_eq!(sent, [3]);
}
