//! The products that a catalogue begins with.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Generated products. The same rows and seed give the same products.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Seed {
    /// How many there are to be; 0 for none.
    #[x_kube(
        validation = Rule::new("self >= 0 && self <= 100000000").message("seed.rows must be from 0 to 100000000"),
        validation = Rule::new("self == oldSelf").message("seed.rows cannot change: the database holds what was asked for first")
    )]
    pub rows: i64,
    /// Whether pods wait until they are all there; false if absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocking: bool,
}
