//! The tuning file: what the operator tells a running service of the size of its database pool.
//!
//! ```json
//! {"generation": 7, "poolMax": 24, "boot": 8, "pods": ["6f0c…"]}
//! ```
//!
//! The operator writes it into a ConfigMap that is mounted into each pod; the service watches the file and
//! applies it without a restart. A pod that `pods` does not name keeps to `boot`: it may have started after the
//! operator had added up what the others hold, and its share is not in that sum.

use serde::{Deserialize, Serialize};

/// Its key in the ConfigMap, and so its name in the folder where that is mounted.
pub const FILE_NAME: &str = "tuning.json";

/// The largest pool that is taken for meant: MySQL's own ceiling on `max_connections`.
pub const MAX_CONNECTIONS: u32 = 100_000;

/// A grant of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tuning {
    /// Raised with each change; a service reports the one it has applied. At least 1.
    pub generation: u64,
    /// Connections each pod may open. At least 1.
    pub pool_max: u32,
    /// Connections of a pod that `pods` does not name; `poolMax` when absent. At least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<u32>,
    /// The UIDs of the pods that `pool_max` was reckoned for; absent: every pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<Vec<String>>,
}

/// Why a tuning file was refused.
#[derive(Debug, thiserror::Error)]
pub enum TuningError {
    /// It is not the JSON it should be.
    #[error("the tuning file is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// A number is out of its range.
    #[error("the tuning file's {field} is {value}; it must be from {least} to {most}")]
    Range {
        /// The field's name in the file.
        field: &'static str,
        /// What it says.
        value: u64,
        /// The smallest allowed.
        least: u64,
        /// The largest allowed.
        most: u64,
    },
}

impl Tuning {
    /// Reads a tuning file.
    ///
    /// # Errors
    ///
    /// When it is not JSON, has an unknown field, or a number out of range.
    pub fn parse(text: &str) -> Result<Self, TuningError> {
        let tuning: Self = serde_json::from_str(text)?;
        let check = |field, value: u64, most: u64| {
            if (1..=most).contains(&value) { Ok(()) } else { Err(TuningError::Range { field, value, least: 1, most }) }
        };
        check("generation", tuning.generation, u64::MAX)?;
        check("poolMax", tuning.pool_max.into(), MAX_CONNECTIONS.into())?;
        if let Some(boot) = tuning.boot {
            check("boot", boot.into(), MAX_CONNECTIONS.into())?;
        }
        Ok(tuning)
    }

    /// The connections that the pod `uid` may open. Who does not know its own UID counts as not named.
    #[must_use]
    pub fn limit_of(&self, uid: Option<&str>) -> u32 {
        let named = match &self.pods {
            None => true,
            Some(pods) => uid.is_some_and(|uid| pods.iter().any(|pod| pod == uid)),
        };
        if named { self.pool_max } else { self.boot.unwrap_or(self.pool_max) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_pods_get_the_whole_grant() {
        let tuning = Tuning::parse(r#"{"generation":7,"poolMax":24,"boot":8,"pods":["a","b"]}"#).unwrap();
        assert_eq!([Some("a"), Some("b"), Some("c"), None].map(|uid| tuning.limit_of(uid)), [24, 24, 8, 8]);
        let everybody = Tuning::parse(r#"{"generation":1,"poolMax":9}"#).unwrap();
        assert_eq!([Some("a"), None].map(|uid| everybody.limit_of(uid)), [9, 9]);
        assert_eq!(serde_json::to_string(&everybody).unwrap(), r#"{"generation":1,"poolMax":9}"#);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, names) in [
            ("", "EOF"),
            ("{}", "generation"),
            (r#"{"generation":1}"#, "poolMax"),
            (r#"{"generation":0,"poolMax":1}"#, "generation is 0"),
            (r#"{"generation":1,"poolMax":0}"#, "poolMax is 0"),
            (r#"{"generation":1,"poolMax":-4}"#, "-4"),
            (r#"{"generation":1,"poolMax":100001}"#, "100000"),
            (r#"{"generation":1,"poolMax":2,"boot":0}"#, "boot is 0"),
            (r#"{"generation":1,"poolMax":2,"poolmax":3}"#, "poolmax"),
        ] {
            let refused = Tuning::parse(text).unwrap_err().to_string();
            assert!(refused.contains(names), "{text}: {refused}");
        }
    }
}
