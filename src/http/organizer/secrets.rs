//! The organizer's secrets: who may publish.
//!
//! A file with one per line, `secret` or `label secret`. Only SHA-256 digests are kept in memory; they are
//! compared in constant time, all of them, whichever matches. Nothing here prints a secret.

use crate::http::Problem;
use crate::revision::Digest;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, io};
use subtle::ConstantTimeEq;

/// What a secret without a label is called.
const UNLABELLED: &str = "organizer";

/// Secrets shorter than this can be guessed.
const SHORT: usize = 16;

#[derive(Clone)]
struct Labelled {
    label: String,
    digest: Digest,
}

/// The secrets that are known. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Inner>);

#[derive(Default)]
struct Inner {
    file: Option<PathBuf>,
    known: RwLock<Vec<Labelled>>,
}

impl Secrets {
    /// None: the organizer's paths answer 404.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(file: &Path) -> io::Result<Self> {
        let known = RwLock::new(read(file)?);
        Ok(Self(Arc::new(Inner { file: Some(file.to_owned()), known })))
    }

    /// Reads the file again. One that cannot be read leaves the secrets as they were.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn reload(&self) -> io::Result<()> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let fresh = read(file)?;
        *self.0.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The label of a request's secret.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<String, Problem> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            return Err(Problem::NotFound);
        }
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return Err(Problem::WrongSecret) };
        let sent = field.to_str().ok().and_then(|field| field.split_once(' '));
        let Some((scheme, sent)) = sent else { return Err(Problem::WrongSecret) };
        drop(known);
        self.label(sent).filter(|_| scheme.eq_ignore_ascii_case("bearer")).ok_or(Problem::WrongSecret)
    }

    /// Whether there are none, so that nothing of the organizer's is here.
    pub(super) fn are_none(&self) -> bool {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The label of a secret, if it is one.
    pub(super) fn label(&self, secret: &str) -> Option<String> {
        let digest = Digest::of(secret.trim().as_bytes());
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut label = None;
        for one in known.iter() {
            if bool::from(one.digest.0.ct_eq(&digest.0)) {
                label = Some(one.label.clone());
            }
        }
        label
    }
}

fn read(file: &Path) -> io::Result<Vec<Labelled>> {
    let known = parse(&std::fs::read_to_string(file)?);
    let file = file.display();
    if known.is_empty() {
        tracing::warn!(%file, "the file holds no secret; nobody can publish over HTTP");
    }
    Ok(known)
}

fn parse(text: &str) -> Vec<Labelled> {
    let line = |line: &str| {
        let line = line.trim();
        let (label, secret) = line.rsplit_once(char::is_whitespace).unwrap_or((UNLABELLED, line));
        if secret.is_empty() {
            return None;
        }
        let label = label.trim().to_owned();
        if secret.len() < SHORT {
            tracing::warn!(label, "this organizer's secret is short; write 16 random characters or more");
        }
        Some(Labelled { label, digest: Digest::of(secret.as_bytes()) })
    };
    text.trim_start_matches('\u{feff}').lines().filter_map(line).collect()
}

/// How many there are, and no more.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Secrets").field("known", &known).finish_non_exhaustive()
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

    fn open(text: &str) -> (tempfile::TempDir, Secrets) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secrets");
        std::fs::write(&file, text).unwrap();
        let secrets = Secrets::open(&file).unwrap();
        (dir, secrets)
    }

    #[test]
    fn each_line_is_a_secret_with_or_without_a_label() {
        let (_dir, secrets) =
            open("  0123456789abcdef0\r\n\n Zoë \tfedcba98765432100\nprogram chairs aaaaaaaaaaaaaaaaa\n");
        let label = |secret: &str| secrets.check(&sent(&format!("Bearer {secret}"))).ok();
        assert_eq!(label("0123456789abcdef0").as_deref(), Some("organizer"));
        assert_eq!(label("fedcba98765432100").as_deref(), Some("Zoë"));
        assert_eq!(label(" aaaaaaaaaaaaaaaaa ").as_deref(), Some("program chairs"));
        for wrong in ["", "Zoë", "0123456789abcdef", "0123456789abcdef00"] {
            assert_eq!(label(wrong), None, "{wrong}");
        }
        assert!(matches!(secrets.check(&sent("Basic 0123456789abcdef0")), Err(Problem::WrongSecret)));
        assert!(matches!(secrets.check(&HeaderMap::new()), Err(Problem::WrongSecret)));
    }

    #[test]
    fn without_a_secret_there_is_nothing_here() {
        let (_dir, empty) = open(" \n");
        for secrets in [Secrets::none(), empty] {
            assert!(matches!(secrets.check(&sent("Bearer x")), Err(Problem::NotFound)));
        }
        assert!(Secrets::open(Path::new("/no/such/file")).is_err());
    }

    #[test]
    fn a_changed_file_counts_once_it_is_read_again() {
        let (dir, secrets) = open("0123456789abcdef0");
        let file = dir.path().join("secrets");
        std::fs::write(&file, "fedcba98765432100").unwrap();
        assert!(secrets.check(&sent("Bearer 0123456789abcdef0")).is_ok());
        secrets.reload().unwrap();
        assert!(secrets.check(&sent("Bearer 0123456789abcdef0")).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(secrets.reload().is_err());
        assert!(secrets.check(&sent("Bearer fedcba98765432100")).is_ok(), "it locks nobody out");
        assert!(!format!("{secrets:?}").contains("fedc"));
    }
}
