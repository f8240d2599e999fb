//! `farmlokal-operator crd`: the definition of the resource, as the chart has it.

use kube::CustomResourceExt as _;

use super::{CommandError, yaml};
use crate::crd::FarmLokal;

/// The CustomResourceDefinition as YAML.
///
/// # Errors
///
/// When it cannot be written, which no definition of ours makes happen.
pub fn crd_yaml() -> Result<String, CommandError> {
    serde_saphyr::to_string(&FarmLokal::crd()).map_err(|error| yaml(&error))
}
