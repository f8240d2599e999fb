//! How private keys rest in the database: encrypted with `oauth.key_secret`, or plain without one.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::OAuthError;

/// The first byte of what is kept says how to read it.
const PLAIN: u8 = 0;
const SEALED: u8 = 1;

/// Seals private keys before they are kept.
pub struct Sealer(Option<LessSafeKey>);

impl Sealer {
    /// With `secret`, AES-256-GCM under a key derived from it; as they are, when it is empty.
    pub fn new(secret: &str) -> Result<Self, OAuthError> {
        if secret.is_empty() {
            return Ok(Self(None));
        }
        let derived = Salt::new(HKDF_SHA256, b"farmlokal").extract(secret.as_bytes());
        let key = derived.expand(&[b"oauth signing keys"], &AES_256_GCM);
        let key = key.map_err(|_| OAuthError::Broken("oauth.key_secret cannot be used"))?;
        Ok(Self(Some(LessSafeKey::new(key.into()))))
    }

    /// `private` as it is to be kept, tied to the name of its key.
    pub fn seal(&self, private: &[u8], kid: &str) -> Result<Vec<u8>, OAuthError> {
        let Some(key) = &self.0 else { return Ok([&[PLAIN], private].concat()) };
        let broken = |_| OAuthError::Broken("a signing key could not be sealed");
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(broken)?;
        let mut text = private.to_vec();
        let sealing =
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(kid.as_bytes()), &mut text);
        sealing.map_err(broken)?;
        Ok([&[SEALED], &nonce[..], &text].concat())
    }

    /// What was sealed; `None` under another secret. A plain one is read whatever the secret is, so that
    /// one can be introduced while the service runs.
    pub fn open(&self, kept: &[u8], kid: &str) -> Option<Vec<u8>> {
        match kept.split_first()? {
            (&PLAIN, private) => Some(private.to_vec()),
            (&SEALED, sealed) => {
                let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
                let mut text = text.to_vec();
                let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
                let opened = self.0.as_ref()?.open_in_place(nonce, Aad::from(kid.as_bytes()), &mut text).ok()?;
                Some(opened.to_vec())
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Sealer(***)" } else { "Sealer(plain)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct horse battery staple, 4 times";

    fn sealer(secret: &str) -> Sealer {
        Sealer::new(secret).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_secret_and_name_only() {
        let sealed = sealer(SECRET).seal(b"private", "a").unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"private"));
        assert_eq!(sealer(SECRET).open(&sealed, "a").unwrap(), b"private");
        assert_eq!(sealer(SECRET).open(&sealed, "b"), None);
        assert_eq!(sealer("another").open(&sealed, "a"), None);
        assert_eq!(sealer("").open(&sealed, "a"), None);
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 4;
            assert_eq!(sealer(SECRET).open(&broken, "a"), None, "byte {at}");
            assert_eq!(sealer(SECRET).open(&sealed[..at], "a"), None, "{at} bytes");
        }
        assert_ne!(sealer(SECRET).seal(b"private", "a").unwrap(), sealed, "a new nonce each time");
    }

    #[test]
    fn without_a_secret_keys_rest_plain_and_can_be_read_with_one() {
        let plain = sealer("").seal(b"private", "a").unwrap();
        assert_eq!(sealer(SECRET).open(&plain, "a").unwrap(), b"private");
    }
}
