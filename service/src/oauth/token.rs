//! Access tokens: JWTs by the profile of RFC 9068. Making and checking them is arithmetic; key, issuer and
//! time are given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use farmlokal_catalog::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::{ALGORITHM, Key};
use super::{OAuthError, secret};

/// The type that keeps an access token from being taken for another JWT, and another JWT for one.
const TYPE: &str = "at+jwt";
/// Ours have some 500 bytes.
const MAX_BYTES: usize = 4096;
/// How far the clocks of two replicas may be apart, in seconds.
pub const SKEW: i64 = 60;

/// The head of a token.
#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// What a token says. The service is both who issues it and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// Whom it is about: the client, since no person is involved.
    pub sub: String,
    /// Whom it is for.
    pub aud: String,
    /// The client that asked for it.
    pub client_id: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Its own name.
    pub jti: String,
    /// What it is good for.
    pub scope: String,
}

impl Claims {
    /// A token of `issuer` for `client`, good from `now` for `lifetime` seconds.
    pub fn new(issuer: &str, client: &str, scope: String, now: Timestamp, lifetime: i64) -> Result<Self, OAuthError> {
        let iat = seconds(now);
        Ok(Self {
            iss: issuer.to_owned(),
            sub: client.to_owned(),
            aud: issuer.to_owned(),
            client_id: client.to_owned(),
            iat,
            exp: iat + lifetime,
            jti: secret::random::<16>()?,
            scope,
        })
    }

    /// The token, signed with `key`.
    pub fn sign(&self, key: &Key) -> Result<String, OAuthError> {
        let header = Header { alg: ALGORITHM.to_owned(), typ: TYPE.to_owned(), kid: key.kid.clone() };
        let message = format!("{}.{}", encode(&header)?, encode(self)?);
        let signature = BASE64.encode(key.sign(message.as_bytes())?);
        Ok(format!("{message}.{signature}"))
    }
}

/// A token that has the right form, and of which nothing else is known.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// The name of the key that is said to have signed it.
    pub kid: String,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Reads a token's form. Its algorithm is ours or it is refused: a token does not choose how it is checked.
    pub fn parse(token: &'a str) -> Result<Self, OAuthError> {
        const UNREADABLE: OAuthError = OAuthError::InvalidToken("cannot be read");
        if token.len() > MAX_BYTES {
            return Err(UNREADABLE);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(UNREADABLE)?;
        let (header, payload) = message.split_once('.').ok_or(UNREADABLE)?;
        let header: Header = decode(header).ok_or(UNREADABLE)?;
        if header.alg != ALGORITHM || header.typ != TYPE {
            return Err(OAuthError::InvalidToken("is of another kind"));
        }
        let signature = BASE64.decode(signature).map_err(|_| UNREADABLE)?;
        Ok(Self { kid: header.kid, message, payload, signature })
    }

    /// What it says, if `key` has signed it, `issuer` has issued it for itself, and it is good at `now`.
    /// Nothing of it is looked at before the signature.
    pub fn verify(self, key: &Key, issuer: &str, now: Timestamp) -> Result<Claims, OAuthError> {
        if !key.verifies(self.message.as_bytes(), &self.signature) {
            return Err(OAuthError::InvalidToken("has a wrong signature"));
        }
        let claims: Claims = decode(self.payload).ok_or(OAuthError::InvalidToken("lacks a claim"))?;
        if claims.iss != issuer {
            return Err(OAuthError::InvalidToken("was issued by somebody else"));
        }
        if claims.aud != issuer {
            return Err(OAuthError::InvalidToken("is for somebody else"));
        }
        let now = seconds(now);
        if claims.exp <= now {
            return Err(OAuthError::InvalidToken("has expired"));
        }
        if claims.iat > now + SKEW {
            return Err(OAuthError::InvalidToken("is not good yet"));
        }
        Ok(claims)
    }
}

/// Whole seconds since 1970, as JWTs count.
pub fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

fn encode(part: &impl Serialize) -> Result<String, OAuthError> {
    let json = serde_json::to_vec(part).map_err(|_| OAuthError::Broken("a token could not be written"))?;
    Ok(BASE64.encode(json))
}

