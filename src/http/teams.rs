//! Teams: several read links behind one combined link, which is nothing but them.
//!
//! Nothing is stored of a team. Each request follows every link anew, so whoever revokes theirs is shown no more.

use super::Problem;
use super::agendas::{Agendas, Shared};
use crate::agenda::Members;
use crate::feed::TeamMember;
use crate::program::Text;
use crate::store::AgendaRecord;
use chrono::{DateTime, Utc};

/// What is behind a combined link.
pub(super) enum Opened {
    /// Somebody still shares.
    Open(Team),
    /// Nobody does any more, since then.
    Closed { since: DateTime<Utc> },
}

/// A team's members at present, in their order.
pub(super) struct Team {
    /// Names, and agendas of those whose links still work.
    pub(super) members: Vec<(Text, Option<AgendaRecord>)>,
    /// When any of it changed last.
    pub(super) changed: DateTime<Utc>,
}

impl Team {
    /// Those who still share.
    pub(super) fn sharing(&self) -> Vec<TeamMember<'_>> {
        self.members
            .iter()
            .filter_map(|(name, agenda)| {
                agenda.as_ref().map(|agenda| TeamMember { name: name.clone(), picks: &agenda.picks })
            })
            .collect()
    }

    /// Their names.
    pub(super) fn name(&self) -> Text {
        let sharing = self.sharing();
        let names: Vec<&str> = sharing.iter().map(|member| member.name.as_str()).collect();
        Text::line(&names.join(", ")).0
    }
}

/// Follows a combined link.
pub(super) fn open(agendas: &Agendas, members: &Members) -> Result<Opened, Problem> {
    let mut team = Team { members: Vec::new(), changed: DateTime::UNIX_EPOCH };
    let mut since = None;
    for (place, token) in members.tokens().iter().enumerate() {
        let agenda = match agendas.shared(token)? {
            Shared::Never => return Err(Problem::NotFound),
            Shared::Open(agenda) => {
                team.changed = team.changed.max(agenda.modified);
                Some(agenda)
            }
            Shared::Closed { since: at } => {
                since = since.max(Some(at));
                None
            }
            Shared::Gone => None,
        };
        let own = agenda.as_ref().map(|agenda| Text::line(&agenda.name).0).filter(|name| !name.is_empty());
        let name = own.unwrap_or_else(|| Text::line(&format!("Member {}", place + 1)).0);
        team.members.push((name, agenda));
    }
    team.changed = team.changed.max(since.unwrap_or_default());
    if team.members.iter().any(|(_, agenda)| agenda.is_some()) {
        return Ok(Opened::Open(team));
    }
    since.map(|since| Opened::Closed { since }).ok_or(Problem::Gone)
}
