//! `callboard secret`: adds, lists and removes the organizer secrets of a secrets file.
//!
//! A new secret goes to standard output and nowhere else; the file gets its SHA-256. A running server reads the
//! file again on SIGHUP.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::config::{MAX_SECRETS_FILE, OrganizerSecret, SecretLabel, SecretLine, SecretsFile};
use crate::revision::Digest;
use clap::{Args, Subcommand};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The prefix of every secret, by which scanners recognise a leaked one.
const TOKEN_PREFIX: &str = "cbo_";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a secret, adds its SHA-256 to the file and prints the secret, which is kept nowhere else.
    ///
    ///     callboard secret add chair > chair.secret
    #[command(verbatim_doc_comment)]
    Add {
        /// Who or what will use it, in one word; the log and the list of releases show it.
        label: String,
        #[command(flatten)]
        place: Place,
    },
    /// Lists the labels of the secrets in the file.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Removes a secret from the file. After a reload it opens nothing, and its sign-ins end.
    Remove {
        /// The label of the secret.
        label: String,
        #[command(flatten)]
        place: Place,
    },
}

/// The secrets file of a command.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The organizer secrets file [default: the config's organizer_secret_file]
    #[arg(long, alias = "organizer-secret-file", value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Place {
    fn file(&self) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let none = || Failure::text(Exit::Usage, "no secrets file is configured; pass --file FILE");
        self.settings.config()?.organizer_secret_file.ok_or_else(none)
    }
}

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Add { label, place } => {
            let (label, file) = (label_of(label)?, place.file()?);
            let secret = add(&label, &file)?;
            let mut out = io::stdout().lock();
            let printed = writeln!(out, "{secret}").and_then(|()| out.flush());
            printed.map_err(|error| {
                let remove = format!("run `callboard secret remove {label} --file {}`", file.display());
                Failure::text(Exit::Failed, format!("the secret could not be printed ({error}); {remove}"))
            })?;
            say(&format!("added {label} to {}; a running server accepts it after a reload", file.display()));
        }
        Command::List { place } => list(&place.file()?)?,
        Command::Remove { label, place } => {
            let (label, file) = (label_of(label)?, place.file()?);
            remove(&label, &file)?;
            say(&format!(
                "removed {label} from {}; a running server refuses it after a reload",
                file.display()
            ));
        }
    }
    Ok(Exit::Done)
}

fn label_of(text: &str) -> Result<SecretLabel, Failure> {
    SecretLabel::parse(text).map_err(|error| Failure::new(Exit::Usage, &error))
}

/// Beside the output, for people.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Appends a new secret's line and returns the secret.
fn add(label: &SecretLabel, path: &Path) -> Result<String, Failure> {
    let failed = |error: io::Error| {
        Failure::text(Exit::Failed, format!("{} cannot be written: {error}", path.display()))
    };
    let secret = generate().map_err(failed)?;
    let mut file = open_to_append(path).map_err(failed)?;
    let text = read(&mut file).map_err(failed)?;
    let old = SecretsFile::parse(&text);
    warn_of_malformed(&old, path);
    if old.secrets.iter().any(|old| old.label == *label) {
        let text =
            format!("{} has a secret for {label}; remove it first or choose another label", path.display());
        return Err(Failure::text(Exit::Failed, text));
    }
    let line = OrganizerSecret { label: label.clone(), sha256: Digest::of(secret.as_bytes()).0 };
    let end = if text.is_empty() || text.ends_with(b"\n") { "" } else { "\n" };
    // One write: a crash leaves the line there or not.
    file.write_all(format!("{end}{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(secret)
}

/// 160 random bits; the alphabet survives shells, URLs and being read aloud.
fn generate() -> io::Result<String> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{TOKEN_PREFIX}{}", data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()))
}

/// The file with an exclusive lock; made readable by everybody where it was not there, since the server's user
/// differs from the one who runs this.
fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    loop {
        let file = match options.clone().create_new(true).open(path) {
            Ok(file) => {
                file.set_permissions(Permissions::from_mode(0o644))?; // whatever the umask
                file
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path)?,
            Err(error) => return Err(error),
        };
        if lock(&file, path)? {
            return Ok(file);
        }
    }
}

