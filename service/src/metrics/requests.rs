//! Requests under way, and how long they took, by route, method and status.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use farmlokal_telemetry::metrics::table::http::{ACTIVE_REQUESTS, METHODS, REQUEST_DURATION};
use farmlokal_telemetry::metrics::{Labelled, Metrics, OTHER, Series};

/// The only scheme that is spoken here.
const SCHEME: &str = "http";

/// Measures requests.
#[derive(Debug)]
pub struct Requests {
    durations: Series<Answered>,
    active: Arc<[AtomicI64]>,
}

/// What tells requests apart: none of it is the client's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Answered {
    /// Its place among [`METHODS`].
    method: usize,
    route: &'static str,
    status: u16,
}

/// A request under way, until it is dropped.
#[derive(Debug)]
pub struct Active<'a> {
    requests: &'a Requests,
    method: usize,
}

impl Requests {
    /// Measures into `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let active: Arc<[AtomicI64]> = METHODS.iter().map(|_| AtomicI64::new(0)).collect();
        let counted = Arc::clone(&active);
        metrics.observe(&ACTIVE_REQUESTS, move |readings| {
            for (method, count) in METHODS.iter().zip(&*counted) {
                readings.put(count.load(Ordering::Relaxed) as f64, &[method, SCHEME]);
            }
        });
        Self { durations: Series::new(metrics.histogram(&REQUEST_DURATION)), active }
    }

    /// A request with `method` begins.
    pub fn begin(&self, method: &str) -> Active<'_> {
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        self.active[method].fetch_add(1, Ordering::Relaxed);
        Active { requests: self, method }
    }
}

impl Active<'_> {
    /// It is answered with `status` by the operation at `route`, if it reached one, after `took`.
    pub fn end(self, route: Option<&'static str>, status: u16, took: Duration) {
        let answered = Answered { method: self.method, route: route.unwrap_or(OTHER), status };
        self.requests.durations.record(answered, took.as_secs_f64());
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.requests.active[self.method].fetch_sub(1, Ordering::Relaxed);
    }
}

impl Labelled for Answered {
    fn labels(&self) -> Vec<String> {
        let error = if self.status >= 500 { self.status.to_string() } else { String::new() };
        vec![METHODS[self.method].to_owned(), self.route.to_owned(), self.status.to_string(), SCHEME.to_owned(), error]
    }
}

#[cfg(test)]
mod tests {
    use farmlokal_telemetry::resource::resource;

    use super::*;

    #[test]
    fn requests_are_told_apart_by_what_is_ours() {
        let metrics = Metrics::new(resource("test", "1"), None).unwrap();
        let requests = Requests::new(&metrics);
        let took = Duration::from_micros(70);
        requests.begin("GET").end(Some("/v1/products/{id}"), 200, took);
        requests.begin("BREW").end(None, 503, took);
        let _active = requests.begin("PATCH");
        let text = metrics.text().unwrap();
        for line in [
            "http_server_request_duration_seconds_bucket{http_request_method=\"GET\",http_response_status_code=\"200\",\
             http_route=\"/v1/products/{id}\",url_scheme=\"http\",le=\"0.0001\"} 1",
            "http_server_request_duration_seconds_count{error_type=\"503\",http_request_method=\"_OTHER\",\
             http_response_status_code=\"503\",http_route=\"_OTHER\",url_scheme=\"http\"} 1",
            "http_server_active_requests{http_request_method=\"PATCH\",url_scheme=\"http\"} 1",
            "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
