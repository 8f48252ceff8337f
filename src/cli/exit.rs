//! Exit codes (from sysexits.h where it has one) and failures with their exit code.

use crate::config::ConfigError;
use crate::program::printable;
use crate::store::OpenError;
use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// The result of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded.
    Done,
    /// The command failed while running.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The program has errors.
    BadProgram,
    /// The config is wrong or does not fit the data directory.
    BadConfig,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 64,
            Self::BadProgram => 65,
            Self::BadConfig => 78,
        }
    }
}

impl Exit {
    /// The exit code for a data directory that cannot be opened.
    pub(super) fn of_opening(error: &OpenError) -> Self {
        match error {
            OpenError::OtherConference { .. }
            | OpenError::Newer { .. }
            | OpenError::Replica { .. }
            | OpenError::NotAReplica { .. }
            | OpenError::MayLose { .. } => Self::BadConfig,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) exit: Exit,
    message: String,
}

impl Failure {
    /// The failure of an error, with the error's causes, one on each line.
    pub(super) fn new(exit: Exit, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(&format!("\n  because: {error}"));
            cause = error.source();
        }
        Self { exit, message }
    }

    /// The failure with this message.
    pub(super) fn text(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A message may quote a stranger's file.
        f.write_str(&printable(&self.message))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::BadConfig, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_that_scripts_rely_on() {
        let codes =
            [Exit::Done, Exit::Failed, Exit::Usage, Exit::BadProgram, Exit::BadConfig].map(Exit::code);
        assert_eq!(codes, [0, 1, 64, 65, 78]);
    }
}
