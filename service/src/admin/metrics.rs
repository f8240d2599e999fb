//! Numbers in the text format of Prometheus, version 0.0.4.

use std::fmt::Write as _;

/// Text that metrics are appended to.
#[derive(Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// A metric of the type `kind` ("gauge", "counter"), and a sample for each set of labels:
    /// `operation="listProducts"`, or nothing.
    pub(super) fn add(&mut self, name: &str, kind: &str, help: &str, samples: &[(String, f64)]) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            let _ = writeln!(self.0, "{name}{braced} {value}");
        }
    }

    /// A metric without labels.
    pub(super) fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.add(name, kind, help, &[(String::new(), value)]);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}
