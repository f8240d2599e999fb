//! What a scrape shows of the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use farmlokal_telemetry::metrics::{
    Kind, Labelled, Metric, Metrics, OTHER, Push, Series, Values, page,
    table::{self, http::REQUEST_DURATION, process},
};
use farmlokal_telemetry::resource::resource;
use farmlokal_testkit::receiver::Receiver;

fn metrics() -> Metrics {
    Metrics::new(resource("test", "1"), None).unwrap()
}

/// A value for each label.
fn some(metric: &Metric) -> Vec<&'static str> {
    let value = |values| match values {
        Values::OneOf(values) => *values.first().unwrap(),
        Values::Few(_) => OTHER,
    };
    metric.labels.iter().map(|label| value(label.values)).collect()
}

/// Has one value be recorded.
fn record(metrics: &Metrics, metric: &'static Metric) {
    let labels = some(metric);
    match metric.kind {
        Kind::Histogram(_) => metrics.histogram(metric).record(0.001, &labels),
        Kind::Counter | Kind::UpDownCounter | Kind::Gauge => {
            metrics.observe(metric, move |readings| readings.put(7.0, &labels));
        }
    }
}

/// The labels of a sample, without `le`.
fn labels(sample: &str) -> BTreeSet<String> {
    let Some((_, rest)) = sample.split_once('{') else { return BTreeSet::new() };
    let pairs = rest.rsplit_once('}').unwrap().0.split("\",");
    pairs.map(|pair| pair.split_once('=').unwrap().0.to_owned()).filter(|key| key != "le").collect()
}

#[test]
fn each_metric_is_shown_as_the_table_says() {
    let metrics = metrics();
    // Those of the process are there already.
    let own = |metric: &&Metric| !metric.name.starts_with("process.");
    table::all().filter(own).for_each(|metric| record(&metrics, metric));
    let text = metrics.text().unwrap();
    for metric in table::all() {
        let name = metric.prometheus_name();
        let kind = format!("# TYPE {name} {}\n", metric.prometheus_type());
        assert!(text.contains(&kind), "{kind}{text}");
        assert!(text.contains(&format!("# HELP {name} {}\n", metric.help)), "{name}");
        let samples = text.lines().filter(|line| {
            let end = line.find(['{', ' ']).unwrap();
            [name.clone(), format!("{name}_bucket")].contains(&line[..end].to_owned())
        });
        let mut count = 0;
        let expected: BTreeSet<_> = metric.labels.iter().map(|label| label.prometheus_name()).collect();
        for sample in samples {
            assert_eq!(labels(sample), expected, "{sample}");
            count += 1;
        }
        assert_eq!(count, if let Kind::Histogram(bounds) = metric.kind { bounds.len() + 1 } else { 1 }, "{name}");
    }
    let named = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).count();
    assert_eq!(named, table::all().count() + 1, "nothing but the table and target_info");
}

#[test]
fn no_metric_has_more_series_than_the_table_allows() {
    let metrics = metrics();
    let histogram = metrics.histogram(&REQUEST_DURATION);
    for path in 0..10_000 {
        histogram.record(0.001, &["GET", &format!("/{path}"), "200", "http", ""]);
    }
    let text = metrics.text().unwrap();
    let series = text.lines().filter(|line| line.starts_with("http_server_request_duration_seconds_count")).count();
    assert_eq!(series, REQUEST_DURATION.series + 1);
    assert!(text.contains("http_server_request_duration_seconds_count{otel_metric_overflow=\"true\"} 9000"), "{text}");
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Route(&'static str);

impl Labelled for Route {
    fn labels(&self) -> Vec<String> {
        ["GET", self.0, "200", "http", ""].map(str::to_owned).into()
    }
}

#[test]
fn a_series_takes_values_from_all_threads() {
    let metrics = metrics();
    let series = Series::new(metrics.histogram(&REQUEST_DURATION));
    series.open(Route("/quiet"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| series.record(Route("/busy"), 0.003)));
        }
    });
    let text = metrics.text().unwrap();
    for (route, count) in [("/busy", 4_000), ("/quiet", 0)] {
        let line = format!("http_route=\"{route}\",url_scheme=\"http\"}} {count}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
}

#[test]
fn the_process_is_there() {
    let text = metrics().text().unwrap();
    let value = |metric: &Metric| -> f64 {
        let name = format!("{} ", metric.prometheus_name());
        text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - value(&process::START_TIME)).abs() < 3_600.0);
    assert!(value(&process::RESIDENT_MEMORY) > 1e6 && value(&process::CPU) >= 0.0);
    assert!(value(&process::OPEN_FDS) >= 3.0 && value(&process::MAX_FDS) >= value(&process::OPEN_FDS));
}

fn pushing(endpoint: &str) -> Metrics {
    Metrics::new(resource("test", "1"), Some(Push::over_http(endpoint).unwrap())).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_last_numbers_are_pushed_at_the_end() {
    let receiver = Receiver::start();
    let metrics = pushing(&receiver.url("/v1/metrics"));
    record(&metrics, &REQUEST_DURATION);
    tokio::task::spawn_blocking(move || metrics.shut_down()).await.unwrap();
    let received = receiver.received("/v1/metrics");
    assert_eq!(received.len(), 1);
    // Names stand in the message as they are.
    let message = String::from_utf8_lossy(&received[0].body).into_owned();
    for part in ["http.server.request.duration", "process.resident_memory", "service.version", OTHER] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_to_push_to_holds_no_end_up() {
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = pushing(&format!("http://{}/v1/metrics", silent.local_addr().unwrap()));
    let begun = Instant::now();
    tokio::task::spawn_blocking(move || metrics.shut_down()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn the_page_of_the_documentation_is_up_to_date() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(written == page(), "docs/metrics.md is not what the table says; run: cargo xtask metrics");
}
