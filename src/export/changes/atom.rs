//! Atom 1.0 (RFC 4287).

use super::ChangeFeed;
use crate::export::Exported;
use crate::xml::Writer;
use chrono::{DateTime, SecondsFormat, Utc};

impl ChangeFeed {
    /// The feed as Atom.
    pub fn atom(&self) -> Exported {
        let mut xml = Writer::default();
        xml.open("feed", &[("xmlns", "http://www.w3.org/2005/Atom"), ("xml:lang", &self.language)]);
        xml.leaf("id", &[], &self.id.urn().to_string());
        xml.leaf("title", &[], &self.title);
        xml.leaf("updated", &[], &date(self.modified));
        xml.open("author", &[]);
        xml.leaf("name", &[], &self.author);
        xml.close();
        xml.leaf("generator", &[], "callboard");
        xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &self.page)]);
        if let Some(stem) = &self.stem {
            let own = format!("{stem}.atom");
            xml.empty("link", &[("rel", "self"), ("type", "application/atom+xml"), ("href", &own)]);
        }
        for entry in &self.entries {
            xml.open("entry", &[]);
            xml.leaf("id", &[], &entry.id.urn().to_string());
            xml.leaf("title", &[], &entry.title);
            xml.leaf("published", &[], &date(entry.at));
            xml.leaf("updated", &[], &date(entry.at));
            xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &entry.url)]);
            xml.empty("category", &[("term", entry.category)]);
            xml.leaf("content", &[("type", "text")], &entry.text);
            xml.close();
        }
        Exported::new("application/atom+xml; charset=utf-8", xml.finish(), self.modified)
    }
}

fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
