//! Classes of operations: what costs alike is counted together.

use crate::tally::Counted;

/// What kind of work a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Reading by an index, or what is kept ready.
    Read,
    /// Searching, counting matches, completing words.
    Search,
    /// Changing something, or having a supplier asked.
    Write,
    /// Asking for an access token, which checks a secret.
    Token,
    /// Delivering an event.
    Webhook,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Search, Self::Write, Self::Token, Self::Webhook];

    /// Its name, in the configuration, in header fields and in Redis.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Search => "search",
            Self::Write => "write",
            Self::Token => "token",
            Self::Webhook => "webhook",
        }
    }

    /// The class of a request. What it does not know counts as a read or as a write, by its method.
    pub fn of(method: &str, path: &str, query: &str) -> Self {
        let reads = matches!(method, "GET" | "HEAD" | "OPTIONS");
        match path {
            "/oauth/token" => Self::Token,
            "/webhook" if !reads => Self::Webhook,
            // One segment after it: an event. More is administration.
            _ if !reads && path.strip_prefix("/v1/webhooks/").is_some_and(|source| !source.contains('/')) => {
                Self::Webhook
            }
            "/external-sync" => Self::Write,
            "/v1/suggest" => Self::Search,
            _ if !reads => Self::Write,
            _ if searches(query) => Self::Search,
            _ => Self::Read,
        }
    }
}

impl Counted for Class {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        Self::name(self)
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Whether a listing is asked for what only the search index can tell. A search that goes on by its cursor alone
/// counts as a read: its first page was counted, and cursors are not opened twice.
fn searches(query: &str) -> bool {
    // Most queries show at a glance that they name neither; the others are read with care.
    ["search", "facets", "%"].iter().any(|sign| query.contains(sign))
        && url::form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| matches!(&*name, "search" | "facets") && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_sorted_by_what_they_cost() {
        for (method, path, query, class) in [
            ("GET", "/v1/products", "", Class::Read),
            ("GET", "/v1/products", "category=Dairy&sort=-price", Class::Read),
            ("GET", "/v1/products", "search=", Class::Read),
            ("GET", "/v1/products", "limit=5&search=milk", Class::Search),
            ("GET", "/v1/products", "se%61rch=milk", Class::Search),
            ("HEAD", "/products", "search=milk", Class::Search),
            ("GET", "/v1/products", "facets=price", Class::Search),
            ("GET", "/v1/suggest", "q=mi", Class::Search),
            ("GET", "/v1/products/7", "", Class::Read),
            ("GET", "/docs", "", Class::Read),
            ("POST", "/v1/products", "", Class::Write),
            ("PATCH", "/v1/products/7", "", Class::Write),
            ("DELETE", "/v1/products/7", "", Class::Write),
            ("BREW", "/v1/products", "search=milk", Class::Write),
            ("POST", "/v1/suppliers/alm/sync", "", Class::Write),
            ("GET", "/external-sync", "", Class::Write),
            ("POST", "/oauth/token", "", Class::Token),
            ("POST", "/webhook", "", Class::Webhook),
            ("POST", "/v1/webhooks/farm", "", Class::Webhook),
            ("POST", "/v1/webhooks/farm/events/7/replay", "", Class::Write),
            ("GET", "/v1/webhooks/farm/events", "", Class::Read),
        ] {
            assert_eq!(Class::of(method, path, query), class, "{method} {path}?{query}");
        }
    }
}
