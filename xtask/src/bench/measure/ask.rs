//! What is asked: as a request, and what a right answer to it has.

use std::ops::RangeInclusive;
use std::sync::Arc;

use farmlokal_catalog::{Filter, Invalid, Limit, Order, Position, ProductId, Query, SortKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::form_urlencoded::Serializer;

/// One request, its answer's rows, and the values of the statement behind it.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) path: String,
    pub(super) what: What,
    /// How many rows a right answer has.
    rows: RangeInclusive<usize>,
}

/// What is asked for.
#[derive(Clone)]
pub(super) enum What {
    Listing(Listing),
    Product(ProductId),
    Categories,
    /// What no one statement answers.
    Indexed,
}

/// A page of a listing.
#[derive(Clone)]
pub(super) struct Listing {
    pub(super) query: Query,
    pub(super) limit: Limit,
    pub(super) after: Option<Arc<Spot>>,
    pub(super) total: bool,
}

impl Listing {
    /// The first page of `query`.
    pub(super) fn of(query: Query) -> Self {
        Self { query, limit: Limit::default(), after: None, total: false }
    }

    /// The first page of `filter` in `order`.
    pub(super) fn first(filter: Filter, order: Option<Order>) -> Result<Self, Invalid> {
        Ok(Self::of(Query::new(filter, None, order)?))
    }
}

/// A place within a listing, as a client knows it.
pub(super) struct Spot {
    pub(super) cursor: String,
    pub(super) position: Position,
}

/// The part of an answer with several rows that tells how many.
#[derive(Deserialize)]
struct Rows {
    data: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct One {
    id: i64,
}

impl Ask {
    /// The page `listing`, of `rows` rows.
    pub(super) fn listing(listing: Listing, rows: RangeInclusive<usize>) -> Self {
        Self { path: path(&listing), what: What::Listing(listing), rows }
    }

    pub(super) fn product(id: ProductId) -> Self {
        Self { path: format!("/v1/products/{id}"), what: What::Product(id), rows: 1..=1 }
    }

    pub(super) fn categories() -> Self {
        Self { path: "/v1/categories".to_owned(), what: What::Categories, rows: 2..=100 }
    }

    /// Completions of `text`.
    pub(super) fn suggestions(text: &str) -> Self {
        let parameters = Serializer::new(String::new()).append_pair("q", text).finish();
        Self { path: format!("/v1/suggest?{parameters}"), what: What::Indexed, rows: 1..=10 }
    }

    /// The same page with its facets.
    pub(super) fn spread(self) -> Self {
        let sign = if self.path.contains('?') { '&' } else { '?' };
        Self { path: format!("{}{sign}facets=category,price", self.path), what: What::Indexed, ..self }
    }

    /// Refuses an answer that is not the one asked for: errors are fast, and would look good.
    pub(super) fn check(&self, answer: Result<(u16, &[u8]), String>) -> Result<(), String> {
        let (status, body) = answer?;
        let wrong = |why: String| Err(format!("GET {}: {why}", self.path));
        if status != 200 {
            return wrong(format!("{status} {}", String::from_utf8_lossy(body)));
        }
        let rows = match self.what {
            What::Product(id) => serde_json::from_slice(body).map(|one: One| usize::from(one.id == id.get())),
            What::Listing(_) | What::Categories | What::Indexed => {
                serde_json::from_slice(body).map(|rows: Rows| rows.data.len())
            }
        };
        match rows {
            Ok(rows) if self.rows.contains(&rows) => Ok(()),
            Ok(rows) => wrong(format!("{rows} rows instead of {:?}", self.rows)),
            Err(error) => wrong(error.to_string()),
        }
    }
}

/// The request as a client writes it: without what goes without saying.
fn path(listing: &Listing) -> String {
    let (query, filter) = (&listing.query, listing.query.filter());
    let mut parameters = Serializer::new(String::new());
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            parameters.append_pair(name, &value);
        }
    };
    add("category", filter.category.as_ref().map(ToString::to_string));
    add("minPrice", filter.price.min().map(|price| price.to_string()));
    add("maxPrice", filter.price.max().map(|price| price.to_string()));
    add("search", query.search().map(|text| text.as_str().to_owned()));
    let usual = match query.order() {
        Order::By(key, direction) => (key, direction) == (SortKey::Id, farmlokal_catalog::Direction::Ascending),
        Order::Relevance => true,
    };
    add("sort", (!usual).then(|| query.order().to_string()));
    let other_limit = listing.limit != Limit::default();
    add("limit", other_limit.then(|| listing.limit.get().to_string()));
    add("total", listing.total.then(|| "true".to_owned()));
    add("cursor", listing.after.as_ref().map(|spot| spot.cursor.clone()));
    let parameters = parameters.finish();
    if parameters.is_empty() { "/v1/products".to_owned() } else { format!("/v1/products?{parameters}") }
}
