//! The database's file, asked for in order before sled asks for it page by page.
//!
//! Verifying a million agendas reads nearly all of the file, in the order of keys, which is none on disk. With
//! nothing of it in memory (after a reboot, or when the system needed the memory) most of a start is then
//! waiting for one page after the other.

use std::fs::File;

/// Has the system begin to read the whole file, on a thread of its own: where the disk is slow, handing out the
/// requests takes as long as the reading.
///
/// It is advice: without it a start takes longer and is no different.
#[cfg(target_os = "linux")]
pub(super) fn read_ahead(file: File) {
    use rustix::fs::{Advice, fadvise};
    use std::num::NonZero;

    /// The system reads no more than a device's `read_ahead_kb` for each request, which is this much where
    /// nobody set it.
    const STEP: NonZero<u64> = NonZero::new(128 << 10).unwrap();

    let advise = move || -> std::io::Result<()> {
        for start in (0..file.metadata()?.len()).step_by(STEP.get() as usize) {
            fadvise(&file, start, Some(STEP), Advice::WillNeed)?;
        }
        Ok(())
    };
    let told = |error: std::io::Error| tracing::debug!(%error, "the database is not read ahead");
    let thread = std::thread::Builder::new().name("read ahead".to_owned());
    thread.spawn(move || advise().unwrap_or_else(told)).map_or_else(told, drop);
}

/// Elsewhere the system finds out for itself.
#[cfg(not(target_os = "linux"))]
pub(super) fn read_ahead(_: File) {}
