//! The valid organizer secrets.
//!
//! Owns the set in memory, read from the file that [`crate::config::SecretsFile`] describes. It holds labels and SHA-256
//! digests. A request's secret is hashed and compared with all of them in constant time.

use crate::config::{MAX_SECRETS_FILE, OrganizerSecret, SecretsFile};
use crate::revision::Digest;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, io};
use subtle::ConstantTimeEq;

/// The valid secrets. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<SecretList>);

#[derive(Default)]
struct SecretList {
    file: Option<PathBuf>,
    known: RwLock<Vec<OrganizerSecret>>,
}

/// Why a secrets file is refused. No variant quotes the file, whose text may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file exists and cannot be read.
    #[error("the organizer secrets file {} cannot be read: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// Some lines are neither digests nor comments.
    #[error(
        "the organizer secrets file {file}: {lines} not of the form `LABEL sha256:HEX`. The file holds no plain \
         secrets. Run `callboard secret add LABEL --file {file}`, which makes a new secret and prints it, then \
         delete the refused lines",
        file = file.display(),
        lines = in_words(lines)
    )]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The numbers of its refused lines, from 1.
        lines: Vec<usize>,
    },
}

fn in_words(lines: &[usize]) -> String {
    match lines {
        [line] => format!("line {line} is"),
        lines => {
            let shown: Vec<_> = lines.iter().take(5).map(ToString::to_string).collect();
            let more = lines.len().saturating_sub(shown.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("lines {}{more} are", shown.join(", "))
        }
    }
}

impl Secrets {
    /// No secrets: the organizer's paths answer 404.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a file. A missing file counts as empty; [`Self::reload`] reads it when it exists.
    ///
    /// # Errors
    /// [`SecretsError`]: the file cannot be read, or a line of it is malformed.
    pub fn open(file: &Path) -> Result<Self, SecretsError> {
        let read = read(file)?;
        if !read.malformed.is_empty() {
            return Err(SecretsError::Malformed { file: file.to_owned(), lines: read.malformed });
        }
        log_if_none(file, &read);
        let known = RwLock::new(read.secrets);
        Ok(Self(Arc::new(SecretList { file: Some(file.to_owned()), known })))
    }

    /// Reads the file again. A removed secret becomes invalid even if the file has faults: malformed lines are ignored, and
    /// an unreadable file counts as empty.
    ///
    /// # Errors
    /// [`SecretsError`]; the new set is in force all the same.
    pub fn reload(&self) -> Result<(), SecretsError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let (fresh, result) = match read(file) {
            Ok(read) if read.malformed.is_empty() => {
                log_if_none(file, &read);
                (read.secrets, Ok(()))
            }
            Ok(read) => {
                (read.secrets, Err(SecretsError::Malformed { file: file.clone(), lines: read.malformed }))
            }
            Err(error) => (Vec::new(), Err(error)),
        };
        *self.0.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        result
    }

    /// The number of valid secrets.
    pub fn count(&self) -> usize {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The valid secret in a request's `Authorization: Bearer`, if any.
    pub(super) fn in_headers(&self, headers: &HeaderMap) -> Option<OrganizerSecret> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return None };
        let (scheme, sent) = field.to_str().ok()?.split_once(' ')?;
        self.find(sent).filter(|_| scheme.eq_ignore_ascii_case("bearer"))
    }

    /// Whether no secret is valid. The organizer's paths then answer 404.
    pub(super) fn are_none(&self) -> bool {
        self.count() == 0
    }

    /// Looks up a secret.
    pub(super) fn find(&self, secret: &str) -> Option<OrganizerSecret> {
        let digest = Digest::of(secret.trim().as_bytes());
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for one in known.iter() {
            if bool::from(one.sha256.ct_eq(&digest.0)) {
                found = Some(one.clone());
            }
        }
        found
    }

    /// The label of a valid secret, by its digest.
    pub(super) fn label_of(&self, sha256: &[u8; 32]) -> Option<String> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|one| one.sha256 == *sha256).map(|one| one.label.to_string())
    }
}

fn read(file: &Path) -> Result<SecretsFile, SecretsError> {
    let unreadable = |cause| SecretsError::Unreadable { file: file.to_owned(), cause };
    let mut opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SecretsFile::default()),
        opened => opened.map_err(unreadable)?,
    };
    let mode = opened.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o002 != 0 {
        let file = file.display();
        tracing::warn!(%file, "anybody on this machine can add an organizer secret; run `chmod o-w` on the file");
    }
    let mut bytes = Vec::new();
    let read = opened.by_ref().take(MAX_SECRETS_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if read as u64 > MAX_SECRETS_FILE {
        return Err(unreadable(io::Error::other(format!("it is longer than {MAX_SECRETS_FILE} bytes"))));
    }
    Ok(SecretsFile::parse(&bytes))
}

