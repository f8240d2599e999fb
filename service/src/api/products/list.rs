//! One page of a listing: from what the request states and its cursor to the page and its link.

use farmlokal_catalog::cursor::{Scan, Stated};
use farmlokal_catalog::{Limit, Query};

use super::body::PageBody;
use crate::api::Context;
use crate::api::problem::Problem;

/// A listing as it is asked for.
pub(super) struct Request {
    pub(super) stated: Stated,
    pub(super) limit: Limit,
    pub(super) cursor: Option<String>,
    pub(super) total: bool,
}

/// The page, and the `Link` to the next one.
pub(super) async fn page(context: &Context, request: Request) -> Result<(PageBody, Option<String>), Problem> {
    let (query, after) = match &request.cursor {
        None => (request.stated.into_query()?, None),
        Some(cursor) => {
            let scan = context.cursors.open(cursor)?;
            request.stated.check(&scan.query)?;
            (scan.query, Some(scan.position))
        }
    };
    let page = context.store.list(&query, after.as_ref(), request.limit).await?;
    let total = match request.total {
        true => Some(context.store.total(query.filter(), query.search()).await?.into()),
        false => None,
    };
    let next_cursor =
        page.next.map(|position| context.cursors.seal(&Scan { query: query.clone(), position, epoch: None }));
    let link = next_cursor.as_deref().map(|cursor| link(&query, request.limit, request.total, cursor));
    let data = page.products.into_iter().map(Into::into).collect();
    Ok((PageBody { data, has_more: next_cursor.is_some(), next_cursor, total }, link))
}

/// `Link: <…>; rel="next"` with every parameter of the listing written out.
fn link(query: &Query, limit: Limit, total: bool, cursor: &str) -> String {
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
    parameters.append_pair("sort", &query.order().to_string()).append_pair("limit", &limit.get().to_string());
    if total {
        parameters.append_pair("total", "true");
    }
    parameters.append_pair("cursor", cursor);
    format!("</v1/products?{}>; rel=\"next\"", parameters.finish())
}
