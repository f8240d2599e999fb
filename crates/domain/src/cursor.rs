//! The opaque token that continues a scan.
//!
//! It carries the whole scan (filters, search, order) and the last position, so that the server keeps
//! no state and a token can be checked against the request it comes with. Form: base64url of a
//! 16-byte HMAC-SHA256 (RFC 2104, truncated as section 5 allows) followed by JSON.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{Filter, Invalid, NameKey, Order, Position, Price, PriceRange, ProductId, Query, Timestamp};

/// Raised with every change of the token's form; older tokens are then refused.
const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
/// Longer than any token we make: a search of 200 four-byte characters, escaped, and a name.
const MAX_TOKEN_BYTES: usize = 8_192;

/// Why a cursor is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not a token of ours: cut short, altered, or made with another key or an older version.
    #[error(
        "is not a cursor of this service; take nextCursor from the previous page unchanged, or start again without a cursor"
    )]
    Unreadable,
    /// The token continues a search in an index that is gone.
    #[error("has expired: the search index it goes through was replaced; start again without a cursor")]
    Expired,
    /// The token continues a scan with other parameters.
    #[error(
        "belongs to a listing with another {0}; send the parameters of the previous page, or start again without a cursor"
    )]
    OtherScan(&'static str),
}

/// The secret that makes cursors tamper-evident. All replicas of a service must share it.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

/// A scan and how far it has come: what a cursor carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Which products, in which order.
    pub query: Query,
    /// The last product that was given.
    pub position: Position,
    /// Who answers, where that decides what matches and in which order; the catalogue's search gives it.
    pub epoch: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    min_price: Option<i64>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    max_price: Option<i64>,
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    search: Option<String>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    epoch: Option<u32>,
    #[serde(rename = "s")]
    order: String,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    #[serde(rename = "i")]
    id: i64,
}

#[derive(Serialize, Deserialize)]
enum Key {
    #[serde(rename = "p")]
    Price(i64),
    #[serde(rename = "n")]
    Name(String),
    #[serde(rename = "t")]
    CreatedAt(i64),
    #[serde(rename = "r")]
    Relevance(u64),
}

impl CursorKey {
    /// A key from any secret bytes.
    pub fn new(secret: &[u8]) -> Self {
        // HMAC takes keys of any length (RFC 2104, section 3); the fallback is never reached.
        Self(Hmac::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default())))
    }

    /// The token that continues `scan` behind its position.
    pub fn seal(&self, scan: &Scan) -> String {
        let query = &scan.query;
        let (key, id) = match &scan.position {
            Position::Id(id) => (None, id),
            Position::Price(price, id) => (Some(Key::Price(price.minor())), id),
            Position::Name(name, id) => (Some(Key::Name(name.as_str().to_owned())), id),
            Position::CreatedAt(at, id) => (Some(Key::CreatedAt(at.micros())), id),
            Position::Relevance(score, id) => (Some(Key::Relevance(*score)), id),
        };
        let payload = Payload {
            version: VERSION,
            category: query.filter().category.as_ref().map(|category| category.as_str().to_owned()),
            min_price: query.filter().price.min().map(Price::minor),
            max_price: query.filter().price.max().map(Price::minor),
            search: query.search().map(|search| search.as_str().to_owned()),
            epoch: scan.epoch,
            order: query.order().to_string(),
            key,
            id: id.get(),
        };
        self.seal_payload(&payload)
    }

    /// The scan that `token` carries.
    pub fn open(&self, token: &str) -> Result<Scan, CursorError> {
        let payload: Payload = self.open_payload(token)?;
        payload.read().ok().flatten().ok_or(CursorError::Unreadable)
    }

    /// The token that carries `payload`. Each kind of payload has fields that the others refuse.
    pub(crate) fn seal_payload(&self, payload: &impl Serialize) -> String {
        // Strings and integers always serialise.
        let json = serde_json::to_vec(payload).unwrap_or_default();
        let mut token = self.mac(&json).finalize().into_bytes()[..MAC_BYTES].to_vec();
        token.extend(json);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The payload that `token` carries.
    pub(crate) fn open_payload<T: DeserializeOwned>(&self, token: &str) -> Result<T, CursorError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(CursorError::Unreadable);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| CursorError::Unreadable)?;
        let (mac, json) = bytes.split_at_checked(MAC_BYTES).ok_or(CursorError::Unreadable)?;
        self.mac(json).verify_truncated_left(mac).map_err(|_| CursorError::Unreadable)?;
        serde_json::from_slice(json).map_err(|_| CursorError::Unreadable)
    }

    fn mac(&self, json: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(json);
        mac
    }
}