fn decode<T: for<'a> Deserialize<'a>>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::oauth::seal::Sealer;

    const ISSUER: &str = "https://shop.example";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    fn key() -> Key {
        let sealer = Sealer::new("").unwrap();
        Key::open(Key::generate(1, at(0), &sealer).unwrap(), &sealer).unwrap()
    }

    fn claims() -> Claims {
        Claims::new(ISSUER, "a-client", "catalog:write".to_owned(), at(1_000), 3_600).unwrap()
    }

    fn check(token: &str, key: &Key, now: i64) -> Result<Claims, String> {
        let unverified = Unverified::parse(token).map_err(|error| error.to_string())?;
        unverified.verify(key, ISSUER, at(now)).map_err(|error| error.to_string())
    }

    /// A token of any head and claims, signed all the same.
    fn forge(key: &Key, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header).unwrap(), encode(claims).unwrap());
        let signature = BASE64.encode(key.sign(message.as_bytes()).unwrap());
        format!("{message}.{signature}")
    }

    #[test]
    fn a_token_says_what_rfc_9068_asks_for() {
        let (key, claims) = (key(), claims());
        let token = claims.sign(&key).unwrap();
        let parts: Vec<Value> = token.split('.').take(2).map(|part| decode(part).unwrap()).collect();
        assert_eq!(parts[0], json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid}));
        assert_eq!(
            parts[1],
            json!({
                "iss": ISSUER, "sub": "a-client", "aud": ISSUER, "client_id": "a-client", "iat": 1_000,
                "exp": 4_600, "jti": claims.jti, "scope": "catalog:write",
            })
        );
        assert_ne!(claims.jti, super::super::token::tests::claims().jti);
        assert_eq!(check(&token, &key, 1_000).unwrap(), claims);
    }

    #[test]
    fn a_token_is_good_for_its_time_whatever_the_skew_of_the_issuer() {
        let key = key();
        let token = claims().sign(&key).unwrap();
        for (now, outcome) in [
            (1_000 - SKEW - 1, Some("The access token is not good yet.")),
            (1_000 - SKEW, None),
            (4_599, None),
            (4_600, Some("The access token has expired.")),
            (9_999_999, Some("The access token has expired.")),
        ] {
            assert_eq!(check(&token, &key, now).err().as_deref(), outcome, "{now}");
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let (key, other) = (key(), key());
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid});
        let good = serde_json::to_value(claims()).unwrap();
        let with = |mut part: Value, name: &str, value: Value| {
            part[name] = value;
            part
        };
        assert!(check(&forge(&key, &header, &good), &key, 1_000).is_ok(), "so that the rest means something");
        for (token, why) in [
            (forge(&other, &header, &good), "wrong signature"),
            (forge(&key, &with(header.clone(), "alg", json!("none")), &good), "another kind"),
            (forge(&key, &with(header.clone(), "alg", json!("HS256")), &good), "another kind"),
            (forge(&key, &with(header.clone(), "alg", json!("es256")), &good), "another kind"),
            (forge(&key, &with(header.clone(), "typ", json!("JWT")), &good), "another kind"),
            (forge(&key, &with(header.clone(), "typ", json!(null)), &good), "cannot be read"),
            (forge(&key, &header, &with(good.clone(), "iss", json!("https://shop.example/"))), "by somebody else"),
            (forge(&key, &header, &with(good.clone(), "aud", json!("https://other.example"))), "for somebody else"),
            (forge(&key, &header, &with(good.clone(), "aud", json!([ISSUER, "x"]))), "lacks a claim"),
            (forge(&key, &header, &with(good.clone(), "exp", json!("9999999999"))), "lacks a claim"),
            (forge(&key, &header, &with(good.clone(), "exp", json!(null))), "lacks a claim"),
            (forge(&key, &header, &with(good.clone(), "client_id", json!(null))), "lacks a claim"),
        ] {
            let refused = check(&token, &key, 1_000).unwrap_err();
            assert!(refused.contains(why), "{why}: {refused}");
        }
    }

    #[test]
    fn no_byte_of_a_token_can_be_changed() {
        let key = key();
        let token = claims().sign(&key).unwrap();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(check(str::from_utf8(&bytes).unwrap(), &key, 1_000).is_err(), "byte {at}");
            assert!(check(&token[..at], &key, 1_000).is_err(), "{at} bytes");
        }
        let (message, _) = token.rsplit_once('.').unwrap();
        for garbage in
            ["", ".", "..", "a.b.c", "🧀.🧀.🧀", &format!("{message}."), &format!("{token}."), &"a.".repeat(5_000)]
        {
            assert!(check(garbage, &key, 1_000).is_err(), "{garbage:.50}");
        }
    }
}
