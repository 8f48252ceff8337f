//! A shared agenda: read-only, beside the visitor's own where there is one.

use super::card::Card;
use super::head::Head;
use super::plan::{PlanDay, plan};
use super::site::Site;
use super::text::fill;
use super::write;
use crate::agenda::Agenda;
use crate::program::{SessionId, Text};
use crate::release::Release;
use askama::Template;
use std::collections::HashSet;

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

/// Renders it. `token` is the one in the page's own address; `own` are the visitor's picks, where they have an
/// agenda, to compare.
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
        subscribe: format!("/subscribe/agendas/{}", super::view::encode(token)),
        pickable: agenda.items.iter().map(|item| &item.entry.session.id).collect(),
        is_mine: false,
        plan: plan(&site, &agenda, mark),
        only_mine: mine.items.iter().filter(is_elsewhere).map(|item| Card::of(&site, item.entry)).collect(),
        site: site.clone(),
    })
}
