//! `[oauth]`: access tokens.

use std::time::Duration;

use super::Secret;
use super::reader::Reader;

/// Shorter secrets can be guessed by who has a copy of the database.
const MIN_SECRET_CHARS: usize = 32;

/// Access tokens.
#[derive(Debug, Clone)]
pub struct OAuth {
    /// Who issues them; `None` for the address that the service listens on.
    pub issuer: Option<String>,
    /// How long each is good.
    pub token_lifetime: Duration,
    /// How long a key signs.
    pub key_rotation: Duration,
    /// Encrypts the private keys in the database; empty to keep them plain.
    pub key_secret: Secret,
}

pub(super) fn read(reader: &mut Reader) -> Option<OAuth> {
    let issuer = reader.text("oauth.issuer");
    let token_lifetime = reader.whole("oauth.token_lifetime_s", 60, 86_400);
    let key_rotation = reader.whole("oauth.key_rotation_days", 1, 3_650);
    let key_secret = reader.text("oauth.key_secret");
    let issuer = match issuer? {
        none if none.is_empty() => None,
        issuer if is_origin(&issuer) => Some(issuer),
        _ => {
            reader.mistake(
                "oauth.issuer",
                "must be scheme, host and, if need be, port such as https://api.example.com, with nothing behind",
            );
            return None;
        }
    };
    let key_secret = key_secret?;
    if !key_secret.is_empty() && key_secret.chars().count() < MIN_SECRET_CHARS {
        reader.mistake("oauth.key_secret", &format!("must have {MIN_SECRET_CHARS} characters at least, or none"));
    }
    Some(OAuth {
        issuer,
        token_lifetime: Duration::from_secs(token_lifetime?),
        key_rotation: Duration::from_secs(key_rotation? * 24 * 60 * 60),
        key_secret: Secret::new(key_secret),
    })
}

/// Whether `text` is what a URL's origin is written as: the paths of RFC 8414 are appended to it.
fn is_origin(text: &str) -> bool {
    let url = text.parse::<url::Url>().ok();
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text)
}
