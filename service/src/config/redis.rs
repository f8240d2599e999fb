//! `[redis]`: the server that replicas share.

use std::time::Duration;

use super::reader::Reader;
use crate::redis::RedisUrl;

/// The Redis that replicas share.
#[derive(Debug, Clone)]
pub struct Redis {
    /// Where it is; `None` to do without.
    pub url: Option<RedisUrl>,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

pub(super) fn read(reader: &mut Reader) -> Option<Redis> {
    let url = reader.text("redis.url");
    let timeout = reader.millis("redis.timeout_ms", 1);
    let url = match url? {
        none if none.is_empty() => None,
        url => Some(reader.parse("redis.url", url)?),
    };
    Some(Redis { url, timeout: timeout? })
}
