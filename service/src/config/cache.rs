//! `[cache]`: finished answers.

use crate::api::cached::ClientCaching;
use crate::cache::Settings;

use super::reader::Reader;

/// Finished answers, here and with others.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Here.
    pub settings: Settings,
    /// With clients, and what stands between.
    pub client: ClientCaching,
}

pub(super) fn read(reader: &mut Reader) -> Option<Cache> {
    let ttl = reader.millis("cache.ttl_ms", 0);
    let negative_ttl = reader.millis("cache.negative_ttl_ms", 0);
    let stale_if_error = reader.millis("cache.stale_if_error_ms", 0);
    let local = reader.whole("cache.local_mib", 0, 1_048_576);
    let max_age = reader.millis("cache.client_max_age_ms", 0);
    let stale = reader.millis("cache.client_stale_ms", 0);
    let settings =
        Settings { ttl: ttl?, negative_ttl: negative_ttl?, stale_if_error: stale_if_error?, local_bytes: local? << 20 };
    Some(Cache { settings, client: ClientCaching { max_age: max_age?, stale: stale? } })
}
