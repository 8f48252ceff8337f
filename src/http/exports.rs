//! Exports over HTTP: the whole program in the formats of other tools.
//!
//! A whole-program export is made when it is first asked for after a publication, and kept until the next.

use super::kept::{Ask, Asked, Kept};
use super::queue::Queue;
use super::{Body, Problem};
use crate::export::{Exported, giggity_menu, program_text, schedule_csv, schedule_json, schedule_xml};
use crate::release::Release;
use chrono::{DateTime, Utc};
use http::Response;
use http::request::Parts;
use std::sync::Arc;

/// A format of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// frab / c3voc, XML.
    Xml,
    /// frab / c3voc, JSON.
    Json,
    /// Our own CSV back out.
    Csv,
    /// For terminals.
    Text,
    /// Giggity's menu entry.
    Giggity,
}

impl Format {
    fn make(self, release: &Release) -> Exported {
        match self {
            Self::Xml => schedule_xml(release),
            Self::Json => schedule_json(release),
            Self::Csv => schedule_csv(release),
            Self::Text => program_text(release),
            Self::Giggity => giggity_menu(release),
        }
    }
}

/// Bytes of exports kept at most: all five of a program of 50,000 sessions. Nobody can ask for others, so none drives out another.
const MOST: u64 = 512 * 1024 * 1024;

/// The exports of the running release that were asked for.
#[derive(Debug)]
pub(super) struct Exports(Kept);

impl Default for Exports {
    fn default() -> Self {
        Self(Kept::within(MOST, 5))
    }
}

impl Exports {
    pub(super) async fn answer(
        &self,
        format: Format,
        release: &Arc<Release>,
        request: &Parts,
        now: DateTime<Utc>,
        queue: &Queue,
    ) -> Result<Response<Body>, Problem> {
        let make = move |release: &Release| Ok(format.make(release));
        let asked = Asked { name: format!("{format:?}"), is_kept: true };
        self.0.answer(asked, Ask { release, request, now, queue }, make).await
    }
}
