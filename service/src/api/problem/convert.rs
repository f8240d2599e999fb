//! From the errors of each layer to problems. The client sees a stable code and a safe sentence, the log the
//! cause.

use std::time::Duration;

use farmlokal_catalog::catalogue::CatalogueError;
use farmlokal_catalog::cursor::CursorError;
use farmlokal_catalog::store::StoreError;
use farmlokal_catalog::{Invalid, Limit};
use poem::http::header;

use super::{Kind, Problem};
use crate::oauth::OAuthError;

/// Pause before a client that found no search index tries again; the build of a million products takes some of these.
const INDEX_PAUSE: Duration = Duration::from_secs(5);

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::new(Kind::InvalidParameter, format!("{invalid}.")).field(invalid.field)
    }
}

impl From<CursorError> for Problem {
    fn from(error: CursorError) -> Self {
        let kind = match error {
            CursorError::Expired => Kind::CursorExpired,
            CursorError::Unreadable | CursorError::OtherScan(_) => Kind::InvalidCursor,
        };
        Self::new(kind, format!("cursor {error}.")).field("cursor")
    }
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::Store(error) => error.into(),
            CatalogueError::Expired => CursorError::Expired.into(),
            CatalogueError::NotReady(progress) => Self::new(
                Kind::IndexBuilding,
                format!(
                    "The search index is being built: {progress}. Try again in a few seconds, or list products without \
                     search and facets."
                ),
            )
            .progress(progress)
            .retry_after(INDEX_PAUSE),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound => Self::new(Kind::NotFound, "There is no product with this id.").field("id"),
            StoreError::VersionMismatch { current } => Self::new(
                Kind::PreconditionFailed,
                format!("The product is at version {} now; read it again and repeat the change.", current.get()),
            )
            .field("If-Match"),
            StoreError::Overtaken => {
                Self::new(Kind::UnderWay, "Another try of this request is under way; ask again for its answer.")
            }
            StoreError::Busy | StoreError::Conflict(_) => {
                Self::new(Kind::Busy, "Too many requests at once; try again in a second.")
            }
            StoreError::TimeLimit => Self::new(
                Kind::TooBroad,
                format!(
                    "Narrow it by category, price range or search, sort by price, or ask for fewer than {} products.",
                    Limit::MAX
                ),
            ),
            StoreError::Unavailable(cause) => {
                tracing::warn!("database not available: {cause}");
                Self::new(Kind::Unavailable, "The database cannot be reached or is being loaded; try again soon.")
            }
            StoreError::Corrupt { .. }
            | StoreError::Url(_)
            | StoreError::Migrate(_)
            | StoreError::File { .. }
            | StoreError::Database(_) => Self::internal(&error),
        }
    }
}

impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        let detail = error.to_string();
        // RFC 6750, 3: without a token no error is named, since the client may not have known.
        let challenge = |more: String| (header::WWW_AUTHENTICATE, format!("Bearer realm=\"farmlokal\"{more}"));
        let (kind, (name, value)) = match error {
            OAuthError::NoToken => (Kind::TokenMissing, challenge(String::new())),
            OAuthError::InvalidToken(_) => {
                (Kind::InvalidToken, challenge(format!(", error=\"invalid_token\", error_description=\"{detail}\"")))
            }
            OAuthError::InsufficientScope(scope) => {
                (Kind::InsufficientScope, challenge(format!(", error=\"insufficient_scope\", scope=\"{scope}\"")))
            }
            OAuthError::InvalidClient => {
                (Kind::InvalidClient, (header::WWW_AUTHENTICATE, "Basic realm=\"farmlokal\"".to_owned()))
            }
            OAuthError::InvalidRequest(_) | OAuthError::UnsupportedGrantType | OAuthError::InvalidScope(_) => {
                return Self::new(Kind::InvalidBody, detail);
            }
            OAuthError::Busy => return Self::new(Kind::Busy, detail),
            OAuthError::Store(error) => return error.into(),
            OAuthError::Broken(_) => return Self::internal(&error),
        };
        Self::new(kind, detail).field("Authorization").header(name, value)
    }
}
