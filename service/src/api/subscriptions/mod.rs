//! `/v1/subscriptions`: who is told of changes. What making one does is in `create`.

pub mod body;
mod create;
mod payload;

use std::sync::Arc;

use farmlokal_catalog::Limit;
use farmlokal_catalog::subscription::{SubscriptionId, SubscriptionScan};
use poem::Request;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};

use super::answer::{Failure, Failures, Rendered};
use super::bearer::{Caller, Scope};
use super::problem::{Kind, Problem};
use super::values::Number;
use super::{Context, Tag};
use body::{NewSubscriptionBody, SubscriptionBody, SubscriptionPageBody};
pub use payload::payload;

/// The operations on subscriptions.
pub struct SubscriptionsApi(pub Arc<Context>);

/// The subscription that was made.
#[derive(ApiResponse)]
pub enum CreateAnswer {
    /// The subscription, with its secret: keep it, it is not shown again.
    #[oai(status = 201)]
    Created(
        Rendered<SubscriptionBody>,
        /// Where the subscription is.
        #[oai(header = "Location")]
        String,
        /// `no-store`: the secret is for nobody else.
        #[oai(header = "Cache-Control")]
        String,
        /// `true` when this is the answer to an earlier try.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

/// A page of subscriptions.
#[derive(ApiResponse)]
pub enum SubscriptionsAnswer {
    /// A page of subscriptions, newest first.
    #[oai(status = 200)]
    Page(
        Rendered<SubscriptionPageBody>,
        /// Where the next page is: `<…>; rel="next"` (RFC 8288).
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// A subscription.
#[derive(ApiResponse)]
pub enum SubscriptionAnswer {
    /// The subscription.
    #[oai(status = 200)]
    Subscription(Rendered<SubscriptionBody>),
}

/// The subscription is gone.
#[derive(ApiResponse)]
pub enum DeleteAnswer {
    /// The subscription is gone; nothing more is sent.
    #[oai(status = 204)]
    Deleted,
}

/// What can go wrong in making a subscription.
pub struct CreateFailures;

impl Failures for CreateFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "The body is not JSON, a field is wrong, or the URL does not lead to the public internet over TLS."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope admin."),
        (409, "Another try with this key is under way; ask again after `Retry-After`."),
        (413, "The body is larger than 64 KiB."),
        (415, "The body is not JSON by its Content-Type."),
        (422, "The key stands for a request with another body."),
        (503, "The database is away or busy."),
    ];
}

/// What can go wrong in looking at subscriptions.
pub struct ListFailures;

impl Failures for ListFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "A parameter is wrong, unknown or given twice, or the cursor belongs to another listing."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope admin."),
        (503, "The database is away or busy."),
    ];
}

/// What can go wrong with one subscription.
pub struct SubscriptionFailures;

impl Failures for SubscriptionFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "The id is not a whole number from 1 up, or there is a query parameter."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope admin."),
        (404, "There is no subscription with this id."),
        (503, "The database is away or busy."),
    ];
}

/// How many deliveries are shown with a subscription.
const SHOWN: i64 = 20;

#[OpenApi(prefix_path = "/v1/subscriptions", tag = "Tag::Subscriptions")]
impl SubscriptionsApi {
    /// Subscribe to changes
    ///
    /// From then on every change of a product is sent to `url` by POST, as `{type, timestamp, data}`:
    /// `product.changed` has the product in `data` as it is when the event is made, `product.deleted` its `id`. Signed by
    /// [Standard Webhooks](https://www.standardwebhooks.com) with the secret in the answer to this, which is shown
    /// only once.
    ///
    /// An event comes at least once, with the same `webhook-id` each time, and mostly in order: a higher `version` is
    /// newer. Any 2xx within 15 seconds means that it has arrived. Otherwise it is sent again after 5 s, 5 min, 30 min, 2 h,
    /// 5 h, 10 h, 14 h, 20 h and 24 h; then the subscription is disabled. 410 disables it at once; 429, 502, 504 and
    /// `Retry-After` slow it down. Redirects are not followed. Products loaded in bulk send no events.
    ///
    /// With an `Idempotency-Key` the request can be sent again: it is done once, and answered alike for 24 hours. Needs an
    /// access token with the scope `admin`.
    #[oai(path = "/", method = "post", operation_id = "createSubscription")]
    async fn create(
        &self,
        request: &Request,
        #[oai(scope = "Scope::Admin")] caller: Caller,
        /// A text of the client's choice, such as a UUID, that stands for this request.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
        body: Json<NewSubscriptionBody>,
    ) -> Result<CreateAnswer, Failure<CreateFailures>> {
        Ok(create::answer(create::once(&self.0, request, &caller, body.0.into_parts()).await?))
    }

