//! Measures the disk: appends records to a log, each followed by an fdatasync.
//!
//! The space of the log is allocated first, as journals and sled do it, so that no append changes the file's length.
//! A change of the length would also cost a write to the file system's own journal.

use crate::timing::summary;
use serde_json::Value;
use std::error::Error;
use std::fs::File;
use std::io::{Seek, Write};
use std::time::{Duration, Instant};

const ROOM: usize = 16 * 1024 * 1024;

pub(crate) fn measure(file: &str, bytes: usize, seconds: f64) -> Result<Value, Box<dyn Error>> {
    let mut out = File::create(file)?;
    out.write_all(&vec![0xff; ROOM])?;
    out.sync_all()?;
    out.rewind()?;
    let record = vec![0x55; bytes];
    let mut written = 0;
    let started = Instant::now();
    let mut latencies = Vec::new();
    while started.elapsed() < Duration::from_secs_f64(seconds) {
        let before = Instant::now();
        out.write_all(&record)?;
        out.sync_data()?;
        written += bytes;
        if written + bytes > ROOM {
            out.rewind()?;
            written = 0;
        }
        latencies.push(before.elapsed());
    }
    Ok(summary(latencies, started.elapsed()))
}
