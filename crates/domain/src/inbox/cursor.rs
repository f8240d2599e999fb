//! The cursor of a listing of events.

use serde::{Deserialize, Serialize};

use super::{SourceName, State};
use crate::CursorKey;
use crate::cursor::CursorError;

/// A listing of events and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventScan {
    /// Whose events.
    pub source: SourceName,
    /// In which state; any, when `None`.
    pub state: Option<State>,
    /// The number of the last event that was given.
    pub before: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    /// The version of the form; the name tells the token from one of products.
    #[serde(rename = "ev")]
    version: u8,
    #[serde(rename = "f")]
    source: String,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(rename = "n")]
    before: u64,
}

const VERSION: u8 = 1;

impl EventScan {
    /// The token that continues this listing.
    pub fn seal(&self, key: &CursorKey) -> String {
        key.seal_payload(&Payload {
            version: VERSION,
            source: self.source.to_string(),
            state: self.state.map(|state| state.to_string()),
            before: self.before,
        })
    }

    /// The listing that `token` continues: one of `source`, and of `state` if that is asked for.
    pub fn open(key: &CursorKey, token: &str, source: &SourceName, state: Option<State>) -> Result<Self, CursorError> {
        let payload: Payload = key.open_payload(token)?;
        let read = |text: &str| text.parse().map_err(|_| CursorError::Unreadable);
        let scan = Self {
            source: payload.source.parse().map_err(|_| CursorError::Unreadable)?,
            state: payload.state.as_deref().map(read).transpose()?,
            before: payload.before,
        };
        match scan {
            _ if payload.version != VERSION => Err(CursorError::Unreadable),
            scan if scan.source != *source => Err(CursorError::OtherScan("source")),
            scan if state.is_some() && scan.state != state => Err(CursorError::OtherScan("state")),
            scan => Ok(scan),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Scan;
    use crate::{Filter, Position, ProductId, Query};

    #[test]
    fn a_cursor_belongs_to_its_listing() {
        let key = CursorKey::new(b"key");
        let (own, other): (SourceName, SourceName) = ("own".parse().unwrap(), "other".parse().unwrap());
        let scan = EventScan { source: own.clone(), state: Some(State::Parked), before: 7 };
        let token = scan.seal(&key);
        assert_eq!(EventScan::open(&key, &token, &own, Some(State::Parked)), Ok(scan.clone()));
        assert_eq!(EventScan::open(&key, &token, &own, None), Ok(scan), "what is not stated is adopted");
        assert_eq!(EventScan::open(&key, &token, &other, None), Err(CursorError::OtherScan("source")));
        let pending = EventScan::open(&key, &token, &own, Some(State::Pending));
        assert_eq!(pending, Err(CursorError::OtherScan("state")));
        let forged = EventScan::open(&CursorKey::new(b"other"), &token, &own, None);
        assert_eq!(forged, Err(CursorError::Unreadable));
    }

    #[test]
    fn cursors_of_products_and_events_are_not_taken_for_each_other() {
        let key = CursorKey::new(b"key");
        let source: SourceName = "own".parse().unwrap();
        let events = EventScan { source: source.clone(), state: None, before: 7 }.seal(&key);
        assert_eq!(key.open(&events), Err(CursorError::Unreadable));
        let query = Query::new(Filter::default(), None, None).unwrap();
        let position = Position::Id(ProductId::new(7).unwrap());
        let products = key.seal(&Scan { query, position, epoch: None });
        assert_eq!(EventScan::open(&key, &products, &source, None), Err(CursorError::Unreadable));
    }
}
