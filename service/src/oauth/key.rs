//! A key that signs tokens: ECDSA on P-256 with SHA-256, which JOSE calls ES256 (RFC 7518, 3.4).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use farmlokal_catalog::Timestamp;
use farmlokal_catalog::store::oauth::{Hidden, OAuthKey};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde::Serialize;

use super::OAuthError;
use super::seal::Sealer;

/// The one algorithm: what a token says of itself is compared with it, never followed.
pub const ALGORITHM: &str = "ES256";

/// A key pair, or its public half where the private one cannot be opened.
pub struct Key {
    /// Its place in the row of keys.
    pub number: i64,
    /// Its name in tokens: the thumbprint of RFC 7638.
    pub kid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it proves nothing.
    pub retired_at: Option<Timestamp>,
    public: Vec<u8>,
    pair: Option<EcdsaKeyPair>,
}

/// A public key as RFC 7517 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Its name.
    pub kid: String,
    /// X coordinate, base64url.
    pub x: String,
    /// Y coordinate, base64url.
    pub y: String,
}

impl Key {
    /// A new pair with the next number, as it is to be kept.
    pub fn generate(number: i64, now: Timestamp, sealer: &Sealer) -> Result<OAuthKey, OAuthError> {
        let broken = |_| OAuthError::Broken("a signing key could not be made");
        let random = SystemRandom::new();
        let private = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(broken)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.as_ref(), &random)
            .map_err(|_| OAuthError::Broken("a signing key could not be made"))?;
        let public = pair.public_key().as_ref().to_vec();
        let kid = thumbprint(&public).ok_or(OAuthError::Broken("a signing key could not be made"))?;
        let private = Hidden(sealer.seal(private.as_ref(), &kid)?);
        Ok(OAuthKey { number, kid, public, private, created_at: now, retired_at: None })
    }

    /// The key in a row. One whose private half cannot be opened (another `oauth.key_secret`) still
    /// verifies; one whose name is not its own is not ours.
    pub fn open(row: OAuthKey, sealer: &Sealer) -> Option<Self> {
        if thumbprint(&row.public).as_ref() != Some(&row.kid) {
            tracing::error!(kid = row.kid, "a signing key in the database is broken; it is left out");
            return None;
        }
        let private = sealer.open(&row.private.0, &row.kid);
        let pair = private.and_then(|private| {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private, &SystemRandom::new()).ok()
        });
        // A private half that belongs to another public one would sign what nobody can verify.
        let pair = pair.filter(|pair| pair.public_key().as_ref() == row.public);
        let OAuthKey { number, kid, public, created_at, retired_at, .. } = row;
        Some(Self { number, kid, created_at, retired_at, public, pair })
    }

    /// Whether it can sign.
    pub fn can_sign(&self) -> bool {
        self.pair.is_some()
    }

    /// The signature of `message`.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, OAuthError> {
        let pair = self.pair.as_ref().ok_or(OAuthError::Broken("the signing key cannot be opened"))?;
        let signature = pair.sign(&SystemRandom::new(), message);
        signature.map(|signature| signature.as_ref().to_vec()).map_err(|_| OAuthError::Broken("signing a token failed"))
    }

    /// Whether `signature` is one of `message` by this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.public).verify(message, signature).is_ok()
    }

    /// Its public half, to be published.
    pub fn jwk(&self) -> Option<Jwk> {
        let (x, y) = coordinates(&self.public)?;
        Some(Jwk { kid: self.kid.clone(), x, y })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("number", &self.number).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// X and Y of an uncompressed point (SEC 1, 2.3.3): 0x04, then 32 bytes each.
fn coordinates(public: &[u8]) -> Option<(String, String)> {
    let (x, y) = public.strip_prefix(&[4]).filter(|point| point.len() == 64)?.split_at(32);
    Some((BASE64.encode(x), BASE64.encode(y)))
}

/// RFC 7638: the hash of the required members, by name, without spaces.
fn thumbprint(public: &[u8]) -> Option<String> {
    let (x, y) = coordinates(public)?;
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some(BASE64.encode(digest(&SHA256, members.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> OAuthKey {
        Key::generate(1, Timestamp::from_micros(0).unwrap(), &Sealer::new("").unwrap()).unwrap()
    }

    /// The example of RFC 7515, A.3: somebody else's key and signature.
    #[test]
    fn a_foreign_signature_is_understood() {
        let decode = |text: &str| BASE64.decode(text).unwrap();
        let mut public = vec![4];
        public.extend(decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"));
        public.extend(decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
        let key = Key { public, pair: None, ..Key::open(made(), &Sealer::new("").unwrap()).unwrap() };
        let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature =
            decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        assert!(key.verifies(message.as_bytes(), &signature));
        assert!(!key.verifies(&message.as_bytes()[1..], &signature));
        assert!(!key.verifies(message.as_bytes(), &signature[1..]));
        assert!(!key.can_sign() && key.sign(b"x").is_err());
    }

    #[test]
    fn a_row_gives_the_key_back_unless_it_was_tampered_with() {
        let (sealer, row) = (Sealer::new("").unwrap(), made());
        let key = Key::open(row.clone(), &sealer).unwrap();
        assert!(key.verifies(b"text", &key.sign(b"text").unwrap()));
        assert_eq!(key.jwk().unwrap().kid, row.kid);
        let other = made();
        assert!(Key::open(OAuthKey { public: other.public, ..row.clone() }, &sealer).is_none());
        let foreign_half = Key::open(OAuthKey { private: other.private, ..row }, &sealer).unwrap();
        assert!(!foreign_half.can_sign());
    }

    #[test]
    fn the_private_half_is_not_shown() {
        let row = made();
        let key = Key::open(row.clone(), &Sealer::new("").unwrap()).unwrap();
        let secret = format!("{:?}", row.private.0);
        assert!(!format!("{row:?} {key:?}").contains(secret.trim_matches(['[', ']'])));
    }
}
