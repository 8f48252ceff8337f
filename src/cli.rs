//! The command line: what it accepts, where it leads, and which exit code comes back.

mod adopt;
mod agenda;
mod background;
mod backup;
mod check;
mod config_check;
mod control;
mod deliver;
mod descriptors;
mod diff;
mod exit;
mod health;
mod lint;
mod publish;
mod reload;
mod render;
mod replace;
mod restore;
mod secret;
mod serve;
mod settings;
mod systemd;
mod verify;

pub use exit::Exit;

use clap::{Parser, Subcommand};
use settings::{Serving, Settings};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

/// One program.csv in, every attendee's calendar right.
///
/// Without a command it serves the program:
///
///     callboard                                   serves ./program.csv on 127.0.0.1:8080
///     callboard check program.csv                 names every fault, with its line and the remedy
///     callboard render public/                    writes all public feeds as files
///
/// The config is ./config/callboard.toml where there is one, else --config FILE. Without any, only the
/// conference's time zone must be given: --zone America/Los_Angeles.
///
/// Exit codes: 0 done, 1 failed, 64 wrong usage, 65 bad program, 78 bad config.
#[derive(Debug, Parser)]
#[command(name = "callboard", version, verbatim_doc_comment, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serving: Serving,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves pages and feeds (the default command).
    ///
    /// The first start publishes program.csv as release 1. After that a saved file is published by itself;
    /// one with errors changes nothing.
    Serve {
        #[command(flatten)]
        serving: Serving,
    },
    /// Examines the config.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Checks a program file and names every fault, with line, column and what to write instead.
    ///
    /// Exits 65 if there are errors; warnings alone do not stop a publication.
    Check {
        /// The program file; unless given, the config's.
        file: Option<PathBuf>,
        /// For people, or for programs.
        #[arg(long, value_enum, default_value = "human")]
        format: check::Format,
        #[command(flatten)]
        settings: Settings,
    },
    /// Shows what a program file would change: against another file, or against what a server runs.
    ///
    ///     callboard diff old.csv new.csv
    ///     callboard diff new.csv --to https://conf.example.org --organizer-secret-file chair.secret
    #[command(verbatim_doc_comment)]
    Diff {
        /// The old file, or with a server the new one.
        old: PathBuf,
        /// The new file; without it the first is held against what the server runs, blast radius included.
        new: Option<PathBuf>,
        /// For people, or for programs.
        #[arg(long, value_enum, default_value = "human")]
        format: check::Format,
        #[command(flatten)]
        target: publish::Target,
        #[command(flatten)]
        settings: Settings,
    },
    /// Publishes a program file on a running server.
    ///
    /// Exits 65 if the file has errors. A release that touches too much of the program is held: look at the
    /// changes that it prints, then say --confirm.
    Publish {
        /// The program file; unless given, the config's, such as the watched one that is held.
        file: Option<PathBuf>,
        #[command(flatten)]
        options: publish::Options,
        #[command(flatten)]
        target: publish::Target,
        #[command(flatten)]
        settings: Settings,
    },
    /// Erases the text of a withdrawn session from every release that a server keeps.
    ///
    /// Take the session's line out of the program file too, or the next upload brings it back. Backups keep
    /// what they hold.
    Erase {
        /// The session's id.
        id: String,
        #[command(flatten)]
        target: publish::Target,
    },
    /// Writes the program that a server runs: to FILE, or to standard output.
    Pull {
        /// The file to replace.
        file: Option<PathBuf>,
        #[command(flatten)]
        target: publish::Target,
    },
    /// Makes, lists and removes the secrets with which organizers publish over HTTP and sign in.
    ///
    /// The file holds lines `LABEL sha256:HEX` and comments, and no secret, so everybody may read it. A running
    /// server reads it again on SIGHUP (`systemctl reload`).
    Secret {
        #[command(subcommand)]
        command: secret::Command,
    },
    /// Sends the webhook calls that the server left in the spool, and exits 1 if some were given up.
    ///
    /// A call that fails is tried again after 1, 5, 15 minutes and so on up to a day, then kept under
    /// spool/undelivered.
    Deliver {
        /// Stay, and send new calls as they come.
        #[arg(long)]
        forever: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Names what in a feed would break in which calendar client, with line, rule and remedy.
    ///
    /// Reads iCalendar, or a frab schedule in XML. Exits 65 if something would break.
    Lint {
        /// The file, or - for standard input.
        file: PathBuf,
        /// For people, or for programs.
        #[arg(long, value_enum, default_value = "human")]
        format: check::Format,
    },
    /// Prints a shared agenda as a table, by its read link, with clashes and what is cancelled.
    ///
    ///     callboard agenda https://conf.example.org/agendas/cbr_…
    #[command(verbatim_doc_comment)]
    Agenda {
        /// The link: of the page, or of its calendar in .ics or .jcal
        link: String,
    },
    /// Turns a foreign program into a program.csv on standard output, and says what did not map.
    ///
    /// Reads iCalendar (pretalx, Indico, Sched) and frab schedules in XML or JSON:
    ///
    ///     callboard import schedule.xml > program.csv
    #[command(verbatim_doc_comment)]
    Import {
        /// The file.
        file: PathBuf,
        /// The zone of the program's civil times, where the file does not say it
        #[arg(long, value_name = "ZONE")]
        zone: Option<String>,
    },
    /// Says whether the server is ready; exits 0 if it is, and 1 with the reason if not.
    ///
    /// Asks the operator's listener where there is one, else the control socket, else the public listener.
    Health {
        #[command(flatten)]
        serving: Serving,
    },
    /// Writes everything that the server keeps to FILE, whether it runs or not.
    ///
    /// A running server is asked through the socket control.sock in its runtime directory, else in its data
    /// directory. FILE is replaced only once the new backup is whole. A data directory on a read-only mount is read
    /// through a copy in $TMPDIR.
    ///
    ///     callboard backup /var/backups/callboard     one file a day, old ones are removed
    ///     callboard backup - | age -r KEY > backup.age
    #[command(verbatim_doc_comment)]
    Backup {
        /// The file to write; a directory, for one file a day in it; or - for standard output.
        file: PathBuf,
        /// The days for which a directory keeps backups [default: the config's backup.keep_days]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
        keep: Option<u32>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Puts a backup in the place of what the data directory holds; the server must not run.
    ///
    /// What calendars may have seen since the backup is never given out again with other content: all sequences
    /// and numbers are lifted over the high-water mark of the data directory, or, where that is gone, over
    /// what can have been given out in the meantime. What was there is kept in DIR/replaced.
    Restore {
        /// The backup, or - for standard input: it is read to its end before anything is replaced.
        file: PathBuf,
        /// Nothing was published or picked since the backup: where there is no high-water mark, lift nothing
        #[arg(long)]
        latest: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Reads all that the data directory holds, or a backup, and names what is damaged.
    ///
    /// The server must not run; a running one does it by itself at each start and once a day. Exits 1 if
    /// something is damaged.
    Verify {
        /// A backup to read instead.
        file: Option<PathBuf>,
        /// Make good from the other copy what is damaged
        #[arg(long, conflicts_with = "file")]
        repair: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Writes all public feeds as files, for a static host.
    ///
    /// Stamps come from the ledger of the data directory where there is a release in it, else from a
    /// ledger.json that is kept in DIR: unchanged input writes the same bytes.
    Render {
        /// The directory to write to.
        dir: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Says what the next start would do with this config, organizer secrets, program and data directory.
    ///
    /// Changes nothing, and works beside a running server: the start is tried on a copy of the data directory, made
    /// in $TMPDIR. Exits 78 if the config is wrong or does not fit the data directory, 65 if the program has errors.
    Check {
        #[command(flatten)]
        serving: Serving,
    },
}

/// Its definition, for manual pages and completions.
pub fn command() -> clap::Command {
    use clap::CommandFactory;
    Arguments::command()
}

/// Runs a command line, the program's name included.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes; clap prints them to standard output.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return exit;
        }
    };
    let command = arguments.command.unwrap_or(Command::Serve { serving: arguments.serving });
    let result = match command {
        Command::Serve { serving } => serve::serve(&serving),
        Command::Config { command: ConfigCommand::Check { serving } } => config_check::check(&serving),
        Command::Check { file, format, settings } => check::check(file, format, settings),
        Command::Diff { old, new: Some(new), format, settings, .. } => {
            diff::compare(&old, &new, format, &settings)
        }
        Command::Diff { old, new: None, format, target, .. } => {
            publish::preview(&old, &target, format == check::Format::Json)
        }
        Command::Publish { file, options, target, settings } => {
            publish::file_of(file, &settings).and_then(|file| publish::publish(&file, &target, &options))
        }
        Command::Erase { id, target } => publish::erase(&id, &target),
        Command::Pull { file, target } => publish::pull(file.as_deref(), &target),
        Command::Secret { command } => secret::run(&command),
        Command::Lint { file, format } => lint::examine(&file, format),
        Command::Agenda { link } => agenda::show(&link),
        Command::Import { file, zone } => adopt::take_in(&file, zone.as_deref()),
        Command::Deliver { forever, settings } => deliver::deliver(&settings, forever),
        Command::Health { serving } => health::health(&serving),
        Command::Backup { file, keep, settings } => backup::back_up(&file, keep, &settings),
        Command::Restore { file, latest, settings } => restore::restore(&file, latest, &settings),
        Command::Verify { file: Some(file), .. } => verify::backup(&file),
        Command::Verify { file: None, repair, settings } => verify::store(&settings, repair),
        Command::Render { dir, settings } => render::render(&dir, settings),
    };
    result.unwrap_or_else(|failure| {
        let _ = writeln!(std::io::stderr().lock(), "callboard: {failure}");
        failure.exit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn exit(line: &str) -> Exit {
        run(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn wrong_usage_and_missing_files_have_their_codes() {
        assert_eq!(exit("callboard --bogus"), Exit::Usage);
        assert_eq!(exit("callboard check --zone UTC no-such-file.csv"), Exit::BadProgram);
        assert_eq!(exit("callboard check --zone PDT"), Exit::BadConfig);
        assert_eq!(exit("callboard check --config no-such-file.toml"), Exit::BadConfig);
        assert_eq!(exit("callboard --version"), Exit::Done);
    }
}
