//! What subscribers are told of.

use std::fmt;
use std::str::FromStr;

use crate::{Invalid, Product, ProductId};

/// The kinds of events that subscribers are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// A product was made or changed.
    ProductChanged,
    /// A product is gone.
    ProductDeleted,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ProductChanged, Self::ProductDeleted];
    /// Their names, in the same order.
    pub const NAMES: [&'static str; 2] = ["product.changed", "product.deleted"];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProductChanged => Self::NAMES[0],
            Self::ProductDeleted => Self::NAMES[1],
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| Invalid::new("types", format!("must be of {}", Self::NAMES.join(", "))))
    }
}

/// Which kinds a subscription is told of; none named means all, those of later versions too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds(Vec<EventKind>);

impl Kinds {
    /// Just `kinds`, or all if there are none.
    pub fn new(mut kinds: Vec<EventKind>) -> Self {
        kinds.sort_unstable();
        kinds.dedup();
        Self(kinds)
    }

    /// Those that are named.
    pub fn named(&self) -> &[EventKind] {
        &self.0
    }

    /// Whether `kind` is among them.
    pub fn include(&self, kind: EventKind) -> bool {
        self.0.is_empty() || self.0.contains(&kind)
    }
}

impl fmt::Display for Kinds {
    /// With commas between, as [`FromStr`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Kinds {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let named = text.split(',').filter(|name| !name.is_empty());
        Ok(Self::new(named.map(str::parse).collect::<Result<_, _>>()?))
    }
}

/// What happened to a product, as far as it can be told afterwards: the log says that it was written, the
/// table what it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It was made or changed, and now is this.
    Changed(Box<Product>),
    /// It is gone.
    Deleted(ProductId),
}

impl Happened {
    /// The kind of event that this is.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Changed(_) => EventKind::ProductChanged,
            Self::Deleted(_) => EventKind::ProductDeleted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_means_every_kind() {
        let all: Kinds = "".parse().unwrap();
        assert!(EventKind::ALL.into_iter().all(|kind| all.include(kind)));
        let some: Kinds = "product.deleted,product.deleted".parse().unwrap();
        assert_eq!((some.to_string().as_str(), some.named().len()), ("product.deleted", 1));
        assert!(some.include(EventKind::ProductDeleted) && !some.include(EventKind::ProductChanged));
        assert_eq!("product.made".parse::<Kinds>().unwrap_err().field, "types");
        assert_eq!(EventKind::ALL.map(EventKind::as_str), EventKind::NAMES);
    }
}
