//! One connection to the database, opened again whenever it is lost.
//!
//! A runtime of its own keeps the connection, since the store's threads are not asynchronous and the server's runtime must
//! not wait for a database. [`DatabaseLink::run`] fails at once while there is no connection, so nobody waits for a
//! database that is away.

use super::{Database, TIMEOUT};
use crate::store::error::StorageError;
use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

const FIRST_RETRY: Duration = Duration::from_millis(50);
/// The longest time between two attempts to connect. Writes must work again within 2 seconds after the database is back.
const LAST_RETRY: Duration = Duration::from_millis(500);

/// A connection to the database, or the attempts to get one.
pub(in crate::store) struct DatabaseLink {
    runtime: Option<Runtime>,
    state: Arc<LinkState>,
}

struct LinkState {
    database: Database,
    connection: Mutex<Connection>,
    has_changed: Condvar,
    /// Notified when the connection must be given up.
    lost: Notify,
}

struct Connection {
    client: Option<Arc<Client>>,
    /// Why there is no connection, or why the last one was lost.
    failure: String,
}

impl DatabaseLink {
    /// Begins to connect.
    pub(in crate::store) fn start(database: &Database) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1) // resolves names
            .thread_name("database")
            .enable_all()
            .build()?;
        let state = Arc::new(LinkState {
            database: database.clone(),
            connection: Mutex::new(Connection { client: None, failure: "not connected yet".to_owned() }),
            has_changed: Condvar::new(),
            lost: Notify::new(),
        });
        runtime.spawn(Arc::clone(&state).keep_connected());
        Ok(Self { runtime: Some(runtime), state })
    }

    /// Waits until there is a connection. Returns why there is none after `patience`.
    pub(in crate::store) fn wait(&self, patience: Duration) -> Result<(), StorageError> {
        let until = Instant::now() + patience;
        let mut connection = self.state.connection();
        while connection.client.is_none() {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            else {
                return Err(self.away(&connection.failure));
            };
            let waited = self.state.has_changed.wait_timeout(connection, left);
            connection = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Runs statements on the connection. Each attempt ends after `patience`; the connection then counts as lost, and
    /// whether the statements took effect is unknown.
    pub(in crate::store) fn run<T, F>(
        &self,
        patience: Duration,
        work: impl FnOnce(Arc<Client>) -> F,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    {
        let connection = self.state.connection();
        let (Some(runtime), Some(client)) = (&self.runtime, connection.client.clone()) else {
            return Err(self.away(&connection.failure));
        };
        drop(connection);
        let work = work(Arc::clone(&client));
        let (reply, answer) = sync_channel(1);
        runtime.spawn(async move { drop(reply.send(timeout(patience, work).await)) });
        let cause = match answer.recv() {
            Ok(Ok(Ok(done))) => return Ok(done),
            Ok(Ok(Err(error))) if !ends_connection(&error) => {
                return Err(StorageError::Failed(format!("the database refuses: {}", full_text(&error))));
            }
            Ok(Ok(Err(error))) => full_text(&error),
            Ok(Err(_)) => format!("it did not answer within {} seconds", patience.as_secs_f32()),
            Err(_) => "the connection is closed".to_owned(),
        };
        self.state.give_up(&client, &cause);
        Err(self.away(&cause))
    }

    fn away(&self, cause: &str) -> StorageError {
        StorageError::Away(format!("the database {} cannot be reached: {cause}", self.state.database))
    }
}

/// A runtime must not be dropped on a thread of another runtime, which would wait for it.
impl Drop for DatabaseLink {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl LinkState {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, client: Option<Arc<Client>>, failure: &str) {
        let mut connection = self.connection();
        let was_connected = connection.client.is_some();
        if client.is_some() {
            tracing::info!(database = %self.database, "connected to the database");
        } else if was_connected || connection.failure != failure {
            tracing::warn!(database = %self.database, cause = failure, "no connection to the database; it is tried again");
        }
        *connection = Connection { client, failure: failure.to_owned() };
        self.has_changed.notify_all();
    }

    /// Gives up a connection, unless another one has replaced it.
    fn give_up(&self, client: &Arc<Client>, cause: &str) {
        let is_current =
            self.connection().client.as_ref().is_some_and(|current| Arc::ptr_eq(current, client));
        if is_current {
            self.set(None, cause);
            self.lost.notify_one();
        }
    }

    async fn keep_connected(self: Arc<Self>) {
        let mut wait = FIRST_RETRY;
        loop {
            match self.connect().await {
                Ok((client, ended)) => {
                    wait = FIRST_RETRY;
                    let client = Arc::new(client);
                    self.set(Some(Arc::clone(&client)), "");
                    let cause = tokio::select! {
                        cause = ended => cause,
                        () = self.lost.notified() => continue,
                    };
                    self.give_up(&client, &cause);
                    // The permit that this stored is for a connection that is gone.
                    let _ = timeout(Duration::ZERO, self.lost.notified()).await;
                }
                Err(cause) => {
                    self.set(None, &cause);
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LAST_RETRY);
                }
            }
        }
    }

    /// Connects. The second value ends with the connection and returns the cause.
    async fn connect(&self) -> Result<(Client, impl Future<Output = String> + use<>), String> {
        let Database { config, tls, .. } = &self.database;
        // A host that drops packets takes the whole time of one host.
        let patience = TIMEOUT * (self.database.hosts() + 1);
        let late = |_| format!("no answer within {} seconds", patience.as_secs());
        let (client, connection) = match tls {
            None => {
                let connected = timeout(patience, config.connect(NoTls)).await.map_err(late)?;
                let (client, connection) = connected.map_err(|error| full_text(&error))?;
                (client, tokio::spawn(connection))
            }
            Some(tls) => {
                let connected = timeout(patience, config.connect(tls.connector())).await.map_err(late)?;
                let (client, connection) = connected.map_err(|error| full_text(&error))?;
                (client, tokio::spawn(connection))
            }
        };
        Ok((client, async move {
            match connection.await {
                Ok(Err(error)) => full_text(&error),
                _ => "the database closed the connection".to_owned(),
            }
        }))
    }
}

/// Whether a connection is of no use after an error: it is closed, its server stops, or its server became a read-only
/// standby (25006), which would refuse writes for ever.
fn ends_connection(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        None => true,
        Some(state) => {
            let code = state.code();
            code == "25006" || code.starts_with("57P0") || code.starts_with("08")
        }
    }
}

/// An error with its cause, which names neither user nor password.
fn full_text(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
