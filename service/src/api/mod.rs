//! The public API: operations, their values and errors, and the document that describes them.

pub mod answer;
pub mod bearer;
pub mod cached;
pub mod categories;
pub mod contract;
mod cors;
pub mod counts;
pub mod document;
pub mod etag;
mod idempotency;
mod intercept;
pub mod limits;
mod measured;
pub mod oauth;
pub mod original;
pub mod original_sync;
pub mod original_webhook;
mod overload;
pub mod problem;
pub mod products;
pub mod request_id;
pub(crate) mod security;
pub mod subscriptions;
pub mod suggest;
pub mod suppliers;
mod throttle;
mod trace;
pub mod ui;
pub mod values;
pub mod webhooks;

use std::sync::Arc;

use farmlokal_catalog::catalogue::{CatalogueError, Listing};
use farmlokal_catalog::{Catalogue, CursorKey, Query, Timestamp};
use poem::{Endpoint, Response};
use poem_openapi::Tags;

use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::Config;
use crate::limits::{Limiter, Load};
use crate::metrics::Requests;
use crate::oauth::OAuth;
use crate::subscriptions::Guard;
use crate::suppliers::Suppliers;
use crate::webhooks::Intake;
use cached::ClientCaching;
use counts::{Counts, Searched};
use problem::Problem;

/// What the operations work with.
pub struct Context {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// Seals and opens cursors.
    pub cursors: CursorKey,
    /// Gives and takes access tokens.
    pub oauth: Arc<OAuth>,
    /// Finished answers.
    pub cache: Arc<Cache<Problem>>,
    /// How long others may keep answers.
    pub client_caching: ClientCaching,
    /// The clock.
    pub clock: Clock,
    /// Whose offers are pulled.
    pub suppliers: Arc<Suppliers>,
    /// Takes events in.
    pub intake: Intake,
    /// Says where subscribers may be told.
    pub guard: Guard,
    /// What is counted.
    pub counts: Arc<Counts>,
}

impl Context {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Counts the page of `query` by its outcome, if it is a search.
    fn count_search(&self, query: &Query, outcome: &Result<Listing, CatalogueError>) {
        match outcome {
            _ if query.search().is_none() => {}
            Ok(_) => self.counts.searches.add(Searched::Answered),
            Err(CatalogueError::NotReady(_)) => self.counts.searches.add(Searched::Refused),
            Err(CatalogueError::Expired | CatalogueError::Store(_)) => {}
        }
    }
}

/// The groups of operations in the document.
#[derive(Tags)]
enum Tag {
    /// Products and their categories.
    Catalogue,
    /// Whose offers are pulled into the catalogue.
    Suppliers,
    /// Events that others send.
    Webhooks,
    /// Those who are told of changes.
    Subscriptions,
    /// The contract of the project FarmLokal grew out of, kept for its clients.
    Original,
    /// Access tokens (OAuth 2.0, client credentials).
    Tokens,
}

type Operations = (
    products::ProductsApi,
    categories::CategoriesApi,
    suggest::SuggestApi,
    suppliers::SuppliersApi,
    webhooks::WebhooksApi,
    subscriptions::SubscriptionsApi,
    original::OriginalApi,
    original_webhook::OriginalWebhookApi,
    original_sync::OriginalSyncApi,
    oauth::OAuthApi,
);

/// They share one context: an answer from the cache must not cost a copy of it.
fn operations(context: Context) -> Operations {
    let context = Arc::new(context);
    (
        products::ProductsApi(context.clone()),
        categories::CategoriesApi(context.clone()),
        suggest::SuggestApi(context.clone()),
        suppliers::SuppliersApi(context.clone()),
        webhooks::WebhooksApi(context.clone()),
        subscriptions::SubscriptionsApi(context.clone()),
        original::OriginalApi(context.clone()),
        original_webhook::OriginalWebhookApi(context.clone()),
        original_sync::OriginalSyncApi(context.clone()),
        oauth::OAuthApi(context),
    )
}

/// What stands before the operations, shared with whoever wants to know how they are doing.
#[derive(Clone)]
pub struct Guards {
    /// Each client's quotas.
    pub limiter: Arc<Limiter>,
    /// How much is done at once.
    pub load: Arc<Load>,
    /// Requests under way, and how long they take.
    pub requests: Arc<Requests>,
}

/// The whole public API: operations, document, Swagger UI. Every answer of 400 and more is a problem
/// document, the framework's own included.
pub fn endpoint(context: Context, guards: Guards, config: &Config) -> impl Endpoint<Output = Response> + 'static {
    let oauth = Arc::clone(&context.oauth);
    let routes = contract::routes(operations(context), &oauth);
    let routes = ui::add(routes);
    // From the inside out. A request has its place only once its body is there, so that slow clients hold none.
    let shedding = overload::Shedding::new(routes, guards.load);
    let bounded = limits::Limits::new(shedding, &config.http);
    // From the outside in.
    let interceptor = (
        security::SecurityFields::new(config.http.hsts_max_age),
        (
            cors::CrossOrigin::new(&config.cors),
            (
                cached::Uncached,
                (bearer::Identify(oauth), throttle::Throttle::new(guards.limiter, config.limits.clients.clone())),
            ),
        ),
    );
    let intercepted = intercept::Intercepted { interceptor, inner: bounded };
    measured::Measured { inner: trace::Traced(intercepted), requests: guards.requests }
}
