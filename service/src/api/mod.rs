//! The public API: operations, their values and errors, and the document that describes them.

pub mod answer;
pub mod categories;
pub mod contract;
pub mod document;
pub mod etag;
mod idempotency;
pub mod limits;
pub mod original;
pub mod original_webhook;
pub mod problem;
pub mod products;
pub mod subscriptions;
pub mod suggest;
pub mod ui;
pub mod values;
pub mod webhooks;
mod writers;

use std::sync::Arc;

use farmlokal_catalog::{Catalogue, CursorKey, Timestamp};
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Response};
use poem_openapi::Tags;

use crate::config;
use crate::subscriptions::Guard;
use crate::webhooks::Intake;
use problem::Problem;

/// Where the time comes from, so that tests can say what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the operations work with.
#[derive(Clone)]
pub struct Context {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// Seals and opens cursors.
    pub cursors: CursorKey,
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
}

type Operations = (
    products::ProductsApi,
    categories::CategoriesApi,
    suggest::SuggestApi,
    webhooks::WebhooksApi,
    subscriptions::SubscriptionsApi,
    original::OriginalApi,
    original_webhook::OriginalWebhookApi,
);

fn operations(context: Context) -> Operations {
    (
        products::ProductsApi(context.clone()),
        categories::CategoriesApi(context.clone()),
        suggest::SuggestApi(context.clone()),
        webhooks::WebhooksApi(context.clone()),
        subscriptions::SubscriptionsApi(context.clone()),
        original::OriginalApi(context.clone()),
        original_webhook::OriginalWebhookApi(context),
    )
}

/// The whole public API: operations, document, Swagger UI. Every answer of 400 and more is a problem
/// document, the framework's own included.
pub fn endpoint(context: Context, limits: &config::Http) -> impl Endpoint<Output = Response> + 'static {
    let routes = contract::routes(operations(context));
    let routes = ui::add(routes);
    limits::Limits::new(routes, limits)
        .catch_all_error(|error| async move { Problem::from_framework(&error).into_response() })
}
