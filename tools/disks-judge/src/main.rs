//! Opens data directories as the server does and reports their contents: the judge of `tests/disks/run flips`, which
//! would be too slow with a server for each flipped byte.
//!
//! Reads one directory per line from standard input, and answers each with one line: `store` with a digest of every
//! agenda, link, note, release, program and ledger entry; or `refused` or `unreadable` with the store's message. The
//! judge also writes a note and removes it again.

#![allow(clippy::expect_used, reason = "a judge stops by panicking, and its driver says so")]

use callboard::program::Slug;
use callboard::revision::Digest;
use callboard::store::{ReadError, Store, Write};
use std::io::{BufRead, Write as _};
use std::path::Path;

fn main() {
    let conference = Slug::parse("disks").expect("a slug");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a directory");
        let said = match Store::open(Path::new(&line), &conference) {
            Err(error) => format!("refused {error}"),
            Ok(store) => {
                let said = match digest(&store).and_then(|digest| writes(&store).map(|()| digest)) {
                    Ok(digest) => format!("store {digest}"),
                    Err(cause) => format!("unreadable {cause}"),
                };
                store.close();
                said
            }
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", said.replace('\n', " ")).expect("the driver");
    }
}

/// The number of agendas and a digest of all records, in the order in which the store returns them.
fn digest(store: &Store) -> Result<String, String> {
    let failed = |error: ReadError| error.to_string();
    let mut text = String::new();
    let mut agendas = 0;
    for row in store.agendas() {
        let (key, record) = row.map_err(failed)?;
        if store.agenda(&key).map_err(failed)?.as_ref() != Some(&record) {
            return Err("an agenda is another one when it is asked for by its key".to_owned());
        }
        agendas += 1;
        text += &format!("{key:?} {record:?}\n");
    }
    for row in store.links() {
        let (hash, target) = row.map_err(failed)?;
        text += &format!("{hash:?} {target:?}\n");
    }
    for note in ["taken-in", "schedule", "spooled", "freshness"] {
        text += &format!("{note} {:?}\n", store.raw(note).map_err(failed)?);
    }
    for release in store.releases().map_err(failed)? {
        let record = store.release(release.number).map_err(failed)?;
        let program = store.program_csv(release.number).map_err(failed)?;
        text += &format!("{release:?} {record:?} {program:?}\n");
    }
    text += &format!("{:?}", store.ledger().map_err(failed)?);
    Ok(format!("{agendas} {}", Digest::of(text.as_bytes())))
}

/// Checks that the store accepts a write: writes a note and removes it again.
fn writes(store: &Store) -> Result<(), String> {
    let written = store.commit_blocking(vec![Write::raw("disks", [1])]);
    let removal = Write::PutRaw { name: "disks".to_owned(), value: None };
    let written = written.and_then(|()| store.commit_blocking(vec![removal]));
    written.map_err(|error| format!("it takes no write: {error}"))
}
