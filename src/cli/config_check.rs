//! `callboard config check`: reports what the next start would do.
//!
//! It runs the start itself on a [`Snapshot`] of the data directory, so its result cannot differ from a real start.
//! Nothing is changed, and a running server is not disturbed.

use super::exit::{Exit, Failure};
use super::identity;
use super::replica;
use super::settings::Serving;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::Secrets;
use crate::import::{ProgramFile, counted};
use crate::program::Conference;
use crate::publisher::{
    AttemptResult, PublishError, Publisher, Setup, StartError, Started, changes_as_text, describe_changes,
    join_reasons,
};
use crate::store::{ReadError, Snapshot, Store, StoreOptions};
use std::io::{ErrorKind, Write};
use std::sync::Arc;
use tracing::subscriber::NoSubscriber;

pub(super) fn check(serving: &Serving) -> Result<Exit, Failure> {
    let config = serving.config()?;
    match serving.settings.config_file() {
        Some(file) => say("config", &format!("{}: read", file.display())),
        None => say("config", "no file, only defaults and flags"),
    }
    if let Some(warning) = config.language_warning() {
        say("language", &warning);
    }
    let database = replica::database(&config)?;
    replica::check_origin(&config, database.as_ref())?;
    if let Some(database) = database {
        say("database", &format!("{database}, which this check does not connect to"));
    }
    let mut exit = secrets(&config);
    webhooks(&config);
    for line in identity::describe(&config) {
        say("identity", &line);
    }
    config.walking_warnings().iter().for_each(|warning| say("walking", warning));
    exit = worse(exit, program(&config));
    let options = StoreOptions { new_conference: serving.new_conference, ..StoreOptions::default() };
    // The start on the copy would log publications that do not happen.
    let _quiet = tracing::subscriber::set_default(NoSubscriber::new());
    let snapshot = Snapshot::of(&config.data, config.slug(), options)
        .map_err(|error| Failure::new(Exit::of_opening(&error), &error))?;
    let store = snapshot.store();
    let before = store.release_number().map_err(unreadable)?;
    match before {
        0 => say("data", &format!("{}: no release yet", config.data.display())),
        number => say("data", &format!("{}: release {number} of {}", config.data.display(), config.slug())),
    }
    let setup = Setup {
        file: config.program.clone(),
        settings: config.publishing.clone(),
        webhooks: Vec::new(),
        mail: None,
        push: None,
        source: config.source.clone(),
        spool: config.data.join("no-spool"), // the check moves nothing
        inspect: crate::doctor::inspect,
    };
    let clock = Clock::wall();
    let started = Publisher::start(store.clone(), conference(&config, store, before)?, setup, clock);
    match started {
        Ok(Started { publisher, .. }) => Ok(worse(exit, next_start(store, &publisher, before)?)),
        Err(error) => {
            say("next start", &format!("fails: {}", Failure::new(Exit::Failed, &error)));
            Ok(worse(
                exit,
                match error {
                    StartError::BadProgram(_) | StartError::NoProgram { .. } => Exit::BadProgram,
                    StartError::UidDomain { .. } => Exit::BadConfig,
                    _ => Exit::Failed,
                },
            ))
        }
    }
}

/// The conference as a start would have it. Without `public_url` and a fixed port, only a start knows the origin of
/// links; then the live release's origin is used.
fn conference(config: &Config, store: &Store, live: u64) -> Result<Conference, Failure> {
    let mut conference = config.conference(config.listen);
    let is_known = config.listen_is_set && config.listen.port() != 0;
    if config.public_url.is_none()
        && !is_known
        && let Some(record) = store.release(live).map_err(unreadable)?
    {
        conference.public_url = record.conference.public_url;
    }
    Ok(conference)
}

fn secrets(config: &Config) -> Exit {
    let Some(file) = &config.organizer_secret_file else {
        say("secrets", "no file: nobody can publish over HTTP");
        return Exit::Done;
    };
    match Secrets::open(file).map(|secrets| secrets.count()) {
        Ok(0) => {
            say("secrets", &format!("{}: none, so nobody can publish over HTTP", file.display()));
            Exit::Done
        }
        Ok(found) => {
            say("secrets", &format!("{}: {}", file.display(), counted(found, "secret")));
            Exit::Done
        }
        Err(error) => {
            say("secrets", &error.to_string());
            Exit::BadConfig
        }
    }
}

/// `callboard deliver` may read these files as another user, so an unreadable one is only reported.
fn webhooks(config: &Config) {
    for webhook in &config.webhooks {
        // The rest of the address may be secret.
        let origin = webhook.url.origin().ascii_serialization();
        match std::fs::File::open(&webhook.secret_file) {
            Ok(_) => say("webhook", &format!("{origin}: its secret file exists")),
            Err(error) => {
                say(
                    "webhook",
                    &format!("{origin}: {} cannot be read: {error}", webhook.secret_file.display()),
                );
            }
        }
    }
}