    /// List subscriptions
    ///
    /// Newest first, a page at a time. Needs an access token with the scope `admin`.
    #[oai(path = "/", method = "get", operation_id = "listSubscriptions")]
    async fn list(
        &self,
        #[oai(scope = "Scope::Admin")] _caller: Caller,
        /// How many subscriptions a page has; 20 without it.
        limit: Query<Option<Number<Limit>>>,
        /// `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<SubscriptionsAnswer, Failure<ListFailures>> {
        let limit = limit.0.map_or_else(Limit::default, |limit| limit.0);
        let open = |cursor: String| SubscriptionScan::open(&self.0.cursors, &cursor);
        let before = cursor.0.map(open).transpose()?.map(|scan| scan.before);
        let (subscriptions, has_more) = self.0.catalogue.store().subscriptions(before, limit).await?;
        let last = subscriptions.last().filter(|_| has_more);
        let next_cursor = last.map(|last| SubscriptionScan { before: last.id }.seal(&self.0.cursors));
        let link = next_cursor
            .as_deref()
            .map(|cursor| format!("</v1/subscriptions?limit={}&cursor={cursor}>; rel=\"next\"", limit.get()));
        let data = subscriptions.iter().map(Into::into).collect();
        Ok(SubscriptionsAnswer::Page(Rendered::new(&SubscriptionPageBody { data, has_more, next_cursor })?, link))
    }

    /// Read a subscription
    ///
    /// With its last 20 deliveries. Needs an access token with the scope `admin`.
    #[oai(path = "/:id", method = "get", operation_id = "getSubscription")]
    async fn get(
        &self,
        #[oai(scope = "Scope::Admin")] _caller: Caller,
        /// The subscription's number.
        id: Path<Number<SubscriptionId>>,
    ) -> Result<SubscriptionAnswer, Failure<SubscriptionFailures>> {
        let (id, store) = (id.0.0, self.0.catalogue.store());
        let subscription = store.subscription(id).await?.ok_or_else(no_such_subscription)?;
        let deliveries = store.deliveries(id, Limit::new(SHOWN)?).await?;
        let body = SubscriptionBody::from(&subscription).with_deliveries(deliveries);
        Ok(SubscriptionAnswer::Subscription(Rendered::new(&body)?))
    }

    /// Unsubscribe
    ///
    /// Nothing more is sent, not even what is waiting. Needs an access token with the scope `admin`.
    #[oai(path = "/:id", method = "delete", operation_id = "deleteSubscription")]
    async fn delete(
        &self,
        #[oai(scope = "Scope::Admin")] _caller: Caller,
        /// The subscription's number.
        id: Path<Number<SubscriptionId>>,
    ) -> Result<DeleteAnswer, Failure<SubscriptionFailures>> {
        let id = id.0.0;
        let deleted = self.0.catalogue.to_the_end(move |store| async move { store.unsubscribe(id).await }).await?;
        if deleted { Ok(DeleteAnswer::Deleted) } else { Err(no_such_subscription().into()) }
    }

    /// Enable a disabled subscription
    ///
    /// What failed is sent again, and what was waiting goes on. Changes while it was disabled were not kept for it: read
    /// the products again. One that is active stays as it is. Needs an access token with the scope `admin`.
    #[oai(path = "/:id/enable", method = "post", operation_id = "enableSubscription")]
    async fn enable(
        &self,
        #[oai(scope = "Scope::Admin")] _caller: Caller,
        /// The subscription's number.
        id: Path<Number<SubscriptionId>>,
    ) -> Result<SubscriptionAnswer, Failure<SubscriptionFailures>> {
        let (id, now) = (id.0.0, self.0.now());
        let enabled = self.0.catalogue.to_the_end(move |store| async move { store.enable(id, now).await }).await?;
        let subscription = enabled.ok_or_else(no_such_subscription)?;
        Ok(SubscriptionAnswer::Subscription(Rendered::new(&SubscriptionBody::from(&subscription))?))
    }
}

fn no_such_subscription() -> Problem {
    Problem::new(Kind::NoSuchSubscription, "There is no subscription with this id.").field("id")
}
