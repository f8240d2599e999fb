//! The cursor of the listing of subscriptions.

use serde::{Deserialize, Serialize};

use super::SubscriptionId;
use crate::CursorKey;
use crate::cursor::CursorError;

/// The listing of subscriptions and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionScan {
    /// The last subscription that was given.
    pub before: SubscriptionId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    /// The version of the form; the name tells the token from others.
    #[serde(rename = "su")]
    version: u8,
    #[serde(rename = "n")]
    before: i64,
}

const VERSION: u8 = 1;

impl SubscriptionScan {
    /// The token that continues this listing.
    pub fn seal(self, key: &CursorKey) -> String {
        key.seal_payload(&Payload { version: VERSION, before: self.before.get() })
    }

    /// The listing that `token` continues.
    pub fn open(key: &CursorKey, token: &str) -> Result<Self, CursorError> {
        let payload: Payload = key.open_payload(token)?;
        let before = SubscriptionId::new(payload.before).map_err(|_| CursorError::Unreadable)?;
        if payload.version == VERSION { Ok(Self { before }) } else { Err(CursorError::Unreadable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::EventScan;

    #[test]
    fn a_cursor_belongs_to_this_listing() {
        let key = CursorKey::new(b"key");
        let scan = SubscriptionScan { before: SubscriptionId::new(7).unwrap() };
        let token = scan.seal(&key);
        assert_eq!(SubscriptionScan::open(&key, &token), Ok(scan));
        assert_eq!(SubscriptionScan::open(&CursorKey::new(b"other"), &token), Err(CursorError::Unreadable));
        let source = "own".parse().unwrap();
        assert_eq!(EventScan::open(&key, &token, &source, None), Err(CursorError::Unreadable));
        let events = EventScan { source, state: None, before: 7 }.seal(&key);
        assert_eq!(SubscriptionScan::open(&key, &events), Err(CursorError::Unreadable));
    }
}
