//! One page of a listing: from what the request states and its cursor to the page and its link.

use farmlokal_catalog::catalogue::{Listing, Source};
use farmlokal_catalog::cursor::{Scan, Stated};
use farmlokal_catalog::{Limit, Query};

use super::body::PageBody;
use super::facets::{Facet, FacetsBody};
use crate::api::Context;
use crate::api::problem::Problem;

/// A listing as it is asked for.
pub(super) struct Request {
    pub(super) stated: Stated,
    pub(super) limit: Limit,
    pub(super) cursor: Option<String>,
    pub(super) total: bool,
    pub(super) facets: Vec<Facet>,
}

/// A page and what is said beside it.
pub(super) struct Answer {
    pub(super) page: PageBody,
    /// The `Link` to the next page.
    pub(super) link: Option<String>,
    /// Who searched, if anybody had to.
    pub(super) searched_by: Option<&'static str>,
}

/// The page that `request` asks for.
pub(super) async fn page(context: &Context, request: Request) -> Result<Answer, Problem> {
    let (query, after, epoch) = match &request.cursor {
        None => (request.stated.clone().into_query()?, None, None),
        Some(cursor) => {
            let scan = context.cursors.open(cursor)?;
            request.stated.check(&scan.query)?;
            (scan.query, Some(scan.position), scan.epoch)
        }
    };
    let catalogue = &context.catalogue;
    let Listing { page, source, epoch } = catalogue.list(&query, after.as_ref(), epoch, request.limit).await?;
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
    let searched_by = match source {
        Source::Table => None,
        Source::Index => Some("index"),
        Source::Fallback => Some("sql"),
    };
    let page = PageBody { data, has_more: next_cursor.is_some(), next_cursor, total, facets };
    Ok(Answer { page, link, searched_by })
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
