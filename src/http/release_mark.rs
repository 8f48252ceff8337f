//! The release that cached values belong to.
//!
//! A cache holds a mark instead of the release, so that it does not keep the memory of an earlier release.

use crate::release::Release;
use std::sync::{Arc, Weak};

/// Marks a release without keeping it alive. Releases are compared by pointer, since erasing a session replaces a release
/// by another one of the same number. The mark keeps the address from being used again.
#[derive(Debug, Default)]
pub(super) struct ReleaseMark(Weak<Release>);

impl ReleaseMark {
    pub(super) fn of(release: &Arc<Release>) -> Self {
        Self(Arc::downgrade(release))
    }

    /// Whether it marks this release.
    pub(super) fn is(&self, release: &Arc<Release>) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(release))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_mark_keeps_no_release_alive_and_fits_no_other() {
        let release = Arc::new(fixtures::tricky().release());
        let mark = ReleaseMark::of(&release);
        assert!(mark.is(&release) && !ReleaseMark::default().is(&release));
        assert_eq!(Arc::strong_count(&release), 1);
        drop(release);
        assert!(!mark.is(&Arc::new(fixtures::tricky().release())));
    }
}
