//! The conference that ships with the server, and conferences from a config's text.

use callboard::config::{Config, Overrides};
use callboard::fixtures::{PUBLISHED, at};
use callboard::import::import;
use callboard::program::Conference;
use callboard::release::Release;
use callboard::revision::Ledger;
use std::path::Path;
use std::sync::Arc;

/// The conference of a config's text, with links to `https://conf.example`.
pub(crate) fn conference(config: &str) -> Conference {
    let overrides = Overrides { public_url: Some("https://conf.example".to_owned()), ..Overrides::default() };
    let config = Config::parse(Some(config), overrides).unwrap();
    config.conference("127.0.0.1:8080".parse().unwrap())
}

/// Release 1 of the repository's `program.csv` under the shipped config.
pub(crate) fn shipped() -> Release {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = std::fs::read_to_string(root.join("config/callboard.toml")).unwrap();
    let conference = Arc::new(conference(&config));
    let csv = std::fs::read(root.join("program.csv")).unwrap();
    let program = import(&csv, &conference).program.expect("a program without errors");
    Release::prepare(program, &Ledger::empty(&conference.uid_domain), at(PUBLISHED)).release
}
