//! Compares two configs: which changed keys a running server applies, and which need a restart.

use super::{ConferenceWithoutOrigin, Config, Limits, Publishing};

/// The keys whose values differ between two configs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// Keys that a running server applies.
    pub applied: Vec<&'static str>,
    /// Keys that need a restart.
    pub restart: Vec<&'static str>,
    /// Keys that never change for one data directory. If one changes, the whole config is refused.
    pub fixed: Vec<&'static str>,
}

impl Config {
    /// Compares this config with a new one. Every field is destructured, so that the compiler catches a forgotten
    /// field.
    pub fn changed(&self, new: &Self) -> Changed {
        let Self {
            listen,
            listen_is_set: _,
            operator_listen,
            program,
            data,
            database,
            public_url,
            frame_ancestors,
            trusted_proxies,
            retention_days,
            checkpoint_bytes,
            backup_keep_days: _, // only `callboard backup` uses it
            piece_bytes,
            publishing,
            limits,
            organizer_secret_file,
            webhooks,
            push,
            source,
            mail,
            identity,
            identity_files: _, // the pictures are in `identity`
            conference,
        } = self;
        let ConferenceWithoutOrigin {
            title,
            slug,
            dates,
            zone,
            venue,
            language,
            clock,
            day_change,
            uid_domain,
            tracks,
            rooms,
            tombstone_days,
            walking,
        } = conference;
        let Publishing { guard_share, guard_least, debounce_ms, poll_s, keep_releases } = publishing;
        let Limits {
            connections,
            connections_per_address,
            header_s,
            body_s,
            answer_s,
            idle_s,
            drain_s,
            agendas_at_once,
            agendas_hour,
            agenda_changes_at_once,
            agenda_changes_hour,
            changes_at_once,
            changes_hour,
            agenda_links_at_once,
            agenda_links_hour,
            links_at_once,
            links_hour,
            agenda_handovers_at_once,
            agenda_handovers_hour,
            handovers_at_once,
            handovers_hour,
            wrong_keys_at_once,
            wrong_keys_hour,
            wrong_secrets_at_once,
            wrong_secrets_hour,
        } = limits;
        let its = &new.conference;
        #[expect(clippy::float_cmp, reason = "both were parsed from text, and equal text gives equal values")]
        let applied = [
            ("public_url", *public_url != new.public_url),
            ("conference.title", *title != its.title),
            ("conference.first_day, conference.last_day", *dates != its.dates),
            ("conference.zone", *zone != its.zone),
            ("conference.venue", *venue != its.venue),
            ("conference.language", *language != its.language),
            ("conference.clock", *clock != its.clock),
            ("conference.day_change", *day_change != its.day_change),
            ("conference.tombstone_days", *tombstone_days != its.tombstone_days),
            ("tracks", *tracks != its.tracks),
            ("rooms", *rooms != its.rooms),
            ("walking", *walking != its.walking),
            ("publishing.guard_share", *guard_share != new.publishing.guard_share),
            ("publishing.guard_least", *guard_least != new.publishing.guard_least),
            ("publishing.keep_releases", *keep_releases != new.publishing.keep_releases),
            ("limits.agendas_at_once", *agendas_at_once != new.limits.agendas_at_once),
            ("limits.agendas_hour", *agendas_hour != new.limits.agendas_hour),
            ("limits.agenda_changes_at_once", *agenda_changes_at_once != new.limits.agenda_changes_at_once),
            ("limits.agenda_changes_hour", *agenda_changes_hour != new.limits.agenda_changes_hour),
            ("limits.changes_at_once", *changes_at_once != new.limits.changes_at_once),
            ("limits.changes_hour", *changes_hour != new.limits.changes_hour),
            ("limits.agenda_links_at_once", *agenda_links_at_once != new.limits.agenda_links_at_once),
            ("limits.agenda_links_hour", *agenda_links_hour != new.limits.agenda_links_hour),
            ("limits.links_at_once", *links_at_once != new.limits.links_at_once),
            ("limits.links_hour", *links_hour != new.limits.links_hour),
            (
                "limits.agenda_handovers_at_once",
                *agenda_handovers_at_once != new.limits.agenda_handovers_at_once,
            ),
            ("limits.agenda_handovers_hour", *agenda_handovers_hour != new.limits.agenda_handovers_hour),
            ("limits.handovers_at_once", *handovers_at_once != new.limits.handovers_at_once),
            ("limits.handovers_hour", *handovers_hour != new.limits.handovers_hour),
            ("limits.wrong_keys_at_once", *wrong_keys_at_once != new.limits.wrong_keys_at_once),
            ("limits.wrong_keys_hour", *wrong_keys_hour != new.limits.wrong_keys_hour),
            ("limits.wrong_secrets_at_once", *wrong_secrets_at_once != new.limits.wrong_secrets_at_once),
            ("limits.wrong_secrets_hour", *wrong_secrets_hour != new.limits.wrong_secrets_hour),
            ("identity", *identity != new.identity),
            ("webhooks", *webhooks != new.webhooks),
            ("push", *push != new.push),
            ("source", *source != new.source),
            ("mail", *mail != new.mail),
        ];
        let restart = [
            ("listen", *listen != new.listen),
            ("operator_listen", *operator_listen != new.operator_listen),
            ("program", *program != new.program),
            ("data", *data != new.data),
            ("database", database.url != new.database.url),
            ("database_password_file", database.password_file != new.database.password_file),
            ("replica", database.replica != new.database.replica),
            ("acknowledge_loss", database.acknowledge_loss != new.database.acknowledge_loss),
            ("frame_ancestors", *frame_ancestors != new.frame_ancestors),
            ("trusted_proxies", *trusted_proxies != new.trusted_proxies),
            ("retention_days", *retention_days != new.retention_days),
            ("checkpoint_kib", *checkpoint_bytes != new.checkpoint_bytes),
            ("piece_kib", *piece_bytes != new.piece_bytes),
            ("organizer_secret_file", *organizer_secret_file != new.organizer_secret_file),
            ("publishing.debounce_ms", *debounce_ms != new.publishing.debounce_ms),
            ("publishing.poll_s", *poll_s != new.publishing.poll_s),
            ("limits.connections", *connections != new.limits.connections),
            (
                "limits.connections_per_address",
                *connections_per_address != new.limits.connections_per_address,
            ),
            ("limits.header_s", *header_s != new.limits.header_s),
            ("limits.body_s", *body_s != new.limits.body_s),
            ("limits.answer_s", *answer_s != new.limits.answer_s),
            ("limits.idle_s", *idle_s != new.limits.idle_s),
            ("limits.drain_s", *drain_s != new.limits.drain_s),
        ];
        let fixed = [
            ("conference.slug", *slug != its.slug),
            ("conference.uid_domain", *uid_domain != its.uid_domain),
        ];
        Changed { applied: differing(&applied), restart: differing(&restart), fixed: differing(&fixed) }
    }
}

