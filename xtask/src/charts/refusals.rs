//! Values that must be refused, and what must not be: a chart above ours says things to all of its charts.

use std::fs;
use std::process::Command;

use super::helm::{self, Helm};
use super::{CHARTS, INSTANCE, OLDEST, OPERATOR, directory};

/// A chart, a value that it does not have, and a word of the complaint.
const REFUSED: [(&str, &str, &str); 12] = [
    (OPERATOR, "replica=3", "replica"),
    (OPERATOR, "monitoring.rule.enabled=true", "rule"),
    (OPERATOR, "networkPolicy.egress.enable=true", "enable"),
    (OPERATOR, "replicas=many", "replicas"),
    (OPERATOR, "image.digest=latest", "digest"),
    (OPERATOR, "watchNamespaces={Shops}", "watchNamespaces"),
    (OPERATOR, "monitoring.serviceMonitor.enabled=true,monitoring.podMonitor.enabled=true", "scraped twice"),
    (INSTANCE, "spec.replcas=3", "replcas"),
    (INSTANCE, "spec.database.secretref.name=db", "secretref"),
    (INSTANCE, "spec.tuning.mode=Sometimes", "mode"),
    (INSTANCE, "specs.replicas=3", "specs"),
    (INSTANCE, "name=a-name-that-is-longer-than-forty-eight-characters", "name"),
];

/// Tries all, with both Helms.
pub(super) fn all(helms: &[Helm; 2]) -> Result<(), String> {
    for helm in helms {
        for (chart, value, word) in REFUSED {
            match helm::output(template(helm, chart).args(["--set", value])) {
                Ok(_) => return Err(format!("Helm {}: {chart} takes {value}", helm.version)),
                Err(said) if said.contains(word) && !said.contains("not found") => {}
                Err(said) => {
                    return Err(format!(
                        "Helm {}: {chart} refuses {value} without naming {word}: {said}",
                        helm.version
                    ));
                }
            }
        }
        for chart in CHARTS {
            helm::output(template(helm, chart).args(["--set", "global.anything.at=all,enabled=true"]))?;
        }
        below_another(helm)?;
    }
    Ok(())
}

fn template(helm: &Helm, chart: &str) -> Command {
    let mut command = helm.command();
    command.args(["template", "shop"]).arg(directory(chart)).args(["--kube-version", OLDEST]);
    command
}

/// Both as parts of another chart, which turns one of them off and names a registry for all.
fn below_another(helm: &Helm) -> Result<(), String> {
    let fail = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(fail)?;
    let charts = folder.path().join("charts");
    fs::create_dir(&charts).map_err(fail)?;
    let mut about = "apiVersion: v2\nname: market\nversion: 1.0.0\ndependencies:\n".to_owned();
    for chart in CHARTS {
        about +=
            &format!("  - {{name: {chart}, version: {}, condition: {chart}.enabled}}\n", env!("CARGO_PKG_VERSION"));
        helm::output(helm.command().args(["package", "--destination"]).arg(&charts).arg(directory(chart)))?;
    }
    fs::write(folder.path().join("Chart.yaml"), about).map_err(fail)?;
    let render = |turned_off: &str| {
        let mut command = helm.command();
        command.args(["template", "shop"]).arg(folder.path()).args(["--kube-version", OLDEST]);
        let set = format!("global.imageRegistry=registry.example,global.storageClass=fast,{turned_off}.enabled=false");
        helm::output(command.args(["--set", &set]))
    };
    let (operator, instance) = (render(INSTANCE)?, render(OPERATOR)?);
    if operator.contains("image: registry.example/farmlokal-operator:")
        && !operator.contains("\nkind: FarmLokal\n")
        && instance.contains("\nkind: FarmLokal\n")
        && !instance.contains("\nkind: Deployment\n")
    {
        return Ok(());
    }
    Err(format!(
        "Helm {}: as parts of another chart, ours are not turned off, or do not see its registry",
        helm.version
    ))
}