impl Payload {
    /// The domain values; `None` where a number is out of range or the position is of another order.
    fn read(self) -> Result<Option<Scan>, Invalid> {
        if self.version != VERSION {
            return Ok(None);
        }
        let id = ProductId::new(self.id)?;
        let position = match self.key {
            None => Some(Position::Id(id)),
            Some(Key::Price(minor)) => Price::from_minor(minor).map(|price| Position::Price(price, id)),
            Some(Key::Name(name)) => NameKey::from_stored(&name).map(|name| Position::Name(name, id)),
            Some(Key::CreatedAt(micros)) => Timestamp::from_micros(micros).map(|at| Position::CreatedAt(at, id)),
            Some(Key::Relevance(score)) => Some(Position::Relevance(score, id)),
        };
        let price =
            PriceRange::new(self.min_price.and_then(Price::from_minor), self.max_price.and_then(Price::from_minor))?;
        let filter = Filter { category: self.category.map(|category| category.parse()).transpose()?, price };
        let search = self.search.map(|search| search.parse()).transpose()?;
        let query = Query::new(filter, search, Some(self.order.parse()?))?;
        let position = position.filter(|position| position.fits(query.order()));
        Ok(position.map(|position| Scan { query, position, epoch: self.epoch }))
    }
}

/// What a request says beside its cursor. A parameter that is absent is taken from the cursor; one
/// that is present must say the same.
#[derive(Debug, Clone, Default)]
pub struct Stated {
    /// `category`, `minPrice` and `maxPrice`.
    pub filter: Filter,
    /// `search`.
    pub search: Option<crate::SearchText>,
    /// `sort`.
    pub order: Option<Order>,
}

impl Stated {
    /// The query this states when there is no cursor.
    pub fn into_query(self) -> Result<Query, Invalid> {
        Query::new(self.filter, self.search, self.order)
    }

    /// Refuses a cursor whose scan is not the one stated, by the name of the first parameter that differs.
    pub fn check(&self, scan: &Query) -> Result<(), CursorError> {
        let (stated, carried) = (&self.filter, scan.filter());
        let differs = [
            ("category", stated.category.is_some() && stated.category != carried.category),
            ("minPrice", stated.price.min().is_some() && stated.price.min() != carried.price.min()),
            ("maxPrice", stated.price.max().is_some() && stated.price.max() != carried.price.max()),
            ("search", self.search.is_some() && self.search.as_ref() != scan.search()),
            ("sort", self.order.is_some_and(|order| order != scan.order())),
        ];
        differs.iter().find(|(_, differs)| *differs).map_or(Ok(()), |(name, _)| Err(CursorError::OtherScan(name)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Direction, SortKey};

    fn key() -> CursorKey {
        CursorKey::new(b"a secret of the tests")
    }

    fn query() -> Query {
        let price = PriceRange::new(Price::from_minor(100), None).unwrap();
        let filter = Filter { category: "Dairy".parse().ok(), price };
        Query::new(filter, "goat \"cheese\"".parse().ok(), Some(Order::By(SortKey::Name, Direction::Descending)))
            .unwrap()
    }

    fn scan() -> Scan {
        let position = Position::Name(NameKey::from_stored("goat cheese").unwrap(), ProductId::new(7).unwrap());
        Scan { query: query(), position, epoch: None }
    }

    #[test]
    fn what_was_sealed_is_opened() {
        for epoch in [None, Some(0), Some(7)] {
            let scan = Scan { epoch, ..scan() };
            assert_eq!(key().open(&key().seal(&scan)), Ok(scan));
        }
        let token = key().seal(&scan());
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "needs no escaping");
    }

    #[test]
    fn other_keys_and_foreign_tokens_are_refused() {
        let token = CursorKey::new(b"another").seal(&scan());
        assert_eq!(key().open(&token), Err(CursorError::Unreadable));
        for token in ["", "abc", "999999", "%00", "eyJpZCI6MX0", &"A".repeat(100_000)] {
            assert_eq!(key().open(token), Err(CursorError::Unreadable), "{token:.20}");
        }
    }

    #[test]
    fn a_position_of_another_order_is_refused_even_when_sealed() {
        let token = key().seal(&Scan { position: Position::Id(ProductId::new(7).unwrap()), ..scan() });
        assert_eq!(key().open(&token), Err(CursorError::Unreadable));
    }

    #[test]
    fn stated_parameters_must_agree_and_absent_ones_are_adopted() {
        assert_eq!(Stated::default().check(&query()), Ok(()));
        let stated = Stated { order: Some(Order::Relevance), ..Stated::default() };
        assert_eq!(stated.check(&query()), Err(CursorError::OtherScan("sort")));
        let filter = Filter { category: "Fruits".parse().ok(), ..Filter::default() };
        let stated = Stated { filter, ..Stated::default() };
        assert_eq!(stated.check(&query()), Err(CursorError::OtherScan("category")));
    }

    proptest! {
        #[test]
        fn any_altered_byte_is_noticed(at in 0usize..200, flip in 1u8..=255) {
            let mut bytes = URL_SAFE_NO_PAD.decode(key().seal(&scan())).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            prop_assert_eq!(key().open(&URL_SAFE_NO_PAD.encode(bytes)), Err(CursorError::Unreadable));
        }

        #[test]
        fn any_text_is_only_refused(text in "\\PC*") {
            prop_assert_eq!(key().open(&text), Err(CursorError::Unreadable));
        }
    }
}
