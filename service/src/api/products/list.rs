//! One page of a listing: from what the request states and its cursor to the page and its link.

use std::sync::Arc;

use farmlokal_catalog::catalogue::Listing;
use farmlokal_catalog::cursor::{Scan, Stated};
use farmlokal_catalog::{Filter, Limit, Position, Price, Query};

use super::body::PageBody;
use super::facets::{Facet, FacetList, FacetsBody};
use crate::api::Context;
use crate::api::cached::{Cached, Policy, found};
use crate::api::problem::Problem;
use crate::cache::{Answer, Asked, Namespace, Operation, Question};

/// A listing as it is asked for.
pub(super) struct Request {
    pub(super) stated: Stated,
    pub(super) limit: Limit,
    pub(super) cursor: Option<String>,
    pub(super) total: bool,
    pub(super) facets: Vec<Facet>,
}

/// The page that `request` asks for, from the cache or anew.
pub(super) async fn answer(
    context: &Arc<Context>,
    request: Request,
    if_none_match: Option<&str>,
) -> Result<Cached<PageBody>, Problem> {
    let (query, after, epoch) = match &request.cursor {
        None => (request.stated.clone().into_query()?, None, None),
        Some(cursor) => {
            let scan = context.cursors.open(cursor)?;
            request.stated.check(&scan.query)?;
            (scan.query, Some(scan.position), scan.epoch)
        }
    };
    let asked = asked(context, &query, &request);
    let shared = Arc::clone(context);
    let load = move || async move { page(&shared, query, after, epoch, request).await };
    context.answer(asked, Policy::List, if_none_match, load).await
}

/// All that the page depends on.
fn asked(context: &Context, query: &Query, request: &Request) -> Asked {
    let question = of_query(Question::of("list"), query)
        .number(request.limit.get().into())
        .number(request.total.into())
        .text(&FacetList(request.facets.clone()).to_string())
        .optional(request.cursor.as_deref());
    Asked {
        operation: Operation::ListProducts,
        namespace: namespace(query.filter()),
        stamp: context.catalogue.stamp(query, !request.facets.is_empty()),
        question,
    }
}

/// What a listing under `filter` depends on.
pub(in crate::api) fn namespace(filter: &Filter) -> Namespace {
    filter.category.as_ref().map_or(Namespace::Products, Namespace::of_category)
}

/// `question` with all parts of `query`.
pub(in crate::api) fn of_query(question: Question, query: &Query) -> Question {
    let filter = query.filter();
    let price = |price: Option<Price>| price.map(|price| price.minor().to_string());
    question
        .optional(filter.category.as_ref().map(|category| category.as_str()))
        .optional(price(filter.price.min()).as_deref())
        .optional(price(filter.price.max()).as_deref())
        .optional(query.search().map(|search| search.as_str()))
        .text(&query.order().to_string())
}

async fn page(
    context: &Context,
    query: Query,
    after: Option<Position>,
    epoch: Option<u32>,
    request: Request,
) -> Result<Answer, Problem> {
    let catalogue = &context.catalogue;
    let listing = catalogue.list(&query, after.as_ref(), epoch, request.limit).await;
    context.count_search(&query, &listing);
    let Listing { page, epoch } = listing?;
    let total = match request.total {
        true => Some(catalogue.total(query.filter(), query.search()).await?.into()),
        false => None,
    };
    let facets = match request.facets.as_slice() {
        [] => None,
        wanted => Some(FacetsBody::of(catalogue.facets(query.filter(), query.search()).await?, wanted)),
    };
    let next_cursor = page.next.map(|position| context.cursors.seal(&Scan { query: query.clone(), position, epoch }));
    let link = next_cursor.as_deref().map(|cursor| link(&query, &request, cursor));
    let data = page.products.into_iter().map(Into::into).collect();
    let page = PageBody { data, has_more: next_cursor.is_some(), next_cursor, total, facets };
    found(&page, None, link)
}

/// `Link: <…>; rel="next"` with every parameter of the listing written out.
fn link(query: &Query, request: &Request, cursor: &str) -> String {
    let mut parameters = url::form_urlencoded::Serializer::new(String::new());
    let filter = query.filter();
    if let Some(category) = &filter.category {
        parameters.append_pair("category", category.as_str());
    }
    if let Some(search) = query.search() {
        parameters.append_pair("search", search.as_str());
    }
    if let Some(min) = filter.price.min() {
        parameters.append_pair("minPrice", &min.to_string());
    }
    if let Some(max) = filter.price.max() {
        parameters.append_pair("maxPrice", &max.to_string());
    }
    parameters.append_pair("sort", &query.order().to_string());
    parameters.append_pair("limit", &request.limit.get().to_string());
    if request.total {
        parameters.append_pair("total", "true");
    }
    parameters.append_pair("cursor", cursor);
    format!("</v1/products?{}>; rel=\"next\"", parameters.finish())
}