/// Waits for the lock. False where the path names another file by then: `remove` replaces it.
fn lock(file: &File, path: &Path) -> io::Result<bool> {
    file.lock()?;
    let (locked, named) = (file.metadata()?, std::fs::metadata(path)?);
    Ok((locked.dev(), locked.ino()) == (named.dev(), named.ino()))
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(MAX_SECRETS_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_SECRETS_FILE {
        return Err(io::Error::other(format!("it is longer than {MAX_SECRETS_FILE} bytes")));
    }
    Ok(text)
}

fn warn_of_malformed(parsed: &SecretsFile, path: &Path) {
    for line in &parsed.malformed {
        say(&format!(
            "callboard: line {line} of {} is not of the form `LABEL sha256:HEX`; a server refuses to start with it: \
             delete the line",
            path.display()
        ));
    }
}

fn list(path: &Path) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::text(Exit::Failed, format!("{} cannot be read: {error}", path.display()));
    let text = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        file => file.and_then(|mut file| read(&mut file)).map_err(failed)?,
    };
    let parsed = SecretsFile::parse(&text);
    let mut out = io::stdout().lock();
    for secret in &parsed.secrets {
        writeln!(out, "{}", secret.label).map_err(failed)?;
    }
    warn_of_malformed(&parsed, path);
    if parsed.malformed.is_empty() {
        return Ok(());
    }
    Err(Failure::text(Exit::BadConfig, format!("{} has malformed lines", path.display())))
}

/// Writes the file without the lines of a label, beside it, and renames that over it.
fn remove(label: &SecretLabel, path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::text(Exit::Failed, format!("{} cannot be written: {error}", path.display()))
    };
    let path = path.canonicalize().map_err(failed)?; // a symbolic link stays one
    let mut file = loop {
        let file = File::open(&path).map_err(failed)?;
        if lock(&file, &path).map_err(failed)? {
            break file;
        }
    };
    let text = read(&mut file).map_err(failed)?;
    warn_of_malformed(&SecretsFile::parse(&text), &path);
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let is_other = |line: &&[u8]| !matches!(SecretLine::parse(line), SecretLine::Secret(secret) if secret.label == *label);
    let rest = lines.filter(is_other).collect::<Vec<_>>().concat();
    if rest.len() == text.len() {
        return Err(Failure::text(Exit::Failed, format!("{} has no secret for {label}", path.display())));
    }
    replace(&path, &file, &rest).map_err(failed)
}

fn replace(path: &Path, old: &File, text: &[u8]) -> io::Result<()> {
    let metadata = old.metadata()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let mut new = File::create(&temporary)?;
    let written = new
        .set_permissions(metadata.permissions())
        .and_then(|()| new.write_all(text))
        .and_then(|()| std::os::unix::fs::fchown(&new, Some(metadata.uid()), Some(metadata.gid())))
        .and_then(|()| new.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> SecretLabel {
        SecretLabel::parse(text).unwrap()
    }

    #[test]
    fn an_added_secret_is_in_the_file_by_its_digest_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("organizer-secrets");
        let [first, second] = ["chair", "ci"].map(|name| add(&label(name), &file).unwrap());
        assert!(first.starts_with(TOKEN_PREFIX) && first.len() == 36 && first != second, "{}", first.len());
        let text = std::fs::read_to_string(&file).unwrap();
        let digest = |secret: &str| Digest::of(secret.as_bytes());
        assert_eq!(text, format!("chair sha256:{}\nci sha256:{}\n", digest(&first), digest(&second)));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(add(&label("ci"), &file).unwrap_err().exit, Exit::Failed, "the label is taken");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }

    #[test]
    fn adding_and_removing_leave_every_other_line_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("organizer-secrets");
        let before = b"# R\xe9mi's secrets\r\n\nplain-secret\n# no line end";
        std::fs::write(&file, before).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        add(&label("chair"), &file).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        remove(&label("chair"), &link).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), [before.as_slice(), b"\n"].concat());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(remove(&label("chair"), &file).unwrap_err().exit, Exit::Failed, "it is gone");
        assert_eq!(list(&file).unwrap_err().exit, Exit::BadConfig, "the plain secret");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
    }

    #[test]
    fn secrets_that_are_added_and_removed_at_once_are_all_accounted_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("organizer-secrets");
        add(&label("leaving"), &file).unwrap();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let file = &file;
                scope.spawn(move || add(&label(&format!("n{n}")), file).unwrap());
            }
            scope.spawn(|| remove(&label("leaving"), &file).unwrap());
        });
        let parsed = SecretsFile::parse(&std::fs::read(&file).unwrap());
        let mut labels: Vec<_> = parsed.secrets.iter().map(|secret| secret.label.as_str()).collect();
        labels.sort_unstable();
        assert_eq!(labels, ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"]);
    }
}
