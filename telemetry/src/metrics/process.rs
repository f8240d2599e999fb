//! The process itself, under the names that Prometheus' own clients use. From `/proc`; elsewhere there is nothing.

use std::fs;

use super::{Metrics, table::process as table};

/// Clock ticks a second: Linux shows times to programs in this unit, whatever its own is.
const TICKS: f64 = 100.0;

/// Has the numbers of this process read at each collection.
pub(super) fn observe(metrics: &Metrics) {
    // One that cannot be read is left out.
    let read = |of: fn() -> Option<f64>| {
        move |readings: &super::Readings<'_>| {
            if let Some(value) = of() {
                readings.put(value, &[]);
            }
        }
    };
    metrics.observe(&table::CPU, read(|| cpu_seconds(&fs::read_to_string("/proc/self/stat").ok()?)));
    metrics.observe(&table::RESIDENT_MEMORY, read(|| resident_bytes(&fs::read_to_string("/proc/self/status").ok()?)));
    metrics.observe(&table::OPEN_FDS, read(|| Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64)));
    metrics.observe(&table::MAX_FDS, read(|| max_fds(&fs::read_to_string("/proc/self/limits").ok()?)));
    metrics.observe(
        &table::START_TIME,
        read(|| {
            let [own, system] = ["/proc/self/stat", "/proc/stat"].map(|file| fs::read_to_string(file).ok());
            start_time(&own?, &system?)
        }),
    );
}

/// A field of `/proc/self/stat`, counted as proc(5) does; the second one may have spaces in it.
fn field(stat: &str, number: usize) -> Option<f64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS)
}

/// In seconds since 1970.
fn start_time(own: &str, system: &str) -> Option<f64> {
    let booted: f64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(booted + field(own, 22)? / TICKS)
}

fn resident_bytes(status: &str) -> Option<f64> {
    let kib: f64 =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().split(' ').next()?.parse().ok()?;
    Some(kib * 1_024.0)
}

fn max_fds(limits: &str) -> Option<f64> {
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_ascii_whitespace().next()?;
    soft.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_its_manual_says() {
        let stat = "7 (a )b) S 1 7 7 0 -1 4194304 1 0 0 0 250 150 0 0 20 0 4 0 1200 9 9 9";
        assert_eq!((cpu_seconds(stat), start_time(stat, "cpu 1\nbtime 1000\n")), (Some(4.0), Some(1_012.0)));
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2_097_152.0));
        assert_eq!(
            max_fds("Limit  Soft  Hard\nMax open files            1024                 4096      files\n"),
            Some(1_024.0)
        );
        assert_eq!((cpu_seconds(""), resident_bytes("?"), max_fds("Max open files unlimited x")), (None, None, None));
    }
}
