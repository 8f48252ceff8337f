//! Exports over HTTP: the whole program in the formats of other tools.
//!
//! A whole-program export is made when it is first asked for after a publication, and kept until the next.

use super::conditional::Validators;
use super::encoding::negotiate;
use super::representation::{Representation, settled};
use super::{Body, EntityTag, Problem};
use crate::export::{Exported, program_text, schedule_csv, schedule_json, schedule_xml};
use crate::feed::{Coded, Coding, Effort};
use crate::release::Release;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Response;
use http::request::Parts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A format of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Format {
    /// frab / c3voc, XML.
    Xml,
    /// frab / c3voc, JSON.
    Json,
    /// Our own CSV back out.
    Csv,
    /// For terminals.
    Text,
}

/// The exports of the running release that were asked for.
#[derive(Debug, Default)]
pub(super) struct Exports(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    release: Arc<Release>,
    made: HashMap<Format, Arc<Made>>,
}

#[derive(Debug)]
struct Made {
    exported: Exported,
    gzip: Option<Coded>,
}

impl Exports {
    pub(super) async fn answer(
        &self,
        format: Format,
        release: &Arc<Release>,
        request: &Parts,
        now: DateTime<Utc>,
    ) -> Result<Response<Body>, Problem> {
        let made = match self.known(format, release) {
            Some(made) => made,
            None => self.make(format, release).await?,
        };
        let exported = &made.exported;
        let coding = match &made.gzip {
            Some(_) => negotiate(&request.headers, &[Coding::Gzip]),
            None => Coding::Identity,
        };
        let coded = made.gzip.clone().filter(|_| coding == Coding::Gzip);
        let tag = match &coded {
            Some(coded) => EntityTag::coded(&exported.hash, coded.coding, coded.level),
            None => EntityTag::plain(exported.hash.clone()),
        };
        let representation = Representation {
            media_type: exported.media_type,
            validators: Validators { tag, modified: settled(exported.modified, now) },
            coding,
            body: Box::new(|| coded.map_or_else(|| Bytes::from(exported.bytes.clone()), |coded| coded.bytes)),
            fields: Vec::new(),
        };
        representation.answer(request)
    }

    fn known(&self, format: Format, release: &Arc<Release>) -> Option<Arc<Made>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|known| Arc::ptr_eq(&known.release, release))?.made.get(&format).cloned()
    }

    async fn make(&self, format: Format, release: &Arc<Release>) -> Result<Arc<Made>, Problem> {
        let whole = Arc::clone(release);
        let make = move || {
            let exported = match format {
                Format::Xml => schedule_xml(&whole),
                Format::Json => schedule_json(&whole),
                Format::Csv => schedule_csv(&whole),
                Format::Text => program_text(&whole),
            };
            let gzip = Coded::make(Coding::Gzip, Effort::Best, &exported.bytes);
            Made { exported, gzip }
        };
        let made = tokio::task::spawn_blocking(make).await.map_err(crate::publisher::PublishError::from)?;
        let made = Arc::new(made);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.as_mut().filter(|known| Arc::ptr_eq(&known.release, release)) {
            Some(known) => drop(known.made.insert(format, Arc::clone(&made))),
            None => {
                let made = HashMap::from([(format, Arc::clone(&made))]);
                *known = Some(Known { release: Arc::clone(release), made });
            }
        }
        Ok(made)
    }
}
