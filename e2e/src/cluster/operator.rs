//! The operator, by its chart.

use super::place::Place;
use super::{Arguments, Steps, images};

pub(super) const NAMESPACE: &str = "farmlokal";

pub(super) fn install(place: &Place, arguments: &Arguments, steps: &mut Steps) -> Result<(), String> {
    let chart = arguments.charts.join("farmlokal-operator");
    let mut words =
        format!("install operator {} --namespace {NAMESPACE} --create-namespace --wait --timeout 5m", chart.display());
    words += &format!(" --set test.image={}", images::asking(arguments.registry()));
    if let Some(registry) = &arguments.registry {
        words += &format!(" --set image.registry={registry},instanceImage.registry={registry}");
    }
    if let Some(collector) = &place.collector {
        words += &format!(" --set telemetry.otlpEndpoint={}", collector.http());
    }
    let enforce = "pod-security.kubernetes.io/enforce=restricted";
    for namespace in [NAMESPACE, "shops"] {
        place.tools.kubectl(&format!("create namespace {namespace}"))?;
        place.tools.kubectl(&format!("label namespace {namespace} {enforce}"))?;
    }
    steps.take("helm install of the operator", || {
        place.tools.helm(&words)?;
        Ok("two replicas, restricted pods".to_owned())
    })?;
    steps.take("helm test", || {
        place.tools.helm(&format!("test operator --namespace {NAMESPACE}"))?;
        Ok(String::new())
    })?;
    Ok(())
}
