//! `spec: {}`: a catalogue on an embedded database.

use super::place::{Place, has_products};
use super::{Arguments, Steps};

/// What is seeded if nothing is said.
const DEFAULT: u64 = 1_000_000;

pub(super) fn run(place: &Place, arguments: &Arguments, steps: &mut Steps) -> Result<(), String> {
    let tools = &place.tools;
    let rows = arguments.rows.min(DEFAULT);
    let spec = if rows == DEFAULT { "{}".to_owned() } else { format!("{{seed: {{rows: {rows}}}}}") };
    steps.take(&format!("spec: {spec}, applied until Ready"), || {
        tools.apply(&format!(
            "{{apiVersion: farmlokal.dev/v1alpha1, kind: FarmLokal, metadata: {{name: stall, namespace: shops}}, \
             spec: {spec}}}"
        ))?;
        tools.kubectl("wait farmlokal/stall --namespace shops --for=condition=Ready --timeout=15m")?;
        has_products(place.service("shops", "stall")?, rows)?;
        Ok(format!("{rows} products by its Service"))
    })?;
    steps.take("deleted", || {
        tools.kubectl("delete farmlokal/stall --namespace shops --timeout=60s")?;
        gone(place, "stall")
    })?;
    Ok(())
}

/// Waits until nothing is left of an instance but what its data need: the volume, and the generated secrets.
pub(super) fn gone(place: &Place, name: &str) -> Result<String, String> {
    let kinds = "deployments,jobs,services,configmaps,networkpolicies,poddisruptionbudgets,serviceaccounts,pods";
    let list = format!("get {kinds} --namespace shops --selector app.kubernetes.io/instance={name} --output name");
    place.tools.until("what the instance had made is gone", 60, || {
        let left = place.tools.kubectl(&list)?;
        if left.is_empty() { Ok(Some(String::new())) } else { Err(left) }
    })?;
    Ok("gone with all that it made but its data".to_owned())
}
