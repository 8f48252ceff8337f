//! Applies a changed config to a running server, through the same guard as every other publication.

use super::{ConfigStatus, Proposal, Publication, PublishError, Publisher, PublisherTask, deliveries};
use crate::config::{Publishing, Webhook};
use crate::program::Conference;
use crate::store::Origin;
use std::sync::Arc;

/// The part of the config that a running publisher can replace, as one.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The conference of new releases.
    pub conference: Arc<Conference>,
    /// The guard, and how many releases are kept.
    pub publishing: Publishing,
    /// Receivers of a delivery after each release.
    pub webhooks: Vec<Webhook>,
}

impl Publisher {
    /// Replaces the settings. Publishes the live program under them, with the origin `config`, if the conference changed;
    /// otherwise returns none.
    ///
    /// As at a start, the guard may hold that release; the new settings stay in force meanwhile. After any other error
    /// the previous settings are back.
    ///
    /// # Errors
    /// [`PublishError`]; the live release stays in every case.
    pub async fn reconfigure(
        self: &Arc<Self>,
        settings: Settings,
    ) -> Result<Option<Publication>, PublishError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            // Releases so far are for the webhooks so far.
            this.announce_releases().await;
            let has_webhooks = !settings.webhooks.is_empty();
            let previous = this.settings.swap(Arc::new(settings));
            this.store_first_release_of_webhooks(has_webhooks).await;
            let published = this.publish_settings().await;
            if !matches!(published, Ok(_) | Err(PublishError::Held(_))) {
                this.settings.store(previous);
            }
            published
        });
        task.await?
    }

    /// As at a start: webhooks that the config adds get only the releases after the live one.
    async fn store_first_release_of_webhooks(&self, has_webhooks: bool) {
        let note = match deliveries::first_release_write(&self.store, has_webhooks, self.current().number()) {
            Ok(note) => {
                self.state().set_fault(PublisherTask::Deliveries, None);
                note
            }
            Err(error) => {
                self.state().set_fault(PublisherTask::Deliveries, Some(&error));
                None
            }
        };
        if let Some(note) = note
            && let Err(error) = self.store.commit(vec![note]).await
        {
            tracing::warn!(%error, "the release after which announcements begin could not be stored");
        }
    }

    async fn publish_settings(self: &Arc<Self>) -> Result<Option<Publication>, PublishError> {
        let live = self.current();
        if *live.program.conference == *self.conference() {
            self.state().held.remove(Origin::Config);
            return Ok(None);
        }
        let (this, number) = (Arc::clone(self), live.number());
        let csv = self.store.read(move |_| this.release_csv(number)).await?;
        let proposal = Proposal {
            csv: csv.into(),
            origin: Origin::Config,
            who: None,
            confirm: None,
            expect: Some(number),
        };
        self.publish_and_record(proposal).await.map(Some)
    }

    /// Records in the status how the config was read.
    pub fn note_config(&self, status: ConfigStatus) {
        self.state().config = status;
    }

    /// Records in the status that the config file was refused. The config in force stays.
    pub fn note_refused_config(&self, reason: String) {
        self.state().config.refused = Some(reason);
    }
}
