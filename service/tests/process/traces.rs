//! Traces, as a collector of somebody else's gets them from the real binary.

use std::collections::HashMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use farmlokal::webhooks::SigningSecret;
use farmlokal_testkit::collector::{Collector, Span};
use farmlokal_testkit::receiver::Receiver;
use serde_json::json;
use tempfile::TempDir;

use crate::child::{PATIENCE, Process, farmlokal};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A service that sends its traces to `endpoint` by `protocol`, plain or compressed.
fn traced(data: &TempDir, endpoint: &str, protocol: &str, compression: &str) -> Process {
    let (mut command, public, admin) = farmlokal(data);
    if !compression.is_empty() {
        command.env("OTEL_EXPORTER_OTLP_COMPRESSION", compression);
    }
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        // As with one processor, where the SDK's own ways of sending wait for themselves.
        .env("TOKIO_WORKER_THREADS", "1")
        .env("POD_NAME", "farmlokal-0")
        .env("FARMLOKAL_LOG__FORMAT", "json");
    Process::serving((command, public, admin))
}

/// What the collector has of `trace`, once that is `number` spans.
fn delivered(collector: &Collector, trace: &str, number: usize) -> Vec<Span> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let spans: Vec<_> = collector.spans().into_iter().filter(|span| span.trace == trace).collect();
        if spans.len() >= number {
            return spans;
        }
        assert!(Instant::now() < deadline, "{number} spans of {trace} are not there: {:#?}", collector.spans());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

/// One request, and at once the end: nothing is lost on the way, by either protocol, plain or compressed, and every span has its parent.
#[tokio::test]
async fn a_request_right_before_the_end_is_delivered_whole() {
    for (protocol, compression) in [("grpc", ""), ("http/protobuf", ""), ("http/protobuf", "gzip")] {
        let (data, collector) = (TempDir::new().unwrap(), Collector::start());
        let endpoint = if protocol == "grpc" { collector.grpc() } else { collector.http() };
        let mut process = traced(&data, &endpoint, protocol, compression);
        let request = reqwest::Client::new()
            .get(format!("{}/v1/products?category=Dairy&limit=3", process.public))
            .header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let field = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let (response, timing) = (field("traceresponse"), field("server-timing"));
        process.signal("INT");
        assert_eq!(process.wait().code(), Some(0));

        let spans: Vec<_> = collector.spans().into_iter().filter(|span| span.trace == TRACE).collect();
        let server = named(&spans, "GET /v1/products");
        assert_eq!((&*server.parent, &*server.kind, &*server.status), (PARENT, "SERVER", "UNSET"), "{protocol}");
        assert_eq!(response, format!("00-{TRACE}-{}-01", server.id));
        assert!(timing.starts_with("total;dur="), "{timing}");
        for (key, value) in [
            ("http.request.method", "GET"),
            ("http.route", "/v1/products"),
            ("url.path", "/v1/products"),
            ("url.scheme", "http"),
            ("http.response.status_code", "200"),
        ] {
            assert_eq!(server.attributes.get(key).map(String::as_str), Some(value), "{key}: {server:#?}");
        }
        assert!(!format!("{spans:?}").contains("Dairy"), "nothing of the query: {spans:#?}");
        assert_eq!(
            (&*server.resource["service.name"], &*server.resource["k8s.pod.name"]),
            ("farmlokal", "farmlokal-0")
        );
        // Before the cache follows the log there is no flight; afterwards the loading is a part of one.
        let ids: Vec<_> = spans.iter().map(|span| &*span.id).chain([PARENT]).collect();
        assert!(spans.iter().all(|span| ids.contains(&&*span.parent)), "every span has its parent: {spans:#?}");
        assert!(spans.len() <= 5, "few spans: {spans:#?}");
        let start = collector.spans().into_iter().find(|span| span.name == "farmlokal start");
        assert!(start.is_some_and(|span| span.parent.is_empty()));
    }
}

