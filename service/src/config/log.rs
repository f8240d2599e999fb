//! `[log]` and `[trace]`: what is logged, and how; how many requests are traced without a collector.

use farmlokal_telemetry::log::{Directives, Format};

use super::reader::Reader;

/// Logging.
#[derive(Debug, Clone)]
pub struct Log {
    /// What is logged at first.
    pub filter: Directives,
    /// In which form.
    pub format: Format,
    /// Traces recorded a second while nobody collects them; none when 0.
    pub traces_per_second: u32,
}

pub(super) fn read(reader: &mut Reader) -> Option<Log> {
    let filter = reader.text("log.filter");
    let filter = filter.and_then(|filter| reader.parse("log.filter", filter));
    let format = reader.text("log.format");
    let traces_per_second = reader.whole("trace.per_second", 0, 1_000_000);
    let format = match format?.as_str() {
        "auto" => Format::Auto,
        "text" => Format::Text,
        "json" => Format::Json,
        _ => {
            reader.mistake("log.format", "must be auto, text or json");
            return None;
        }
    };
    Some(Log { filter: filter?, format, traces_per_second: u32::try_from(traces_per_second?).unwrap_or(u32::MAX) })
}
