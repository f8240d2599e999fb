//! `[log]`: what is logged, and how.

use super::reader::Reader;

/// Logging.
#[derive(Debug, Clone)]
pub struct Log {
    /// Directives of `tracing_subscriber`'s `EnvFilter`.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(super) fn read(reader: &mut Reader) -> Option<Log> {
    let filter = reader.text("log.filter");
    let format = reader.text("log.format");
    if let Some(filter) = &filter
        && let Err(error) = tracing_subscriber::EnvFilter::try_new(filter)
    {
        reader.mistake("log.filter", &format!("must be a level such as info, or module=level ({error})"));
    }
    let format = match format?.as_str() {
        "auto" => LogFormat::Auto,
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => {
            reader.mistake("log.format", "must be auto, text or json");
            return None;
        }
    };
    Some(Log { filter: filter?, format })
}
