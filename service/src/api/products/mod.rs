//! `/v1/products`: what the operations take and answer. What they do is in one file each.

pub mod body;
mod create;
pub mod facets;
pub(super) mod list;

use std::sync::Arc;

use farmlokal_catalog::cursor::Stated;
use farmlokal_catalog::store::StoreError;
use farmlokal_catalog::{Category, Filter, Limit, Order, Price, PriceRange, ProductId, ProductPatch};
use poem::Request;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};

use super::answer::{Failure, Failures, Rendered};
use super::bearer::{Caller, Scope};
use super::cached::{Cached, Policy, found};
use super::values::{Number, Search, Text};
use super::{Context, Tag, etag};
use body::{NewProductBody, PageBody, ProductBody, ProductPatchBody};
use facets::FacetList;

use crate::cache::{Answer, Asked, Namespace, Operation, Question};

/// The operations on products.
pub struct ProductsApi(pub Arc<Context>);

/// The product that was made.
#[derive(ApiResponse)]
pub enum CreateAnswer {
    /// The product, as it is stored.
    #[oai(status = 201)]
    Created(
        Rendered<ProductBody>,
        /// Where the product is.
        #[oai(header = "Location")]
        String,
        /// The product's entity tag.
        #[oai(header = "ETag")]
        String,
        /// `true` when this is the answer to an earlier try.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

/// The product as it is after the change.
#[derive(ApiResponse)]
pub enum UpdateAnswer {
    /// The product after the change.
    #[oai(status = 200)]
    Changed(
        Rendered<ProductBody>,
        /// The product's new entity tag.
        #[oai(header = "ETag")]
        String,
    ),
}

/// The product is gone.
#[derive(ApiResponse)]
pub enum DeleteAnswer {
    /// The product is gone.
    #[oai(status = 204)]
    Deleted,
}

/// What can go wrong in a listing.
pub struct ListFailures;

impl Failures for ListFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "A parameter is wrong, unknown or given twice, or the cursor belongs to another listing."),
        (410, "The cursor goes through a search index that is gone; start again without it."),
        (
            503,
            "The database is unavailable or busy, the listing would read too much, or the search index is being built.",
        ),
    ];
}

/// What can go wrong with one product.
pub struct GetFailures;

impl Failures for GetFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "The id is not a whole number from 1 up, or there is a query parameter."),
        (404, "There is no product with this id."),
        (503, "The database is away or busy."),
    ];
}

/// What can go wrong in making a product.
pub struct CreateFailures;

impl Failures for CreateFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "The body is not JSON, or a field is missing, wrong or unknown, or the key is malformed."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope catalog:write."),
        (409, "Another try with this key is under way; ask again after `Retry-After`."),
        (413, "The body is larger than 64 KiB."),
        (415, "The body is not JSON by its Content-Type."),
        (422, "The key stands for a request with another body."),
        (503, "The database is away or busy."),
    ];
}

/// What can go wrong in changing a product.
pub struct ChangeFailures;

