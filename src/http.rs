//! HTTP: one function, `respond`, turns a request into a response and never fails.
//!
//! Owns the pipeline, the route table and everything that RFC 9110 to 9112 say about a request, one file per
//! feature. It knows neither sockets nor how feeds are made. Invariant: no token, query or body reaches a log.
//!
//! ```text
//! pace -> host, codings -> route -> method -> body -> queue -> handler -> conditions -> class fields -> compression -> HEAD -> access log
//! ```

mod access;
pub mod agendas;
mod allowance;
mod api;
mod app;
mod body;
mod browser;
mod changes;
mod compression;
pub mod conditional;
mod context;
mod dav;
mod etag;
mod exports;
mod feeds;
mod jcal;
mod metrics;
pub mod negotiation;
mod operator;
mod organizer;
mod pace;
mod policy;
mod position;
mod problem;
mod query;
mod queue;
mod render_cache;
mod reply;
mod request_body;
mod request_head;
mod route;
mod teams;
#[cfg(test)]
mod test_app;
mod web;

pub use allowance::Allowances;
pub use app::{App, Parts};
pub use body::{Body, Stream};
pub use etag::{EntityTag, SentTag, Tags};
pub use metrics::Metrics;
pub use operator::{Backups, Operator};
pub use organizer::{Secrets, SecretsError};
pub use problem::{InvalidValue, Problem};
pub use query::ParameterError;
pub use route::routes;
