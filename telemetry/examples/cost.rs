use std::time::Instant;
use farmlokal_telemetry::*;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, Status};

fn request(parent: &SpanContext) {
    let root = Root::begin(Kind::Server, parent, None);
    if root.is_recorded() {
        root.span().set_attributes(vec![
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("url.path", "/v1/products".to_owned()),
            KeyValue::new("server.address", "127.0.0.1".to_owned()),
            KeyValue::new("server.port", 8080_i64),
        ]);
    }
    let root = root.called("GET");
    let f = root.run(async { note(|| KeyValue::new("farmlokal.cache.origin", "local")); std::hint::black_box(1) });
    let mut f = std::pin::pin!(f);
    let waker = std::task::Waker::noop();
    let mut cx = std::task::Context::from_waker(waker);
    let _ = std::future::Future::poll(f.as_mut(), &mut cx);
    std::hint::black_box(root.trace_id().to_string());
    if root.is_recorded() {
        let span = root.span();
        span.update_name(format!("{} {}", "GET", "/v1/products"));
        span.set_attribute(KeyValue::new("http.route", "/v1/products"));
        span.set_attribute(KeyValue::new("http.response.status_code", 200_i64));
        std::hint::black_box(root.traceparent());
        if false { span.set_status(Status::error("")); }
    }
}

fn main() {
    let settings = Settings { service: "farmlokal", version: "0", log: "info".parse().unwrap(), format: log::Format::Json, traces_per_second: 20 };
    let t = start(settings).unwrap();
    let runs = 400_000u32;
    for _ in 0..3 {
        let began = Instant::now();
        for _ in 0..runs { request(&SpanContext::NONE); }
        let per = began.elapsed() / runs;
        let began = Instant::now();
        for _ in 0..runs { std::hint::black_box(tracing::debug_span!(target: "farmlokal_x", "child", a = 1)); }
        eprintln!("request {per:?}; child outside {:?}", began.elapsed() / runs);
    }
    t.shut_down(std::time::Duration::from_secs(5));
}
