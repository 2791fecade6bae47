//! What is counted of the process itself, under the names that Prometheus' own libraries give it, and which build it is.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// The release that this is a build of.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that it was built from, where `FLOWTRAIL_COMMIT` named it to the compiler, as recipes of packages do.
pub const COMMIT: Option<&str> = option_env!("FLOWTRAIL_COMMIT");

type Seconds = Counter<f64, AtomicU64>;
type Time = Gauge<f64, AtomicU64>;
type Count = Gauge<u64, AtomicU64>;

/// What the system says of this process; it says it on Linux.
struct Numbers {
    /// Processor time, in seconds.
    processor: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    open_files: u64,
    max_files: Option<u64>,
    threads: u64,
    /// When it started, in seconds since 1970.
    started: f64,
}

/// Adds which build it is.
pub(crate) fn register_build(registry: &mut Registry) {
    let labels = vec![("version", VERSION), ("commit", COMMIT.unwrap_or("unknown"))];
    registry.register("build", "Which build this is", Info::new(labels));
}

/// Adds what the system says of the process, to a registry without a prefix.
pub(crate) fn register(registry: &mut Registry) {
    let Some(numbers) = numbers() else { return };
    let (processor, started) = (Seconds::default(), Time::default());
    processor.inc_by(numbers.processor);
    started.set(numbers.started);
    registry.register_with_unit("process_cpu", "Processor time in user and system mode", Unit::Seconds, processor);
    registry.register_with_unit("process_start_time", "When it started, since 1970", Unit::Seconds, started);
    let count = |number| {
        let gauge = Count::default();
        gauge.set(number);
        gauge
    };
    let resident = count(numbers.resident_bytes);
    registry.register_with_unit(
        "process_resident_memory",
        "Memory that it has of the machine's",
        Unit::Bytes,
        resident,
    );
    let mapped = count(numbers.virtual_bytes);
    registry.register_with_unit("process_virtual_memory", "Memory that it has addresses for", Unit::Bytes, mapped);
    registry.register("process_open_fds", "Files and connections that are open", count(numbers.open_files));
    if let Some(most) = numbers.max_files {
        registry.register("process_max_fds", "How many may be open", count(most));
    }
    registry.register("process_threads", "Threads of the system", count(numbers.threads));
}

#[cfg(target_os = "linux")]
fn numbers() -> Option<Numbers> {
    use procfs::process::{LimitValue, Process};

    let process = Process::myself().ok()?;
    let stat = process.stat().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a metric is a float, and years of ticks have fewer than 53 bits")]
    let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 have fewer than 53 bits")]
    let booted = procfs::boot_time_secs().ok()? as f64;
    let max_files = match process.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Value(most) => Some(most),
        LimitValue::Unlimited => None,
    };
    Some(Numbers {
        processor: seconds(stat.utime + stat.stime),
        resident_bytes: stat.rss * procfs::page_size(),
        virtual_bytes: stat.vsize,
        open_files: process.fd_count().ok()? as u64,
        max_files,
        threads: u64::try_from(stat.num_threads).ok()?,
        started: booted + seconds(stat.starttime),
    })
}

#[cfg(not(target_os = "linux"))]
fn numbers() -> Option<Numbers> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_this_process() {
        let numbers = numbers().unwrap();
        assert!(numbers.resident_bytes > 1 << 20 && numbers.virtual_bytes > numbers.resident_bytes);
        assert!(numbers.open_files > 2 && numbers.threads > 1);
        assert!(numbers.max_files.is_none_or(|most| most > numbers.open_files));
        #[expect(clippy::cast_precision_loss, reason = "years to come")]
        let now = crate::clock::now_micros() as f64 / 1e6;
        assert!(numbers.started <= now + 1.0 && numbers.started > now - 86_400.0, "{} {now}", numbers.started);
    }
}
