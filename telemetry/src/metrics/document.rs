//! The page of the documentation that lists all metrics.

use std::fmt::Write as _;

use super::table::{By, GROUPS, Group};
use super::{Kind, Metric, Values};

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask metrics` from the table in telemetry/src/metrics/table. Do not edit. -->

# Metrics

What is measured, as Prometheus shows it; in brackets the name by which the same numbers are pushed by OTLP. Every \
process has the labels of its own resource in `target_info`.

- The service shows its metrics at `/metrics` on the admin port, the operator on its port for metrics.
- They are pushed by OTLP as well when `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` is set, every minute \
(`OTEL_METRIC_EXPORT_INTERVAL`, in milliseconds); `OTEL_METRICS_EXPORTER=none` switches that off.
- No label has values that clients can make up: the number of series is bounded for each metric, as the last column says. \
Beyond that, which would be a mistake of ours, values fall into one series labelled `otel_metric_overflow`.
- Durations are in seconds. The buckets of each histogram stand at the end.
";

/// The page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for group in GROUPS {
        section(&mut page, group);
    }
    buckets(&mut page);
    page
}

// Writing to a String cannot fail.

fn section(page: &mut String, group: &Group) {
    let by = match group.by {
        By::Service => "Shown by the service.",
        By::Seed => "Pushed by `farmlokal-seed` and `farmlokal seed`, which have no port.",
        By::Operator => "Shown by the operator.",
        By::Everybody => "Shown by the service and the operator.",
    };
    let _ = write!(
        page,
        "\n## {}\n\n{by}\n\n| metric | type | labels | says | series |\n|---|---|---|---|---|\n",
        group.title
    );
    for metric in group.metrics {
        let _ = writeln!(
            page,
            "| `{}`<br>[`{}`{}] | {} | {} | {} | {} |",
            metric.prometheus_name(),
            metric.name,
            unit(metric),
            metric.prometheus_type(),
            labels(metric),
            metric.help,
            metric.series
        );
    }
}

fn unit(metric: &Metric) -> String {
    if metric.unit.is_empty() { String::new() } else { format!(", {}", metric.unit) }
}

fn labels(metric: &Metric) -> String {
    let label = |label: &super::Label| {
        let values = match label.values {
            Values::OneOf(values) => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
            Values::Few(described) => described.to_owned(),
        };
        format!("`{}`: {values}", label.prometheus_name())
    };
    metric.labels.iter().map(label).collect::<Vec<_>>().join("<br>")
}

fn buckets(page: &mut String) {
    page.push_str("\n## Buckets\n\n| histogram | upper boundaries in seconds |\n|---|---|\n");
    for metric in super::table::all() {
        if let Kind::Histogram(boundaries) = metric.kind {
            let boundaries: Vec<_> = boundaries.iter().map(ToString::to_string).collect();
            let _ = writeln!(page, "| `{}` | {} |", metric.prometheus_name(), boundaries.join(", "));
        }
    }
}