impl Failures for ChangeFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "The id or a field of the body is wrong."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope catalog:write."),
        (404, "There is no product with this id."),
        (412, "The product has changed since the version in If-Match."),
        (413, "The body is larger than 64 KiB."),
        (415, "The body is not JSON by its Content-Type."),
        (503, "The database is away or busy."),
    ];
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Catalogue")]
impl ProductsApi {
    /// List products
    ///
    /// Filtered, searched and sorted, a page at a time. Every order ends in the id, so it is total:
    /// following `nextCursor` gives each product that stays untouched exactly once, whatever is
    /// written meanwhile. A cursor carries filters, search and sort; beside it only `limit`, `total`
    /// and `facets` may change. A search forgives a misspelt letter in words of five and more, two from
    /// nine, if nothing has the words as they are written.
    #[oai(path = "/products", method = "get", operation_id = "listProducts")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn list(
        &self,
        /// Only this category; letters count as written.
        category: Query<Option<Text<Category>>>,
        /// Only products with all of these words in name, description or producer; the last word may
        /// be the beginning of one.
        search: Query<Option<Text<Search>>>,
        /// Only products that cost at least so much.
        #[oai(name = "minPrice")]
        min_price: Query<Option<Text<Price>>>,
        /// Only products that cost at most so much.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<Text<Price>>>,
        /// The order, downwards with `-`. Without it `relevance` for a search and `id` otherwise.
        sort: Query<Option<Text<Order>>>,
        /// How many products a page has; 20 without it.
        limit: Query<Option<Number<Limit>>>,
        /// `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
        /// Whether to count all products that match, up to 10,000.
        total: Query<Option<bool>>,
        /// Whether to say how all products that match are spread over categories and price bands.
        facets: Query<Option<Text<FacetList>>>,
        /// The entity tag of a page the client has.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Cached<PageBody>, Failure<ListFailures>> {
        let price = PriceRange::new(min_price.0.map(|price| price.0), max_price.0.map(|price| price.0))?;
        let request = list::Request {
            stated: Stated {
                filter: Filter { category: category.0.map(|category| category.0), price },
                search: search.0.and_then(|search| search.0.0),
                order: sort.0.map(|sort| sort.0),
            },
            limit: limit.0.map_or_else(Limit::default, |limit| limit.0),
            cursor: cursor.0,
            total: total.0.unwrap_or(false),
            facets: facets.0.map_or_else(Vec::new, |facets| facets.0.0),
        };
        Ok(list::answer(&self.0, request, if_none_match.0.as_deref()).await?)
    }

    /// Make a product
    ///
    /// With an `Idempotency-Key` it is made once, however often the request is sent within 24 hours: later tries
    /// are given the first answer. Needs an access token with the scope `catalog:write`.
    #[oai(path = "/products", method = "post", operation_id = "createProduct")]
    async fn create(
        &self,
        request: &Request,
        #[oai(scope = "Scope::CatalogWrite")] caller: Caller,
        /// A name for this request, new for each that is meant: 1 to 255 characters, such as a UUID.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        product: Json<NewProductBody>,
    ) -> Result<CreateAnswer, Failure<CreateFailures>> {
        Ok(create::answer(create::once(&self.0, request, &caller, product.0.into()).await?))
    }

    /// Read a product
    ///
    /// Its entity tag names this state of it for ever: with `If-None-Match` an unchanged product costs
    /// no body, with `If-Match` a change is made only to this state.
    #[oai(path = "/products/:id", method = "get", operation_id = "getProduct")]
    async fn get(
        &self,
        /// The product's number.
        id: Path<Number<ProductId>>,
        /// The entity tag of the product the client has.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Cached<ProductBody>, Failure<GetFailures>> {
        let (id, catalogue) = (id.0.0, self.0.catalogue.clone());
        let asked = Asked {
            operation: Operation::GetProduct,
            namespace: Namespace::of_product(id),
            stamp: None,
            question: Question::of("product").number(id.get().unsigned_abs()),
        };
        let load = move || async move {
            match catalogue.store().get(id).await {
                Ok(product) => {
                    let tag = etag::of_product(&product);
                    found(&ProductBody::from(product), Some(tag), None)
                }
                Err(StoreError::NotFound) => Ok(Answer::Absent),
                Err(error) => Err(error.into()),
            }
        };
        Ok(self.0.answer(asked, Policy::Item, if_none_match.0.as_deref(), load).await?)
    }

    /// Change a product
    ///
    /// Replaces the fields that are sent. With `If-Match` only if the product is still at that
    /// version, so that two clients do not undo each other's changes. Needs an access token with the
    /// scope `catalog:write`.
    #[oai(path = "/products/:id", method = "patch", operation_id = "updateProduct")]
    async fn update(
        &self,
        #[oai(scope = "Scope::CatalogWrite")] _caller: Caller,
        /// The product's number.
        id: Path<Number<ProductId>>,
        /// The entity tag the product must still have.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        patch: Json<ProductPatchBody>,
    ) -> Result<UpdateAnswer, Failure<ChangeFailures>> {
        let id = id.0.0;
        let expected = etag::matching_versions(if_match.0.as_deref(), id);
        let patch = ProductPatch::from(patch.0);
        let product = self.0.catalogue.update(id, patch, expected, self.0.now()).await?;
        let tag = etag::of_product(&product);
        Ok(UpdateAnswer::Changed(Rendered::new(&ProductBody::from(product))?, tag))
    }

    /// Remove a product
    ///
    /// With `If-Match` only if the product is still at that version. Needs an access token with the scope
    /// `catalog:write`.
    #[oai(path = "/products/:id", method = "delete", operation_id = "deleteProduct")]
    async fn delete(
        &self,
        #[oai(scope = "Scope::CatalogWrite")] _caller: Caller,
        /// The product's number.
        id: Path<Number<ProductId>>,
        /// The entity tag the product must still have.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<DeleteAnswer, Failure<ChangeFailures>> {
        let id = id.0.0;
        let expected = etag::matching_versions(if_match.0.as_deref(), id);
        self.0.catalogue.delete(id, expected).await?;
        Ok(DeleteAnswer::Deleted)
    }
}
