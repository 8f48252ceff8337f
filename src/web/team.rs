//! The pages of a team: the members who attend each session, and the form that makes a team's address.

use super::card::Card;
use super::encode::encode;
use super::site::{Head, Site};
use super::write;
use crate::agenda::{Attended, TeamAgenda};
use crate::program::{SessionId, Text};
use crate::release::Release;
use askama::Template;
use chrono::NaiveDate;

/// A member of a team.
#[derive(Debug, Clone)]
pub struct MemberPicks {
    /// The member's name.
    pub name: Text,
    /// The member's picks; none if the member no longer shares the agenda.
    pub picks: Option<Vec<SessionId>>,
}

/// The reason why no team was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeamFault {
    /// A line that is not an agenda link of the conference, counted from 1.
    Line(usize),
    /// More links than a team may have members.
    TooMany,
    /// No link was given.
    Nobody,
}

#[derive(Template)]
#[template(path = "team.html")]
struct TeamPage<'a> {
    site: Site<'a>,
    head: Head,
    members: &'a [MemberPicks],
    subscribe: String,
    days: Vec<TeamDay<'a>>,
}

struct TeamDay<'a> {
    date: NaiveDate,
    heading: String,
    zone: String,
    moments: Vec<TeamMoment<'a>>,
}

/// Sessions that start together.
struct TeamMoment<'a> {
    start: String,
    label: String,
    sessions: Vec<TeamSession<'a>>,
}

struct TeamSession<'a> {
    card: Card<'a>,
    /// The names of the members who attend, e.g. `Ada, Grace`; may be empty.
    who: String,
}

#[derive(Template)]
#[template(path = "team_form.html")]
struct FormPage<'a> {
    site: Site<'a>,
    head: Head,
    pasted: &'a str,
    fault: Option<String>,
}

/// The form, with the pasted text and the reason why the text gave no team.
pub fn team_form(release: &Release, pasted: &str, fault: Option<TeamFault>) -> String {
    let site = Site::of(release);
    let words = site.words;
    let fault = fault.map(|fault| match fault {
        TeamFault::Line(n) => words.team_line(n),
        TeamFault::TooMany => words.team_many.to_owned(),
        TeamFault::Nobody => words.team_none.to_owned(),
    });
    write(&FormPage { head: Head::secret(&site, words.team_make).at("agenda"), pasted, fault, site })
}

/// Renders a team's page. `tokens` is the part of its address with the members' tokens.
pub fn team<'r>(release: &'r Release, tokens: &str, members: &[MemberPicks]) -> String {
    let site = Site::of(release);
    let picks: Vec<&[SessionId]> =
        members.iter().map(|member| member.picks.as_deref().unwrap_or_default()).collect();
    let team = TeamAgenda::of(&picks, release);
    let start = |item: &Attended<'_>| item.entry.session.slot.start;
    let end = |item: &Attended<'_>| item.entry.session.slot.end;
    let date = |item: &Attended<'_>| site.when.date(start(item));
    let moment = |items: &[Attended<'r>]| {
        let first = items.first()?;
        Some(TeamMoment {
            start: super::when::When::iso(start(first)),
            label: site.when.time(start(first)),
            sessions: items.iter().map(|item| team_session(&site, item, members)).collect(),
        })
    };
    let day = |items: &[Attended<'r>]| {
        let first = items.first()?;
        Some(TeamDay {
            date: date(first),
            heading: site.words.day_heading(date(first)),
            zone: site.when.zone_names(start(first), items.iter().map(end).max().unwrap_or(start(first))),
            moments: items.chunk_by(|a, b| start(a) == start(b)).filter_map(moment).collect(),
        })
    };
    let days = team.items.chunk_by(|a, b| date(a) == date(b)).filter_map(day).collect();
    write(&TeamPage {
        head: Head::secret(&site, site.words.team),
        members,
        subscribe: format!("/subscribe/team/{}", encode(tokens)),
        days,
        site: site.clone(),
    })
}

fn team_session<'a>(site: &Site<'a>, item: &Attended<'a>, members: &[MemberPicks]) -> TeamSession<'a> {
    TeamSession { card: Card::of(site, item.entry), who: names(members, &item.who) }
}

fn names(members: &[MemberPicks], who: &[usize]) -> String {
    let names: Vec<&str> =
        who.iter().filter_map(|place| members.get(*place)).map(|member| member.name.as_str()).collect();
    names.join(", ")
}
