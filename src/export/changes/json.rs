//! JSON Feed 1.1.

use super::ChangeFeed;
use crate::export::Exported;
use chrono::SecondsFormat;
use serde_json::json;

impl ChangeFeed {
    /// The feed as JSON Feed.
    pub fn json(&self) -> Exported {
        let items: Vec<_> = self
            .entries
            .iter()
            .map(|entry| {
                json!({
                    "id": entry.id.urn().to_string(),
                    "url": entry.url,
                    "title": entry.title,
                    "content_text": entry.text,
                    "date_published": entry.at.to_rfc3339_opts(SecondsFormat::Secs, true),
                    "tags": [entry.category],
                })
            })
            .collect();
        let mut feed = json!({
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.title,
            "home_page_url": self.page,
            "language": self.language,
            "authors": [{ "name": self.author }],
            "items": items,
        });
        if let (Some(stem), Some(members)) = (&self.stem, feed.as_object_mut()) {
            members.insert("feed_url".to_owned(), json!(format!("{stem}.json")));
        }
        let mut bytes = serde_json::to_vec_pretty(&feed).unwrap_or_default();
        bytes.push(b'\n');
        Exported::new("application/feed+json; charset=utf-8", bytes, self.modified)
    }
}
