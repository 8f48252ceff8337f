//! Being in charge: of several replicas, one does the work that must be done once, such as watching the program file.
//!
//! The replica in charge renews a record in the store. The others take over once they have seen no renewal for longer
//! than the one in charge trusts its own. All of them measure with their own monotonic clocks, so a wrong wall clock
//! does no harm. A store of its own is always in charge.

use super::Store;
use super::record::charge::ChargeRecord;
use super::record::outbox::Version;
use super::replica::is_same_replica;
use super::write::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time between two looks at the record.
const LOOK: Duration = Duration::from_secs(3);
/// The age of a renewal after which the replica in charge renews it.
const RENEW: Duration = Duration::from_secs(9);
/// How long a replica trusts its own renewal.
const TRUST: Duration = Duration::from_secs(25);
/// How long the others wait for a renewal.
const WAIT: Duration = Duration::from_secs(35);

/// Whether this process is in charge. Clones share it.
#[derive(Debug, Clone)]
pub struct Charge {
    store: Store,
    /// This process's id; none for a store of its own.
    id: Option<Arc<str>>,
    state: Arc<Mutex<ChargeState>>,
}

#[derive(Debug, Default)]
struct ChargeState {
    /// When this process last renewed the record.
    renewed: Option<Instant>,
    /// The last version of another process, and when it was first seen.
    seen: Option<(u64, Instant)>,
}

impl Charge {
    /// For the process that has the store open.
    pub fn of(store: &Store) -> Self {
        let id = store.replica_id().map(Arc::from);
        Self { store: store.clone(), id, state: Arc::default() }
    }

    /// Whether this process is in charge.
    pub fn is_held(&self) -> bool {
        self.id.is_none() || self.state().renewed.is_some_and(|at| at.elapsed() < TRUST)
    }

    /// Takes charge when nobody is, and renews it. Never returns.
    pub async fn keep(self) {
        let Some(id) = self.id.clone() else { return std::future::pending().await };
        loop {
            self.look(&id).await;
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look(&self, id: &str) {
        let Ok(found) = self.store.charge() else { return };
        let now = Instant::now();
        let is_due = match &found {
            None => true,
            Some(record) if record.holder == id => {
                self.state().renewed.is_none_or(|at| now.duration_since(at) >= RENEW)
            }
            Some(record) if record.holder.is_empty() => true,
            Some(record) => {
                let version = record.version.version;
                let mut state = self.state();
                state.renewed = None;
                // An earlier process of this replica does not run any more, since its data directory is this one's.
                // Later looks wait, so that two replicas that were given one name do not take the record from each
                // other without end.
                let is_left_behind =
                    state.seen.is_none() && is_same_replica(record.holder.as_bytes(), id.as_bytes());
                let since = state.seen.filter(|(seen, _)| *seen == version).map_or(now, |(_, since)| since);
                state.seen = Some((version, since));
                is_left_behind || now.duration_since(since) >= WAIT
            }
        };
        if is_due && self.put(found, id).await {
            let was_held = self.state().renewed.replace(now).is_some();
            if !was_held {
                tracing::info!("this replica is in charge of the program file, retention and sweeps");
            }
        }
    }

    /// Lets another replica take charge at once, before this process ends.
    pub async fn give_up(&self) {
        let is_ours = |record: &ChargeRecord| Some(record.holder.as_str()) == self.id.as_deref();
        if let Ok(Some(found)) = self.store.charge()
            && is_ours(&found)
        {
            self.state().renewed = None;
            self.put(Some(found), "").await;
        }
    }

    async fn put(&self, found: Option<ChargeRecord>, holder: &str) -> bool {
        let expect = found.map(|record| record.version.version);
        let version = Version { version: expect.unwrap_or(0) + 1 };
        let record = ChargeRecord { version, holder: holder.to_owned() };
        self.store.commit(vec![Write::PutCharge { expect, record }]).await.is_ok()
    }

    fn state(&self) -> MutexGuard<'_, ChargeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
