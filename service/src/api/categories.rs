//! `/v1/categories`: the shelves and how full they are.

use std::sync::Arc;

use farmlokal_catalog::Category;
use poem_openapi::param::Header;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Failure, Failures};
use super::cached::{Cached, Policy, found};
use super::values::Text;
use super::{Context, Tag};
use crate::cache::{Asked, Namespace, Operation, Question};

/// The operations on categories.
pub struct CategoriesApi(pub Arc<Context>);

/// All categories.
#[derive(Serialize, Object)]
#[oai(rename = "Categories")]
pub struct CategoriesBody {
    /// The categories that have products, by name.
    data: Vec<CategoryBody>,
}

/// A category and how many products it has.
#[derive(Serialize, Object)]
#[oai(rename = "Category")]
pub struct CategoryBody {
    /// What it is called.
    name: Text<Category>,
    /// How many products it has.
    products: u64,
}

/// What can go wrong in listing categories.
pub struct CategoriesFailures;

impl Failures for CategoriesFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] =
        &[(400, "There is a query parameter; this operation has none."), (503, "The database is away or busy.")];
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Catalogue")]
impl CategoriesApi {
    /// List categories
    ///
    /// Every category that has products, with their exact number: it is counted with each write, so
    /// nothing is scanned.
    #[oai(path = "/categories", method = "get", operation_id = "listCategories")]
    async fn list(
        &self,
        /// The entity tag of the list the client has.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Cached<CategoriesBody>, Failure<CategoriesFailures>> {
        let catalogue = self.0.catalogue.clone();
        let asked = Asked {
            operation: Operation::ListCategories,
            namespace: Namespace::Products,
            stamp: None,
            question: Question::of("categories"),
        };
        let load = move || async move {
            let categories = catalogue.store().categories().await?;
            let body = |(name, products)| CategoryBody { name: Text(name), products };
            found(&CategoriesBody { data: categories.into_iter().map(body).collect() }, None, None)
        };
        Ok(self.0.answer(asked, Policy::List, if_none_match.0.as_deref(), load).await?)
    }
}