fn log_if_none(file: &Path, read: &SecretsFile) {
    if read.secrets.is_empty() {
        let file = file.display();
        tracing::info!(
            %file,
            "there is no organizer secret, so nobody can publish over HTTP; `callboard secret add LABEL --file {file}` \
             makes one, then reload"
        );
    }
}

/// Prints only the number of secrets.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("known", &self.count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    fn line(label: &str, secret: &str) -> String {
        format!("{label} sha256:{}\n", Digest::of(secret.as_bytes()))
    }

    fn write(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("organizer-secrets");
        std::fs::write(&file, text).unwrap();
        (dir, file)
    }

    #[test]
    fn a_secret_whose_digest_is_in_the_file_gives_its_label() {
        let text = format!("# the chairs\r\n{}\n{}", line("Zoë", "0123456789"), line("ci", "aaaa bbbb"));
        let (_dir, file) = write(&text);
        let secrets = Secrets::open(&file).unwrap();
        let label = |secret: &str| {
            secrets.in_headers(&sent(&format!("Bearer {secret}"))).map(|found| found.label.to_string())
        };
        assert_eq!(label("0123456789").as_deref(), Some("Zoë"));
        assert_eq!(label(" aaaa bbbb ").as_deref(), Some("ci"));
        for wrong in
            ["", "Zoë", "012345678", "01234567890", "bbbb", "chairs", text.split(' ').next_back().unwrap()]
        {
            assert_eq!(label(wrong.trim()), None, "{wrong}");
        }
        assert_eq!(secrets.in_headers(&sent("Basic 0123456789")), None);
        assert_eq!(secrets.in_headers(&HeaderMap::new()), None);
    }

    #[test]
    fn without_a_file_there_are_no_secrets() {
        let (dir, file) = write(" \n# nothing yet\n");
        let missing = Secrets::open(&dir.path().join("missing")).unwrap();
        for secrets in [Secrets::none(), Secrets::open(&file).unwrap(), missing] {
            assert!(secrets.are_none());
        }
        assert!(matches!(Secrets::open(dir.path()), Err(SecretsError::Unreadable { .. })));
    }

    /// Earlier versions read the last word of any line as a secret.
    #[test]
    fn a_plain_secret_is_reported_by_its_line_and_never_quoted() {
        let (_dir, file) =
            write("# organizer secrets, one per line\ncorrect horse battery staple\nchair HUNTER2HUNTER2\n");
        let error = Secrets::open(&file).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(
            said.contains("lines 2, 3 are") && said.contains("callboard secret add LABEL --file"),
            "{said}"
        );
        for word in ["staple", "correct", "HUNTER2", "chair"] {
            assert!(!said.contains(word), "{said}");
        }
    }

    #[test]
    fn reload_adds_and_removes_secrets() {
        let (dir, file) = write(&line("a", "0123456789"));
        let secrets = Secrets::open(&file).unwrap();
        let is_valid = |secret: &str| secrets.find(secret).is_some();
        std::fs::write(&file, line("b", "9876543210")).unwrap();
        assert!(is_valid("0123456789") && !is_valid("9876543210"));
        secrets.reload().unwrap();
        assert!(!is_valid("0123456789") && is_valid("9876543210"));
        std::fs::remove_file(&file).unwrap();
        secrets.reload().unwrap();
        assert!(!is_valid("9876543210"), "its line is gone with the file");
        std::fs::write(&file, line("c", "0123456789")).unwrap();
        secrets.reload().unwrap();
        assert!(is_valid("0123456789"));
        assert!(!format!("{secrets:?}").contains("0123"));
        drop(dir);
    }

    #[test]
    fn a_removed_secret_is_invalid_even_if_the_new_file_has_faults() {
        let (_dir, file) = write(&format!("{}{}", line("a", "0123456789"), line("b", "9876543210")));
        let secrets = Secrets::open(&file).unwrap();
        let is_valid = |secret: &str| secrets.find(secret).is_some();
        std::fs::write(&file, format!("plain-secret\n{}", line("b", "9876543210"))).unwrap();
        assert!(matches!(secrets.reload(), Err(SecretsError::Malformed { lines, .. }) if lines == [1]));
        assert!(!is_valid("0123456789") && !is_valid("plain-secret") && is_valid("9876543210"));
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(matches!(secrets.reload(), Err(SecretsError::Unreadable { .. })));
        assert!(!is_valid("9876543210"));
    }
}
