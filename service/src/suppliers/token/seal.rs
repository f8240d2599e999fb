//! How a token rests in Redis: encrypted, by a key that only those have who may ask for the token anyway.

use std::fmt::Write as _;
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Token;
use crate::config::Secret;

/// Seals tokens. The key is derived from the client secret, which every replica has and Redis has not:
/// whoever reads Redis, or its backup, gets nothing. With another secret old tokens do not open, and are
/// fetched anew.
pub(in crate::suppliers) struct Seal {
    key: LessSafeKey,
    name: String,
    random: SystemRandom,
}

impl Seal {
    /// For the tokens that `about` describes, sealed with what follows from `secret`.
    pub(in crate::suppliers) fn new(secret: &Secret, about: &[&str]) -> Option<Self> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        let derived = |purpose: &str| {
            let mut context = hmac::Context::with_key(&root);
            for part in [purpose].iter().chain(about) {
                // With its length, so that no two descriptions are the same bytes.
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part.as_bytes());
            }
            context.sign()
        };
        let key = UnboundKey::new(&AES_256_GCM, derived("key of supplier tokens, 1").as_ref()).ok()?;
        let name = derived("name of supplier tokens, 1").as_ref()[..16].iter().fold(String::new(), |mut name, byte| {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
            name
        });
        Some(Self { key: LessSafeKey::new(key), name, random: SystemRandom::new() })
    }

    /// What the tokens are called where they rest. It differs where they are not the same tokens, and
    /// tells nothing.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// `token` as it may rest anywhere.
    pub(super) fn close(&self, token: &Token) -> Option<Vec<u8>> {
        let mut sealed = vec![0; NONCE_LEN];
        self.random.fill(&mut sealed).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(&sealed).ok()?;
        let mut inside = token.fetched_at.micros().to_be_bytes().to_vec();
        inside.extend(token.expires_at.micros().to_be_bytes());
        inside.extend(token.expose().as_bytes());
        self.key.seal_in_place_append_tag(nonce, Aad::from(self.name.as_bytes()), &mut inside).ok()?;
        sealed.append(&mut inside);
        Some(sealed)
    }

    /// The token in `sealed`; `None` if it was sealed by others, or altered.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Token> {
        let (nonce, inside) = sealed.split_at_checked(NONCE_LEN)?;
        let (nonce, mut inside) = (Nonce::try_assume_unique_for_key(nonce).ok()?, inside.to_vec());
        let inside = self.key.open_in_place(nonce, Aad::from(self.name.as_bytes()), &mut inside).ok()?;
        let (fetched_at, inside) = inside.split_first_chunk()?;
        let (expires_at, value) = inside.split_first_chunk()?;
        let (fetched_at, expires_at) = (i64::from_be_bytes(*fetched_at), i64::from_be_bytes(*expires_at));
        let lifetime = Duration::from_micros(u64::try_from(expires_at.checked_sub(fetched_at)?).ok()?);
        let value = String::from_utf8(value.to_vec()).ok()?;
        Some(Token::new(value, Timestamp::from_micros(fetched_at)?, lifetime))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secret: &str, about: &[&str]) -> Seal {
        Seal::new(&Secret::new(secret.to_owned()), about).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_secret_for_the_same_tokens_only() {
        let at = Timestamp::from_micros(1_700_000_000_000_001).unwrap();
        let token = Token::new("visible".to_owned(), at, Duration::from_secs(3_600));
        let seal_a = seal("secret", &["farm", "scope"]);
        let sealed = seal_a.close(&token).unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"visible"));
        assert_ne!(sealed, seal_a.close(&token).unwrap(), "never the same twice");
        let opened = seal("secret", &["farm", "scope"]).open(&sealed).unwrap();
        assert_eq!(
            (opened.expose(), opened.fetched_at, opened.expires_at),
            ("visible", token.fetched_at, token.expires_at)
        );
        for other in [seal("Secret", &["farm", "scope"]), seal("secret", &["farms", "cope"]), seal("secret", &["farm"])]
        {
            assert!(other.open(&sealed).is_none());
            assert_ne!(other.name(), seal_a.name());
        }
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(seal_a.open(&altered).is_none() && seal_a.open(&sealed[..at]).is_none(), "{at}");
        }
    }
}
