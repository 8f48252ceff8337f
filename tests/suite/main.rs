//! All integration tests, as one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test fails by panicking, and says why on its output"
)]

mod adoption;
mod architecture;
mod cases;
mod corpus;
mod crowds;
mod database;
mod details;
mod docs;
mod edges;
mod exchange;
mod exports;
mod fuzz;
mod golden;
mod histories;
mod http;
mod imports;
mod mails;
mod operations;
mod organizer_secrets;
mod publishing;
mod sample;
mod store;
mod systemd;
#[expect(clippy::duplicate_mod, reason = "the targets are a crate of their own too, with the same fixture")]
#[path = "../fuzz/targets/all.rs"]
mod targets;
mod truth;
mod web;
mod zones;
