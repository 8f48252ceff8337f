//! The pages of agendas: the visitor's own agenda, to edit, and a shared agenda, to read.
//!
//! The owner's page shows the read links, which are secrets of the owner. No page ever contains the edit key.

use super::card::Card;
use super::encode::qr_code;
use super::plan::{PlanDay, RankView, plan};
use super::site::{Head, Site};
use super::write;
use crate::agenda::Agenda;
use crate::exchange;
use crate::program::{Rank, SessionId, Text};
use crate::release::Release;
use crate::texts::Texts;
use askama::Template;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::{BTreeMap, HashSet};

/// An agenda, for its owner.
#[derive(Debug, Clone)]
pub struct OwnAgenda<'a> {
    /// The agenda's name; may be empty.
    pub name: &'a Text,
    /// The picked sessions.
    pub picks: &'a [SessionId],
    /// The ranks of picks other than [`Rank::Want`].
    pub ranks: &'a BTreeMap<SessionId, Rank>,
    /// The read links of the agenda.
    pub links: &'a [LinkStatus],
    /// The release that the owner saw last. The page points out later changes.
    pub seen: Option<u64>,
    /// The absolute address of a new hand-over link, and how long the link works.
    pub hand_over: Option<(&'a str, TimeDelta)>,
    /// The form that redirected to the page. The page confirms it.
    pub done: Option<AgendaDone>,
    /// The sessions that the form removed. The page offers to add them again.
    pub undo: &'a [SessionId],
    /// The time. After the conference the page says that it is over.
    pub now: DateTime<Utc>,
    /// Whether the browser is signed in as an organizer.
    pub is_organizer: bool,
    /// The key with which browsers subscribe to messages; none if messages are off.
    pub push_key: Option<String>,
    /// The devices that get messages.
    pub devices: &'a [NotifiedDevice],
    /// Whether mailboxes can get invitations.
    pub has_mail: bool,
    /// The mailboxes that get invitations.
    pub mailboxes: &'a [NotifiedDevice],
}

/// A device or mailbox that gets messages, for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifiedDevice {
    /// The subscription's id.
    pub id: String,
    /// The device's name, which may be empty; or a part of the mail address.
    pub label: Text,
    /// Whether the device is reminded of sessions before they start.
    pub reminders: bool,
}

/// A form of the agenda page, after it was submitted with success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgendaDone {
    /// Sessions were added.
    Picked,
    /// A session was removed.
    Removed,
    /// An overlap was resolved.
    Kept,
    /// The agenda was renamed.
    Renamed,
    /// A link was created.
    Linked,
    /// A link was created for a calendar that is behind.
    Fresh,
    /// A link was turned off.
    Revoked,
    /// Other devices were signed out.
    NewKey,
    /// The agenda came from another device.
    Arrived,
    /// The agenda was deleted.
    Deleted,
    /// A session was ranked.
    Ranked,
    /// The sessions that a suggestion left out were removed.
    Planned,
    /// A busy time was added.
    BusyAdded,
    /// A busy time was removed.
    BusyRemoved,
    /// Busy times of a file were added.
    BusyRead,
    /// A device gets no more messages.
    DeviceRemoved,
    /// A mailbox was asked to confirm invitations.
    MailAsked,
    /// A mailbox gets no more invitations.
    MailRemoved,
}

impl AgendaDone {
    const ALL: [(Self, &'static str, &'static str); 18] = [
        (Self::Picked, "picked", "top"),
        (Self::Removed, "removed", "top"),
        (Self::Kept, "kept", "top"),
        (Self::Renamed, "renamed", "name"),
        (Self::Linked, "linked", "links"),
        (Self::Fresh, "fresh", "links"),
        (Self::Revoked, "revoked", "links"),
        (Self::NewKey, "key", "key"),
        (Self::Arrived, "arrived", "top"),
        (Self::Deleted, "deleted", "top"),
        (Self::Ranked, "ranked", "top"),
        (Self::Planned, "planned", "top"),
        (Self::BusyAdded, "busy", "busy"),
        (Self::BusyRemoved, "free", "busy"),
        (Self::BusyRead, "read", "busy"),
        (Self::DeviceRemoved, "unsubscribed", "devices"),
        (Self::MailAsked, "mail-asked", "mail"),
        (Self::MailRemoved, "mail-removed", "mail"),
    ];

