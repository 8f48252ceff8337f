//! Metrics in Prometheus' text format 0.0.4: requests by route pattern, never by path; single values; the process.
//!
//! `prometheus-client` is not used because it writes only OpenMetrics, whose TYPE lines name a counter without `_total`,
//! while a test promises text that `promtool check metrics` accepts.

use super::Body;
use http::Response;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the duration buckets, in microseconds.
const BOUNDS: [u64; 7] = [100, 500, 2_500, 10_000, 100_000, 500_000, 2_500_000];

/// Requests by the number of their route. A hash of the pattern would cost as much as the rest of the count.
#[derive(Debug)]
pub struct Metrics(Vec<(&'static str, RouteCounters)>);

#[derive(Debug, Default)]
struct RouteCounters {
    /// Requests by the first digit of the status.
    statuses: [AtomicU64; 6],
    /// Requests by the bucket of the duration; the last bucket has no bound.
    durations: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
    bytes: AtomicU64,
}

impl Metrics {
    pub(super) fn new(patterns: impl IntoIterator<Item = &'static str>) -> Self {
        Self(patterns.into_iter().map(|pattern| (pattern, RouteCounters::default())).collect())
    }

    pub(super) fn count(&self, route: usize, response: &Response<Body>, took: Duration) {
        let Some((_, row)) = self.0.get(route) else { return };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let status = usize::from(response.status().as_u16() / 100);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        for counter in [row.statuses.get(status), row.durations.get(bucket)].into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        row.micros.fetch_add(micros, Ordering::Relaxed);
        row.bytes.fetch_add(response.body().length().unwrap_or(0), Ordering::Relaxed);
    }

    /// Writes the routes that were requested.
    pub(super) fn print(&self, out: &mut String) {
        let mut rows: Vec<&(&str, RouteCounters)> = self.0.iter().collect();
        rows.sort_by_key(|(pattern, _)| *pattern);
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            out,
            "# HELP callboard_requests_total Requests answered.\n# TYPE callboard_requests_total counter"
        );
        for (route, row) in &rows {
            for (digit, counter) in row.statuses.iter().enumerate().filter(|(_, counter)| load(counter) > 0) {
                let _ = writeln!(
                    out,
                    "callboard_requests_total{{route=\"{route}\",status=\"{digit}xx\"}} {}",
                    load(counter)
                );
            }
        }
        let _ = writeln!(
            out,
            "# HELP callboard_response_bytes_total Bytes of bodies sent.\n# TYPE callboard_response_bytes_total counter"
        );
        for (route, row) in rows.iter().filter(|(_, row)| load(&row.bytes) > 0) {
            let _ = writeln!(out, "callboard_response_bytes_total{{route=\"{route}\"}} {}", load(&row.bytes));
        }
        let _ = writeln!(
            out,
            "# HELP callboard_request_seconds From the head of a request to the head of its answer.\n# TYPE callboard_request_seconds histogram"
        );
        for (route, row) in rows {
            let mut total = 0;
            let bounds = BOUNDS.iter().map(|micros| seconds(*micros)).chain(["+Inf".to_owned()]);
            let counts: Vec<(String, u64)> = bounds.zip(row.durations.iter().map(load)).collect();
            if counts.iter().all(|(_, count)| *count == 0) {
                continue;
            }
            for (bound, count) in counts {
                total += count;
                let _ = writeln!(
                    out,
                    "callboard_request_seconds_bucket{{route=\"{route}\",le=\"{bound}\"}} {total}"
                );
            }
            let _ = writeln!(
                out,
                "callboard_request_seconds_sum{{route=\"{route}\"}} {}",
                seconds(load(&row.micros))
            );
            let _ = writeln!(out, "callboard_request_seconds_count{{route=\"{route}\"}} {total}");
        }
    }
}

fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The text of a scrape.
#[derive(Debug, Default)]
pub(super) struct Exposition(pub(super) String);

impl Exposition {
    /// A value that only rises while the process lives. Adds `_total` to the name.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(&format!("{name}_total"), "counter", help, value);
    }

    /// A value that rises and falls.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help, value);
    }

    /// Values that rise and fall, each with its labels. The labels need no escaping.
    pub(super) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (String, impl Display)>,
    ) {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{{{labels}}} {value}");
        }
    }

    /// 1 with labels that describe the process. The values need no escaping.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let _ =
            writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{{{}}} 1", labels.join(","));
    }

    fn family(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
}

/// Writes the process metrics of Prometheus' client libraries, from /proc where it exists. `started` is in seconds of the
/// Unix epoch.
pub(super) fn print_process(out: &mut Exposition, started: i64) {
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
        // One of them reads the directory.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_name_no_path() {
        let metrics = Metrics::new(["/a/{x}", "-"]);
        for micros in [50, 400, 99_000_000] {
            metrics.count(0, &Response::new(Body::Empty), Duration::from_micros(micros));
        }
        metrics.count(9, &Response::new(Body::Empty), Duration::ZERO);
        let mut out = String::new();
        metrics.print(&mut out);
        for line in [
            "callboard_requests_total{route=\"/a/{x}\",status=\"2xx\"} 3",
            "callboard_request_seconds_bucket{route=\"/a/{x}\",le=\"0.0001\"} 1",
            "callboard_request_seconds_bucket{route=\"/a/{x}\",le=\"0.0005\"} 2",
            "callboard_request_seconds_bucket{route=\"/a/{x}\",le=\"+Inf\"} 3",
            "callboard_request_seconds_sum{route=\"/a/{x}\"} 99.00045",
        ] {
            assert!(out.contains(line), "{line}\n{out}");
        }
    }
}
