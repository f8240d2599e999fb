//! The charts on a control plane: installed, upgraded from another version, uninstalled, and installed again.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::helm::{self, Helm};
use super::{CHARTS, INSTANCE, OPERATOR, cases, definition, directory, monitoring, render, yaml};
use crate::command;

const DEFINITION: &str = "customresourcedefinition/farmlokals.farmlokal.dev";
/// A field of `spec` that the version before did not have.
const NEW: &str = "deletionPolicy";

/// Helm and kubectl, and where they work.
struct Cluster<'a> {
    helm: &'a Helm,
    kubeconfig: &'a Path,
}

/// Does all that with one Helm, and leaves nothing behind.
pub(super) fn check(helm: &Helm, kubeconfig: &Path) -> Result<(), String> {
    let cluster = Cluster { helm, kubeconfig };
    let checked = cluster.live();
    let cleared = cluster.clear();
    checked.and(cleared).map_err(|error| format!("Helm {}: {error}", helm.version))
}

impl Cluster<'_> {
    fn live(&self) -> Result<(), String> {
        for file in monitoring::definitions()? {
            self.kubectl(&format!("apply --server-side --filename {}", file.display()))?;
        }
        let before = before()?;
        self.kubectl("create namespace operators")?;
        self.kubectl("label namespace operators pod-security.kubernetes.io/enforce=restricted")?;
        self.helm("install operator --namespace operators", before.path())?;
        self.kubectl(&format!("wait {DEFINITION} --for=condition=Established --timeout=60s"))?;
        self.helm("install shop --namespace shops --create-namespace", &directory(INSTANCE))?;
        let shop = self.identity()?;
        // It stays pending, since there is no node; a pod that is not restricted would not be made.
        self.kubectl(
            "wait pod --namespace operators --selector app.kubernetes.io/component=operator --for=create --timeout=60s",
        )?;

        let notes = self.helm("upgrade operator --namespace operators", &directory(OPERATOR))?;
        self.new_field_is_known()?;
        self.helm(&format!("upgrade shop --namespace shops --set spec.{NEW}=Delete"), &directory(INSTANCE))?;
        expect("what was asked for with the new field", &self.field(NEW)?, "Delete")?;
        self.may("update leases.coordination.k8s.io --namespace operators")?;
        self.may("patch deployments.apps --namespace shops")?;
        self.accepts(&notes)?;

        self.helm("upgrade operator --namespace operators", &directory(OPERATOR))?;
        self.uninstall("operator", "operators")?;
        expect("the instance after the operator was uninstalled", &self.identity()?, &shop)?;
        self.helm("install operator --namespace operators", &directory(OPERATOR))?;
        expect("the instance after the operator was installed again", &self.identity()?, &shop)?;
        println!("Helm {}: installed, upgraded, uninstalled, installed again", self.helm.version);
        Ok(())
    }

    /// Who the instance is: another one under the same name is another one.
    fn identity(&self) -> Result<String, String> {
        self.kubectl("get farmlokal shop --namespace shops --output jsonpath={.metadata.uid}")
    }

    fn field(&self, name: &str) -> Result<String, String> {
        self.kubectl(&format!("get farmlokal shop --namespace shops --output jsonpath={{.spec.{name}}}"))
    }

    fn new_field_is_known(&self) -> Result<(), String> {
        let there = yaml::parse(&self.kubectl(&format!("get {DEFINITION} --output json"))?)?;
        let spec = there.pointer(&format!("{}/spec/properties/{NEW}", super::schema::OBJECT));
        spec.map(|_| ()).ok_or_else(|| format!("after the upgrade the cluster's definition lacks spec.{NEW}"))
    }

    /// Whether the operator may do something.
    fn may(&self, what: &str) -> Result<(), String> {
        let user = "system:serviceaccount:operators:operator-farmlokal-operator";
        let said = self.kubectl(&format!("auth can-i {what} --as {user}"))?;
        expect(what, said.trim(), "yes")
    }

    /// The API server takes the instances of the cases, the one that the notes show, the pods of `helm test` and what
    /// Prometheus' operator reads, as they are.
    fn accepts(&self, notes: &str) -> Result<(), String> {
        let shown = notes.split_once("<<'YAML'\n").and_then(|(_, rest)| rest.split_once("  YAML\n"));
        let (shown, _) = shown.ok_or("the notes show no object")?;
        let mut objects =
            vec![shown.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect::<Vec<_>>().join("\n")];
        for chart in CHARTS {
            for values in cases(chart)? {
                let text = render(self.helm, chart, &values)?;
                objects.extend(yaml::documents(&text).filter(|it| is_asked(it)).map(str::to_owned));
            }
        }
        let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        for object in objects {
            let object = object.replace("namespace: farm\n", "namespace: operators\n");
            fs::write(file.path(), object).map_err(|error| error.to_string())?;
            let file = file.path().display();
            self.kubectl(&format!("create --dry-run=server --validate=strict --filename {file}"))?;
        }
        Ok(())
    }

    fn uninstall(&self, release: &str, namespace: &str) -> Result<(), String> {
        let mut command = self.helm.command();
        command.args(["uninstall", release, "--namespace", namespace, "--wait", "--timeout", "60s"]);
        self.run(&mut command).map(|_| ())
    }

    /// Takes away what there is, whatever it is.
    fn clear(&self) -> Result<(), String> {
        for (release, namespace) in [("shop", "shops"), ("operator", "operators")] {
            let mut command = self.helm.command();
            self.run(command.args(["uninstall", release, "--ignore-not-found", "--namespace", namespace]))?;
        }
        for file in monitoring::definitions()? {
            self.kubectl(&format!("delete --ignore-not-found --filename {}", file.display()))?;
        }
        self.kubectl(&format!("delete {DEFINITION} --ignore-not-found"))?;
        self.kubectl("delete namespace shops operators --ignore-not-found").map(|_| ())
    }

    fn helm(&self, words: &str, chart: &Path) -> Result<String, String> {
        let mut command = self.helm.command();
        self.run(command.args(words.split(' ')).arg(chart))
    }

    fn kubectl(&self, words: &str) -> Result<String, String> {
        self.run(self.helm.kubectl().args(words.split(' ')))
    }

    fn run(&self, command: &mut Command) -> Result<String, String> {
        helm::output(command.env("KUBECONFIG", self.kubeconfig))
    }
}

