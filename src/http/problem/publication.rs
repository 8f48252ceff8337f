//! Errors of a publication: status, public text, and the members that the organizer needs to go on.

use super::{commit_status, read_status, sentence};
use crate::publisher::{PublishError, describe_changes};
use crate::store::CommitError;
use http::StatusCode;
use serde_json::{Map, Value, json};

pub(super) fn status(error: &PublishError) -> StatusCode {
    match error {
        PublishError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        PublishError::Held(_) | PublishError::NotWithdrawn { .. } => StatusCode::CONFLICT,
        PublishError::Superseded { .. } => StatusCode::PRECONDITION_FAILED,
        PublishError::NotKept { .. } | PublishError::NoSession { .. } => StatusCode::NOT_FOUND,
        PublishError::Past { .. } => StatusCode::BAD_REQUEST,
        PublishError::Commit(error) => commit_status(error),
        PublishError::Read(error) => read_status(error),
        PublishError::Stored(_) | PublishError::Unsound(_) => StatusCode::INTERNAL_SERVER_ERROR,
        PublishError::Stopping(_) | PublishError::Outbox(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub(super) fn detail(error: &PublishError) -> String {
    match error {
        PublishError::Refused(report) => {
            let errors = report.error_count();
            let counted = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            format!("The program has {counted}; the running release goes on.")
        }
        PublishError::Held(held) => format!(
            "Held, because {}. If that is meant, send it again with ?confirm={}",
            held.verdict.reasons.join("; "),
            held.verdict.digest
        ),
        PublishError::Commit(CommitError::Full) => {
            "The disk is full, so the release could not be stored; the running one goes on. Free some space on the disk of \
             the data directory, then try again."
                .to_owned()
        }
        PublishError::Commit(error @ CommitError::TooLarge) => sentence(&error.to_string()),
        PublishError::Commit(_) | PublishError::Read(_) => {
            "The release could not be kept at the moment; the running one goes on. Try again shortly."
                .to_owned()
        }
        other => sentence(&other.to_string()),
    }
}

/// Further members of the document (RFC 9457, 3.2).
pub(super) fn members(error: &PublishError) -> Map<String, Value> {
    let value = match error {
        PublishError::Refused(report) => json!({
            "report": report.to_json(),
            "report_text": report.render_human("program.csv", b"", false),
        }),
        PublishError::Held(held) => json!({
            "digest": held.verdict.digest,
            "reasons": held.verdict.reasons,
            "changes": describe_changes(&held.changes, held.zone),
            "warnings": held.report.warnings().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        PublishError::Superseded { live } => json!({ "release": live }),
        _ => Value::Null,
    };
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Problem;

    #[test]
    fn an_upload_to_a_full_disk_says_so_to_the_organizer_and_to_the_log() {
        let error = PublishError::Commit(CommitError::Full);
        assert_eq!(status(&error), StatusCode::INSUFFICIENT_STORAGE);
        assert!(detail(&error).starts_with("The disk is full"), "{}", detail(&error));
        let cause = Problem::from(error).cause().unwrap();
        assert!(cause.contains("the disk is full"), "{cause}");
    }
}
