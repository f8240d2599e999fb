//! A quick look whether an event was there before.
//!
//! A mark in Redis, never the record: it is set after the event is committed, so a crash in between costs a look
//! into the inbox and no event; and whatever it says, the inbox decides what is answered.

use std::sync::Arc;

use farmlokal_catalog::EventId;
use farmlokal_catalog::inbox::SourceName;
use redis::Cmd;

use crate::redis::Redis;

/// For how long an event is remembered here, in seconds: a day. The inbox remembers for longer.
const REMEMBERED: u64 = 86_400;

/// The marks.
#[derive(Clone)]
pub struct Seen {
    redis: Arc<Redis>,
}

impl Seen {
    /// Marks in `redis`.
    pub fn new(redis: Arc<Redis>) -> Self {
        Self { redis }
    }

    /// Whether the inbox may have the event; `false` too while Redis does not answer.
    pub(super) async fn has(&self, source: &SourceName, id: &EventId) -> bool {
        self.redis.run(&Cmd::exists(key(source, id))).await.unwrap_or(false)
    }

    /// Remembers that the inbox has the event.
    pub(super) async fn note(&self, source: &SourceName, id: &EventId) {
        let mut command = redis::cmd("SET");
        command.arg(key(source, id)).arg(1).arg("NX").arg("EX").arg(REMEMBERED);
        if let Err(error) = self.redis.run::<Option<String>>(&command).await {
            tracing::debug!("an event was not marked: {error}");
        }
    }
}

fn key(source: &SourceName, id: &EventId) -> String {
    format!("webhook_event:{source}:{}", id.as_str())
}
