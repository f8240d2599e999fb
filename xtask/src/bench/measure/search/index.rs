//! The building of the index, as the service tells of it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::bench::measure::service::Service;
use farmlokal_testkit::http::Client;

const BUILT_WITHIN: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(200);

/// An index that was built.
pub(super) struct Built {
    pub(super) documents: u64,
    pub(super) megabytes: f64,
    pub(super) seconds: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: String,
    documents: u64,
    bytes: u64,
    build_seconds: f64,
    error: Option<String>,
}

impl Built {
    /// Waits until the index of `service` follows the table.
    pub(super) fn wait_for(service: &Service) -> Result<Self, String> {
        let (start, mut client) = (Instant::now(), Client::new(service.admin));
        loop {
            let status: Status = match client.get("/v1/admin/search")? {
                (200, body) => serde_json::from_slice(body).map_err(|error| format!("/v1/admin/search: {error}"))?,
                (status, _) => return Err(format!("/v1/admin/search: {status}")),
            };
            if status.state == "ready" {
                let Status { documents, bytes, build_seconds, .. } = status;
                return Ok(Self { documents, megabytes: bytes as f64 / 1e6, seconds: build_seconds });
            }
            if start.elapsed() > BUILT_WITHIN {
                return Err(format!("the search index is still {}: {:?}", status.state, status.error));
            }
            sleep(POLL);
        }
    }
}
