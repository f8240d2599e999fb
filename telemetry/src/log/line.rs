//! A line, with the ids of the request that it belongs to.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::root::RequestId;

/// A form of lines, completed by `trace_id`, and by `request_id` where a request has a name of its own.
pub(super) struct Identified<F> {
    format: F,
    json: bool,
}

impl<F> Identified<F> {
    pub(super) fn json(format: F) -> Self {
        Self { format, json: true }
    }

    pub(super) fn text(format: F) -> Self {
        Self { format, json: false }
    }
}

impl<S, N, F> FormatEvent<S, N> for Identified<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let context = Context::current();
        if !context.has_active_span() {
            return self.format.format_event(ctx, writer, event);
        }
        let mut line = String::new();
        self.format.format_event(ctx, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        let line = if self.json { line.strip_suffix('}').unwrap_or(line) } else { line };
        writer.write_str(line)?;
        let mut add = |name: &str, value: &dyn fmt::Display| match self.json {
            // Ids have nothing in them that JSON would have to escape.
            true => write!(writer, ",\"{name}\":\"{value}\""),
            false => write!(writer, " {name}={value}"),
        };
        add("trace_id", &context.span().span_context().trace_id())?;
        if let Some(id) = context.get::<RequestId>().and_then(|id| id.0.to_str().ok()) {
            add("request_id", &id)?;
        }
        writer.write_str(if self.json { "}\n" } else { "\n" })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use http::HeaderValue;
    use opentelemetry::trace::SpanContext;
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::fmt::format::Format;

    use super::*;
    use crate::propagation::parse;
    use crate::root::{Kind, Root};

    /// A log that can be read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Log {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn lines(subscriber: impl Subscriber + Send + Sync, log: &Log) -> Vec<String> {
        let _default = tracing::subscriber::set_default(subscriber);
        let parent = parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
        let request = Some(RequestId(HeaderValue::from_static("support-4711")));
        let log_in = |root: Root| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(root.run(async {
                tokio::task::yield_now().await;
                tracing::error!(cows = 7, "the barn is on fire");
            }));
        };
        log_in(Root::begin(Kind::Server, &parent, request));
        log_in(Root::begin(Kind::Server, &SpanContext::NONE, None));
        tracing::error!("nobody's");
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_line_of_a_request_has_its_ids() {
        let log = Log::default();
        let json = Identified::json(Format::default().json().flatten_event(true));
        let subscriber = tracing_subscriber::fmt().json().event_format(json).with_writer(log.clone()).finish();
        let lines = lines(subscriber, &log);
        let read = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let [first, second, third] = &lines.iter().map(read).collect::<Vec<_>>()[..] else { panic!("{lines:?}") };
        assert_eq!([&first["message"], &first["request_id"]], ["the barn is on fire", "support-4711"]);
        assert_eq!((&first["cows"], &first["trace_id"]), (&7.into(), &"0af7651916cd43dd8448eb211c80319c".into()));
        assert!(second["trace_id"].as_str().is_some_and(|id| id.len() == 32) && second.get("request_id").is_none());
        assert!(third.get("trace_id").is_none(), "{third}");

        let log = Log::default();
        let text = Identified::text(Format::default().with_ansi(true));
        let subscriber = tracing_subscriber::fmt().event_format(text).with_writer(log.clone()).finish();
        let lines = self::lines(subscriber, &log);
        let ids = " trace_id=0af7651916cd43dd8448eb211c80319c request_id=support-4711";
        assert!(lines.len() == 3 && lines[0].ends_with(ids) && lines[0].contains("the barn"), "{lines:?}");
        assert!(lines[0].contains("\u{1b}[31mERROR"), "in colour: {lines:?}");
        assert!(!lines[2].contains("trace_id"), "{lines:?}");
    }
}
