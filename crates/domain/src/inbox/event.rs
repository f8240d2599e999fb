//! From the bytes of an event to what it does.
//!
//! An event is `{"type", "timestamp", "data"}` (Standard Webhooks). Its data names a product by `id`, which
//! is ours, or by `externalId`, which is the source's own: a supplier knows only what it calls its products.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Currency, Description, EventType, ExternalId, Invalid, NewProduct, Price, ProductId, Timestamp};

/// What is needed to keep an event: the rest is read when it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What kind of event it is.
    pub kind: EventType,
    /// When it happened, if it says so.
    pub occurred_at: Option<Timestamp>,
}

impl Head {
    /// The head of the event in `payload`.
    pub fn read(payload: &[u8]) -> Result<Self, Invalid> {
        #[derive(Deserialize)]
        struct Sent {
            #[serde(rename = "type")]
            kind: String,
            timestamp: Option<String>,
        }
        let sent: Sent = serde_json::from_slice(payload)
            .map_err(|error| Invalid::new("body", format!("must be an event {{type, timestamp, data}}: {error}")))?;
        let time = |text: String| {
            let at = DateTime::parse_from_rfc3339(&text).map(|at| Timestamp::from(at.with_timezone(&Utc)));
            at.map_err(|_| Invalid::new("timestamp", "must be a time such as 2026-01-02T06:30:00Z (RFC 3339)"))
        };
        Ok(Self { kind: sent.kind.parse()?, occurred_at: sent.timestamp.map(time).transpose()? })
    }
}

/// An event about a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductEvent {
    /// Which product.
    pub product: ProductRef,
    /// What happened to it.
    pub effect: Effect,
}

/// How an event names a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductRef {
    /// By our id.
    Id(ProductId),
    /// By the source's own.
    External(ExternalId),
}

impl ProductRef {
    /// The name under which a source's events about the product are put in order.
    pub fn key(&self) -> String {
        match self {
            Self::Id(id) => format!("id:{id}"),
            Self::External(id) => format!("external:{id}"),
        }
    }
}

/// What happened to a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It is there and like this.
    Upserted(Box<NewProduct>),
    /// It is there no more.
    Deleted,
    /// It has another price.
    Priced {
        /// The price.
        price: Price,
        /// Its currency; `None` leaves it.
        currency: Option<Currency>,
    },
    /// There are so many of it.
    Stocked(u32),
}

impl ProductEvent {
    /// What the event of type `kind` in `payload` says; `None` for a type that says nothing of products.
    pub fn read(kind: &EventType, payload: &[u8]) -> Result<Option<Self>, Invalid> {
        let effect: fn(&[u8]) -> Result<Effect, Invalid> = match kind.as_str() {
            "product.upserted" => upserted,
            "product.deleted" => |_| Ok(Effect::Deleted),
            "price.changed" => priced,
            "stock.changed" => stocked,
            _ => return Ok(None),
        };
        Ok(Some(Self { product: product(payload)?, effect: effect(payload)? }))
    }
}

/// The event's data as a `T`.
fn data<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Invalid> {
    #[derive(Deserialize)]
    struct Sent<T> {
        data: T,
    }
    let sent: Result<Sent<T>, _> = serde_json::from_slice(payload);
    sent.map(|sent| sent.data).map_err(|error| Invalid::new("data", format!("does not fit the type: {error}")))
}

fn product(payload: &[u8]) -> Result<ProductRef, Invalid> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        id: Option<i64>,
        external_id: Option<String>,
    }
    match data(payload)? {
        Named { id: Some(id), external_id: None } => Ok(ProductRef::Id(ProductId::new(id)?)),
        Named { id: None, external_id: Some(id) } => Ok(ProductRef::External(id.parse()?)),
        _ => Err(Invalid::new("data", "must name its product by id or by externalId")),
    }
}

fn upserted(payload: &[u8]) -> Result<Effect, Invalid> {
    #[derive(Deserialize)]
    struct Details {
        name: String,
        description: Option<String>,
        category: String,
        price: String,
        currency: Option<String>,
        unit: String,
        producer: String,
        #[serde(default)]
        stock: u32,
    }
    let details: Details = data(payload)?;
    let description = details.description.map_or_else(|| Ok(Description::default()), |text| text.parse())?;
    let currency = details.currency.map_or_else(|| Ok(Currency::default()), |code| code.parse())?;
    Ok(Effect::Upserted(Box::new(NewProduct {
        name: details.name.parse()?,
        description,
        category: details.category.parse()?,
        price: details.price.parse()?,
        currency,
        unit: details.unit.parse()?,
        producer: details.producer.parse()?,
        stock: details.stock,
    })))
}

