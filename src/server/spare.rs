//! A descriptor kept in reserve, for when the process or the system has no other.
//!
//! Without one, a connection that cannot be accepted stays in the backlog: its client waits for nothing, and
//! the listener stays ready, so that accepting would spin. With it the connection is accepted and told.

use super::connections;
use std::fs::File;
use std::io;
use tokio::net::TcpStream;

/// "Too many open files": of the process, and of the system. The numbers are Linux's on every machine.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// The descriptor, while there is one.
#[derive(Debug)]
pub(super) struct Spare(Option<File>);

impl Spare {
    pub(super) fn new() -> Self {
        Self(File::open("/dev/null").ok())
    }

    /// Whether an error of accepting is one that a spare descriptor gets over.
    pub(super) fn helps(error: &io::Error) -> bool {
        matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
    }

    /// Accepts whoever waits in the place of the spare descriptor, and refuses. False where even that fails.
    pub(super) fn refuse(&mut self, accept: impl FnOnce() -> Option<io::Result<TcpStream>>) -> bool {
        let had_one = self.0.take().is_some();
        let accepted = accept();
        if let Some(Ok(socket)) = &accepted {
            connections::refuse(socket);
        }
        let was_told = matches!(accepted, Some(Ok(_)));
        drop(accepted);
        *self = Self::new();
        had_one && was_told
    }
}
