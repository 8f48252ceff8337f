//! The process as Prometheus' client libraries describe it (`process_…`), from /proc where there is one.

use super::exposition::Exposition;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Writes the metrics that are known on this system. `started` is in seconds of the Unix epoch.
pub(super) fn print(out: &mut Exposition, started: i64) {
    out.gauge(
        "process_start_time_seconds",
        "When the process started, in seconds of the Unix epoch.",
        started,
    );
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = format!("{}.{:06}", time.tv_sec, time.tv_nsec / 1_000);
    out.counter("process_cpu_seconds", "Processor time used by all threads.", cpu);
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        out.gauge("process_max_fds", "File descriptors that the process may open.", limit);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the directory that is read.
        out.gauge("process_open_fds", "File descriptors that are open.", open.count().saturating_sub(1));
    }
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let value = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    for (key, name, help, unit) in [
        ("VmRSS", "process_resident_memory_bytes", "Resident memory.", 1024),
        ("VmSize", "process_virtual_memory_bytes", "Virtual memory.", 1024),
        ("Threads", "process_threads", "Threads.", 1),
    ] {
        if let Some(value) = value(key) {
            out.gauge(name, help, value * unit);
        }
    }
}
