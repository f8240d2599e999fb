//! One key of the layers at a time, checked.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;

use super::DEFAULTS;

/// What the environment's variables begin with.
pub(super) const PREFIX: &str = "FARMLOKAL_";

/// Reads keys one by one and notes every mistake, so that all come to light at once.
pub(super) struct Reader<'a> {
    layers: &'a Figment,
    mistakes: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a Figment) -> Self {
        Self { layers, mistakes: Vec::new() }
    }

    /// What was wrong so far.
    pub(super) fn into_mistakes(self) -> Vec<String> {
        self.mistakes
    }

    /// Notes a mistake. Never shows the value: it may be a secret.
    pub(super) fn mistake(&mut self, key: &str, remedy: &str) {
        let origin = self.layers.find_metadata(key).map_or_else(String::new, |metadata| match &metadata.source {
            Some(source) => format!(" ({source})"),
            None if metadata.name.contains("environment") => format!(" ({})", variable(key)),
            None => String::new(),
        });
        self.mistakes.push(format!("{key}{origin} {remedy}"));
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
                    let section = key.split('.').next().unwrap_or_default();
                    let siblings: Vec<&str> = defaults
                        .iter()
                        .filter(|known| known.starts_with(&format!("{section}.")))
                        .map(String::as_str)
                        .collect();
                    let known =
                        if siblings.is_empty() { "there is no such section".to_owned() } else { siblings.join(", ") };
                    self.mistake(key, &format!("is not a key; known are: {known}"));
                }
            }
            Err(error) => self.mistakes.push(error.to_string()),
        }
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
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
