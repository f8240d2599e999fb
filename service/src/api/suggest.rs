//! `/v1/suggest`: completions while a person types.

use poem_openapi::param::Query;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;

use super::answer::{Failure, Failures, Rendered};
use super::values::{Search, Text};
use super::{Context, Tag};

/// Completions given at the most.
const MOST: usize = 10;

/// The operation for search as you type.
pub struct SuggestApi(pub Context);

/// Completions of what was typed.
#[derive(Serialize, Object)]
#[oai(rename = "Suggestions")]
pub struct SuggestBody {
    /// Up to 10 completions, the most frequent first.
    data: Vec<String>,
}

/// Completions.
#[derive(ApiResponse)]
pub enum SuggestAnswer {
    /// Completions of what was typed.
    #[oai(status = 200)]
    Suggestions(Rendered<SuggestBody>),
}

/// What can go wrong in suggesting.
pub struct SuggestFailures;

impl Failures for SuggestFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] =
        &[(400, "A parameter is wrong, missing, unknown or given twice."), (503, "The search index is being built.")];
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Catalogue")]
impl SuggestApi {
    /// Complete a search
    ///
    /// Up to 10 completions of the words typed so far, tolerant of one wrong letter. Served by the
    /// search index alone.
    #[oai(path = "/suggest", method = "get", operation_id = "suggest")]
    async fn suggest(
        &self,
        /// What was typed so far.
        q: Query<Text<Search>>,
    ) -> Result<SuggestAnswer, Failure<SuggestFailures>> {
        let data = match &q.0.0.0 {
            Some(text) => self.0.catalogue.suggest(text, MOST).await?,
            None => Vec::new(),
        };
        Ok(SuggestAnswer::Suggestions(Rendered::new(&SuggestBody { data })?))
    }
}
