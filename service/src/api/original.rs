//! `GET /products`: the contract of the project that FarmLokal grew out of, for its clients. A bare
//! array in the order of ids; the next page's cursor is the last id.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use farmlokal_catalog::{
    Category, Description, Direction, Filter, Limit, Order, Position, Price, PriceRange, Product, ProductId,
    ProductName, Query as CatalogQuery, SortKey,
};
use poem_openapi::param::{Header, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::Failure;
use super::cached::{Cached, Policy, found};
use super::products::{ListFailures, list};
use super::values::{LastId, Number, Search, Text};
use super::{Context, Tag};
use crate::cache::{Asked, Operation, Question};

/// The original's operations.
pub struct OriginalApi(pub Arc<Context>);

/// A product as the original showed it.
#[derive(Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "OriginalProduct", rename_all = "camelCase")]
pub struct OriginalProduct {
    id: Number<ProductId>,
    name: Text<ProductName>,
    /// A number, as it was; `/v1` has the exact decimal.
    price: f64,
    category: Text<Category>,
    description: Text<Description>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Product> for OriginalProduct {
    fn from(product: Product) -> Self {
        Self {
            id: Number(product.id),
            name: Text(product.details.name),
            // Up to 12 digits: the double nearest to the decimal prints as that decimal.
            price: product.details.price.minor() as f64 / 100.0,
            category: Text(product.details.category),
            description: Text(product.details.description),
            created_at: product.created_at.to_utc(),
            updated_at: product.updated_at.to_utc(),
        }
    }
}

#[OpenApi(tag = "Tag::Original")]
impl OriginalApi {
    /// List products as the original did
    ///
    /// A bare array in the order of ids. The next page's `cursor` is the last id of this one; a page
    /// shorter than `limit` is the last.
    #[oai(path = "/products", method = "get", operation_id = "listProductsOriginal")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn list(
        &self,
        /// Only this category.
        category: Query<Option<Text<Category>>>,
        /// Only products with all of these words.
        search: Query<Option<Text<Search>>>,
        /// Only products that cost at least so much.
        #[oai(name = "minPrice")]
        min_price: Query<Option<Text<Price>>>,
        /// Only products that cost at most so much.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<Text<Price>>>,
        /// The last id of the previous page.
        cursor: Query<Option<Number<LastId>>>,
        /// How many products a page has; 10 without it.
        limit: Query<Option<Number<Limit>>>,
        /// The entity tag of a page the client has.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Cached<Vec<OriginalProduct>>, Failure<ListFailures>> {
        let price = PriceRange::new(min_price.0.map(|price| price.0), max_price.0.map(|price| price.0))?;
        let filter = Filter { category: category.0.map(|category| category.0), price };
        let order = Order::By(SortKey::Id, Direction::Ascending);
        let query = CatalogQuery::new(filter, search.0.and_then(|search| search.0.0), Some(order))?;
        let after = cursor.0.and_then(|last| ProductId::new(last.0.0).ok()).map(Position::Id);
        let limit = match limit.0 {
            Some(limit) => limit.0,
            None => Limit::new(10)?,
        };
        let catalogue = self.0.catalogue.clone();
        let last = cursor.0.map_or(0, |last| last.0.0.unsigned_abs());
        let asked = Asked {
            operation: Operation::ListProductsOriginal,
            namespace: list::namespace(query.filter()),
            stamp: catalogue.stamp(&query, false),
            question: list::of_query(Question::of("original"), &query).number(limit.get().into()).number(last),
        };
        let context = Arc::clone(&self.0);
        let load = move || async move {
            let listing = catalogue.list(&query, after.as_ref(), None, limit).await;
            context.count_search(&query, &listing);
            let products: Vec<OriginalProduct> = listing?.page.products.into_iter().map(Into::into).collect();
            found(&products, None, None)
        };
        Ok(self.0.answer(asked, Policy::List, if_none_match.0.as_deref(), load).await?)
    }
}
