//! `callboard import`: converts a foreign program, to standard output or into a program file.
//!
//! With `--onto`, FILE.source beside the program file holds what the source set last time, as a program file. Both
//! files are replaced whole, first the program. If the second write fails, the next import finds nothing more to
//! change.

use super::check::{program_file, read_file_or_input};
use super::exit::{Exit, Failure};
use super::replace;
use super::settings::Settings;
use crate::adopt::{AdoptError, Adopted, MergeError, Merged, Version, adopt_with_columns, merge};
use crate::config::FirstConfig;
use crate::program::{Conference, Field, Zone};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `callboard import` is to do.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The file, or - for standard input
    file: PathBuf,
    /// The program file to merge into; your edits of it stay [default: print a new program file]
    #[arg(long, value_name = "FILE")]
    onto: Option<PathBuf>,
    /// The fields of columns of a spreadsheet whose names do not say it, as COLUMN=FIELD
    #[arg(long, value_name = "COLUMN=FIELD", value_delimiter = ',')]
    map: Vec<String>,
    /// The time zone of the program's local times, if the file does not name one
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Write a first config to this new file: title, days, zone, language, tracks with colours, and rooms in their order
    #[arg(long, value_name = "FILE")]
    write_config: Option<PathBuf>,
    /// The config of the program file [default: config/callboard.toml if it exists]
    #[arg(long, value_name = "FILE", requires = "onto")]
    config: Option<PathBuf>,
}

/// Imports a file. Everything that could not be converted is listed on standard error.
pub(super) fn import(options: Options) -> Result<Exit, Failure> {
    let Options { file, onto, map, zone, write_config, config } = options;
    let bytes = read_file_or_input(&file)?;
    let columns = columns(&map)?;
    let mut settings = Settings::of(config, zone.clone());
    let zone = match &onto {
        Some(_) if settings.config_file().is_some() => {
            let config = settings.config()?;
            Some(config.conference(config.listen).zone)
        }
        _ => {
            zone.as_deref().map(Zone::parse).transpose().map_err(|error| Failure::new(Exit::Usage, &error))?
        }
    };
    let csv = match (adopt_with_columns(&bytes, zone, &columns), &onto) {
        (Ok(Adopted { cut: Some(cut), .. }), Some(_)) => {
            let text = format!("{cut}; nothing was merged, because the missing sessions would be cancelled");
            return Err(Failure::text(Exit::BadProgram, text));
        }
        (Ok(adopted), _) => {
            let _ = write!(std::io::stderr().lock(), "{}", adopted.render());
            if let Some(file) = &write_config {
                write_first_config(file, &adopted)?;
            }
            settings.zone_or(adopted.zone);
            adopted.csv
        }
        (Err(AdoptError::OwnFormat), Some(_)) if write_config.is_none() => bytes,
        (Err(error), _) => return Err(Failure::new(Exit::BadProgram, &error)),
    };
    let printed = match onto {
        None => csv,
        Some(program) => {
            let config = settings.config()?;
            let conference = Arc::new(config.conference(config.listen));
            merge_into(&program, &csv, &conference)?.render().into_bytes()
        }
    };
    let written = std::io::stdout().lock().write_all(&printed);
    written.map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(Exit::Done)
}

/// Writes a config for an imported program. An existing file is never replaced.
fn write_first_config(file: &Path, adopted: &Adopted) -> Result<(), Failure> {
    let colour = |colour: &String| Some(colour.clone()).filter(|colour| !colour.is_empty());
    let first = FirstConfig {
        title: adopted.title.clone(),
        language: adopted.language.clone(),
        days: adopted.days,
        tracks: adopted.tracks.iter().map(|(name, code)| (name.clone(), colour(code))).collect(),
        rooms: adopted.rooms.clone(),
    };
    let text = first.render(adopted.zone);
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    created.and_then(|mut created| created.write_all(text.as_bytes())).map_err(|error| {
        let remedy = if error.kind() == std::io::ErrorKind::AlreadyExists { "; name a new file" } else { "" };
        let text = format!("the config {} cannot be written: {error}{remedy}", file.display());
        Failure::text(Exit::Failed, text)
    })
}

/// The fields of `COLUMN=FIELD` pairs.
fn columns(map: &[String]) -> Result<Vec<(String, Field)>, Failure> {
    let column = |pair: &String| {
        let (name, field) = pair.split_once('=')?;
        Some((name.trim().to_owned(), field.parse::<Field>().ok()?))
    };
    let columns = map.iter().map(|pair| {
        let fields = Field::WORDS.join(", ");
        let message = format!("--map {pair}: write COLUMN=FIELD, where FIELD is one of {fields}");
        column(pair).ok_or_else(|| Failure::text(Exit::Usage, message))
    });
    columns.collect()
}