fn priced(payload: &[u8]) -> Result<Effect, Invalid> {
    #[derive(Deserialize)]
    struct Priced {
        price: String,
        currency: Option<String>,
    }
    let priced: Priced = data(payload)?;
    let currency = priced.currency.map(|code| code.parse()).transpose()?;
    Ok(Effect::Priced { price: priced.price.parse()?, currency })
}

fn stocked(payload: &[u8]) -> Result<Effect, Invalid> {
    #[derive(Deserialize)]
    struct Stocked {
        stock: u32,
    }
    data(payload).map(|Stocked { stock }| Effect::Stocked(stock))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, data: &str) -> Result<Option<ProductEvent>, Invalid> {
        let payload = format!(r#"{{"type": "{kind}", "data": {data}}}"#);
        ProductEvent::read(&kind.parse().unwrap(), payload.as_bytes())
    }

    #[test]
    fn heads_are_read_and_nothing_more() {
        let head = Head::read(br#"{"type": "x.y", "timestamp": "2026-01-02T07:30:00+01:00", "data": null}"#).unwrap();
        assert_eq!(head.kind.as_str(), "x.y");
        assert_eq!(head.occurred_at.unwrap().to_utc().to_rfc3339(), "2026-01-02T06:30:00+00:00");
        assert_eq!(Head::read(br#"{"type": "x"}"#).unwrap().occurred_at, None);
        for (payload, field) in [
            ("", "body"),
            ("[1]", "body"),
            ("{}", "body"),
            (r#"{"type": 1}"#, "body"),
            (r#"{"type": ""}"#, "type"),
            (r#"{"type": "x", "timestamp": "yesterday"}"#, "timestamp"),
            ("\"\u{fffd}", "body"),
        ] {
            assert_eq!(Head::read(payload.as_bytes()).unwrap_err().field, field, "{payload}");
        }
    }

    #[test]
    fn events_say_which_product_and_what() {
        let id = ProductRef::Id(ProductId::new(7).unwrap());
        let price = read("price.changed", r#"{"id": 7, "price": "2.50"}"#).unwrap().unwrap();
        let effect = Effect::Priced { price: "2.50".parse().unwrap(), currency: None };
        assert_eq!(price, ProductEvent { product: id.clone(), effect });
        let stock = read("stock.changed", r#"{"externalId": "M-1", "stock": 3, "shelf": 9}"#).unwrap().unwrap();
        assert_eq!((stock.product.key(), stock.effect), ("external:M-1".to_owned(), Effect::Stocked(3)));
        assert_eq!(read("product.deleted", r#"{"id": 7}"#).unwrap().unwrap().effect, Effect::Deleted);
        let whole = r#"{"externalId": "M-1", "name": "Milk", "category": "Dairy", "price": "1", "unit": "l", "producer": "Farm"}"#;
        let Effect::Upserted(milk) = read("product.upserted", whole).unwrap().unwrap().effect else { panic!() };
        assert_eq!((milk.name.as_str(), milk.currency, milk.stock), ("Milk", Currency::default(), 0));
        assert_eq!(read("order.placed", "null"), Ok(None));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (kind, data, field) in [
            ("product.deleted", "{}", "data"),
            ("product.deleted", r#"{"id": 1, "externalId": "a"}"#, "data"),
            ("product.deleted", r#"{"id": 0}"#, "id"),
            ("product.deleted", r#"{"externalId": ""}"#, "externalId"),
            ("price.changed", r#"{"id": 1, "price": 2.5}"#, "data"),
            ("price.changed", r#"{"id": 1, "price": "-2"}"#, "price"),
            ("price.changed", r#"{"id": 1, "price": "2", "currency": "rupees"}"#, "currency"),
            ("stock.changed", r#"{"id": 1, "stock": -1}"#, "data"),
            ("product.upserted", r#"{"id": 1, "name": "Milk"}"#, "data"),
        ] {
            assert_eq!(read(kind, data).unwrap_err().field, field, "{kind} {data}");
        }
    }
}
