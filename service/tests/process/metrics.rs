//! Metrics, as a process gives them away.

use farmlokal_testkit::receiver::Receiver;
use tempfile::TempDir;

use crate::child::{Process, farmlokal};

/// Where to is OpenTelemetry's own variable; a process that ends pushes what it has counted since the last minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_pushed_by_otlp_before_the_end() {
    let (data, receiver) = (TempDir::new().unwrap(), Receiver::start());
    let mut launch = farmlokal(&data);
    launch.0.env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", receiver.url("/v1/metrics"));
    launch.0.env("OTEL_SERVICE_NAME", "farmlokal-of-this-test");
    let mut process = Process::serving(launch);
    assert_eq!(reqwest::get(format!("{}/v1/products/7", process.public)).await.unwrap().status(), 200);
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    let received = receiver.received("/v1/metrics");
    // Names and texts stand in the message as they are.
    let last = String::from_utf8_lossy(&received.last().unwrap().body).into_owned();
    for part in ["http.server.request.duration", "/v1/products/{id}", "farmlokal.build_info", "farmlokal-of-this-test"]
    {
        assert!(last.contains(part), "{part}: {last}");
    }
}
