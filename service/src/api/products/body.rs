//! Products as JSON.

use chrono::{DateTime, TimeZone as _, Utc};
use farmlokal_catalog::{
    Category, Currency, Description, NewProduct, Price, Producer, Product, ProductId, ProductName, ProductPatch, Total,
    Unit, Version,
};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use serde::Serialize;

use super::facets::FacetsBody;
use crate::api::values::{Maybe, Number, Stock, Text};

/// A product.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "Product", rename_all = "camelCase", example)]
pub struct ProductBody {
    /// Its number, never given twice.
    id: Number<ProductId>,
    /// What it is called.
    name: Text<ProductName>,
    /// What there is to say about it.
    description: Text<Description>,
    /// The shelf it stands on.
    category: Text<Category>,
    /// What one unit costs: an exact decimal, as a string so that no parser makes a float of it.
    price: Text<Price>,
    /// The currency of the price (ISO 4217).
    currency: Text<Currency>,
    /// What one piece is.
    unit: Text<Unit>,
    /// The farm or maker it comes from.
    producer: Text<Producer>,
    /// How many units there are.
    stock: Number<Stock>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// How often it was written; the entity tag is made of it.
    version: i64,
}

impl From<Product> for ProductBody {
    fn from(product: Product) -> Self {
        let details = product.details;
        Self {
            id: Number(product.id),
            name: Text(details.name),
            description: Text(details.description),
            category: Text(details.category),
            price: Text(details.price),
            currency: Text(details.currency),
            unit: Text(details.unit),
            producer: Text(details.producer),
            stock: Number(Stock(details.stock)),
            created_at: product.created_at.to_utc(),
            updated_at: product.updated_at.to_utc(),
            version: product.version.get(),
        }
    }
}

/// A product to be made.
#[derive(Debug, Object)]
#[oai(rename = "NewProduct", rename_all = "camelCase", deny_unknown_fields, example)]
pub struct NewProductBody {
    /// What it is called.
    name: Text<ProductName>,
    /// What there is to say about it; nothing if left out.
    description: Maybe<Text<Description>>,
    /// The shelf it stands on; a new one is made by naming it.
    category: Text<Category>,
    /// What one unit costs: a decimal as a string.
    price: Text<Price>,
    /// The currency of the price; INR if left out.
    currency: Maybe<Text<Currency>>,
    /// What one piece is.
    unit: Text<Unit>,
    /// The farm or maker it comes from.
    producer: Text<Producer>,
    /// How many units there are; 0 if left out.
    stock: Maybe<Number<Stock>>,
}

impl From<NewProductBody> for NewProduct {
    fn from(body: NewProductBody) -> Self {
        Self {
            name: body.name.0,
            description: body.description.0.map_or_else(Description::default, |text| text.0),
            category: body.category.0,
            price: body.price.0,
            currency: body.currency.0.map_or_else(Currency::default, |currency| currency.0),
            unit: body.unit.0,
            producer: body.producer.0,
            stock: body.stock.0.map_or(0, |stock| stock.0.0),
        }
    }
}

/// The fields of a product to be changed; what is left out stays.
#[derive(Debug, Object)]
#[oai(rename = "ProductPatch", rename_all = "camelCase", deny_unknown_fields, example)]
pub struct ProductPatchBody {
    /// What it is called.
    name: Maybe<Text<ProductName>>,
    /// What there is to say about it.
    description: Maybe<Text<Description>>,
    /// The shelf it stands on.
    category: Maybe<Text<Category>>,
    /// What one unit costs: a decimal as a string.
    price: Maybe<Text<Price>>,
    /// The currency of the price.
    currency: Maybe<Text<Currency>>,
    /// What one piece is.
    unit: Maybe<Text<Unit>>,
    /// The farm or maker it comes from.
    producer: Maybe<Text<Producer>>,
    /// How many units there are.
    stock: Maybe<Number<Stock>>,
}

impl From<ProductPatchBody> for ProductPatch {
    fn from(body: ProductPatchBody) -> Self {
        Self {
            name: body.name.0.map(|text| text.0),
            description: body.description.0.map(|text| text.0),
            category: body.category.0.map(|text| text.0),
            price: body.price.0.map(|price| price.0),
            currency: body.currency.0.map(|currency| currency.0),
            unit: body.unit.0.map(|text| text.0),
            producer: body.producer.0.map(|text| text.0),
            stock: body.stock.0.map(|stock| stock.0.0),
        }
    }
}

/// A page of products.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "ProductPage", rename_all = "camelCase")]
pub struct PageBody {
    /// The products of this page.
    pub data: Vec<ProductBody>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// What to send as `cursor` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
    /// How many products match in all; only with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub total: Option<TotalBody>,
    /// How the matches are spread; only with `facets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub facets: Option<FacetsBody>,
}

/// How many products match, counted up to 10,000.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Total")]
pub struct TotalBody {
    /// The number.
    pub count: u32,
    /// Whether there may be more.
    pub precision: Precision,
}

/// Whether a total is the whole number.
#[derive(Debug, Serialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum Precision {
    /// Exactly so many.
    Exact,
    /// So many or more.
    AtLeast,
}

impl From<Total> for TotalBody {
    fn from(total: Total) -> Self {
        match total {
            Total::Exact(count) => Self { count, precision: Precision::Exact },
            Total::AtLeast(count) => Self { count, precision: Precision::AtLeast },
        }
    }
}

/// The product of the examples. Its values are constants that the domain takes (tested).
#[allow(clippy::expect_used, reason = "constants; the test of the OpenAPI document renders them")]
fn sample() -> NewProduct {
    const RIGHT: &str = "the example is right";
    NewProduct {
        name: "Organic Alphonso Mangoes".parse().expect(RIGHT),
        description: "Tree-ripened in Ratnagiri, picked this morning.".parse().expect(RIGHT),
        category: "Fruits".parse().expect(RIGHT),
        price: "249.50".parse().expect(RIGHT),
        currency: Currency::default(),
        unit: "1 kg".parse().expect(RIGHT),
        producer: "Green Valley Farm, Nashik".parse().expect(RIGHT),
        stock: 120,
    }
}

impl Example for ProductBody {
    #[allow(clippy::expect_used, reason = "a constant, as above")]
    fn example() -> Self {
        let at = Utc.with_ymd_and_hms(2026, 1, 2, 6, 30, 0).single().unwrap_or_default().into();
        let id = ProductId::new(42).expect("42 is an id");
        Product { id, details: sample(), created_at: at, updated_at: at, version: Version::FIRST }.into()
    }
}

impl Example for NewProductBody {
    fn example() -> Self {
        let details = sample();
        Self {
            name: Text(details.name),
            description: Maybe(Some(Text(details.description))),
            category: Text(details.category),
            price: Text(details.price),
            currency: Maybe(Some(Text(details.currency))),
            unit: Text(details.unit),
            producer: Text(details.producer),
            stock: Maybe(Some(Number(Stock(details.stock)))),
        }
    }
}

impl Example for ProductPatchBody {
    fn example() -> Self {
        let details = sample();
        Self {
            name: Maybe(None),
            description: Maybe(None),
            category: Maybe(None),
            price: Maybe(Some(Text(details.price))),
            currency: Maybe(None),
            unit: Maybe(None),
            producer: Maybe(None),
            stock: Maybe(Some(Number(Stock(80)))),
        }
    }
}
