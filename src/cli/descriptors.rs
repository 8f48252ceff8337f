//! How many connections the process's descriptors allow for (getrlimit(2)).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Those that store, spool, file watch and the rest need, and connections that wait for the place of another. A
/// connection must not take the last one of the store.
const OTHERS: u64 = 96;

/// As many of the configured connections as there can be, with a word where those are fewer.
///
/// The soft limit, which is often 1,024 for the sake of programs that cannot count further, is raised first.
pub(super) fn affordable(connections: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    let Some(most) = limit.current else { return connections };
    let affordable =
        usize::try_from(most.saturating_sub(OTHERS).max(1)).unwrap_or(usize::MAX).min(connections);
    if affordable < connections {
        tracing::warn!(
            "limits.connections is {connections}, but this process may open {most} files: {affordable} connections \
             at once; raise the hard limit, systemd's LimitNOFILE"
        );
    }
    affordable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_there_are_descriptors_and_no_more_than_configured() {
        assert_eq!(affordable(1), 1);
        let most = getrlimit(Resource::Nofile).current;
        if let Some(most) = most.and_then(|most| usize::try_from(most).ok()) {
            assert!(affordable(usize::MAX) < most.max(2));
        }
    }
}
