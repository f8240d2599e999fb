//! What is known of Secrets: hashes of their values, never the values. A Secret is read again when a watch of its
//! metadata has told of a change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::Api;
use url::Url;

use super::names;

/// A namespace and a name.
type Name = (String, String);

/// What is known of a Secret, by its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digest(pub BTreeMap<String, Value>);

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its hash.
    pub hash: String,
    /// Which database it means, if it is the URL of one: host, port and name, hashed; no user and no password.
    pub database: Option<String>,
}

/// See above.
#[derive(Debug, Default)]
pub struct Secrets(Mutex<HashMap<Name, Slot>>);

#[derive(Debug)]
enum Slot {
    /// It is being read, by whom the number is; whoever takes this away has heard of a change.
    Reading(u64),
    /// `None` when there is no such Secret.
    Known(Option<Arc<Digest>>),
}

impl Secrets {
    /// What is known of a Secret, which is read if need be; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the API server does not answer, or refuses to.
    pub async fn digest(
        &self,
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Digest>>, kube::Error> {
        let key = (namespace.to_owned(), name.to_owned());
        if let Some(Slot::Known(digest)) = self.lock().get(&key) {
            return Ok(digest.clone());
        }
        let reader = fastrand::u64(..);
        self.lock().insert(key.clone(), Slot::Reading(reader));
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let digest = api.get_opt(name).await?.map(|secret| Arc::new(Digest::of(secret)));
        if let Some(slot) = self.lock().get_mut(&key)
            && matches!(slot, Slot::Reading(by) if *by == reader)
        {
            *slot = Slot::Known(digest.clone());
        }
        Ok(digest)
    }

    /// A Secret is another one, is there now, or is gone.
    pub fn changed(&self, namespace: &str, name: &str) {
        self.lock().remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Anything may have changed in a namespace, or in all.
    pub fn forget(&self, namespace: Option<&str>) {
        self.lock().retain(|(within, _), _| namespace.is_some_and(|namespace| namespace != within));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Digest {
    fn of(secret: Secret) -> Self {
        let known = |bytes: Vec<u8>| {
            let text = String::from_utf8_lossy(&bytes);
            Value { hash: names::hash([&*text]), database: identity(&text) }
        };
        Self(secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, known(value.0))).collect())
    }

    /// One hash of all keys and values.
    #[must_use]
    pub fn hash(&self) -> String {
        names::hash(self.0.iter().flat_map(|(key, value)| [&**key, &*value.hash]))
    }
}

/// Which database a URL means, whoever opens it.
fn identity(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok().filter(|url| url.scheme() == "mysql")?;
    let (host, port) = (url.host_str()?, url.port().unwrap_or(3306).to_string());
    Some(names::hash([host, &port, url.path()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_the_same_whoever_opens_it() {
        let one = identity("mysql://farm:secret@db.shop:3306/farm").unwrap();
        assert_eq!(identity("mysql://other:word@db.shop/farm"), Some(one.clone()));
        assert_ne!(identity("mysql://farm:secret@db.shop/barn"), Some(one.clone()));
        assert_ne!(identity("mysql://farm:secret@elsewhere/farm"), Some(one));
        for wrong in ["", "db.shop", "postgres://db/farm", "mysql:///farm", "sqlite:farm.db"] {
            assert_eq!(identity(wrong), None, "{wrong}");
        }
    }
}
