//! Another config for a running server, through the same guard as every other publication.

use super::status::Part;
use super::{ConfigStatus, Proposal, Publication, PublishError, Publisher, spool};
use crate::config::{Publishing, Webhook};
use crate::program::Conference;
use crate::store::Origin;
use std::sync::Arc;

/// What of the config a running publisher replaces as one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The conference that new releases are made with.
    pub conference: Arc<Conference>,
    /// The guard, and how many releases are kept.
    pub publishing: Publishing,
    /// Calls that go out after a release.
    pub webhooks: Vec<Webhook>,
}

impl Publisher {
    /// Replaces the settings, and publishes the running program under them where that shows anything differently,
    /// with the origin `config`. Returns none where no publication was needed.
    ///
    /// Like at a start, a release that the guard holds waits for its confirmation, and the settings are in force for
    /// it. After any other error the settings are the previous ones.
    ///
    /// # Errors
    /// [`PublishError`]; the running release goes on in every case.
    pub async fn reconfigure(
        self: &Arc<Self>,
        settings: Settings,
    ) -> Result<Option<Publication>, PublishError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            let is_mute = settings.webhooks.is_empty();
            let previous = this.settings.swap(Arc::new(settings));
            this.note_where_calls_begin(is_mute).await;
            let published = this.publish_settings().await;
            if !matches!(published, Ok(_) | Err(PublishError::Held(_))) {
                this.settings.store(previous);
            }
            published
        });
        task.await?
    }

    /// Like at a start: webhooks that the config adds get the releases after the running one.
    async fn note_where_calls_begin(&self, is_mute: bool) {
        let note = match spool::baseline(&self.store, is_mute, self.current().number()) {
            Ok(note) => {
                self.state().fault(Part::Webhooks, None);
                note
            }
            Err(error) => {
                self.state().fault(Part::Webhooks, Some(&error));
                None
            }
        };
        if let Some(note) = note
            && let Err(error) = self.store.commit(vec![note]).await
        {
            tracing::warn!(%error, "the release after which webhooks are called could not be stored");
        }
    }

    async fn publish_settings(self: &Arc<Self>) -> Result<Option<Publication>, PublishError> {
        let running = self.current();
        if *running.program.conference == *self.conference() {
            self.state().held.let_go(Origin::Config);
            return Ok(None);
        }
        let (this, number) = (Arc::clone(self), running.number());
        let csv = self.store.read(move |_| this.kept_csv(number)).await?;
        let proposal = Proposal {
            csv: csv.into(),
            origin: Origin::Config,
            who: None,
            confirm: None,
            expect: Some(number),
        };
        self.take_turn(proposal).await.map(Some)
    }

    /// Remembers how the config was read.
    pub fn note_config(&self, status: ConfigStatus) {
        self.state().config = status;
    }

    /// Remembers that the config file was refused; the one in force stays.
    pub fn note_refused_config(&self, reason: String) {
        self.state().config.refused = Some(reason);
    }
}
