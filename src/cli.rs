//! The command line: its arguments, the command behind each, and the exit codes.

mod agenda;
mod background;
mod backup;
mod check;
mod config_check;
mod control;
mod deliver;
mod exit;
mod follow;
mod health;
mod identity;
mod import;
mod moving;
mod publish;
mod reload;
mod render;
mod replace;
mod replica;
mod secret;
mod serve;
mod settings;
mod signals;
mod systemd;

pub use exit::Exit;

use clap::{Parser, Subcommand};
use moving::Direction;
use settings::{Serving, Settings};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

/// One program.csv in, every attendee's calendar right.
///
/// Without a command it serves the program:
///
///     callboard                                   serves ./program.csv on 127.0.0.1:8080
///     callboard check program.csv                 lists every fault, with its line and the remedy
///     callboard render public/                    writes all public feeds as files
///
/// The config is --config FILE, or else ./config/callboard.toml if it exists. Without a config, only the
/// conference's time zone is required: --zone America/Los_Angeles.
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
    /// The first start publishes program.csv as release 1. After that, every saved file is published; a file with
    /// errors changes nothing.
    Serve {
        #[command(flatten)]
        serving: Serving,
    },
    /// Checks the config.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Checks a program file and lists every fault, with line, column and what to write instead.
    ///
    /// Exits 65 if there are errors. Warnings do not prevent a publication.
    Check {
        /// The program file [default: the config's program]
        file: Option<PathBuf>,
        /// The output: text, or JSON for programs
        #[arg(long, value_enum, default_value = "human")]
        format: check::ReportFormat,
        #[command(flatten)]
        settings: Settings,
    },
    /// Shows the changes that a program file would make to another file, or to a server's live program.
    ///
    ///     callboard diff old.csv new.csv
    ///     callboard diff new.csv --to https://conf.example.org --organizer-secret-file chair.secret
    #[command(verbatim_doc_comment)]
    Diff {
        /// The old file; with --to, the new one
        old: PathBuf,
        /// The new file; without it, the first file is compared with the server's live program and agendas
        new: Option<PathBuf>,
        /// The output: text, or JSON for programs
        #[arg(long, value_enum, default_value = "human")]
        format: check::ReportFormat,
        #[command(flatten)]
        target: publish::PublishTarget,
        #[command(flatten)]
        settings: Settings,
    },
    /// Publishes a program file on a running server.
    ///
    /// Exits 65 if the file has errors. A release that touches too much of the program is held: read the printed
    /// changes, then publish with --confirm.
    Publish {
        /// The program file [default: the config's program, for example the watched file that is held]
        file: Option<PathBuf>,
        #[command(flatten)]
        options: publish::PublishOptions,
        #[command(flatten)]
        target: publish::PublishTarget,
        #[command(flatten)]
        settings: Settings,
    },
    /// Erases the text of a withdrawn session from every release that a server stores.
    ///
    /// Remove the session's row from the program file too, or the next upload brings it back. Backups still have
    /// the text.
    Erase {
        /// The session's id.
        id: String,
        #[command(flatten)]
        target: publish::PublishTarget,
    },
    /// Writes a server's live program to FILE or to standard output.
    Pull {
        /// The file to replace
        file: Option<PathBuf>,
        #[command(flatten)]
        target: publish::PublishTarget,
    },
    /// Adds, lists and removes the secrets with which organizers publish over HTTP and sign in.
    ///
    /// The secrets file holds lines `LABEL sha256:HEX` and comments but no secret, so it may be world-readable. A
    /// running server reads it again on SIGHUP (`systemctl reload`).
    Secret {
        #[command(subcommand)]
        command: secret::SecretCommand,
    },
    /// Sends the deliveries that wait on the server, and keeps running.
    ///
    /// The server wakes it through its control socket as soon as a release must be sent. A failed delivery is retried
    /// after 2, 4, 8 seconds and so on. After two days a delivery to a webhook is given up; --retry tries it again.
    Deliver {
        #[command(flatten)]
        options: deliver::Options,
        #[command(flatten)]
        settings: Settings,
    },
    /// Follows a program that is kept elsewhere, and keeps running.
    ///
    /// Reads the address of [source] in the config at intervals, merges what changed there into the live program, and
    /// publishes it through the server's guard. Edits that were made here stay. The formats are those of `callboard import`.
    ///
    /// With --once: exits 0 if the live program has everything that the source sets, 1 if the source or the server did not
    /// answer or the release is held, and 65 if the source's program is incomplete or has errors.
    Follow {
        #[command(flatten)]
        options: follow::Options,
        #[command(flatten)]
        settings: Settings,
    },
    /// Lists the parts of a feed that break calendar clients, with line, rule and remedy.
    ///
    /// Reads iCalendar, or a frab schedule in XML. Exits 65 if something breaks a client.
    Lint {
        /// The file, or - for standard input
        file: PathBuf,
        /// The output: text, or JSON for programs
        #[arg(long, value_enum, default_value = "human")]
        format: check::ReportFormat,
    },
    /// Prints a shared agenda as a table, with overlaps and cancelled sessions marked.
    ///
    ///     callboard agenda https://conf.example.org/agendas/cbr_…
    #[command(verbatim_doc_comment)]
    Agenda {
        /// The read link of the page, or of its calendar in .ics or .jcal
        link: String,
    },
    /// Converts a foreign program to program.csv on standard output, and lists everything that could not be
    /// converted.
    ///
    /// Reads iCalendar (pretalx, Indico, Sched) and xCal, frab schedules in XML and JSON, the JSON of pretalx, Sessionize and
    /// Indico, and spreadsheets as CSV:
    ///
    ///     callboard import schedule.xml > program.csv
    ///     curl -s https://conf.example.org/all.ics | callboard import - --zone Europe/Berlin > program.csv
    ///     callboard import talks.csv --zone Europe/Berlin --map "Slot begin"=start > program.csv
    ///
    /// With --write-config, a first config for the conference is written beside it:
    ///
    ///     callboard import schedule.json --write-config callboard.toml > program.csv
    ///
    /// With --onto, the program is merged into a program file: what changed in the source since the last import is
    /// changed in the file, your edits stay, and values of the source that an edit hides are listed as conflicts.
    /// Sessions that left the source become cancelled. FILE.source keeps what the source set.
    ///
    ///     callboard import schedule.xml --onto program.csv
    #[command(verbatim_doc_comment)]
    Import {
        #[command(flatten)]
        options: import::Options,
    },
    /// Tells whether the server is ready: exits 0 if it is, else 1 with the reason.
    ///
    /// Asks the operator's listener if one is configured, else the control socket, else the public listener.
    Health {
        #[command(flatten)]
        serving: Serving,
    },
    /// Makes the running server read its config, organizer secrets and program file again, and waits until that is done.
    ///
    /// Exits 78 if the server refuses the config or a line of the secrets; the log and this command say why. SIGHUP starts
    /// the same reload, but nobody waits for it.
    Reload {
        #[command(flatten)]
        settings: Settings,
    },
    /// Writes a backup of the data directory to FILE, whether the server runs or not.
    ///
    /// A running server sends the backup through the socket control.sock in its runtime directory or data
    /// directory. FILE is replaced only once the new backup is complete. If the data directory is on a read-only
    /// mount, a copy in $TMPDIR is read.
    ///
    ///     callboard backup /var/backups/callboard     one file a day; removes old ones
    ///     callboard backup - | age -r KEY > backup.age
    #[command(verbatim_doc_comment)]
    Backup {
        /// The file to write; a directory, for one file a day in it; or - for standard output
        file: PathBuf,
        /// The days for which backups in a directory are kept [default: the config's backup.keep_days]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
        keep: Option<u32>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Replaces the contents of the data directory by a backup; the server must be stopped.
    ///
    /// Calendars may have seen later releases than the backup holds. So all sequences and numbers continue above
    /// the high-water mark of the data directory or, if that is lost, above an upper bound from the elapsed time.
    /// The replaced data is moved to DIR/replaced.
    Restore {
        /// The backup, or - for standard input, which is read to its end before anything is replaced
        file: PathBuf,
        /// Leave all numbers if there is no high-water mark: nothing was published or picked since the backup
        #[arg(long)]
        latest: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Moves the data directory into a PostgreSQL database that several replicas share, or the log out of it.
    ///
    /// All servers must be stopped. The data directory stays, as this replica's copy or as a store of its own.
    Move {
        /// Make the data directory the log of its conference in an empty database
        #[arg(long, required_unless_present = "from_database")]
        to_database: bool,
        /// Make the log in the database a store in the data directory
        #[arg(long, conflicts_with = "to_database")]
        from_database: bool,
        #[command(flatten)]
        serving: Serving,
    },
    /// Reads all of the data directory or of a backup, and lists what is damaged.
    ///
    /// The server must be stopped; a running one verifies at each start and once a day. Exits 1 if something is
    /// damaged.
    Verify {
        /// A backup to read instead
        file: Option<PathBuf>,
        /// Restore damaged records from their other copy
        #[arg(long, conflicts_with = "file")]
        repair: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Writes all public feeds as files, for a static host.
    ///
    /// Times and sequences come from the data directory's ledger or, without a release there, from the file
    /// ledger.json in DIR. So unchanged input gives the same bytes.
    Render {
        /// The directory to write to
        dir: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Tells what the next start would do with this config, organizer secrets, program and data directory.
    ///
    /// The check changes nothing and works beside a running server: it tries the start on a copy of the data
    /// directory in $TMPDIR. Exits 78 if the config is wrong or does not fit the data directory, 65 if the program
    /// has errors.
    Check {
        #[command(flatten)]
        serving: Serving,
    },
}

/// The definition of the command line, for manual pages and completions.
pub fn command() -> clap::Command {
    use clap::CommandFactory;
    Arguments::command()
}

/// Runs a command line; the first argument is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap returns help and version as errors that go to standard output.
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
            check::diff(&old, &new, format, &settings)
        }
        Command::Diff { old, new: None, format, target, .. } => {
            publish::preview(&old, &target, format == check::ReportFormat::Json)
        }
        Command::Publish { file, options, target, settings } => {
            publish::file_of(file, &settings).and_then(|file| publish::publish(&file, &target, &options))
        }
        Command::Erase { id, target } => publish::erase(&id, &target),
        Command::Pull { file, target } => publish::pull(file.as_deref(), &target),
        Command::Secret { command } => secret::run(&command),
        Command::Lint { file, format } => check::lint(&file, format),
        Command::Agenda { link } => agenda::show(&link),
        Command::Import { options } => import::import(options),
        Command::Deliver { options, settings } => deliver::deliver(&settings, options),
        Command::Follow { options, settings } => follow::follow(&settings, options),
        Command::Health { serving } => health::health(&serving),
        Command::Reload { settings } => reload::reload(&settings),
        Command::Backup { file, keep, settings } => backup::back_up(&file, keep, &settings),
        Command::Restore { file, latest, settings } => backup::restore(&file, latest, &settings),
        Command::Move { to_database: true, serving, .. } => {
            moving::move_store(Direction::ToDatabase, &serving)
        }
        Command::Move { serving, .. } => moving::move_store(Direction::FromDatabase, &serving),
        Command::Verify { file: Some(file), .. } => backup::verify_file(&file),
        Command::Verify { file: None, repair, settings } => backup::verify_data_directory(&settings, repair),
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
