//! What is counted of requests: rate, errors and durations by route pattern, never by path.

use super::Body;
use http::Response;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the duration buckets, in microseconds.
const BOUNDS: [u64; 7] = [100, 500, 2_500, 10_000, 100_000, 500_000, 2_500_000];

/// Requests by route.
#[derive(Debug)]
pub struct Metrics(HashMap<&'static str, Row>);

#[derive(Debug, Default)]
struct Row {
    /// By first digit of the status.
    statuses: [AtomicU64; 6],
    /// By the bucket that the duration falls into, the last without a bound.
    durations: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
    bytes: AtomicU64,
}

impl Metrics {
    pub(super) fn new(patterns: impl IntoIterator<Item = &'static str>) -> Self {
        Self(patterns.into_iter().map(|pattern| (pattern, Row::default())).collect())
    }

    pub(super) fn count(&self, pattern: &'static str, response: &Response<Body>, took: Duration) {
        let Some(row) = self.0.get(pattern) else { return };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let status = usize::from(response.status().as_u16() / 100);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        for counter in [row.statuses.get(status), row.durations.get(bucket)].into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        row.micros.fetch_add(micros, Ordering::Relaxed);
        row.bytes.fetch_add(response.body().length().unwrap_or(0), Ordering::Relaxed);
    }

    /// In Prometheus' text format, routes that were asked for only.
    pub(super) fn print(&self, out: &mut String) {
        let mut rows: Vec<(&&str, &Row)> = self.0.iter().collect();
        rows.sort_by_key(|(pattern, _)| **pattern);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_name_no_path() {
        let metrics = Metrics::new(["/a/{x}", "-"]);
        for micros in [50, 400, 99_000_000] {
            metrics.count("/a/{x}", &Response::new(Body::Empty), Duration::from_micros(micros));
        }
        metrics.count("unknown", &Response::new(Body::Empty), Duration::ZERO);
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
