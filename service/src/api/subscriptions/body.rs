//! Subscriptions and deliveries as JSON.

use chrono::{DateTime, TimeZone as _, Utc};
use farmlokal_catalog::subscription::{
    CallbackUrl, Delivery, DeliveryState, EventKind, Kinds, Standing, Subscription, SubscriptionId,
};
use farmlokal_catalog::{EventId, ProductId};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use serde::Serialize;

use crate::api::values::{Maybe, Number, Text};

/// A subscription to be made.
#[derive(Debug, Object)]
#[oai(rename = "NewSubscription", rename_all = "camelCase", deny_unknown_fields, example)]
pub struct NewSubscriptionBody {
    /// Where events are to be sent: https, and an address of the public internet.
    pub url: Text<CallbackUrl>,
    /// What is to be sent; everything, also what later versions have to tell, if left out or empty.
    pub types: Maybe<Vec<Text<EventKind>>>,
}

impl NewSubscriptionBody {
    /// The URL and what is to be sent there.
    pub(super) fn into_parts(self) -> (CallbackUrl, Kinds) {
        let types = self.types.0.unwrap_or_default();
        (self.url.0, Kinds::new(types.into_iter().map(|kind| kind.0).collect()))
    }
}

/// A subscription.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "Subscription", rename_all = "camelCase", example)]
pub struct SubscriptionBody {
    /// Its number, never given twice.
    id: Number<SubscriptionId>,
    /// Where events are sent.
    url: Text<CallbackUrl>,
    /// What is sent; empty for everything.
    types: Vec<Text<EventKind>>,
    /// Whether anything is sent.
    state: SubscriptionState,
    /// Why nothing is sent; left out when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    reason: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// What events are signed with (Standard Webhooks); only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    secret: Option<String>,
    /// The last deliveries, newest first; left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    deliveries: Option<Vec<DeliveryBody>>,
}

/// Whether a subscription is told anything.
#[derive(Debug, Serialize, Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// It is.
    Active,
    /// It is not.
    Disabled,
}

/// An event on its way to a subscriber.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "Delivery", rename_all = "camelCase")]
pub struct DeliveryBody {
    /// The event's id: what is sent as `webhook-id`.
    event_id: Text<EventId>,
    /// What kind of event it is.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: Text<EventKind>,
    /// The product it is about.
    product_id: Number<ProductId>,
    /// How far it has come.
    state: Text<DeliveryState>,
    /// How often it was tried.
    attempts: u32,
    /// When it is to be tried next; left out when it is not pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// The status of the last answer; left out when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    last_status: Option<u16>,
    /// What came of the last try; left out before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    outcome: Option<String>,
    /// When the event was made.
    created_at: DateTime<Utc>,
}

/// A page of subscriptions.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "SubscriptionPage", rename_all = "camelCase")]
pub struct SubscriptionPageBody {
    /// The subscriptions of this page, newest first.
    pub data: Vec<SubscriptionBody>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// What to send as `cursor` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

impl From<&Subscription> for SubscriptionBody {
    fn from(subscription: &Subscription) -> Self {
        let (state, reason) = match &subscription.standing {
            Standing::Active => (SubscriptionState::Active, None),
            Standing::Disabled(reason) => (SubscriptionState::Disabled, Some(reason.clone())),
        };
        Self {
            id: Number(subscription.id),
            url: Text(subscription.url.clone()),
            types: subscription.kinds.named().iter().copied().map(Text).collect(),
            state,
            reason,
            created_at: subscription.created_at.to_utc(),
            secret: None,
            deliveries: None,
        }
    }
}

impl SubscriptionBody {
    /// The same with its secret, for the one who has just made it.
    pub(super) fn with_secret(self, subscription: &Subscription) -> Self {
        Self { secret: Some(subscription.secret.expose().to_owned()), ..self }
    }

    /// The same with its last deliveries.
    pub(super) fn with_deliveries(self, deliveries: Vec<Delivery>) -> Self {
        Self { deliveries: Some(deliveries.into_iter().map(Into::into).collect()), ..self }
    }
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        Self {
            event_id: Text(delivery.event),
            kind: Text(delivery.kind),
            product_id: Number(delivery.product),
            state: Text(delivery.state),
            attempts: delivery.attempts,
            next_attempt_at: (delivery.state == DeliveryState::Pending).then(|| delivery.next_at.to_utc()),
            last_status: delivery.last_status,
            outcome: Some(delivery.outcome).filter(|outcome| !outcome.is_empty()),
            created_at: delivery.created_at.to_utc(),
        }
    }
}

#[allow(clippy::expect_used, reason = "a constant; the test of the OpenAPI document renders it")]
fn sample_url() -> CallbackUrl {
    "https://shop.example/farmlokal-events".parse().expect("the example is right")
}

impl Example for NewSubscriptionBody {
    fn example() -> Self {
        let types = vec![Text(EventKind::ProductChanged), Text(EventKind::ProductDeleted)];
        Self { url: Text(sample_url()), types: Maybe(Some(types)) }
    }
}

impl Example for SubscriptionBody {
    #[allow(clippy::expect_used, reason = "a constant, as above")]
    fn example() -> Self {
        Self {
            id: Number(SubscriptionId::new(42).expect("42 is an id")),
            url: Text(sample_url()),
            types: vec![Text(EventKind::ProductChanged), Text(EventKind::ProductDeleted)],
            state: SubscriptionState::Active,
            reason: None,
            created_at: Utc.with_ymd_and_hms(2026, 1, 2, 6, 30, 0).single().unwrap_or_default(),
            secret: None,
            deliveries: None,
        }
    }
}