    /// Reads the value of `?done=`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(done, ..)| *done)
    }

    /// The value of `?done=`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(done, ..)| *done == self).map(|(_, name, _)| *name).unwrap_or_default()
    }

    /// The section of the page that holds the form; `top` for the whole page.
    pub fn section(self) -> &'static str {
        Self::ALL.iter().find(|(done, ..)| *done == self).map(|(.., section)| *section).unwrap_or_default()
    }

    pub(super) fn text(self, words: &Texts) -> &'static str {
        match self {
            Self::Picked => words.done_picked,
            Self::Removed => words.done_removed,
            Self::Kept => words.done_kept,
            Self::Renamed => words.done_renamed,
            Self::Linked => words.done_linked,
            Self::Fresh => words.done_fresh,
            Self::Revoked => words.done_revoked,
            Self::NewKey => words.done_key,
            Self::Arrived => words.done_arrived,
            Self::Deleted => words.agenda_deleted,
            Self::Ranked => words.done_ranked,
            Self::Planned => words.done_planned,
            Self::BusyAdded | Self::BusyRead => words.done_busy_added,
            Self::BusyRemoved => words.done_busy_removed,
            Self::DeviceRemoved => words.done_device_removed,
            Self::MailAsked => words.mail_asked,
            Self::MailRemoved => words.mail_removed,
        }
    }
}

/// The reason why a visitor has no agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAgenda {
    /// Nothing was picked yet.
    New,
    /// The browser's key no longer works.
    SignedOut,
    /// The agenda was deleted just now.
    Deleted,
}

/// A read link, for its owner.
#[derive(Debug, Clone)]
pub struct LinkStatus {
    /// The link's number.
    pub n: u32,
    /// The link's label; may be empty.
    pub label: Text,
    /// The token; none if the link was made with an earlier edit key.
    pub token: Option<String>,
    /// The last time that a calendar fetched the link.
    pub freshness: Option<LastFetch>,
}

/// The last fetch of a link's feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFetch {
    /// The family of the client, e.g. `Google Calendar`.
    pub client: String,
    /// The time since the fetch.
    pub ago: TimeDelta,
    /// The number of changes, of the picks and of picked sessions, that the client has not fetched yet.
    pub unseen: usize,
}

#[derive(Template)]
#[template(path = "mine.html")]
struct OwnAgendaPage<'a> {
    site: Site<'a>,
    head: Head,
    heading: String,
    tabs: Vec<(NaiveDate, String)>,
    /// What a shared link to the agenda is called.
    share_title: String,
    undo: &'a [SessionId],
    /// The section of the form that was submitted, and the text that confirms it.
    done: (&'static str, &'static str),
    /// The first link that can be shown, for the buttons at the top.
    main_link: Option<LinkView>,
    name: &'a Text,
    is_empty: bool,
    is_mine: bool,
    plan: Vec<PlanDay<'a>>,
    clash_line: Option<String>,
    changed: Vec<Card<'a>>,
    gone: &'a [SessionId],
    links: Vec<LinkView>,
    /// An address that contains the picks, and its QR code.
    carry: Option<(String, Option<String>)>,
    hand_over: Option<(&'a str, Option<String>)>,
    hand_over_line: String,
    push_key: Option<&'a str>,
    /// Whether the agenda has a new edit key, which ended the subscriptions of all devices.
    is_new_key: bool,
    devices: &'a [NotifiedDevice],
    has_mail: bool,
    mailboxes: &'a [NotifiedDevice],
}

#[derive(Clone)]
struct LinkView {
    n: u32,
    label: String,
    address: Option<String>,
    page: String,
    subscribe: String,
    qr: Option<String>,
    freshness: String,
}

