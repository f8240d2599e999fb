//! Finished spans, and numbers, on their way to a collector (OTLP). Spans go by a thread of the SDK's and a runtime of their own, so no request
//! waits for one, and they are flushed whatever the rest of the process does, with a single processor too.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig as _, WithHttpConfig as _, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{self, SpanData};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::environment::{otlp, variable};
use crate::otlp::{Completed, UnderWay};

/// How long a batch may take that `OTEL_EXPORTER_OTLP_TIMEOUT` says nothing of: the specification's.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no way to the collector.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The system has no thread left.
    #[error("a thread for sending traces: {0}")]
    Runtime(#[source] std::io::Error),
    /// The variables make no sense.
    #[error("{0}; see the variables OTEL_EXPORTER_OTLP_*")]
    Exporter(#[from] ExporterBuildError),
    /// There is nobody to trust.
    #[error("no certificates to trust ({0}); install the system's, such as the package ca-certificates")]
    Certificates(#[source] std::io::Error),
}

/// The runtime that sends: one thread.
pub(crate) fn runtime() -> Result<Runtime, DeliveryError> {
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("telemetry").enable_all().build();
    runtime.map_err(DeliveryError::Runtime)
}

/// Sends spans to the collector that the variables `OTEL_EXPORTER_OTLP_*` name, by gRPC or by HTTP.
pub(crate) fn spans(runtime: &Handle) -> Result<Delivery<SpanExporter>, DeliveryError> {
    // gRPC looks for the runtime while it is made.
    let _entered = runtime.enter();
    let by_grpc = otlp("TRACES", "PROTOCOL", &variable).is_some_and(|protocol| protocol == "grpc");
    // What the library has compressed cannot be completed.
    let compressed = otlp("TRACES", "COMPRESSION", &variable).is_some();
    let exporter = SpanExporter::builder();
    let (exporter, under_way) = if by_grpc {
        (trusting(exporter.with_tonic(), "TRACES").build()?, None)
    } else if compressed {
        (exporter.with_http().with_http_client(http_client("TRACES")?).build()?, None)
    } else {
        let batch = UnderWay::default();
        let client = Completed { client: http_client("TRACES")?, batch: batch.clone() };
        (exporter.with_http().with_http_client(client).build()?, Some(batch))
    };
    Ok(Delivery { exporter, under_way, runtime: runtime.clone(), failing: AtomicBool::new(false) })
}

/// Sends the numbers of `METRICS` to the collector that the variables name. Must be called in a runtime.
pub(crate) fn metrics() -> Result<MetricExporter, DeliveryError> {
    Ok(match otlp("METRICS", "PROTOCOL", &variable).as_deref() {
        Some("grpc") => trusting(MetricExporter::builder().with_tonic(), "METRICS").build()?,
        _ => metrics_to(None)?,
    })
}

/// The same over HTTP, to `endpoint` if it is given.
pub(crate) fn metrics_to(endpoint: Option<&str>) -> Result<MetricExporter, DeliveryError> {
    let builder = MetricExporter::builder().with_http().with_http_client(http_client("METRICS")?);
    Ok(match endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint).build()?,
        None => builder.build()?,
    })
}

/// Has gRPC to an `https` endpoint trust whom the system trusts: left to itself, the exporter trusts nobody.
fn trusting<B: WithTonicConfig>(exporter: B, signal: &str) -> B {
    match is_https(signal) {
        true => exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots()),
        false => exporter,
    }
}

fn is_https(signal: &str) -> bool {
    otlp(signal, "ENDPOINT", &variable).is_some_and(|url| url.starts_with("https:"))
}

/// Makes the calls of `signal`; whom the system trusts is asked only where the endpoint is `https`.
fn http_client(signal: &str) -> Result<HyperClient<HttpsConnector<HttpConnector>>, DeliveryError> {
    let timeout = otlp(signal, "TIMEOUT", &variable).and_then(|millis| millis.parse().ok());
    let timeout = timeout.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    let tls = if is_https(signal) {
        HttpsConnectorBuilder::new().with_native_roots().map_err(DeliveryError::Certificates)?
    } else {
        let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        HttpsConnectorBuilder::new().with_tls_config(nobody)
    };
    Ok(HyperClient::new(tls.https_or_http().enable_http1().build(), timeout, None))
}

/// Does `work`, which is polled by a thread of the SDK's, with the timers and connections of `runtime`.
pub(crate) async fn within<F: Future>(runtime: &Handle, work: F) -> F::Output {
    let mut work = pin!(work);
    let polled = poll_fn(|waker| {
        let _entered = runtime.enter();
        work.as_mut().poll(waker)
    });
    polled.await
}

/// An exporter that works with a runtime of ours, and says in the log when that begins or ceases to fail.
#[derive(Debug)]
pub(crate) struct Delivery<E> {
    exporter: E,
    /// Where a batch goes that we write ourselves.
    under_way: Option<UnderWay>,
    runtime: Handle,
    failing: AtomicBool,
}

impl<E: trace::SpanExporter> trace::SpanExporter for Delivery<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let batch = match &self.under_way {
            Some(under_way) => under_way.put(batch),
            None => batch,
        };
        let result = within(&self.runtime, self.exporter.export(batch)).await;
        if let Some(under_way) = &self.under_way {
            under_way.put(vec![]);
        }
        // Once and not for every batch: a collector that is away for a day is no reason to fill the log.
        match (&result, self.failing.swap(result.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => tracing::warn!("traces cannot be delivered: {error}"),
            (Ok(()), true) => tracing::info!("traces are delivered again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
