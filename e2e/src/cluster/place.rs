//! Where it all happens.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use farmlokal_testkit::collector::Collector;
use farmlokal_testkit::http::Client;
use farmlokal_testkit::kubernetes::{ADDRESS, Node};
use tempfile::TempDir;

use super::{Arguments, Steps, Tools, images};

const STORAGE_CLASS: &str = include_str!("../../manifests/storage-class.yaml");
const DISK: &str = include_str!("../../manifests/disk.yaml");
/// One for each embedded database: a volume outlives the instance.
const DISKS: [&str; 2] = ["disk-1", "disk-2"];

/// A cluster, and what is on it for the run.
pub(super) struct Place {
    pub(super) tools: Tools,
    /// On the node only: pods of a cluster elsewhere do not reach this machine.
    pub(super) collector: Option<Collector>,
    node: Option<Node>,
    /// Held for its destructor.
    _directory: TempDir,
}

impl Place {
    /// Makes a node, or takes the cluster that is there.
    pub(super) fn find(arguments: &Arguments, steps: &mut Steps) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let tools = |kubeconfig: &Path| Tools {
            helm: arguments.helm.clone(),
            kubectl: arguments.kubectl.clone(),
            kubeconfig: kubeconfig.to_owned(),
        };
        if let Some(kubeconfig) = &arguments.kubeconfig {
            let place = Self { tools: tools(kubeconfig), collector: None, node: None, _directory: directory };
            steps.take("the cluster", || place.tools.kubectl("version --output=yaml").map(|_| String::new()))?;
            return Ok(place);
        }
        let mut archives = arguments.images.clone();
        steps.take("images of MariaDB and Redis", || {
            archives.extend(images::write(directory.path(), arguments.registry())?);
            Ok(String::new())
        })?;
        let archives: Vec<_> = archives.iter().map(AsRef::as_ref).collect();
        let mut node = None;
        steps.take("a node that is ready", || {
            node = Some(Node::start(&arguments.kubectl, &archives)?);
            Ok(format!("{} images", archives.len()))
        })?;
        let node = node.ok_or("there is no node")?;
        let tools = tools(node.kubeconfig());
        tools.apply(STORAGE_CLASS)?;
        for name in DISKS {
            let directory = directory.path().join(name);
            fs::create_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
            let directory = directory.display().to_string();
            tools.apply(&DISK.replace("NAME", name).replace("DIRECTORY", &directory))?;
        }
        let collector = Some(Collector::start_at(ADDRESS));
        Ok(Self { tools, collector, node: Some(node), _directory: directory })
    }

    /// Where a Service answers.
    pub(super) fn service(&self, namespace: &str, name: &str) -> Result<SocketAddr, String> {
        let said = self.tools.kubectl(&format!(
            "get service {name} --namespace {namespace} --output jsonpath={{.spec.clusterIP}}:{{.spec.ports[0].port}}"
        ))?;
        said.parse().map_err(|error| format!("the Service {name} is at {said:?}: {error}"))
    }

    /// Has a pod's program die at once. Elsewhere than on our node, the pod is taken away instead.
    pub(super) fn crash(&self, namespace: &str, pod: &str) -> Result<(), String> {
        let Some(node) = &self.node else {
            let words = format!("delete pod {pod} --namespace {namespace} --grace-period=0 --force");
            return self.tools.kubectl(&words).map(|_| ());
        };
        let words = format!(
            "get pod {pod} --namespace {namespace} --output jsonpath={{.status.containerStatuses[0].containerID}}"
        );
        node.kill(&self.tools.kubectl(&words)?)
    }

    /// Prints what helps to find out why a run failed.
    pub(super) fn tell(&self) {
        for words in [
            "get farmlokals --all-namespaces --output wide",
            "get pods --all-namespaces --output wide",
            "get events --all-namespaces --sort-by .lastTimestamp",
            "logs --namespace farmlokal --selector app.kubernetes.io/name=farmlokal-operator --tail 30 --prefix",
            "logs --namespace shops --selector app.kubernetes.io/name=farmlokal --tail 20 --prefix",
            "describe farmlokals --all-namespaces",
        ] {
            println!("\n$ kubectl {words}\n{}", self.tools.kubectl(words).unwrap_or_else(|error| error));
        }
    }
}

/// Says that the products `1..=rows` are there, and none after them.
pub(super) fn has_products(address: SocketAddr, rows: u64) -> Result<(), String> {
    get(address, &format!("/v1/products/{rows}"))?;
    match get(address, &format!("/v1/products/{}", rows + 1)) {
        Err(error) if error.contains("answered 404") => Ok(()),
        other => Err(format!("{rows} products were asked for, and there is one more: {other:?}")),
    }
}

/// The JSON that is answered to `GET path`.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<serde_json::Value, String> {
    let mut client = Client::new(address);
    let (status, body) = client.get(path)?;
    if status != 200 {
        return Err(format!("{path} was answered {status}: {}", String::from_utf8_lossy(body)));
    }
    serde_json::from_slice(body).map_err(|error| format!("{path}: {error}"))
}
