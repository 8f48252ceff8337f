//! Wall time, processor time and quantiles.

use serde_json::{Value, json};
use std::error::Error;
use std::time::{Duration, Instant};

/// The wall time and the CPU time of all threads of this process since the start of the watch, in seconds.
pub(crate) struct Watch {
    wall: Instant,
    cpu: f64,
}

impl Watch {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        Ok(Self { wall: Instant::now(), cpu: cpu_seconds()? })
    }

    pub(crate) fn read(&self) -> Result<Value, Box<dyn Error>> {
        Ok(json!({ "wall_s": self.wall.elapsed().as_secs_f64(), "cpu_s": cpu_seconds()? - self.cpu }))
    }
}

/// The CPU time of the running threads, with a resolution of nanoseconds.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let schedstat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += schedstat.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos).as_secs_f64())
}

/// The count, the rate and two quantiles of the latencies.
pub(crate) fn summary(mut latencies: Vec<Duration>, span: Duration) -> Value {
    latencies.sort_unstable();
    let quantile = |share: usize| {
        let at = (latencies.len() * share / 100).min(latencies.len().saturating_sub(1));
        latencies.get(at).copied().unwrap_or_default().as_secs_f64()
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = latencies.len() as f64 / span.as_secs_f64();
    json!({ "count": latencies.len(), "rate": rate, "p50_s": quantile(50), "p99_s": quantile(99) })
}
