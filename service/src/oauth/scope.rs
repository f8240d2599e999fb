//! What a token may be good for.

use std::fmt;
use std::str::FromStr;

/// A right that a client may have and a token may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To read the catalogue, which is open to everybody as yet.
    CatalogRead,
    /// To make, change and remove products.
    CatalogWrite,
    /// To look at the webhooks that came in.
    WebhooksRead,
    /// To run the service.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::CatalogRead, Self::CatalogWrite, Self::WebhooksRead, Self::Admin];

    /// Its name in tokens and requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CatalogRead => "catalog:read",
            Self::CatalogWrite => "catalog:write",
            Self::WebhooksRead => "webhooks:read",
            Self::Admin => "admin",
        }
    }

    /// What it is good for, in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::CatalogRead => "Read the catalogue (open to everybody as yet)",
            Self::CatalogWrite => "Make, change and remove products",
            Self::WebhooksRead => "Look at the webhooks that came in",
            Self::Admin => "Run the service",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|scope| scope.name()).collect();
            format!("must be one of {}", known.join(", "))
        })
    }
}

/// Some scopes, each once, in their order; written as OAuth does, with spaces between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Those of a text that we know: one kept by a later version may name more.
    pub fn known(text: &str) -> Self {
        text.split_ascii_whitespace().filter_map(|name| name.parse().ok()).collect()
    }

    /// Whether `scope` is among them.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Those that are among `others` as well.
    #[must_use]
    pub fn within(&self, others: &Self) -> Self {
        self.0.iter().copied().filter(|scope| others.contains(*scope)).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

impl FromStr for Scopes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.name()).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        let scopes: Scopes = "admin  catalog:write admin".parse().unwrap();
        assert_eq!(scopes.to_string(), "catalog:write admin");
        assert!("catalog:write catalog".parse::<Scopes>().unwrap_err().contains("catalog:read"));
        assert_eq!(Scopes::known("admin of:tomorrow").to_string(), "admin");
        assert_eq!(scopes.within(&Scopes::known("admin webhooks:read")).to_string(), "admin");
        assert!(Scopes::default().is_empty() && !scopes.is_empty());
    }
}
