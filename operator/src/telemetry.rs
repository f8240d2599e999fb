//! Logs and traces of the operator itself.

use std::time::Duration;

use farmlokal_telemetry::log::{Directives, Format};
use farmlokal_telemetry::{Settings, StartError, Telemetry};

/// How long the last traces may take to leave.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// Sets them up.
///
/// # Errors
///
/// When an `OTEL_*` variable is wrong.
pub fn start(log: Directives) -> Result<Telemetry, StartError> {
    farmlokal_telemetry::start(Settings {
        service: "farmlokal-operator",
        version: env!("CARGO_PKG_VERSION"),
        log,
        format: Format::Auto,
        traces_per_second: 0,
    })
}

/// Sends what is left. Outside of any runtime.
pub fn end(telemetry: Telemetry) {
    telemetry.shut_down(LEAVE_WITHIN);
}
