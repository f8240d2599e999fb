//! The process, under the names that Prometheus' own clients use, and the build.

use super::{By, Group};
use crate::metrics::{Label, Metric};

/// Which build this is.
pub static BUILD: Metric = Metric::gauge("farmlokal.build_info", "", "1, labelled with the build that runs.").labelled(
    &[
        Label::few("version", "the version"),
        Label::few("revision", "the commit it was built from; absent where the build did not say"),
    ],
    1,
);

/// Processor time.
pub static CPU: Metric = Metric::counter("process.cpu", "s", "Processor time, of the user and of the system.");

/// Memory.
pub static RESIDENT_MEMORY: Metric = Metric::gauge("process.resident_memory", "By", "Resident memory.");

/// File descriptors.
pub static OPEN_FDS: Metric = Metric::gauge("process.open_fds", "{descriptor}", "Open file descriptors.");

/// The most there may be.
pub static MAX_FDS: Metric = Metric::gauge("process.max_fds", "{descriptor}", "File descriptors that may be open.");

/// When it began.
pub static START_TIME: Metric =
    Metric::gauge("process.start_time", "s", "When the process began, in seconds since 1970.");

/// The process.
pub static GROUP: Group = Group {
    title: "Process",
    by: By::Everybody,
    metrics: &[&BUILD, &CPU, &RESIDENT_MEMORY, &OPEN_FDS, &MAX_FDS, &START_TIME],
};
