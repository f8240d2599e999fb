//! Pushing metrics by OTLP, as OpenTelemetry's own variables say.

use std::env;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use opentelemetry_otlp::{ExporterBuildError, MetricExporter};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use tokio::runtime::Handle;

/// Why metrics are not pushed though the environment asks for it.
#[derive(Debug, thiserror::Error)]
#[error("OTLP: {0}; check the variables OTEL_EXPORTER_OTLP_…")]
pub struct OtlpError(#[from] ExporterBuildError);

/// Where metrics are pushed to.
///
/// The SDK exports from a thread of its own, outside any runtime; the clients want to be inside one.
pub struct Push {
    exporter: MetricExporter,
    runtime: Handle,
}

impl Push {
    /// Pushes through `exporter`. Must be called in a runtime.
    #[must_use]
    pub fn new(exporter: MetricExporter) -> Self {
        Self { exporter, runtime: Handle::current() }
    }
}

/// What the environment names; `None` without an endpoint. Must be called in a runtime.
///
/// # Errors
///
/// When the endpoint, the protocol or the header fields in the environment cannot be used.
pub fn exporter() -> Result<Option<Push>, OtlpError> {
    if !is_wanted(|name| env::var(name).ok()) {
        return Ok(None);
    }
    Ok(Some(Push::new(MetricExporter::builder().build()?)))
}

/// Whether the environment wants metrics pushed: an endpoint is set, and nothing switches it off.
fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let is = |name: &str, wanted: &str| set(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    let endpoint = set("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"));
    let otlp = set("OTEL_METRICS_EXPORTER").is_none() || is("OTEL_METRICS_EXPORTER", "otlp");
    endpoint.is_some() && otlp && !is("OTEL_SDK_DISABLED", "true")
}

impl PushMetricExporter for Push {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut export = pin!(self.exporter.export(metrics));
        std::future::poll_fn(|context| {
            let _inside = self.runtime.enter();
            export.as_mut().poll(context)
        })
        .await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exporter.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_endpoint_makes_it_push() {
        let wanted = |set: &[(&str, &str)]| {
            is_wanted(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
        assert!(!wanted(&[]));
        assert!(!wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]));
        assert!(!wanted(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4317")]));
        assert!(wanted(&[ENDPOINT]));
        assert!(wanted(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector:4318/v1/metrics")]));
        assert!(wanted(&[ENDPOINT, ("OTEL_METRICS_EXPORTER", "otlp")]));
        for off in
            [("OTEL_METRICS_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "prometheus"), ("OTEL_SDK_DISABLED", "TRUE")]
        {
            assert!(!wanted(&[ENDPOINT, off]), "{off:?}");
        }
    }
}
