//! The set-up, once a process, and its end.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Sampler as SdkSampler, SdkTracerProvider, TracerProviderBuilder};
use tokio::runtime::Runtime;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::delivery::{self, DeliveryError};
use crate::environment::{exports, variable};
use crate::events;
use crate::ids::Ids;
use crate::log::{self, Directives, Format, Levels};
use crate::recent::{RecentTraces, Watched};
use crate::recorded::{FINEST, Recorded};
use crate::resource::resource;
use crate::root::make_by;
use crate::sampling::{Sampler, SamplerError};

/// What differs from program to program; the rest is said by OpenTelemetry's own variables (`OTEL_*`).
#[derive(Debug, Clone)]
pub struct Settings {
    /// `service.name`, unless `OTEL_SERVICE_NAME` says otherwise.
    pub service: &'static str,
    /// `service.version`.
    pub version: &'static str,
    /// What is logged at first.
    pub log: Directives,
    /// In which form.
    pub format: Format,
    /// Traces recorded a second where neither a collector nor a sampler is named; none when 0.
    pub traces_per_second: u32,
}

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The variables do not say what to sample.
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    /// There is no way to the collector.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// It was set up before in this process.
    #[error("telemetry was set up before in this process: {0}")]
    Twice(#[from] TryInitError),
}

/// Telemetry that is set up. Ends with the process; [`shut_down`](Self::shut_down) sends what is left.
#[derive(Debug)]
pub struct Telemetry {
    resource: Resource,
    provider: SdkTracerProvider,
    /// Sends spans to the collector, if one is named.
    runtime: Option<Runtime>,
}

/// Sets up logs and traces, and keeps [`recent_traces`](crate::recent_traces).
///
/// # Errors
///
/// When an `OTEL_*` variable is wrong, or it is the second time in this process.
pub fn start(settings: Settings) -> Result<Telemetry, StartError> {
    // More than the sampler admits for ourselves: with no collector all that is recorded is kept.
    let recent = RecentTraces::paced(settings.traces_per_second.saturating_mul(2));
    let telemetry = set_up(settings, Some(recent.clone()), |provider| provider)?;
    recent.publish();
    Ok(telemetry)
}

/// Sets up logs and traces, with further processors: each sees every recorded span at its end, whether there is a collector or not.
///
/// # Errors
///
/// As of [`start`].
pub fn start_with(
    settings: Settings,
    further: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder,
) -> Result<Telemetry, StartError> {
    set_up(settings, None, further)
}

fn set_up(
    settings: Settings,
    recent: Option<RecentTraces>,
    further: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder,
) -> Result<Telemetry, StartError> {
    let traces_leave = exports("TRACES", &variable);
    let sampler = Sampler::new(&variable, traces_leave, settings.traces_per_second)?;
    let resource = resource(settings.service, settings.version);
    let runtime = if traces_leave { Some(delivery::runtime()?) } else { None };
    // What comes to the SDK has been decided about.
    let mut provider = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_sampler(SdkSampler::AlwaysOn)
        .with_id_generator(Ids);
    let delivery = runtime.as_ref().map(|runtime| delivery::spans(runtime.handle())).transpose()?;
    let delivery = delivery.map(|delivery| BatchSpanProcessor::builder(delivery).build());
    provider = match (recent, delivery) {
        (Some(recent), next) => provider.with_span_processor(Watched { recent, next }),
        (None, Some(delivery)) => provider.with_span_processor(delivery),
        (None, None) => provider,
    };
    let provider = further(provider).build();
    let levels = Levels::new(settings.log);
    let tracer = provider.tracer(settings.service);
    let traces = tracing_opentelemetry::layer()
        .with_tracer(tracer.clone())
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    tracing_subscriber::registry()
        .with(traces.with_filter(filter_fn(|place| place.is_span()).with_max_level_hint(FINEST)))
        .with(events::layer())
        .with(log::lines(settings.format).with_filter(levels.clone()))
        .with(Recorded)
        .try_init()?;
    make_by(sampler, tracer);
    levels.publish();
    Ok(Telemetry { resource, provider, runtime })
}

impl Telemetry {
    /// Who this process is, for metrics.
    #[must_use]
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Sends the spans that are left, for so long at the most. To be called when the last one has ended, and outside of
    /// any runtime.
    pub fn shut_down(self, within: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(within) {
            tracing::warn!("the last traces may not have been delivered: {error}");
        }
        if let Some(runtime) = self.runtime {
            runtime.shutdown_background();
        }
    }
}
