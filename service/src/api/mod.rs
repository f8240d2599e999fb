//! The public API: operations, their values and errors, and the document that describes them.

pub mod answer;
pub mod cached;
pub mod categories;
pub mod contract;
pub mod document;
pub mod etag;
mod idempotency;
pub mod limits;
pub mod original;
pub mod original_sync;
pub mod original_webhook;
pub mod problem;
pub mod products;
pub mod suggest;
pub mod suppliers;
pub mod ui;
pub mod values;
pub mod webhooks;
mod writers;

use std::sync::Arc;

use farmlokal_catalog::{Catalogue, CursorKey, Timestamp};
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Response};
use poem_openapi::Tags;

use crate::cache::{Cache, Clock};
use crate::config;
use crate::suppliers::Suppliers;
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
    /// Whose offers are pulled into the catalogue.
    Suppliers,
    /// Events that others send.
    Webhooks,
    /// The contract of the project FarmLokal grew out of, kept for its clients.
    Original,
}

type Operations = (
    products::ProductsApi,
    categories::CategoriesApi,
    suggest::SuggestApi,
    suppliers::SuppliersApi,
    webhooks::WebhooksApi,
    original::OriginalApi,
    original_webhook::OriginalWebhookApi,
    original_sync::OriginalSyncApi,
);

fn operations(context: Context) -> Operations {
    (
        products::ProductsApi(context.clone()),
        categories::CategoriesApi(context.clone()),
        suggest::SuggestApi(context.clone()),
        suppliers::SuppliersApi(context.clone()),
        webhooks::WebhooksApi(context.clone()),
        original::OriginalApi(context.clone()),
        original_webhook::OriginalWebhookApi(context.clone()),
        original_sync::OriginalSyncApi(context),
    )
}

/// The whole public API: operations, document, Swagger UI. Every answer of 400 and more is a problem
/// document, the framework's own included.
pub fn endpoint(context: Context, limits: &config::Http) -> impl Endpoint<Output = Response> + 'static {
    let routes = contract::routes(operations(context));
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
