//! Those who are told of changes: who they are, what they are told, and what becomes of it.

mod cursor;
mod delivery;
mod kind;
mod url;

use std::fmt;

use crate::idempotency::KeptAnswer;
use crate::{Invalid, Timestamp};

pub use cursor::SubscriptionScan;
pub use delivery::{Delivery, DeliveryState, Due, Outgoing, ReceiverEffect, Settled};
pub use kind::{EventKind, Happened, Kinds};
pub use url::CallbackUrl;

/// A subscription's number: from 1 up, never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(i64);

impl SubscriptionId {
    /// The id `id`; refused below 1.
    pub fn new(id: i64) -> Result<Self, Invalid> {
        if id >= 1 { Ok(Self(id)) } else { Err(Invalid::new("id", "must be a whole number from 1 up")) }
    }

    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The secret that a subscriber knows us by, as it was given; shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret(Box<str>);

impl SharedSecret {
    /// The secret that is written `text`.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is written, for those who sign with it, and once for the subscriber.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// Where events are sent.
    pub url: CallbackUrl,
    /// Of what it is told.
    pub kinds: Kinds,
    /// What events are signed with.
    pub secret: SharedSecret,
    /// The client that makes it.
    pub owner: String,
}

/// Whether a subscription is told anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Active,
    /// It is not, for this reason.
    Disabled(String),
}

impl Standing {
    /// The names of the two.
    pub const NAMES: [&'static str; 2] = ["active", "disabled"];

    /// Its name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Active => Self::NAMES[0],
            Self::Disabled(_) => Self::NAMES[1],
        }
    }

    /// The one that is called `name`, with its reason.
    pub fn read(name: &str, reason: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "disabled" => Some(Self::Disabled(reason.to_owned())),
            _ => None,
        }
    }
}

/// A subscription as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its number.
    pub id: SubscriptionId,
    /// Where events are sent.
    pub url: CallbackUrl,
    /// Of what it is told.
    pub kinds: Kinds,
    /// What events are signed with.
    pub secret: SharedSecret,
    /// The client that made it.
    pub owner: String,
    /// Whether it is told anything.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

impl NewSubscription {
    /// The subscription as it is once it has an id.
    pub fn kept(self, id: SubscriptionId, now: Timestamp) -> Subscription {
        let Self { url, kinds, secret, owner } = self;
        Subscription { id, url, kinds, secret, owner, standing: Standing::Active, created_at: now }
    }
}

/// How the answer to a subscription just made looks.
pub type Render = dyn Fn(&Subscription) -> KeptAnswer + Send + Sync;