/// Whether an object is one that only an API server knows all about.
fn is_asked(object: &str) -> bool {
    ["\nkind: FarmLokal\n", "\nkind: Pod\n", "apiVersion: monitoring.coreos.com/"].iter().any(|it| object.contains(it))
}

fn expect(what: &str, is: &str, expected: &str) -> Result<(), String> {
    if is == expected { Ok(()) } else { Err(format!("{what}: {is:?}, not {expected:?}")) }
}

/// A chart as the version before might have been: without a field of the definition.
fn before() -> Result<tempfile::TempDir, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    command::run(Command::new("cp").arg("-r").arg(directory(OPERATOR).join(".")).arg(folder.path()))?;
    let mut definition = definition()?;
    let fields =
        definition.pointer_mut(&format!("{}/spec/properties", super::schema::OBJECT)).and_then(Value::as_object_mut);
    fields.and_then(|fields| fields.remove(NEW)).ok_or_else(|| format!("the definition has no spec.{NEW}"))?;
    write(&folder.path().join("files/crd.yaml"), &definition)?;
    let mut about = yaml::read(&folder.path().join("Chart.yaml"))?;
    about["version"] = "0.0.1".into();
    write(&folder.path().join("Chart.yaml"), &about)?;
    Ok(folder)
}

/// JSON is YAML.
fn write(file: &Path, value: &Value) -> Result<(), String> {
    fs::write(file, value.to_string()).map_err(|error| format!("{}: {error}", file.display()))
}
