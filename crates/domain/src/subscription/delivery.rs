//! An event on its way to one subscriber.

use std::fmt;
use std::str::FromStr;

use crate::{EventId, Invalid, ProductId, Timestamp};

use super::{EventKind, SubscriptionId};

/// An event that is to go to every subscriber who wants its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its id: the same whoever passes it on, and however often.
    pub id: EventId,
    /// What kind of event it is.
    pub kind: EventKind,
    /// The product it is about.
    pub product: ProductId,
    /// The bytes that are sent.
    pub payload: Vec<u8>,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be sent.
    Pending,
    /// The receiver has said that it has it.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];
    /// Their names, in the same order.
    pub const NAMES: [&'static str; 3] = ["pending", "delivered", "failed"];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => Self::NAMES[0],
            Self::Delivered => Self::NAMES[1],
            Self::Failed => Self::NAMES[2],
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryState {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| Invalid::new("state", format!("must be one of {}", Self::NAMES.join(", "))))
    }
}

/// A delivery as its table has it, without what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event's id.
    pub event: EventId,
    /// What kind of event it is.
    pub kind: EventKind,
    /// The product it is about.
    pub product: ProductId,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is to be tried next; once it has ended, when that was.
    pub next_at: Timestamp,
    /// The status of the last answer, if there was one.
    pub last_status: Option<u16>,
    /// What came of the last try; empty before the first.
    pub outcome: String,
    /// When the event was made.
    pub created_at: Timestamp,
}

/// A delivery that is in the caller's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its number.
    pub number: u64,
    /// To whom it goes.
    pub subscription: SubscriptionId,
    /// The event's id.
    pub event: EventId,
    /// The product it is about.
    pub product: ProductId,
    /// The bytes that are sent.
    pub payload: Vec<u8>,
    /// How often it was tried before.
    pub attempts: u32,
}

/// What a try means for the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// How far it has come.
    pub state: DeliveryState,
    /// When it is to be tried next; when it came to its end, if it has.
    pub next_at: Timestamp,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What came of the try, in words.
    pub outcome: String,
    /// What it means for all that goes to the same receiver, if anything.
    pub receiver: Option<ReceiverEffect>,
}

/// What a try means for a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverEffect {
    /// Nothing is sent before then.
    LeaveAloneUntil(Timestamp),
    /// Nothing is sent at all until somebody enables it again, because of this.
    Disable(String),
}
