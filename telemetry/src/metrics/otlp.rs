//! Pushing metrics by OTLP, as OpenTelemetry's own variables say.

use std::fmt;
use std::time::Duration;

use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use tokio::runtime::Handle;

use crate::delivery::{self, DeliveryError, within};
use crate::environment::{exports, variable};

/// Why metrics are not pushed though the environment asks for it.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be pushed: {0}")]
pub struct OtlpError(#[from] DeliveryError);

/// Where metrics are pushed to.
///
/// The SDK exports from a thread of its own, outside any runtime; the clients want to be inside one.
pub struct Push {
    exporter: MetricExporter,
    runtime: Handle,
}

impl Push {
    /// To `endpoint`, over HTTP, with whatever else the environment says. Must be called in a runtime.
    ///
    /// # Errors
    ///
    /// When the endpoint, or something in the environment, cannot be used.
    pub fn over_http(endpoint: &str) -> Result<Self, OtlpError> {
        Ok(Self::by(delivery::metrics_to(Some(endpoint))?))
    }

    fn by(exporter: MetricExporter) -> Self {
        Self { exporter, runtime: Handle::current() }
    }
}

/// What the environment names; `None` without an endpoint. Must be called in a runtime.
///
/// # Errors
///
/// When the endpoint, the protocol or the header fields in the environment cannot be used.
pub fn exporter() -> Result<Option<Push>, OtlpError> {
    if !exports("METRICS", &variable) {
        return Ok(None);
    }
    Ok(Some(Push::by(delivery::metrics()?)))
}

impl PushMetricExporter for Push {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        within(&self.runtime, self.exporter.export(metrics)).await
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
