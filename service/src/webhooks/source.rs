//! Who may send events: each source with the secrets it signs them with.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farmlokal_catalog::inbox::SourceName;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::rand::SecureRandom;
use sha2::Sha256;

/// The source that the original's `POST /webhook` stands for.
pub(super) const ORIGINAL: &str = "original";

/// A secret that a source signs its events with; shows itself to nobody.
#[derive(Clone)]
pub struct SigningSecret(Box<[u8]>);

impl SigningSecret {
    const PREFIX: &'static str = "whsec_";

    /// A new one; `None` when `random` has nothing to give.
    pub fn generate(random: &dyn SecureRandom) -> Option<Self> {
        let mut key = [0; 32];
        random.fill(&mut key).ok()?;
        Some(Self(key.into()))
    }

    /// As it is written, for the one who is to verify what we sign.
    pub fn reveal(&self) -> String {
        format!("{}{}", Self::PREFIX, STANDARD.encode(&self.0))
    }

    /// The HMAC-SHA256 with this key, of nothing yet.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        // HMAC takes keys of any length (RFC 2104, section 3); the fallback is never reached.
        Hmac::new_from_slice(&self.0).unwrap_or_else(|_| Hmac::new(&Default::default()))
    }

    /// The signature of the event `id`, sent at `timestamp`, as its header has it.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.mac();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl FromStr for SigningSecret {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let bytes = text.strip_prefix(Self::PREFIX).and_then(|key| STANDARD.decode(key).ok());
        bytes.filter(|key| (24..=64).contains(&key.len())).map(|key| Self(key.into())).ok_or(SourceError)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The sources and their secrets cannot be read. Does not say what was written: it is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must list each source once, as name=secret,secret with a semicolon or a line feed between sources; a name has 1 to \
     64 small letters, digits and hyphens and is not \"original\"; a secret is whsec_ and 24 to 64 bytes in base64"
)]
pub struct SourceError;

/// The sources.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<BTreeMap<SourceName, Vec<SigningSecret>>>);

impl Sources {
    /// The secrets of the source `name`; `None` when nobody is called so.
    pub fn secrets(&self, name: &SourceName) -> Option<&[SigningSecret]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &SourceName> {
        self.0.keys()
    }
}

impl FromStr for Sources {
    type Err = SourceError;

    /// `name=secret,secret;name=secret`: fits a line of a file and a variable of the environment.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let mut sources = BTreeMap::new();
        for entry in text.split([';', '\n']).map(str::trim).filter(|entry| !entry.is_empty()) {
            let (name, secrets) = entry.split_once('=').ok_or(SourceError)?;
            let name: SourceName = name.trim().parse().map_err(|_| SourceError)?;
            let secrets: Result<Vec<_>, _> = secrets.split(',').map(|secret| secret.trim().parse()).collect();
            if name.as_str() == ORIGINAL || sources.insert(name, secrets?).is_some() {
                return Err(SourceError);
            }
        }
        Ok(Self(Arc::new(sources)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn sources_are_read_from_a_line_and_from_lines() {
        assert!(Sources::from_str("").unwrap().0.is_empty());
        for text in [
            format!("farm-hub={SECRET},{SECRET};other={SECRET}"),
            format!("\n  farm-hub = {SECRET} , {SECRET}\n  other = {SECRET};\n"),
        ] {
            let sources: Sources = text.parse().unwrap();
            let count = |name: &str| sources.secrets(&name.parse().unwrap()).map(<[_]>::len);
            assert_eq!((count("farm-hub"), count("other"), count("third")), (Some(2), Some(1), None));
            assert!(!format!("{sources:?}").contains("MfKQ"));
        }
    }

    #[test]
    fn a_secret_of_ours_is_one_like_any() {
        let random = ring::rand::SystemRandom::new();
        let [one, other] = [(); 2].map(|()| SigningSecret::generate(&random).unwrap());
        assert_eq!(one.reveal().parse::<SigningSecret>().unwrap().0, one.0);
        assert_ne!(one.reveal(), other.reveal());
        assert!(one.0.len() == 32 && !format!("{one:?}").contains(&one.reveal()));
    }

    #[test]
    fn what_is_no_source_is_refused_and_not_repeated() {
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for text in [
            "farm-hub".to_owned(),
            "farm-hub=".to_owned(),
            "farm-hub=hunter2".to_owned(),
            format!("farm-hub={short}"),
            format!("farm-hub={long}"),
            format!("farm-hub={SECRET},"),
            format!("Farm={SECRET}"),
            format!("a={SECRET};a={SECRET}"),
            format!("original={SECRET}"),
            format!("={SECRET}"),
        ] {
            let error = text.parse::<Sources>().unwrap_err().to_string();
            assert!(!error.contains("hunter2") && error.starts_with("must list"), "{error}");
        }
    }
}
