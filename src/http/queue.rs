//! Which requests wait for their turn, and in which queue.
//!
//! What is made on request costs milliseconds, so it waits where others are being made. What lies ready in memory
//! (feeds, their 304s, the pages of a publication, what a cache holds) never does, nor what waits for a disk. Where only
//! part of an answer is made, or only if no cache has it, the handler takes the turn itself.

mod turn;

pub(super) use turn::{Queue, Turn};

use super::Problem;
use super::route::{Api, Endpoint};
use super::web::Web;
use crate::publisher::Published;
use http::request::Parts;
use std::num::NonZero;
use std::time::Duration;

/// How long what is made within milliseconds waits at most.
const SHORTLY: Duration = Duration::from_millis(50);

/// The same for what looks through a whole program, which may take a while in a large one.
pub(super) const LATER: Duration = Duration::from_secs(2);

/// The queues. In each, as many answers are made at once as there are processors.
#[derive(Debug)]
pub(super) struct Queues {
    /// For what takes milliseconds.
    pub(super) short: Queue,
    /// For what looks through the whole program.
    pub(super) whole: Queue,
}

impl Default for Queues {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { short: Queue::new(processors, SHORTLY), whole: Queue::new(processors, LATER) }
    }
}

impl Queues {
    /// Waits for a turn where what is behind an endpoint is made on request; [`Problem::Overloaded`] where that
    /// would take too long.
    pub(super) async fn turn(
        &self,
        endpoint: &Endpoint,
        request: &Parts,
        published: &Published,
    ) -> Result<Option<Turn<'_>>, Problem> {
        let queue = match endpoint {
            Endpoint::Feed(_) | Endpoint::TeamFeed(_) => &self.short,
            Endpoint::Web(Web::Program | Web::Session(_) | Web::Track(_) | Web::Speaker(_)) => {
                let asked = request.uri.path_and_query().map_or("/", |asked| asked.as_str());
                if published.pages.page(asked).is_some() {
                    return Ok(None);
                }
                &self.short
            }
            Endpoint::Web(
                Web::Changes
                | Web::Reference
                | Web::Subscribe(_)
                | Web::SharedAgenda(_)
                | Web::Team(_)
                | Web::Export { .. },
            )
            | Endpoint::Api(Api::Shared(_) | Api::Export) => &self.short,
            Endpoint::Dav(_) => &self.whole,
            // The feed itself is joined; what lies ready is converted in a turn that the conversion takes.
            Endpoint::Jcal(feed) => match **feed {
                Endpoint::Feed(_) if request.uri.query().is_none() => return Ok(None),
                Endpoint::AgendaFeed(_) | Endpoint::SessionFeed(_) => return Ok(None),
                _ => &self.whole,
            },
            Endpoint::AgendaFeed(_)
            | Endpoint::Reading(_)
            | Endpoint::Export(_)
            | Endpoint::Changes(_)
            | Endpoint::SessionFeed(_)
            | Endpoint::Api(_)
            | Endpoint::Organizer(_)
            | Endpoint::Web(_) => return Ok(None),
        };
        queue.turn().await.map(Some)
    }

    /// How many requests were turned away.
    pub(super) fn turned_away(&self) -> u64 {
        self.short.refused() + self.whole.refused()
    }
}