#[derive(Template)]
#[template(path = "none.html")]
struct NonePage<'a> {
    site: Site<'a>,
    head: Head,
    reason: &'static str,
}

/// The default name of a visitor's own agenda: `My agenda`.
pub fn own_agenda_name(release: &Release) -> Text {
    Text::from(Site::of(release).words.my_agenda)
}

/// `/agenda` for a visitor without an agenda.
pub fn no_agenda(release: &Release, reason: NoAgenda, is_organizer: bool) -> String {
    let site = Site::of(release);
    let head = Head::secret(&site, site.words.my_agenda).at("agenda").with_desk(is_organizer);
    let reason = match reason {
        NoAgenda::New => "",
        NoAgenda::SignedOut => site.words.agenda_signed_out,
        NoAgenda::Deleted => site.words.agenda_deleted,
    };
    write(&NonePage { head, reason, site })
}

/// `/agenda` for its owner.
pub fn own_agenda(release: &Release, own: &OwnAgenda<'_>) -> String {
    let site = Site::of(release);
    let agenda = Agenda::of(own.picks, release);
    let is_new = |release: u64| own.seen.is_some_and(|seen| release > seen);
    let changed: Vec<Card<'_>> = agenda
        .items
        .iter()
        .filter(|item| is_new(item.entry.release))
        .map(|item| Card::of(&site, item.entry))
        .collect();
    let clash_line = match agenda.items.iter().filter(|item| item.has_overlap()).count() {
        0 => None,
        n => Some(site.words.overlap_count(n)),
    };
    let mark = |item: &crate::agenda::AgendaItem<'_>| {
        if is_new(item.entry.release) { site.words.changed } else { "" }
    };
    let heading = if own.name.is_empty() { site.words.my_agenda.to_owned() } else { own.name.to_string() };
    let links: Vec<LinkView> = own.links.iter().map(|link| link_view(&site, link)).collect();
    let mut plan = plan(&site, &agenda, mark);
    for item in plan.iter_mut().flat_map(|day| &mut day.items) {
        let timed = item.card.as_ref().filter(|card| !card.is_pause() && !card.is_cancelled);
        let rank = |id| own.ranks.get(id).copied().unwrap_or(Rank::Want);
        item.rank = timed.map(|card| RankView::of(site.words, rank(&card.session.id)));
    }
    let minutes = own.hand_over.map(|(_, left)| site.when.length(left)).unwrap_or_default();
    write(&OwnAgendaPage {
        head: Head {
            is_over: site.is_over(own.now),
            ..Head::secret(&site, site.words.my_agenda).at("agenda").with_desk(own.is_organizer)
        },
        share_title: Head::secret(
            &site,
            if own.name.is_empty() { site.words.shared_agenda } else { own.name.as_str() },
        )
        .title,
        heading,
        undo: own.undo,
        tabs: tabs(&plan),
        done: own.done.map(|done| (done.section(), done.text(site.words))).unwrap_or_default(),
        push_key: own.push_key.as_deref(),
        is_new_key: own.done == Some(AgendaDone::NewKey),
        devices: own.devices,
        has_mail: own.has_mail,
        mailboxes: own.mailboxes,
        main_link: links.iter().find(|link| link.address.is_some()).cloned(),
        name: own.name,
        is_empty: own.picks.is_empty(),
        is_mine: true,
        plan,
        clash_line,
        changed,
        gone: &agenda.gone,
        links,
        carry: picks_link(&site, &agenda),
        hand_over: own.hand_over.map(|(address, _)| (address, qr_code(address))),
        hand_over_line: site.words.hand_over_ready(&minutes),
        site: site.clone(),
    })
}