/// Through the inbox to its worker, from there through the log of changes to the index; and out by a header to a
/// subscriber.
#[tokio::test]
async fn a_trace_goes_through_the_inbox_to_the_worker_and_through_the_log_to_the_index() {
    let (data, collector) = (TempDir::new().unwrap(), Collector::start());
    let (mut command, public, admin) = farmlokal(&data);
    command
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/v1/traces", collector.http()))
        .env("OTEL_BSP_SCHEDULE_DELAY", "50")
        .env("FARMLOKAL_SUBSCRIPTIONS__ALLOW_HTTP", "true")
        .env("FARMLOKAL_SUBSCRIPTIONS__ALLOW_NETWORKS", "127.0.0.0/8")
        .env("FARMLOKAL_WEBHOOKS__SOURCES", format!("farm-hub={SECRET}"));
    let process = Process::serving((command, public, admin));
    let receiver = Receiver::start();
    let request = reqwest::Client::new().post(format!("{}/v1/subscriptions", process.public));
    let request = request.bearer_auth(process.token().await).json(&json!({"url": receiver.url("/told")}));
    assert_eq!(request.send().await.unwrap().status(), 201);
    let body = r#"{"type": "stock.changed", "timestamp": "2026-01-01T00:00:00Z", "data": {"id": 1, "stock": 7}}"#;
    let (id, at) = ("evt-1", chrono::Utc::now().timestamp());
    let request = reqwest::Client::new()
        .post(format!("{}/v1/webhooks/farm-hub", process.public))
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", SECRET.parse::<SigningSecret>().unwrap().sign(id, at, body.as_bytes()))
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    assert_eq!(request.body(body).send().await.unwrap().status(), 202);

    let spans = delivered(&collector, TRACE, 2);
    let (server, worker) = (named(&spans, "POST /v1/webhooks/{source}"), named(&spans, "process event"));
    assert_eq!((&*server.parent, &*worker.parent, &*worker.kind), (PARENT, &*server.id, "CONSUMER"));

    let deadline = Instant::now() + PATIENCE;
    let indexed = loop {
        let spans: Vec<_> = collector.spans().into_iter().filter(|span| span.trace == TRACE).collect();
        if let Some(span) = spans.iter().find(|span| span.name == "index changes") {
            let within = spans.iter().map(|span| &span.id).collect::<Vec<_>>().contains(&&span.parent);
            break (span.kind.clone(), within);
        }
        assert!(Instant::now() < deadline, "the index does not go on with the trace: {spans:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(indexed, ("CONSUMER".to_owned(), true));

    while receiver.received("/told").is_empty() {
        assert!(Instant::now() < deadline, "nobody is told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = receiver.received("/told")[0].fields["traceparent"].clone();
    let parts: Vec<_> = told.split('-').collect();
    let spans = delivered(&collector, parts[1], 2);
    let (delivery, call) = (named(&spans, "deliver event"), named(&spans, "POST"));
    assert_eq!((&*call.id, &*call.parent, &*call.kind), (parts[2], &*delivery.id, "CLIENT"));
    assert_eq!(call.attributes["http.response.status_code"], "204");
}

/// A collector that takes connections and never answers: neither requests nor the end wait for it.
#[tokio::test]
async fn a_collector_that_is_slow_or_away_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://127.0.0.1:{}", farmlokal_testkit::port::free());
    for endpoint in [format!("http://{}", silent.local_addr().unwrap()), away] {
        for protocol in ["grpc", "http/protobuf"] {
            let data = TempDir::new().unwrap();
            let mut process = traced(&data, &endpoint, protocol, "");
            for _ in 0..50 {
                assert_eq!(reqwest::get(format!("{}/v1/products/1", process.public)).await.unwrap().status(), 200);
            }
            process.signal("INT");
            let told = Instant::now();
            assert_eq!(process.wait().code(), Some(0));
            // Not a measure of speed: the collector alone would take ten seconds a batch.
            assert!(told.elapsed() < Duration::from_secs(9), "{protocol} to {endpoint}: {:?}", told.elapsed());
        }
    }
}

/// The admin port changes what is logged, and refuses what is none.
#[tokio::test]
async fn the_log_is_changed_while_running_and_names_traces() {
    let data = TempDir::new().unwrap();
    let log = data.path().join("log");
    let (mut command, public, admin) = farmlokal(&data);
    command.env("FARMLOKAL_LOG__FORMAT", "json");
    let process = Process::logging((command, public, admin), std::fs::File::create(&log).unwrap().into());
    let client = reqwest::Client::new();
    let url = format!("{}/v1/admin/log", process.admin);
    let put = async |filter: &str| {
        let answer = client.put(&url).body(filter.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let ask = async |id: &str| {
        let request = client.get(format!("{}/v1/products/1?unknown=secret", process.public));
        assert_eq!(request.header("x-request-id", id).send().await.unwrap().status(), 400);
    };
    ask("quiet").await;
    let (status, problem) = put("info,farmlokal=loud").await;
    assert!(status == 400 && problem.contains("farmlokal=loud") && problem.contains("urn:farmlokal"), "{problem}");
    assert_eq!(put("info,farmlokal::request=debug").await.0, 200);
    ask("told").await;
    let shown = client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("info,farmlokal::request=debug"), "{shown}");

    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<HashMap<String, serde_json::Value>> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str| lines.iter().find(|line| line.get("request_id").is_some_and(|it| it == id));
    assert_eq!(of("quiet"), None, "{text}");
    let line = of("told").unwrap_or_else(|| panic!("{text}"));
    assert_eq!((&line["route"], &line["status"]), (&"/v1/products/{id}".into(), &400.into()));
    assert!(line["trace_id"].as_str().is_some_and(|trace| trace.len() == 32) && line.contains_key("ms"), "{line:?}");
    assert!(!text.contains("secret"), "{text}");
}
