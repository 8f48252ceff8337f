//! The pages of agendas: the visitor's own, to edit, and a shared one, to read.
//!
//! The owner's page shows the read links, which are secrets of the owner. No page ever contains the edit key.

use super::card::Card;
use super::encode::qr_code;
use super::plan::{PlanDay, plan};
use super::site::{Head, Site};
use super::text::fill;
use super::write;
use crate::agenda::Agenda;
use crate::exchange;
use crate::program::{SessionId, Text};
use crate::release::Release;
use askama::Template;
use chrono::TimeDelta;
use std::collections::HashSet;

/// An agenda, for its owner.
#[derive(Debug, Clone)]
pub struct Mine<'a> {
    /// Its name; may be empty.
    pub name: &'a Text,
    /// Its picks.
    pub picks: &'a [SessionId],
    /// Its read links.
    pub links: &'a [LinkStatus],
    /// The release that its owner saw last; later changes are pointed out.
    pub seen: Option<u64>,
    /// A hand-over link that was just made, absolute, and how long it works.
    pub hand_over: Option<(&'a str, TimeDelta)>,
}

/// A read link, for its owner.
#[derive(Debug, Clone)]
pub struct LinkStatus {
    /// Its number.
    pub n: u32,
    /// Its label; may be empty.
    pub label: Text,
    /// The token; none for a link that was made with an earlier edit key.
    pub token: Option<String>,
    /// When a calendar last fetched it.
    pub freshness: Option<LastFetch>,
}

/// The last fetch of a link's feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFetch {
    /// The family of the client, e.g. `Google Calendar`.
    pub client: String,
    /// How long ago.
    pub ago: TimeDelta,
    /// How many changes of the picks and of picked sessions it has not seen.
    pub unseen: usize,
}

#[derive(Template)]
#[template(path = "mine.html")]
struct MinePage<'a> {
    site: Site<'a>,
    head: Head,
    heading: String,
    zone_line: String,
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
}

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
}

/// `/agenda` for a visitor without an agenda.
pub fn no_agenda(release: &Release) -> String {
    let site = Site::of(release);
    let head = Head::secret(&site, site.words.my_agenda).at("agenda");
    write(&NonePage { head, site })
}

/// `/agenda` for its owner.
pub fn mine(release: &Release, mine: &Mine<'_>) -> String {
    let site = Site::of(release);
    let agenda = Agenda::of(mine.picks, release);
    let is_new = |release: u64| mine.seen.is_some_and(|seen| release > seen);
    let changed: Vec<Card<'_>> = agenda
        .items
        .iter()
        .filter(|item| is_new(item.entry.release))
        .map(|item| Card::of(&site, item.entry))
        .collect();
    let clash_line = match agenda.items.iter().filter(|item| item.clashes()).count() {
        0 => None,
        2 => Some(site.words.clash_count.to_owned()),
        n => Some(fill(site.words.clashes_count, &[("n", &n.to_string())])),
    };
    let mark = |item: &crate::agenda::Item<'_>| {
        if is_new(item.entry.release) { site.words.changed } else { "" }
    };
    let heading = if mine.name.is_empty() { site.words.my_agenda.to_owned() } else { mine.name.to_string() };
    let minutes = mine.hand_over.map(|(_, left)| site.when.length(left)).unwrap_or_default();
    write(&MinePage {
        head: Head::secret(&site, site.words.my_agenda).at("agenda"),
        heading,
        zone_line: site.zone_line(),
        name: mine.name,
        is_empty: mine.picks.is_empty(),
        is_mine: true,
        plan: plan(&site, &agenda, mark),
        clash_line,
        changed,
        gone: &agenda.gone,
        links: mine.links.iter().map(|link| link_view(&site, link)).collect(),
        carry: carry(&site, &agenda),
        hand_over: mine.hand_over.map(|(address, _)| (address, qr_code(address))),
        hand_over_line: fill(site.words.hand_over_ready, &[("minutes", &minutes)]),
        site: site.clone(),
    })
}

/// An address that contains the picks of the present program, and its QR code.
fn carry(site: &Site<'_>, agenda: &Agenda<'_>) -> Option<(String, Option<String>)> {
    let code = exchange::to_code(agenda.items.iter().map(|item| item.entry.number));
    let address = site.conference().link(&format!("/agenda/import?picks={code}"));
    let code = qr_code(&address);
    (!agenda.items.is_empty()).then_some((address, code))
}

fn link_view(site: &Site<'_>, link: &LinkStatus) -> LinkView {
    let label = if link.label.is_empty() {
        fill(site.words.link_untitled, &[("n", &link.n.to_string())])
    } else {
        link.label.to_string()
    };
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

/// `Your Google Calendar fetched this 3 hours ago and has not yet seen 1 change.`
fn freshness(site: &Site<'_>, fetched: Option<&LastFetch>) -> String {
    let words = site.words;
    let Some(fetched) = fetched else { return words.not_fetched.to_owned() };
    let unseen = match fetched.unseen {
        1 => words.one_change.to_owned(),
        n => fill(words.more_changes, &[("n", &n.to_string())]),
    };
    let text = if fetched.unseen == 0 { words.fetched } else { words.fetched_behind };
    fill(text, &[("client", &fetched.client), ("ago", &site.when.length(fetched.ago)), ("n", &unseen)])
}

#[derive(Template)]
#[template(path = "shared.html")]
struct SharedPage<'a> {
    site: Site<'a>,
    head: Head,
    heading: String,
    zone_line: String,
    common_line: Option<String>,
    subscribe: String,
    pickable: Vec<&'a SessionId>,
    is_mine: bool,
    plan: Vec<PlanDay<'a>>,
    only_mine: Vec<Card<'a>>,
}

/// A shared agenda. `token` is part of the page's address; `own` are the visitor's picks, for a comparison.
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
    let mark = |item: &crate::agenda::Item<'_>| match own {
        Some(_) if is_own(&item.session().id) => site.words.both,
        _ => "",
    };
    let common = agenda.items.iter().filter(|item| is_own(&item.session().id)).count();
    let counts = [("n", common.to_string()), ("of", agenda.items.len().to_string())];
    let counts: Vec<(&str, &str)> = counts.iter().map(|(name, count)| (*name, count.as_str())).collect();
    let mine = Agenda::of(own.unwrap_or_default(), release);
    let is_elsewhere = |item: &&crate::agenda::Item<'_>| !theirs.contains(&item.session().id);
    write(&SharedPage {
        head: Head::secret(&site, site.words.shared_agenda),
        heading: if name.is_empty() { site.words.shared_agenda.to_owned() } else { name.to_string() },
        zone_line: site.zone_line(),
        common_line: own.map(|_| fill(site.words.in_common, &counts)),
        subscribe: format!("/subscribe/agendas/{}", super::encode::encode(token)),
        pickable: agenda.items.iter().map(|item| &item.entry.session.id).collect(),
        is_mine: false,
        plan: plan(&site, &agenda, mark),
        only_mine: mine.items.iter().filter(is_elsewhere).map(|item| Card::of(&site, item.entry)).collect(),
        site: site.clone(),
    })
}
