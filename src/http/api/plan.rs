//! Ranks, busy times and the suggested choice through the API.

use super::agenda::{AgendaChange, AgendaRequest, busy_document};
use super::json;
use crate::agenda::{Busy, Cost, LeftOut, LeftOutReason, PickWeight, Preferences, Suggestion, suggest};
use crate::http::Problem;
use crate::http::problem::InvalidValue;
use crate::http::reply::{self, Answer};
use crate::program::{Rank, SessionId, UnknownWord};
use crate::revision::Entry;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct BusyBody {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    #[serde(default)]
    label: String,
}

impl AgendaRequest<'_> {
    /// The rank in the body of a pick, if there is one.
    pub(super) fn rank(&self) -> Result<Option<Rank>, Problem> {
        if self.body.is_empty() {
            return Ok(None);
        }
        let mut object = json::object(&self.head.headers, &self.body)?;
        let rank = object.text("rank");
        object.done()?;
        let wrong = |error: UnknownWord| Problem::Values(vec![InvalidValue::new("rank", error.to_string())]);
        rank.map(|rank| rank.parse().map_err(wrong)).transpose()
    }

    pub(in crate::http) async fn replace_busy(self) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let (mut busy, mut faults) = (Vec::new(), Vec::new());
        for (index, value) in json::values(&self.head.headers, &self.body)?.into_iter().enumerate() {
            match serde_json::from_value(value) {
                Ok(BusyBody { start, end, label }) if start < end => busy.push(Busy { start, end, label }),
                Ok(_) => faults.push(InvalidValue::new(format!("[{index}]"), "write an end after the start")),
                Err(_) => faults.push(InvalidValue::new(
                    format!("[{index}]"),
                    "write {\"start\": \"2025-03-25T17:00:00Z\", \"end\": \"2025-03-25T18:00:00Z\"}",
                )),
            }
        }
        if !faults.is_empty() {
            return Err(Problem::Values(faults));
        }
        let owned = self.agendas.replace_busy(owned, expect, &busy).await?;
        Ok(self.tagged(reply::json(StatusCode::OK, &self.document(&owned)), &owned))
    }

    /// A choice without overlaps. Changes nothing.
    pub(in crate::http) async fn plan(self) -> Answer {
        let owned = self.open()?;
        let (ranks, busy) = (owned.ranks(), owned.busy());
        let plan = || {
            let preferences = Preferences { picks: &owned.record.picks, ranks: &ranks, busy: &busy };
            self.represent_hashed(plan_document(self.release.number(), &suggest(&preferences, &self.release)))
        };
        self.queue.make(plan).await?
    }
}

fn plan_document(release: u64, suggestion: &Suggestion<'_>) -> String {
    let document = json!({
        "release": release,
        "chosen": ids(&suggestion.chosen),
        "weight": weight_document(suggestion.weight),
        "exact": suggestion.is_exact,
        "left_out": suggestion.left_out.iter().map(left_out_document).collect::<Vec<_>>(),
        "aside": ids(&suggestion.aside),
    });
    document.to_string()
}

fn left_out_document(left: &LeftOut<'_>) -> Value {
    let (reason, repeat, cost) = match &left.reason {
        LeftOutReason::Busy(_) => ("busy", None, None),
        LeftOutReason::Repeat(other, cost) => ("repeat", Some(&other.session.id), Some(cost)),
        LeftOutReason::Outweighed(cost) => ("outweighed", None, Some(cost)),
    };
    let busy = match &left.reason {
        LeftOutReason::Busy(busy) => Some(busy_document(busy)),
        _ => None,
    };
    json!({
        "session": left.entry.session.id,
        "reason": reason,
        "busy": busy,
        "repeat_of": repeat,
        "cost": cost.map(cost_document),
        "again": ids(&left.again),
        "instead": ids(&left.instead),
    })
}

fn cost_document(cost: &Cost<'_>) -> Value {
    json!({ "price": weight_document(cost.price), "goes": ids(&cost.goes), "comes": ids(&cost.comes) })
}

fn weight_document(weight: PickWeight) -> Value {
    json!({ "must": weight.musts, "want": weight.wants, "maybe": weight.maybes })
}

fn ids<'a>(entries: &[&'a Entry]) -> Vec<&'a SessionId> {
    entries.iter().map(|entry| &entry.session.id).collect()
}
