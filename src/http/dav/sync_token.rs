//! Sync tokens (RFC 6578, 3.2): URIs that hold a client's state, so that the server stores nothing about clients.
//!
//! Their form is `BASE r RELEASE . SECONDS`; an agenda's token adds the numbers of its sessions. While a result is sent in
//! parts, `~ COUNT . TAG` follows. The seconds distinguish releases of the same number, which exist after a restored backup.

use crate::exchange::{pack, unpack};
use data_encoding::BASE64URL_NOPAD;

/// A parsed sync token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyncToken {
    /// The client's state; none before its first sync.
    pub(super) since: Option<Since>,
    /// How many results the client received already, and the calendar's tag at that time.
    pub(super) step: Option<(usize, String)>,
}

/// The state of a client's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Since {
    pub(super) release: u64,
    /// When the release was published, in Unix seconds.
    pub(super) seconds: i64,
    /// An agenda's sessions, by their numbers in the ledger, ascending.
    pub(super) held: Option<Vec<u32>>,
}

impl SyncToken {
    pub(super) fn print(&self, base: &str) -> String {
        let since = self.since.as_ref().map_or_else(
            || "r0".to_owned(),
            |since| {
                let held =
                    since.held.as_deref().map(|held| format!(".{}", BASE64URL_NOPAD.encode(&pack(held))));
                format!("r{}.{}{}", since.release, since.seconds, held.unwrap_or_default())
            },
        );
        let step = self.step.as_ref().map(|(count, tag)| format!("~{count}.{tag}")).unwrap_or_default();
        format!("{base}{since}{step}")
    }

    /// None if this calendar cannot have issued the token.
    pub(super) fn parse(text: &str, base: &str) -> Option<Self> {
        let rest = text.strip_prefix(base)?.strip_prefix('r')?;
        let (state, step) = match rest.split_once('~') {
            Some((state, step)) => {
                let (count, tag) = step.split_once('.')?;
                (state, Some((count.parse().ok()?, tag.to_owned())))
            }
            None => (rest, None),
        };
        let since = match state {
            "0" => None,
            state => {
                let (release, rest) = state.split_once('.')?;
                let (seconds, held) = match rest.split_once('.') {
                    Some((seconds, held)) => {
                        let bytes = BASE64URL_NOPAD.decode(held.as_bytes()).ok()?;
                        (seconds, Some(unpack(&bytes)?))
                    }
                    None => (rest, None),
                };
                Some(Since { release: release.parse().ok()?, seconds: seconds.parse().ok()?, held })
            }
        };
        Some(Self { since, step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: &str = "https://conf.example/dav/sync/agenda-0f/";

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(
            since in prop::option::of((1..u64::MAX, any::<i64>(), prop::option::of(prop::collection::btree_set(any::<u32>(), 0..500)))),
            step in prop::option::of((any::<usize>(), "[0-9a-f]{1,32}")),
        ) {
            let since = since.map(|(release, seconds, held)| Since {
                release, seconds, held: held.map(|held| held.into_iter().collect()),
            });
            let token = SyncToken { since, step };
            let text = token.print(BASE);
            prop_assert!(url::Url::parse(&text).is_ok());
            prop_assert_eq!(SyncToken::parse(&text, BASE), Some(token));
            prop_assert_eq!(SyncToken::parse(&text, "https://conf.example/dav/sync/agenda-1f/"), None);
        }

        #[test]
        fn no_text_panics(text in "\\PC*", bytes in any::<Vec<u8>>()) {
            let _ = SyncToken::parse(&format!("{BASE}{text}"), BASE);
            let _ = SyncToken::parse(&format!("{BASE}r1.2.{}", BASE64URL_NOPAD.encode(&bytes)), BASE);
        }
    }
}
