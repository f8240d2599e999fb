//! One key of the layers at a time, checked.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;

use super::DEFAULTS;

/// Sections whose own sections have names that people give, with the keys of each.
const NAMED: [(&str, &[&str]); 1] = [(
    "suppliers",
    &["base_url", "token_url", "client_id", "client_secret", "scope", "page_size", "timeout_ms", "deadline_ms"],
)];

/// Settings that have gone, each with its remedy. They are accepted with a warning for one release.
const RETIRED: [(&str, &str); 1] = [(
    "search.index",
    "no longer has an effect: the search index is the only search engine. Remove it; the next release refuses it",
)];

/// The key that the environment variable `name` (without [`PREFIX`]) sets. A name that people give has
/// hyphens where its variable has underscores, since variables have no hyphens.
pub(super) fn key_of(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match *name.split("__").collect::<Vec<_>>() {
        [section, given, key] if NAMED.iter().any(|(named, _)| *named == section) => {
            format!("{section}.{}.{key}", given.replace('_', "-"))
        }
        _ => name.replace("__", "."),
    }
}

/// What the environment's variables begin with.
pub(super) const PREFIX: &str = "FARMLOKAL_";

/// Reads keys one by one and notes every mistake, so that all come to light at once.
pub(super) struct Reader<'a> {
    layers: &'a Figment,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a Figment) -> Self {
        Self { layers, mistakes: Vec::new(), warnings: Vec::new() }
    }

    /// The mistakes and the warnings so far.
    pub(super) fn finish(self) -> (Vec<String>, Vec<String>) {
        (self.mistakes, self.warnings)
    }

    /// Notes a mistake. Never shows the value: it may be a secret.
    pub(super) fn mistake(&mut self, key: &str, remedy: &str) {
        let origin = self.origin(key);
        self.mistakes.push(format!("{key}{origin} {remedy}"));
    }

    /// The file or the variable that sets `key`, in brackets.
    fn origin(&self, key: &str) -> String {
        self.layers.find_metadata(key).map_or_else(String::new, |metadata| match &metadata.source {
            Some(source) => format!(" ({source})"),
            None if metadata.name.contains("environment") => format!(" ({})", variable(key)),
            None => String::new(),
        })
    }

    pub(super) fn read<T: DeserializeOwned>(&mut self, key: &str, remedy: &str) -> Option<T> {
        let value = self.layers.extract_inner_lossy(key);
        if value.is_err() {
            self.mistake(key, remedy);
        }
        value.ok()
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, "must be a text")
    }

    /// The names in a section whose sections have given names, sorted.
    pub(super) fn names(&self, section: &str) -> Vec<String> {
        let named: Dict = self.layers.extract_inner(section).unwrap_or_default();
        named.into_iter().filter(|(_, value)| matches!(value, Value::Dict(..))).map(|(name, _)| name).collect()
    }

    /// [`text`](Self::text) of a key that has a default here, because its section has a given name.
    pub(super) fn text_or(&mut self, key: &str, default: &str) -> Option<String> {
        if self.layers.contains(key) { self.text(key) } else { Some(default.to_owned()) }
    }

    /// The same of [`whole`](Self::whole).
    pub(super) fn whole_or(&mut self, key: &str, min: u64, max: u64, default: u64) -> Option<u64> {
        if self.layers.contains(key) { self.whole(key, min, max) } else { Some(default) }
    }

    pub(super) fn whole(&mut self, key: &str, min: u64, max: u64) -> Option<u64> {
        let remedy = format!("must be a whole number from {min} to {max}");
        let value: u64 = self.read(key, &remedy)?;
        if !(min..=max).contains(&value) {
            self.mistake(key, &remedy);
            return None;
        }
        Some(value)
    }

    pub(super) fn millis(&mut self, key: &str, min: u64) -> Option<Duration> {
        self.whole(key, min, 3_600_000).map(Duration::from_millis)
    }

    pub(super) fn listen(&mut self, key: &str) -> Option<std::net::SocketAddr> {
        let text = self.text(key)?;
        let address = text.parse().ok();
        if address.is_none() {
            self.mistake(key, "must be an address and port such as 127.0.0.1:8080 or [::]:8080");
        }
        address
    }

    pub(super) fn parse<T: std::str::FromStr<Err: fmt::Display>>(&mut self, key: &str, text: String) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.mistake(key, &error.to_string())).ok()
    }

    /// Keys that the defaults do not have, such as a misspelt one, which would otherwise do nothing.
    pub(super) fn unknown_keys(&mut self) {
        let defaults = keys(&Figment::from(Toml::string(DEFAULTS)).extract().unwrap_or_default());
        match self.layers.extract::<Dict>() {
            Ok(set) => {
                for key in keys(&set).difference(&defaults) {
                    if let Some((_, remedy)) = RETIRED.iter().find(|(retired, _)| retired == key) {
                        let origin = self.origin(key);
                        self.warnings.push(format!("{key}{origin} {remedy}"));
                        continue;
                    }
                    let known = match named(key) {
                        Some((_, keys)) if is_one_of(keys, key) => continue,
                        Some((section, keys)) => keys.iter().map(|key| format!("{section}.NAME.{key}")).collect(),
                        None => siblings(key, &defaults),
                    };
                    let known = if known.is_empty() { "there is no such section".to_owned() } else { known.join(", ") };
                    self.mistake(key, &format!("is not a key; known are: {known}"));
                }
            }
            Err(error) => self.mistakes.push(error.to_string()),
        }
    }
}

/// The section of given names that `key` is in, with the keys it may have there.
fn named(key: &str) -> Option<(&'static str, &'static [&'static str])> {
    let (section, _) = key.split_once('.')?;
    NAMED.into_iter().find(|(named, _)| *named == section)
}

/// Whether `key` is `section.name.known` with a `known` of `keys`.
fn is_one_of(keys: &[&str], key: &str) -> bool {
    matches!(*key.split('.').collect::<Vec<_>>(), [_, _, known] if keys.contains(&known))
}

/// What there is in the section of `key`.
fn siblings(key: &str, defaults: &BTreeSet<String>) -> Vec<String> {
    let section = key.split('.').next().unwrap_or_default();
    defaults.iter().filter(|known| known.starts_with(&format!("{section}."))).cloned().collect()
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").replace('-', "_").to_ascii_uppercase())
}

/// `section.key` of everything in `dict`.
fn keys(dict: &Dict) -> BTreeSet<String> {
    dict.iter()
        .flat_map(|(name, value)| match value {
            Value::Dict(_, inner) => keys(inner).into_iter().map(|key| format!("{name}.{key}")).collect(),
            _ => vec![name.clone()],
        })
        .collect()
}
