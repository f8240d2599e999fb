//! `/v1/suggest`: completions while a person types.

use std::sync::Arc;

use farmlokal_catalog::SearchText;
use poem_openapi::param::{Header, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Failure, Failures};
use super::cached::{Cached, Policy, found};
use super::values::{Search, Text};
use super::{Context, Tag};
use crate::cache::{Asked, Namespace, Operation, Question};

/// Completions given at the most.
const MOST: usize = 10;

/// The operation for search as you type.
pub struct SuggestApi(pub Arc<Context>);

/// Completions of what was typed.
#[derive(Serialize, Object)]
#[oai(rename = "Suggestions")]
pub struct SuggestBody {
    /// Up to 10 completions, the most frequent first.
    data: Vec<String>,
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
        /// The entity tag of the completions the client has.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Cached<SuggestBody>, Failure<SuggestFailures>> {
        let (text, catalogue) = (q.0.0.0, self.0.catalogue.clone());
        let asked = Asked {
            operation: Operation::Suggest,
            namespace: Namespace::Products,
            stamp: catalogue.index_stamp(),
            question: Question::of("suggest").optional(text.as_ref().map(SearchText::as_str)),
        };
        let load = move || async move {
            let data = match &text {
                Some(text) => catalogue.suggest(text, MOST).await?,
                None => Vec::new(),
            };
            found(&SuggestBody { data }, None, None)
        };
        Ok(self.0.answer(asked, Policy::List, if_none_match.0.as_deref(), load).await?)
    }
}
