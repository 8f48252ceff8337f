//! The tools of the benchmark beside wrk: baselines of the crates alone, a store with many agendas, and clients that
//! pick. Each command prints one JSON object.

mod agendas;
mod appends;
mod crates;
mod mailboxes;
mod picks;
mod plans;
mod timing;

use std::error::Error;
use std::io::Write;

const USAGE: &str = "usage: bench-tools COMMAND
  crates CSV DATA DIR             parse CSV with csv, render it with icalendar, write what the store DATA holds in one batch
  agendas DATA SLUG COUNT TOKENS  write COUNT agendas of 10 picks, and the read tokens of some to the file TOKENS
  mailboxes DATA SLUG COUNT ID    write COUNT agendas with the pick ID, each with a mailbox
  scan DATA                       open a store with sled alone, and read every record
  appends FILE BYTES SECONDS      append and fdatasync
  picks ADDRESS CLIENTS SECONDS   clients with an agenda of 10 picks each, who pick and unpick, one connection each
  suggest PICKS ROUNDS            suggest a choice among PICKS sessions";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["crates", csv, data, dir] => crates::measure(csv, data, dir)?,
        ["agendas", data, slug, count, tokens] => agendas::write(data, slug, count.parse()?, tokens)?,
        ["mailboxes", data, slug, count, id] => mailboxes::write(data, slug, count.parse()?, id)?,
        ["scan", data] => agendas::scan(data)?,
        ["appends", file, bytes, seconds] => appends::measure(file, bytes.parse()?, seconds.parse()?)?,
        ["picks", address, clients, seconds] => picks::measure(address, clients.parse()?, seconds.parse()?)?,
        ["suggest", picks, rounds] => plans::measure(picks.parse()?, rounds.parse()?)?,
        _ => return Err(USAGE.into()),
    };
    Ok(writeln!(std::io::stdout(), "{result}")?)
}