/// The days of an agenda, for the tabs.
fn tabs(plan: &[PlanDay<'_>]) -> Vec<(NaiveDate, String)> {
    plan.iter().map(|day| (day.date, day.short.clone())).collect()
}

/// An address that contains the picks that the present program shows, and its QR code.
fn picks_link(site: &Site<'_>, agenda: &Agenda<'_>) -> Option<(String, Option<String>)> {
    let code = exchange::to_code(agenda.items.iter().map(|item| item.entry.number));
    let address = site.conference().link(&format!("/agenda/import?picks={code}"));
    let code = qr_code(&address);
    (!agenda.items.is_empty()).then_some((address, code))
}

fn link_view(site: &Site<'_>, link: &LinkStatus) -> LinkView {
    let label = if link.label.is_empty() { site.words.link_untitled(link.n) } else { link.label.to_string() };
    let page = link.token.as_ref().map(|token| format!("/agendas/{token}"));
    let address = page.as_ref().map(|page| site.conference().link(page));
    LinkView {
        n: link.n,
        label,
        qr: address.as_deref().and_then(qr_code),
        subscribe: page.as_ref().map(|page| format!("/subscribe{page}")).unwrap_or_default(),
        page: page.unwrap_or_default(),
        address,
        freshness: freshness(site, link.freshness.as_ref()),
    }
}

/// `Google Calendar last checked 3 hours ago; 1 change hasn’t reached it yet.`
fn freshness(site: &Site<'_>, fetched: Option<&LastFetch>) -> String {
    let words = site.words;
    let Some(fetched) = fetched else { return words.not_fetched.to_owned() };
    let ago = site.when.length(fetched.ago);
    match fetched.unseen {
        0 => words.fetched(&fetched.client, &ago),
        n => words.fetched_behind(&fetched.client, &ago, n),
    }
}

#[derive(Template)]
#[template(path = "shared.html")]
struct SharedPage<'a> {
    site: Site<'a>,
    head: Head,
    heading: String,
    is_named: bool,
    tabs: Vec<(NaiveDate, String)>,
    common_line: Option<String>,
    subscribe: String,
    pickable: Vec<&'a SessionId>,
    is_mine: bool,
    plan: Vec<PlanDay<'a>>,
    only_mine: Vec<Card<'a>>,
}

/// A shared agenda. `token` is the token in the page's address. With `own`, the visitor's picks, the page marks the
/// sessions that both agendas contain.
pub fn shared(
    release: &Release,
    token: &str,
    name: &Text,
    picks: &[SessionId],
    own: Option<&[SessionId]>,
) -> String {
    let site = Site::of(release);
    let agenda = Agenda::of(picks, release);
    let ours: HashSet<&SessionId> = own.unwrap_or_default().iter().collect();
    let theirs: HashSet<&SessionId> = picks.iter().collect();
    let is_own = |id: &SessionId| ours.contains(id);
    let mark = |item: &crate::agenda::AgendaItem<'_>| match own {
        Some(_) if is_own(&item.session().id) => site.words.both,
        _ => "",
    };
    let common = agenda.items.iter().filter(|item| is_own(&item.session().id)).count();
    let mine = Agenda::of(own.unwrap_or_default(), release);
    let is_elsewhere = |item: &&crate::agenda::AgendaItem<'_>| !theirs.contains(&item.session().id);
    let mut plan = plan(&site, &agenda, mark);
    for card in plan.iter_mut().flat_map(|day| &mut day.items).filter_map(|item| item.card.as_mut()) {
        card.is_picked = is_own(&card.session.id);
    }
    let mut head = Head::secret(&site, site.words.shared_agenda);
    head.pressed_at = format!("/agendas/{}", super::encode::encode(token));
    write(&SharedPage {
        head,
        heading: if name.is_empty() { site.words.shared_agenda.to_owned() } else { name.to_string() },
        is_named: !name.is_empty(),
        tabs: tabs(&plan),
        common_line: own.map(|_| site.words.in_common(common, agenda.items.len())),
        subscribe: format!("/subscribe/agendas/{}", super::encode::encode(token)),
        pickable: agenda.items.iter().map(|item| &item.entry.session.id).collect(),
        is_mine: false,
        plan,
        only_mine: mine.items.iter().filter(is_elsewhere).map(|item| Card::of(&site, item.entry)).collect(),
        site: site.clone(),
    })
}