fn program(config: &Config) -> Exit {
    let name = config.program.display();
    let contents = match ProgramFile::read(&config.program) {
        Ok(contents) => contents,
        Err(error) if error.kind() == ErrorKind::NotFound && config.source.is_some() => {
            say("program", &format!("{name}: no file, so the program comes from the followed source alone"));
            return Exit::Done;
        }
        Err(error) => {
            say("program", &format!("{name} cannot be read: {error}"));
            return Exit::BadProgram;
        }
    };
    let report = contents.import(&Arc::new(config.conference(config.listen)));
    let warnings = counted(report.warning_count(), "warning");
    match &report.program {
        Some(program) => {
            say("program", &format!("{name}: {}, {warnings}", counted(program.order().len(), "session")));
            config.unknown_rooms(program).iter().for_each(|warning| say("walking", warning));
            Exit::Done
        }
        None => {
            let errors = counted(report.error_count(), "error");
            say("program", &format!("{name}: {errors}, {warnings}; `callboard check` shows them"));
            Exit::BadProgram
        }
    }
}

/// The release that the start published, and the outcome for the program file after it.
fn next_start(store: &Store, publisher: &Arc<Publisher>, before: u64) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut changes_nothing = true;
    for number in before + 1..=store.release_number().map_err(unreadable)? {
        changes_nothing = false;
        print_release(store, publisher, number)?;
    }
    let status = publisher.status();
    if let Some(held) = status.held.newest() {
        changes_nothing = false;
        let reasons = join_reasons(&held.reasons);
        say("next start", &format!("HOLDS the config until `callboard publish --confirm`: {reasons}"));
        print(&changes_as_text(&held.changes, false));
    }
    match status.last.map(|attempt| attempt.verdict) {
        Some(AttemptResult::Refused { errors }) => {
            changes_nothing = false;
            exit = Exit::BadConfig;
            let errors = counted(errors, "error");
            say("next start", &format!("REFUSES the config: the live program has {errors} under it"));
        }
        Some(AttemptResult::Failed { reason }) => {
            changes_nothing = false;
            exit = Exit::BadConfig;
            say("next start", &format!("cannot publish the config: {reason}"));
        }
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Failed, &error))?;
    match runtime.block_on(publisher.publish_file()) {
        None => {}
        Some(Ok(publication)) if publication.is_new => {
            changes_nothing = false;
            print_release(store, publisher, publication.release.number())?;
        }
        Some(Ok(_)) => {}
        Some(Err(PublishError::Held(held))) => {
            changes_nothing = false;
            let reasons = join_reasons(&held.verdict.reasons);
            say(
                "next start",
                &format!("HOLDS the program file until `callboard publish --confirm`: {reasons}"),
            );
            print(&changes_as_text(&describe_changes(&held.changes, held.zone), false));
        }
        Some(Err(PublishError::Refused(_))) => {
            changes_nothing = false;
            exit = worse(exit, Exit::BadProgram);
            say("next start", "REFUSES the program file; the live release stays");
        }
        Some(Err(error)) => {
            changes_nothing = false;
            exit = worse(exit, Exit::Failed);
            say(
                "next start",
                &format!("cannot publish the program file: {}", Failure::new(Exit::Failed, &error)),
            );
        }
    }
    if publisher.file_is_stale() {
        say("next start", "ignores the program file, which differs from the live release");
    } else if changes_nothing {
        say("next start", "changes nothing");
    }
    Ok(exit)
}

fn print_release(store: &Store, publisher: &Publisher, number: u64) -> Result<(), Failure> {
    let Some(record) = store.release(number).map_err(unreadable)? else { return Ok(()) };
    let cause = match record.origin {
        crate::store::Origin::First => "the program file, as the first one",
        crate::store::Origin::Config => "the config",
        crate::store::Origin::Upgrade => "this version of Callboard, which renders sessions differently",
        _ => "the program file",
    };
    let changes = counted(record.changes.len(), "change");
    say("next start", &format!("publishes release {number} for {cause}: {changes}"));
    if record.origin != crate::store::Origin::First {
        print(&changes_as_text(&describe_changes(&record.changes, publisher.conference().zone), false));
    }
    Ok(())
}

/// The more important of two exit codes: a bad config, then a bad program, then a failure.
fn worse(a: Exit, b: Exit) -> Exit {
    [Exit::BadConfig, Exit::BadProgram, Exit::Failed]
        .into_iter()
        .find(|exit| [a, b].contains(exit))
        .unwrap_or(Exit::Done)
}

fn unreadable(error: ReadError) -> Failure {
    Failure::new(Exit::Failed, &error)
}

fn say(what: &str, text: &str) {
    print(&format!("{what:<12}{text}\n"));
}

fn print(text: &str) {
    let _ = write!(std::io::stdout().lock(), "{}", crate::program::printable(text));
}
