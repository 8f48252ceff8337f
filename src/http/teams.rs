//! Teams: one combined link that stands for several read links.
//!
//! The server stores no team. Each request follows every link again, so a member who revokes a link disappears at once.

use super::Problem;
use super::agendas::{Agendas, FollowedLink};
use crate::agenda::Members;
use crate::feed::TeamMember;
use crate::program::Text;
use crate::store::AgendaRecord;
use crate::texts::Texts;
use chrono::{DateTime, Utc};

/// The result of following a combined link.
pub(super) enum OpenedTeam {
    /// At least one link works.
    Open(Team),
    /// All links were revoked, the last one at `since`.
    Closed { since: DateTime<Utc> },
}

/// A team's members in the order of the combined link.
pub(super) struct Team {
    link: String,
    /// Names, and the agendas whose links work.
    pub(super) members: Vec<(Text, Option<AgendaRecord>)>,
    /// When a member's agenda last changed or a member's link was last revoked.
    pub(super) changed: DateTime<Utc>,
}

impl Team {
    /// A text that differs whenever the team's feed may differ.
    pub(super) fn state(&self) -> String {
        let versions =
            self.members.iter().map(|(_, agenda)| agenda.as_ref().map_or(0, |agenda| agenda.version));
        let versions: Vec<String> = versions.map(|version| version.to_string()).collect();
        format!("/team/{}/{}/{}", self.link, versions.join("."), self.changed.timestamp_millis())
    }

    /// The members whose links work.
    pub(super) fn sharing(&self) -> Vec<TeamMember<'_>> {
        self.members
            .iter()
            .filter_map(|(name, agenda)| {
                agenda.as_ref().map(|agenda| TeamMember { name: name.clone(), picks: &agenda.picks })
            })
            .collect()
    }

    /// The names of the members whose links work.
    pub(super) fn name(&self) -> Text {
        let sharing = self.sharing();
        let names: Vec<&str> = sharing.iter().map(|member| member.name.as_str()).collect();
        Text::line(&names.join(", ")).0
    }
}

/// Follows a combined link, on a thread that may wait for the disk.
pub(super) async fn open(
    agendas: &Agendas,
    members: &Members,
    texts: &'static Texts,
) -> Result<OpenedTeam, Problem> {
    let (agendas, members) = (agendas.clone(), members.clone());
    let store = agendas.store().clone();
    store.read(move |_| follow(&agendas, &members, texts)).await
}

fn follow(agendas: &Agendas, members: &Members, texts: &Texts) -> Result<OpenedTeam, Problem> {
    let mut team = Team { link: members.reveal(), members: Vec::new(), changed: DateTime::UNIX_EPOCH };
    let mut since = None;
    for (place, token) in members.tokens().iter().enumerate() {
        let agenda = match agendas.shared(token)? {
            FollowedLink::Never => return Err(Problem::NotFound),
            FollowedLink::Open(agenda) => {
                team.changed = team.changed.max(agenda.modified);
                Some(agenda)
            }
            FollowedLink::Closed { since: at } => {
                since = since.max(Some(at));
                None
            }
            FollowedLink::Gone => None,
        };
        let own = agenda.as_ref().map(|agenda| Text::line(&agenda.name).0).filter(|name| !name.is_empty());
        let name = own.unwrap_or_else(|| Text::line(&texts.team_member(place + 1)).0);
        team.members.push((name, agenda));
    }
    team.changed = team.changed.max(since.unwrap_or_default());
    if team.members.iter().any(|(_, agenda)| agenda.is_some()) {
        return Ok(OpenedTeam::Open(team));
    }
    since.map(|since| OpenedTeam::Closed { since }).ok_or(Problem::Gone)
}
