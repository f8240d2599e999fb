//! Which values of the domain there are in the API: their fields, examples and bounds.

use std::fmt::Display;
use std::str::FromStr;

use farmlokal_catalog::inbox::{SourceName, State};
use farmlokal_catalog::subscription::{CallbackUrl, DeliveryState, EventKind, SubscriptionId};
use farmlokal_catalog::supply::SyncId;
use farmlokal_catalog::{
    Category, Currency, Description, EventId, EventType, Invalid, Limit, Order, Price, Producer, ProductId,
    ProductName, SearchText, Unit,
};
use poem_openapi::registry::MetaSchema;

use super::{Numeric, Textual};

macro_rules! textual {
    ($type:ident, $field:literal, $example:literal, |$schema:ident| $constrain:expr) => {
        impl Textual for $type {
            const NAME: &'static str = stringify!($type);
            const FIELD: &'static str = $field;
            const EXAMPLE: &'static str = $example;
            fn constrain(mut $schema: MetaSchema) -> MetaSchema {
                $constrain;
                $schema
            }
        }
    };
    ($type:ident, $field:literal, $example:literal) => {
        textual!($type, $field, $example, |schema| {
            schema.min_length = Some($type::MIN_CHARS);
            schema.max_length = Some($type::MAX_CHARS);
            schema.pattern = Some($type::PATTERN.to_owned());
        });
    };
}

textual!(ProductName, "name", "Organic Alphonso Mangoes");
textual!(Description, "description", "Tree-ripened, picked this morning.");
textual!(Category, "category", "Fruits");
textual!(Producer, "producer", "Green Valley Farm, Nashik");
textual!(Unit, "unit", "1 kg");
textual!(Price, "price", "249.50", |schema| schema.pattern = Some(Price::PATTERN.to_owned()));
textual!(Currency, "currency", "INR", |schema| schema.pattern = Some(Currency::PATTERN.to_owned()));
textual!(Order, "sort", "-price", |schema| schema.enum_items = Order::NAMES.map(Into::into).to_vec());

textual!(EventId, "id", "evt_2cPdL0yfmbYdKSxx");
textual!(EventType, "type", "price.changed");
textual!(SourceName, "source", "farm-hub", |schema| schema.pattern = Some(SourceName::PATTERN.to_owned()));
textual!(State, "state", "parked", |schema| schema.enum_items = State::NAMES.map(Into::into).to_vec());

textual!(CallbackUrl, "url", "https://shop.example/farmlokal-events", |schema| {
    schema.max_length = Some(CallbackUrl::MAX_BYTES);
    schema.format = Some("uri");
});
textual!(EventKind, "types", "product.changed", |schema| {
    schema.enum_items = EventKind::NAMES.map(Into::into).to_vec();
});
textual!(DeliveryState, "state", "delivered", |schema| {
    schema.enum_items = DeliveryState::NAMES.map(Into::into).to_vec();
});

impl Textual for Search {
    const NAME: &'static str = "SearchText";
    const FIELD: &'static str = "search";
    const EXAMPLE: &'static str = "organic mango";

    fn constrain(mut schema: MetaSchema) -> MetaSchema {
        schema.max_length = Some(SearchText::MAX_CHARS);
        schema
    }
}

/// A search text as it is asked for: one without anything but white space is no search.
#[derive(Debug, Clone)]
pub struct Search(pub Option<SearchText>);

impl FromStr for Search {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text: SearchText = text.parse()?;
        Ok(Self(Some(text).filter(|text| !text.as_str().is_empty())))
    }
}

impl Display for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref().map_or("", SearchText::as_str))
    }
}

macro_rules! numeric {
    ($type:ty, $name:literal, $field:literal, $min:expr, $max:expr, $example:literal, $from:expr, $number:expr) => {
        impl Numeric for $type {
            const NAME: &'static str = $name;
            const FIELD: &'static str = $field;
            const MIN: i64 = $min;
            const MAX: i64 = $max;
            const EXAMPLE: i64 = $example;
            fn from_number(number: i64) -> Result<Self, Invalid> {
                $from(number)
            }
            fn number(self) -> i64 {
                $number(self)
            }
        }
    };
}

/// How many units there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stock(pub u32);

impl Stock {
    fn from_number(number: i64) -> Result<Self, Invalid> {
        let wrong = |_| Invalid::new("stock", format!("must be a whole number from 0 to {}", u32::MAX));
        u32::try_from(number).map(Self).map_err(wrong)
    }
}

/// The original contract's cursor: the id of the last product seen, 0 at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastId(pub i64);

impl LastId {
    fn from_number(number: i64) -> Result<Self, Invalid> {
        let wrong =
            Invalid::new("cursor", "must be the id of the last product of the previous page, a whole number from 0 up");
        (number >= 0).then_some(Self(number)).ok_or(wrong)
    }
}

numeric!(ProductId, "ProductId", "id", 1, i64::MAX, 42, ProductId::new, ProductId::get);
numeric!(SyncId, "SyncId", "id", 1, i64::MAX, 7, SyncId::new, SyncId::get);
numeric!(SubscriptionId, "SubscriptionId", "id", 1, i64::MAX, 42, SubscriptionId::new, SubscriptionId::get);
numeric!(Limit, "Limit", "limit", 1, Limit::MAX as i64, 20, Limit::new, |limit: Limit| limit.get().into());
numeric!(Stock, "Stock", "stock", 0, u32::MAX as i64, 120, Stock::from_number, |stock: Stock| stock.0.into());
numeric!(LastId, "LastId", "cursor", 0, i64::MAX, 0, LastId::from_number, |last: LastId| last.0);