fn differing(keys: &[(&'static str, bool)]) -> Vec<&'static str> {
    keys.iter().filter(|(_, differs)| *differs).map(|(key, _)| *key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    fn changed(line: &str) -> Changed {
        let parse = |text: &str| Config::parse(Some(text), Overrides::default()).unwrap();
        let before = "[conference]\nzone = \"America/Los_Angeles\"\nslug = \"con\"\n";
        let after = match line.strip_prefix("conference.") {
            Some(line) => format!("{before}{line}\n"),
            None => format!("{line}\n{before}"),
        };
        parse(before).changed(&parse(&after))
    }

    #[test]
    fn each_changed_key_is_applied_needs_a_restart_or_is_refused() {
        assert_eq!(changed(""), Changed::default());
        for (line, key) in [
            ("conference.title = \"Other\"", "conference.title"),
            ("conference.venue = \"Hall\"", "conference.venue"),
            ("identity = { hero = \"A day of talks\" }", "identity"),
            ("public_url = \"https://conf.example\"", "public_url"),
            ("publishing = { guard_least = 9 }", "publishing.guard_least"),
            ("limits = { agendas_hour = 9 }", "limits.agendas_hour"),
        ] {
            assert_eq!(changed(line), Changed { applied: vec![key], ..Changed::default() }, "{line}");
        }
        for (line, key) in [
            ("listen = \"127.0.0.1:9\"", "listen"),
            ("trusted_proxies = []", "trusted_proxies"),
            ("limits = { connections = 9 }", "limits.connections"),
            ("data = \"elsewhere\"", "data"),
        ] {
            assert_eq!(changed(line), Changed { restart: vec![key], ..Changed::default() }, "{line}");
        }
        let uid = changed("conference.uid_domain = \"other.example\"");
        assert_eq!(uid, Changed { fixed: vec!["conference.uid_domain"], ..Changed::default() });
    }
}
