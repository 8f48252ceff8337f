//! Addresses of collections and objects. Printing and parsing a calendar's name are inverse.

use crate::feed::FeedKey;
use crate::program::SessionId;
use std::fmt;

/// A tree of collections: the program's or an agenda's, each in two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Tree {
    /// Whether it needs a read link's token.
    pub(super) is_agenda: bool,
    /// Whether titles mark cancelled sessions, for clients that do not show STATUS.
    pub(super) is_titled: bool,
}

impl Tree {
    pub(in crate::http) const PUBLIC: Self = Self { is_agenda: false, is_titled: false };
    pub(in crate::http) const AGENDAS: Self = Self { is_agenda: true, is_titled: false };

    /// The same tree, in which titles mark cancelled sessions.
    pub(in crate::http) const fn titled(self) -> Self {
        Self { is_titled: true, ..self }
    }

    /// The principal's address, which is also its home.
    pub(super) fn home(self) -> &'static str {
        match (self.is_agenda, self.is_titled) {
            (false, false) => "/dav/public/",
            (true, false) => "/dav/agendas/",
            (false, true) => "/dav/cancelled-title/public/",
            (true, true) => "/dav/cancelled-title/agendas/",
        }
    }
}

/// A calendar's name within its tree. Names are flat, since clients look only one level below a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) enum Name {
    Public(FeedKey),
    Agenda,
}

/// The name prefix of a part's calendar, and the folder of its feed.
const PARTS: &[(&str, &str)] =
    &[("track-", "tracks"), ("day-", "days"), ("room-", "rooms"), ("speaker-", "speakers")];

impl Name {
    pub(super) fn parse(raw: &str) -> Option<Self> {
        if raw == "program" {
            return Some(Self::Public(FeedKey::Program));
        }
        let part = PARTS.iter().find_map(|(prefix, part)| Some((part, raw.strip_prefix(prefix)?)));
        part.and_then(|(part, name)| FeedKey::part(part, name)).map(Self::Public)
    }

    /// The calendar's tree, with unmarked titles.
    fn tree(&self) -> Tree {
        match self {
            Self::Public(_) => Tree::PUBLIC,
            Self::Agenda => Tree::AGENDAS,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agenda => f.write_str("agenda"),
            Self::Public(FeedKey::Program) => f.write_str("program"),
            Self::Public(FeedKey::Track(slug)) => write!(f, "track-{slug}"),
            Self::Public(FeedKey::Day(day)) => write!(f, "day-{}", day.format("%Y-%m-%d")),
            Self::Public(FeedKey::Room(slug)) => write!(f, "room-{slug}"),
            Self::Public(FeedKey::Speaker(slug)) => write!(f, "speaker-{slug}"),
        }
    }
}

/// The resource that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) enum DavPath {
    /// The root or `/dav/`, by its path: where a client that knows only the host starts.
    Root(&'static str),
    Home(Tree),
    Calendar(Tree, Name),
    Object(Tree, Name, SessionId),
    /// A calendar program's subscription to a calendar of a tree, by its id.
    Subscription(Tree, String),
    /// No resource. The tree decides whether to ask for credentials first.
    Nowhere(Tree),
}

impl DavPath {
    pub(in crate::http) fn public(calendar: Option<&str>) -> Self {
        let name = calendar.and_then(Name::parse);
        name.map_or(Self::Nowhere(Tree::PUBLIC), |name| Self::Calendar(Tree::PUBLIC, name))
    }

    /// The agenda's calendar.
    pub(in crate::http) const fn agenda() -> Self {
        Self::Calendar(Tree::AGENDAS, Name::Agenda)
    }

    /// The same place in the tree in which titles mark cancelled sessions.
    pub(in crate::http) fn titled(self) -> Self {
        match self {
            Self::Root(_) => self,
            Self::Home(tree) => Self::Home(tree.titled()),
            Self::Calendar(tree, name) => Self::Calendar(tree.titled(), name),
            Self::Object(tree, name, id) => Self::Object(tree.titled(), name, id),
            Self::Subscription(tree, id) => Self::Subscription(tree.titled(), id),
            Self::Nowhere(tree) => Self::Nowhere(tree.titled()),
        }
    }

    pub(in crate::http) fn object(calendar: Option<Name>, file: Option<&str>, tree: Tree) -> Self {
        let id = file.and_then(|file| file.strip_suffix(".ics")).and_then(|id| SessionId::parse(id).ok());
        match calendar.zip(id) {
            Some((name, id)) => Self::Object(name.tree(), name, id),
            None => Self::Nowhere(tree),
        }
    }

    pub(in crate::http) fn public_object(calendar: Option<&str>, file: Option<&str>) -> Self {
        Self::object(calendar.and_then(Name::parse), file, Tree::PUBLIC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Slug;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(which in 0..5u8, slug in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", day in 0..60_000i32) {
            let slug = Slug::parse(&slug).unwrap();
            let name = Name::Public(match which {
                0 => FeedKey::Program,
                1 => FeedKey::Track(slug),
                2 => FeedKey::Day(NaiveDate::from_num_days_from_ce_opt(700_000 + day).unwrap()),
                3 => FeedKey::Room(slug),
                _ => FeedKey::Speaker(slug),
            });
            prop_assert_eq!(Name::parse(&name.to_string()), Some(name));
        }

        #[test]
        fn any_path_gives_a_place(calendar in any::<String>(), file in any::<String>()) {
            let place = DavPath::public_object(Some(&calendar), Some(&file));
            prop_assert!(matches!(place, DavPath::Nowhere(Tree::PUBLIC) | DavPath::Object(..)));
        }
    }
}
