//! `callboard secret`: adds, lists and removes the organizer secrets of a secrets file.
//!
//! A new secret is only printed; the file gets its SHA-256. A running server reads the file again on SIGHUP.

use super::exit::{Exit, Failure};
use super::replace;
use super::settings::Settings;
use crate::config::{MAX_SECRETS_FILE, OrganizerSecret, SecretLabel, SecretLine, SecretsFile};
use crate::revision::Digest;
use clap::{Args, Subcommand};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The prefix of every secret, so that scanners recognise a leaked one.
const TOKEN_PREFIX: &str = "cbo_";

#[derive(Debug, Subcommand)]
pub(super) enum SecretCommand {
    /// Makes a secret, adds its SHA-256 to the file and prints the secret, which is stored nowhere.
    ///
    ///     callboard secret add chair > chair.secret
    #[command(verbatim_doc_comment)]
    Add {
        /// Who or what will use the secret, in one word; the log and the list of releases show it
        label: String,
        #[command(flatten)]
        secrets: FileArgument,
    },
    /// Lists the labels of the secrets in the file.
    List {
        #[command(flatten)]
        secrets: FileArgument,
    },
    /// Removes a secret from the file. After a reload it is invalid, and its sign-ins end.
    Remove {
        /// The label of the secret
        label: String,
        #[command(flatten)]
        secrets: FileArgument,
    },
}

/// The secrets file of a command.
#[derive(Debug, Args)]
pub(super) struct FileArgument {
    /// The organizer secrets file [default: the config's organizer_secret_file]
    #[arg(long, alias = "organizer-secret-file", value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl FileArgument {
    fn file(&self) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let none = || Failure::text(Exit::Usage, "no secrets file is configured; pass --file FILE");
        self.settings.config()?.organizer_secret_file.ok_or_else(none)
    }
}

pub(super) fn run(command: &SecretCommand) -> Result<Exit, Failure> {
    match command {
        SecretCommand::Add { label, secrets } => {
            let (label, file) = (label_of(label)?, secrets.file()?);
            let secret = add(&label, &file)?;
            let mut out = io::stdout().lock();
            let printed = writeln!(out, "{secret}").and_then(|()| out.flush());
            printed.map_err(|error| {
                let remove = format!("run `callboard secret remove {label} --file {}`", file.display());
                Failure::text(Exit::Failed, format!("the secret could not be printed ({error}); {remove}"))
            })?;
            say(&format!("added {label} to {}; reload a running server to make it valid", file.display()));
        }
        SecretCommand::List { secrets } => list(&secrets.file()?)?,
        SecretCommand::Remove { label, secrets } => {
            let (label, file) = (label_of(label)?, secrets.file()?);
            remove(&label, &file)?;
            say(&format!(
                "removed {label} from {}; reload a running server to make it invalid",
                file.display()
            ));
        }
    }
    Ok(Exit::Done)
}

fn label_of(text: &str) -> Result<SecretLabel, Failure> {
    SecretLabel::parse(text).map_err(|error| Failure::new(Exit::Usage, &error))
}

/// Prints a message on standard error, since standard output is for the secret.
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
    // One write, so that a crash leaves the whole line or nothing.
    file.write_all(format!("{end}{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(secret)
}

/// A new secret of 160 random bits. Base32 needs no quoting in shells and URLs and can be read aloud.
fn generate() -> io::Result<String> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{TOKEN_PREFIX}{}", data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()))
}

/// Opens the file with an exclusive lock. A new file is world-readable, since the server runs as another user.
fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    loop {
        let file = match options.clone().create_new(true).open(path) {
            Ok(file) => {
                file.set_permissions(Permissions::from_mode(0o644))?; // the umask does not apply
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

/// Waits for the lock. False if [`remove`] replaced the file meanwhile.
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
            "callboard: line {line} of {} is not of the form `LABEL sha256:HEX`; delete it, since a server does not start with it",
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

/// Replaces the file by a copy without the lines of a label. The copy keeps owner and mode.
fn remove(label: &SecretLabel, path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::text(Exit::Failed, format!("{} cannot be written: {error}", path.display()))
    };
    let path = path.canonicalize().map_err(failed)?; // a symbolic link is not replaced
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
    replace_keeping_owner(&path, &file, &rest).map_err(failed)
}

fn replace_keeping_owner(path: &Path, old: &File, text: &[u8]) -> io::Result<()> {
    let metadata = old.metadata()?;
    let mut new = replace::beside(path, 0o600)?;
    new.write_all(text)?;
    std::os::unix::fs::fchown(new.as_file(), Some(metadata.uid()), Some(metadata.gid()))?;
    new.as_file().set_permissions(metadata.permissions())?;
    replace::finish(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> SecretLabel {
        SecretLabel::parse(text).unwrap()
    }

    #[test]
    fn the_file_gets_only_the_digest_of_an_added_secret() {
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
    fn adding_and_removing_change_no_other_line() {
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
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn concurrent_adds_and_removes_lose_no_secret() {
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

    /// The temporary file once had a predictable name, so a link in its place chose the file that was overwritten.
    #[test]
    fn removing_a_secret_follows_no_link_beside_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (file, victim) = (dir.path().join("organizer-secrets"), dir.path().join("victim"));
        add(&label("chair"), &file).unwrap();
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join("organizer-secrets.new")).unwrap();
        remove(&label("chair"), &file).unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        assert_eq!(std::fs::read(&file).unwrap(), b"");
    }
}
