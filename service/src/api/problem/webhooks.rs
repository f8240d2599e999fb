//! What is wrong with an event, as its sender sees it.

use super::{Kind, Problem};
use crate::webhooks::{Refusal, SignatureError};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownSource(_) => {
                Self::new(Kind::NoSuchSource, "No source of events is configured under this name.").field("source")
            }
            Refusal::Signature(error) => error.into(),
            Refusal::Invalid(invalid) => Self::new(Kind::InvalidBody, format!("{invalid}.")).field(invalid.field),
            Refusal::Conflict => Self::new(
                Kind::EventIdReused,
                "Another event with this id has arrived before; give each event an id of its own, and repeat it unchanged.",
            )
            .field("webhook-id"),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<SignatureError> for Problem {
    fn from(error: SignatureError) -> Self {
        let (kind, field) = match error {
            SignatureError::Malformed(field, _) => (Kind::InvalidParameter, field),
            SignatureError::Untimely => (Kind::Unverified, "webhook-timestamp"),
            SignatureError::Forged => (Kind::Unverified, "webhook-signature"),
        };
        Self::new(kind, format!("{error}.")).field(field)
    }
}
