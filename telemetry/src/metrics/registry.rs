//! The instruments of one process (or one service in a test), and where their numbers go.

use opentelemetry::metrics::{AsyncInstrument, Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Aggregation, Instrument, PeriodicReader, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

use super::otlp::Push;
use super::{Counter, Gauge, Histogram, Kind, Metric, Readings, process, table};

/// Why there are no numbers.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The exporter for Prometheus cannot be set up.
    #[error("metrics cannot be set up: {0}")]
    Setup(#[from] opentelemetry_sdk::error::OTelSdkError),
    /// They cannot be written as text.
    #[error("metrics cannot be written: {0}")]
    Write(#[from] prometheus::Error),
}

/// Makes instruments, and gives what they have counted.
#[derive(Debug, Clone)]
pub struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
    meter: Meter,
}

impl Metrics {
    /// The content type of [`text`](Self::text).
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Numbers of `resource`; pushed to `push` every minute (`OTEL_METRIC_EXPORT_INTERVAL`), if it is given.
    ///
    /// # Errors
    ///
    /// When the exporter for Prometheus cannot be set up, which would be a mistake of ours.
    pub fn new(resource: Resource, push: Option<Push>) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let pull = opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false);
        let builder = SdkMeterProvider::builder().with_resource(resource).with_view(stream).with_reader(pull.build()?);
        let builder = match push {
            Some(push) => builder.with_reader(PeriodicReader::builder(push).build()),
            None => builder,
        };
        let provider = builder.build();
        let meter = provider.meter("farmlokal");
        let metrics = Self { provider, registry, meter };
        process::observe(&metrics);
        Ok(metrics)
    }

    /// A counter for `metric`.
    #[must_use]
    pub fn counter(&self, metric: &'static Metric) -> Counter {
        let builder = self.meter.u64_counter(metric.name).with_unit(metric.unit).with_description(metric.help);
        Counter { metric, inner: builder.build() }
    }

    /// A gauge for `metric` that is set.
    #[must_use]
    pub fn gauge(&self, metric: &'static Metric) -> Gauge {
        let builder = self.meter.f64_gauge(metric.name).with_unit(metric.unit).with_description(metric.help);
        Gauge { metric, inner: builder.build() }
    }

    /// A histogram for `metric`.
    #[must_use]
    pub fn histogram(&self, metric: &'static Metric) -> Histogram {
        let builder = self.meter.f64_histogram(metric.name).with_unit(metric.unit).with_description(metric.help);
        Histogram { metric, inner: builder.build() }
    }

    /// Has `read` asked for the numbers of `metric`, a counter or a gauge, whenever they are collected. It must be
    /// quick and must not wait.
    pub fn observe(&self, metric: &'static Metric, read: impl Fn(&Readings<'_>) + Send + Sync + 'static) {
        let callback = move |taker: &dyn AsyncInstrument<f64>| read(&Readings { metric, taker });
        let (name, unit, help) = (metric.name, metric.unit, metric.help);
        // The SDK keeps the callback; the instrument itself is of no further use.
        match metric.kind {
            Kind::Counter => {
                let builder = self.meter.f64_observable_counter(name).with_unit(unit).with_description(help);
                builder.with_callback(callback).build();
            }
            Kind::UpDownCounter => {
                let builder = self.meter.f64_observable_up_down_counter(name).with_unit(unit).with_description(help);
                builder.with_callback(callback).build();
            }
            Kind::Gauge | Kind::Histogram(_) => {
                let builder = self.meter.f64_observable_gauge(name).with_unit(unit).with_description(help);
                builder.with_callback(callback).build();
            }
        }
    }

    /// All numbers in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// When they cannot be written, which would be a mistake of ours.
    pub fn text(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }

    /// Pushes a last time, if it pushes, and ends. Waits for some seconds at the most, so it belongs on a thread
    /// that may wait.
    pub fn shut_down(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!("the last metrics were not pushed: {error}");
        }
    }
}

/// How an instrument of the table is kept: with the table's boundaries, and no more series than the table says.
fn stream(instrument: &Instrument) -> Option<Stream> {
    let metric = table::find(instrument.name())?;
    let builder = Stream::builder().with_cardinality_limit(metric.series);
    let builder = match metric.kind {
        Kind::Histogram(boundaries) => builder.with_aggregation(Aggregation::ExplicitBucketHistogram {
            boundaries: boundaries.to_vec(),
            record_min_max: false,
        }),
        _ => builder,
    };
    builder.build().ok()
}
