//! What a request asks for.

use std::collections::BTreeMap;

use http::request::Parts;

/// What is to be done, as roles name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Patch,
    Update,
    Delete,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: Option<String>,
    /// The kind in plural, with the subresource behind a slash, as roles name it.
    pub(crate) resource: String,
    pub(crate) name: Option<String>,
    pub(crate) query: BTreeMap<String, String>,
    /// Whether a patch is one of server-side apply.
    pub(crate) applies: bool,
    /// Whether only metadata is wanted.
    pub(crate) metadata_only: bool,
    /// Whether the operator makes it, and not the test.
    pub(crate) by_operator: bool,
}

impl Call {
    pub(crate) fn parse(head: &Parts) -> Self {
        let mut parts = head.uri.path().trim_matches('/').split('/').map(str::to_owned);
        let group = if parts.next().as_deref() == Some("apis") { parts.next().unwrap() } else { String::new() };
        let version = parts.next().unwrap_or_default();
        let mut rest: Vec<_> = parts.collect();
        let namespace = (rest.first().is_some_and(|first| first == "namespaces") && rest.len() > 2).then(|| {
            rest.remove(0);
            rest.remove(0)
        });
        let mut rest = rest.into_iter();
        let (kind, name, sub) = (rest.next().unwrap_or_default(), rest.next(), rest.next());
        let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        let query: BTreeMap<_, _> = query.into_owned().collect();
        let verb = match (head.method.as_str(), &name) {
            ("GET", _) if query.get("watch").is_some_and(|watch| watch == "true") => Verb::Watch,
            ("GET", Some(_)) => Verb::Get,
            ("GET", None) => Verb::List,
            ("POST", _) => Verb::Create,
            ("PUT", _) => Verb::Update,
            ("PATCH", _) => Verb::Patch,
            ("DELETE", _) => Verb::Delete,
            (method, _) => panic!("{method} is not used"),
        };
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            verb,
            group,
            version,
            namespace,
            resource: sub.map_or(kind.clone(), |sub| format!("{kind}/{sub}")),
            name,
            query,
            applies: header("content-type").contains("apply-patch"),
            metadata_only: header("accept").contains("PartialObjectMetadata"),
            by_operator: false,
        }
    }

    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.verb, Verb::Get | Verb::List | Verb::Watch)
    }

    /// The kind in plural.
    pub(crate) fn plural(&self) -> &str {
        self.resource.split('/').next().unwrap()
    }

    /// The labels asked for.
    pub(crate) fn wants(&self, object: &serde_json::Value) -> bool {
        let here = self.namespace.is_none() || object["metadata"]["namespace"].as_str() == self.namespace.as_deref();
        let selector = self.query.get("labelSelector").map(String::as_str).unwrap_or_default();
        here && selector.split(',').filter(|term| !term.is_empty()).all(|term| {
            let (key, value) = term.split_once('=').unwrap();
            object["metadata"]["labels"][key] == value
        })
    }
}
