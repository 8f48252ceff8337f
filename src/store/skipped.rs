//! The damaged records that a scan passes over.
//!
//! One damaged record must not keep a scan from all the others: a preview would fail for good, and nothing would be
//! erased any more. What a scan counts is logged with the cause of the first, which names no key.

use super::ReadError;

/// How many records of a scan could not be read.
#[derive(Debug, Default)]
pub struct Skipped {
    count: usize,
    first: Option<ReadError>,
}

impl Skipped {
    /// The rows of a scan without those that are damaged, or that a later version wrote. A store that cannot be
    /// read at all stays an error.
    pub fn over<T>(
        &mut self,
        rows: impl Iterator<Item = Result<T, ReadError>>,
    ) -> impl Iterator<Item = Result<T, ReadError>> {
        rows.filter(|row| match row {
            Err(error @ (ReadError::Damaged { .. } | ReadError::Newer { .. })) => {
                self.count += 1;
                self.first.get_or_insert_with(|| error.clone());
                false
            }
            _ => true,
        })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Logs them, if there are any, with what was being done.
    pub fn log(&self, during: &'static str) {
        if let Some(error) = &self.first {
            tracing::error!(records = self.count, %error, "{during}: damaged records were left out; `callboard verify` says more, and a backup may have them whole");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_single_records_are_skipped() {
        let damaged = || ReadError::Damaged { what: "agenda", cause: String::new() };
        let newer = ReadError::Newer { what: "agenda", found: 9, known: 2 };
        let closed = ReadError::Unavailable("closed".to_owned());
        let rows = vec![Ok(1), Err(damaged()), Ok(2), Err(newer), Err(damaged()), Err(closed.clone())];
        let mut skipped = Skipped::default();
        let left: Vec<_> = skipped.over(rows.into_iter()).collect();
        assert_eq!(left, [Ok(1), Ok(2), Err(closed)]);
        assert_eq!((skipped.count(), skipped.first), (3, Some(damaged())));
    }
}
