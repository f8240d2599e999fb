//! `farmlokal-operator crd`: the definition of the resource, as the chart has it.

use kube::CustomResourceExt as _;

use crate::crd::FarmLokal;

/// The CustomResourceDefinition as YAML.
///
/// # Errors
///
/// When it cannot be written, which no definition of ours makes happen.
pub fn crd_yaml() -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(&FarmLokal::crd())
}

#[cfg(test)]
mod tests {
    #[test]
    fn show() {
        println!("{}", super::crd_yaml().unwrap());
    }
}
