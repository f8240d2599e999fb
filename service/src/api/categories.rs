//! `/v1/categories`: the shelves and how full they are.

use farmlokal_catalog::Category;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;

use super::answer::{Failure, Failures, Rendered};
use super::values::Text;
use super::{Context, Tag};

/// The operations on categories.
pub struct CategoriesApi(pub Context);

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

/// All categories.
#[derive(ApiResponse)]
pub enum CategoriesAnswer {
    /// All categories that have products.
    #[oai(status = 200)]
    Categories(Rendered<CategoriesBody>),
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
    async fn list(&self) -> Result<CategoriesAnswer, Failure<CategoriesFailures>> {
        let categories = self.0.catalogue.store().categories().await?;
        let data = categories.into_iter().map(|(name, products)| CategoryBody { name: Text(name), products }).collect();
        Ok(CategoriesAnswer::Categories(Rendered::new(&CategoriesBody { data })?))
    }
}
