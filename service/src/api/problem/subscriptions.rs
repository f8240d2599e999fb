//! What is wrong with where a subscriber wants to be told.

use super::{Kind, Problem};
use crate::subscriptions::Refused;

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(Kind::InvalidBody, format!("url {refused}.")).field("url")
    }
}
