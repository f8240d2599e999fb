//! The public API: operations, their values and errors, and the document that describes them.

pub mod answer;
pub mod bearer;
pub mod cached;
pub mod categories;
pub mod contract;
pub mod document;
pub mod etag;
mod idempotency;
pub mod limits;
pub mod oauth;
pub mod original;
pub mod original_webhook;
pub mod problem;
pub mod products;
pub mod subscriptions;
pub mod suggest;
pub mod ui;
pub mod values;
pub mod webhooks;

use std::sync::Arc;

use farmlokal_catalog::{Catalogue, CursorKey, Timestamp};
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Response};
use poem_openapi::Tags;

use crate::cache::Cache;
use crate::clock::Clock;
use crate::config;
use crate::oauth::OAuth;
use crate::subscriptions::Guard;
use crate::webhooks::Intake;
use cached::ClientCaching;
use problem::Problem;

/// What the operations work with.
#[derive(Clone)]
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
    /// Takes events in.
    pub intake: Intake,
    /// Says where subscribers may be told.
    pub guard: Guard,
}

impl Context {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// The groups of operations in the document.
#[derive(Tags)]
enum Tag {
    /// Products and their categories.
    Catalogue,
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
    webhooks::WebhooksApi,
    subscriptions::SubscriptionsApi,
    original::OriginalApi,
    original_webhook::OriginalWebhookApi,
    oauth::OAuthApi,
);

fn operations(context: Context) -> Operations {
    (
        products::ProductsApi(context.clone()),
        categories::CategoriesApi(context.clone()),
        suggest::SuggestApi(context.clone()),
        webhooks::WebhooksApi(context.clone()),
        subscriptions::SubscriptionsApi(context.clone()),
        original::OriginalApi(context.clone()),
        original_webhook::OriginalWebhookApi(context.clone()),
        oauth::OAuthApi(context),
    )
}

/// The whole public API: operations, document, Swagger UI. Every answer of 400 and more is a problem
/// document, the framework's own included.
pub fn endpoint(context: Context, limits: &config::Http) -> impl Endpoint<Output = Response> + 'static {
    let oauth = Arc::clone(&context.oauth);
    let routes = contract::routes(operations(context), &oauth);
    let routes = ui::add(routes);
    let guarded = limits::Limits::new(routes, limits)
        .catch_all_error(|error| async move { Problem::from_framework(&error).into_response() });
    guarded.around(async |endpoint, request| {
        let safe = request.method().is_safe();
        let mut response = endpoint.call(request).await?;
        cached::uncached(safe, &mut response);
        Ok(response)
    })
}