/// Merges what a source sets now into a program file, and writes the file if it changes. A program file that does not
/// exist is created.
pub(super) fn merge_into(
    program: &Path,
    now: &[u8],
    conference: &Arc<Conference>,
) -> Result<Merged, Failure> {
    let source = source_file(program);
    let read = |path: &Path| if path.exists() { program_file(path).map(Some) } else { Ok(None) };
    let (file, before) = (read(program)?, read(&source)?);
    let merged = merge(before.as_deref(), now, file.as_deref().unwrap_or(now), conference)
        .map_err(|error| refused(error, program, &source))?;
    let write = |path: &Path, bytes: &[u8]| {
        let error =
            |error| Failure::text(Exit::Failed, format!("{} cannot be written: {error}", path.display()));
        replace::rewrite(path, bytes).map_err(error)
    };
    if file.as_deref() != Some(merged.csv.as_slice()) {
        if read(program)? != file {
            let text = format!(
                "{} was saved while it was merged; nothing was written, so run it again",
                program.display()
            );
            return Err(Failure::text(Exit::Failed, text));
        }
        write(program, &merged.csv)?;
    }
    if before.as_deref() != Some(merged.source.as_slice()) {
        write(&source, &merged.source)?;
    }
    Ok(merged)
}

/// The file beside a program file with what its source set last time.
fn source_file(program: &Path) -> PathBuf {
    let mut name = program.as_os_str().to_owned();
    name.push(".source");
    PathBuf::from(name)
}

fn refused(error: MergeError, program: &Path, source: &Path) -> Failure {
    let text = match error {
        MergeError::Faulty { version, csv, report } => {
            let name = match version {
                Version::Before => source.display().to_string(),
                Version::Now => "the imported program".to_owned(),
                Version::File => program.display().to_string(),
                Version::Merged => format!("{} merged with the imported program", program.display()),
            };
            format!("nothing was written\n{}", report.render_human(&name, &csv, false))
        }
        other @ MergeError::OtherSource(_) => {
            format!("{other}; nothing was written. If it is the right one, delete {} first", source.display())
        }
    };
    Failure::text(Exit::BadProgram, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use std::os::unix::fs::PermissionsExt;

    fn csv(rows: &[&str]) -> String {
        format!("id,date,start,end,kind,title,guid\n{}\n", rows.join("\n"))
    }

    #[test]
    fn files_are_replaced_only_if_they_change_and_only_by_a_program_without_errors() {
        let dir = tempfile::tempdir().unwrap();
        let (real, program) = (dir.path().join("real.csv"), dir.path().join("program.csv"));
        std::fs::write(&real, csv(&["aa,2025-03-25,09:00,10:00,talk,Mine,1"])).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &program).unwrap();
        let conference = Arc::new(fixtures::conference().conference);
        let merge = |now: &str| merge_into(&program, now.as_bytes(), &conference);
        let first = csv(&["aa,2025-03-25,09:00,10:00,talk,A,1"]);
        assert_eq!(merge(&first).unwrap().conflicts.len(), 1);
        let second = csv(&["aa,2025-03-25,09:30,10:00,talk,A,1", "bb,2025-03-25,11:00,12:00,talk,B,2"]);
        assert_eq!(merge(&second).unwrap().added, ["bb"]);
        let text = std::fs::read_to_string(&real).unwrap();
        assert!(text.contains("09:30,10:00,talk,Mine,1\nbb,"), "{text}");
        let metadata = std::fs::symlink_metadata(&program).unwrap();
        assert!(
            metadata.is_symlink() && std::fs::metadata(&real).unwrap().permissions().mode() & 0o777 == 0o640
        );

        let before = std::fs::metadata(&real).unwrap().modified().unwrap();
        merge(&second).unwrap();
        assert!(merge(&csv(&["aa,2025-03-25,25:99,10:00,talk,A,1"])).is_err());
        let other = merge(&csv(&["cc,2025-03-25,09:00,10:00,talk,C,3"])).unwrap_err().to_string();
        assert!(other.contains("another program") && other.contains("program.csv.source"), "{other}");
        assert_eq!(std::fs::metadata(&real).unwrap().modified().unwrap(), before);
        assert_eq!(std::fs::read_to_string(&real).unwrap(), text);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    }
}
