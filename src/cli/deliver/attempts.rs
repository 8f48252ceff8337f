//! The attempts of a sender, in a file that outlives its process.
//!
//! A sender that is killed leaves claims behind: messages that it had not begun, that it was sending, and whose results it
//! had not reported. The next sender reads the file and reports all of them, so the others are sent at once instead of
//! after the end of their claims, and the server knows which ones may have arrived.
//!
//! A file belongs to the process that holds its lock. Nothing is synced: a kill loses no written byte, and after a power
//! failure the claims end by themselves. The file contains ids of deliveries and results, and no address.

use crate::reach::{ClaimedMessage, Outcome, SendResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most senders of one directory.
const MAX_SENDERS: usize = 64;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Entry {
    /// The server gave the message to this sender.
    Claimed { id: String, claim: u32, release: u64 },
    /// The next bytes on the connection are those of the message.
    Sending { id: String, claim: u32 },
    /// The attempt has a result.
    Ended(Outcome),
}

/// The file of this process.
#[derive(Debug)]
pub(super) struct Attempts {
    path: PathBuf,
    /// None if the directory cannot be written.
    file: Mutex<Option<File>>,
}

impl Attempts {
    /// Opens a file of its own in a directory. Also returns what killed senders left there. Their lines stay until
    /// [`Self::clear`].
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, Vec<Outcome>)> {
        let (mut own, mut left) = (None::<(PathBuf, File)>, Vec::new());
        for number in 0..MAX_SENDERS {
            let path = dir.join(format!("deliver-{number}.attempts"));
            let Some(mut file) = lock(&path, own.is_none())? else { continue };
            let mut text = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut text)?;
            match &mut own {
                None => own = Some((path, file)),
                Some((_, own)) => {
                    own.write_all(&text)?;
                    std::fs::remove_file(&path)?;
                }
            }
            left.extend(outcomes(&text));
        }
        let (path, file) = own.ok_or_else(|| io::Error::other("too many senders run"))?;
        Ok((Self { path, file: Mutex::new(Some(file)) }, left))
    }

    /// No file: after a kill, the claims of this sender end by themselves.
    pub(super) fn none() -> Self {
        Self { path: PathBuf::new(), file: Mutex::new(None) }
    }

    /// Records claims.
    pub(super) fn claimed(&self, messages: &[ClaimedMessage]) {
        self.write(messages.iter().map(|ClaimedMessage { id, claim, release, .. }| Entry::Claimed {
            id: id.clone(),
            claim: *claim,
            release: *release,
        }));
    }

    /// Records that a message is about to leave.
    pub(super) fn sending(&self, id: &str, claim: u32) {
        self.write([Entry::Sending { id: id.to_owned(), claim }]);
    }

    /// Records the result of an attempt.
    pub(super) fn ended(&self, outcome: &Outcome) {
        self.write([Entry::Ended(outcome.clone())]);
    }

    /// Forgets everything. The server has every result, and nothing is claimed.
    pub(super) fn clear(&self) {
        if let Some(file) = self.file().as_mut() {
            let _ = file.set_len(0);
        }
    }

    /// Removes the file. The server has every result.
    pub(super) fn remove(&self) {
        if self.file().take().is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    fn write(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut lines = Vec::new();
        for entry in entries {
            lines.extend(serde_json::to_vec(&entry).unwrap_or_default());
            lines.push(b'\n');
        }
        let mut file = self.file();
        let Some(Err(error)) = file.as_mut().map(|file| file.write_all(&lines)) else { return };
        // Without its end, the file says less than the server knows, so it is used no more.
        tracing::warn!(%error, "attempts are not recorded any more; after a crash, messages may arrive more than twice");
        *file = None;
    }

    fn file(&self) -> MutexGuard<'_, Option<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a file and locks it. None if it does not exist and must not be made, or if another process has it.
fn lock(path: &Path, is_made: bool) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(is_made).mode(0o600);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_made => return Ok(None),
        opened => opened?,
    };
    match file.try_lock() {
        // Its owner may have removed the file between the two calls.
        Ok(()) => Ok(Some(file).filter(|file| file.metadata().is_ok_and(|found| found.nlink() > 0))),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// What became of the attempts in a file. A last line that was cut off is ignored: its message was not sent.
fn outcomes(text: &[u8]) -> Vec<Outcome> {
    let mut found: BTreeMap<(String, u32), Outcome> = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Entry::Claimed { id, claim, release }) => {
                let result = SendResult::Returned;
                found.insert((id.clone(), claim), Outcome { id, claim, release, result });
            }
            Ok(Entry::Sending { id, claim }) => {
                if let Some(known) = found.get_mut(&(id, claim)) {
                    known.result = SendResult::Interrupted;
                }
            }
            Ok(Entry::Ended(outcome)) => {
                found.insert((outcome.id.clone(), outcome.claim), outcome);
            }
            Err(_) => {}
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::{Body, Guard, Message};

    fn message(id: &str) -> ClaimedMessage {
        let message = Message {
            url: "https://push.example.org/capability".into(),
            headers: Vec::new(),
            body: Body::Text(String::new()),
            guard: Guard::Stranger,
        };
        ClaimedMessage { id: id.into(), claim: 3, release: 7, host: "push.example.org".into(), message }
    }

    fn outcome(id: &str, result: SendResult) -> Outcome {
        Outcome { id: id.into(), claim: 3, release: 7, result }
    }

    #[test]
    fn the_next_sender_learns_what_a_killed_one_had_begun() {
        let dir = tempfile::tempdir().unwrap();
        let (killed, left) = Attempts::open(dir.path()).unwrap();
        assert_eq!(left, []);
        let accepted = SendResult::Answered { status: 201, retry_after: None };
        killed.claimed(&["a", "b", "c"].map(message));
        killed.sending("b", 3);
        killed.sending("c", 3);
        killed.ended(&outcome("c", accepted.clone()));
        let (other, left) = Attempts::open(dir.path()).unwrap();
        assert_eq!(left, [], "the first one lives");
        other.claimed(&[message("d")]);
        let text = std::fs::read_to_string(&killed.path).unwrap();
        assert!(!text.contains("capability") && !text.contains("example"), "{text}");
        drop((killed, other));
        let expected = [
            outcome("a", SendResult::Returned),
            outcome("b", SendResult::Interrupted),
            outcome("c", accepted),
            outcome("d", SendResult::Returned),
        ];
        // A sender that is killed before it could report leaves the same.
        for _ in 0..2 {
            let (_next, left) = Attempts::open(dir.path()).unwrap();
            assert_eq!(left, expected);
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        }
        let (last, _) = Attempts::open(dir.path()).unwrap();
        last.clear();
        last.claimed(&[message("e")]);
        drop(last);
        let (last, left) = Attempts::open(dir.path()).unwrap();
        assert_eq!(left, [outcome("e", SendResult::Returned)]);
        last.remove();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_line_that_was_cut_off_and_foreign_text_are_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let (killed, _) = Attempts::open(dir.path()).unwrap();
        killed.claimed(&[message("a")]);
        killed.sending("a", 3);
        let text = std::fs::read(&killed.path).unwrap();
        for end in 0..=text.len() {
            for one in outcomes(&text[..end]) {
                assert!(matches!(one.result, SendResult::Returned | SendResult::Interrupted));
            }
        }
        assert_eq!(outcomes(b"\xff\n{}\n[1]\n{\"sending\":{\"id\":\"a\",\"claim\":1}}"), []);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_an_error_and_no_file_is_no_panic() {
        assert!(Attempts::open(Path::new("/nonexistent")).is_err());
        let none = Attempts::none();
        none.claimed(&[message("a")]);
        none.clear();
        none.remove();
    }
}
