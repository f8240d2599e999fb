//! containerd, which pulls nothing: images are brought to it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::PAUSE;
use crate::kubernetes::programs::Programs;
use crate::process::Process;
use crate::program;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// The folder of the pods' network configuration.
const NETWORKS: &str = "networks";

/// A network of pods of which each has a line of its own to the node: packets between two of them are routed by it,
/// and so Services are the same from everywhere.
const NETWORK: &str = r#"{"cniVersion": "1.0.0", "name": "pods", "plugins": [
    {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "DIRECTORY/addresses",
     "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
"#;

/// The running daemon.
#[derive(Debug)]
pub(super) struct Runtime {
    ctr: PathBuf,
    process: Process,
}

impl Runtime {
    pub(super) fn start(programs: &Programs) -> Result<Self, String> {
        let runc = program::find("runc").ok_or("runc was not found: apt-get install runc")?;
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let files = directory.path();
        let config = files.join("config.toml");
        write(&config, &configuration(files, programs.directory(), &runc))?;
        fs::create_dir(files.join(NETWORKS)).map_err(|error| format!("{NETWORKS}: {error}"))?;
        let network = NETWORK.replace("DIRECTORY", &files.display().to_string());
        write(&files.join(NETWORKS).join("pods.conflist"), &network)?;
        let mut command = Command::new(programs.path("containerd"));
        command.arg("--config").arg(config).env("PATH", with(programs.directory())?);
        let mut runtime = Self { ctr: programs.path("ctr"), process: Process::start(command, directory)? };
        let (mut version, ready) = (runtime.client(), READY_WITHIN);
        version.arg("version");
        runtime
            .process
            .wait_until(ready, || version.output().is_ok_and(|output| output.status.success()))
            .map_err(|error| format!("containerd {error}"))?;
        Ok(runtime)
    }

    /// Where the kubelet finds it.
    pub(super) fn socket(&self) -> PathBuf {
        self.process.directory().join("socket")
    }

    /// Brings the images of an archive to it.
    pub(super) fn import(&self, archive: &Path) -> Result<(), String> {
        let mut command = self.client();
        let output = command.args(["images", "import"]).arg(archive).output();
        let output = output.map_err(|error| format!("ctr: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{}: {}", archive.display(), String::from_utf8_lossy(&output.stderr)))
    }

    /// Kills the processes of a container, as if they had crashed.
    pub(super) fn kill(&self, container: &str) -> Result<(), String> {
        let mut command = self.client();
        let output = command.args(["tasks", "kill", "--all", "--signal", "SIGKILL", container]).output();
        let output = output.map_err(|error| format!("ctr: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{container}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn client(&self) -> Command {
        let mut command = Command::new(&self.ctr);
        command.arg("--address").arg(self.socket()).args(["--namespace", "k8s.io"]);
        command
    }
}

fn configuration(files: &Path, programs: &Path, runc: &Path) -> String {
    let (files, programs, runc) = (files.display(), programs.display(), runc.display());
    format!(
        r#"version = 3
root = "{files}/root"
state = "{files}/state"
disabled_plugins = [
    "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
address = "{files}/socket"
[plugins.'io.containerd.cri.v1.images']
disable_snapshot_annotations = true
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{PAUSE}"
[plugins.'io.containerd.cri.v1.runtime']
disable_apparmor = true
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["{programs}"]
conf_dir = "{files}/{NETWORKS}"
[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = "runc"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = "{runc}"
SystemdCgroup = false
"#
    )
}

/// `PATH` with a directory before all others: containerd looks there for what starts containers.
fn with(directory: &Path) -> Result<std::ffi::OsString, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(directory.to_owned()).chain(env::split_paths(&path));
    env::join_paths(all).map_err(|error| format!("PATH: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("could not write {}: {error}", path.display()))
}
