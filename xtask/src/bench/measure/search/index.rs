//! The building of the index, as the service tells of it.

use serde::Deserialize;

use crate::bench::measure::service::Service;
use farmlokal_testkit::http::Client;

/// The part of the service's answer that is of interest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    documents: u64,
    bytes: u64,
    build_seconds: f64,
}

/// An index that was built.
pub(super) struct Built {
    pub(super) documents: u64,
    pub(super) megabytes: f64,
    pub(super) seconds: f64,
}

impl Built {
    /// The index of `service`, which is ready.
    pub(super) fn of(service: &Service) -> Result<Self, String> {
        let Status { documents, bytes, build_seconds } = match Client::new(service.admin).get("/v1/admin/search")? {
            (200, body) => serde_json::from_slice(body).map_err(|error| format!("/v1/admin/search: {error}"))?,
            (status, _) => return Err(format!("/v1/admin/search: {status}")),
        };
        Ok(Self { documents, megabytes: bytes as f64 / 1e6, seconds: build_seconds })
    }
}
