//! The kubelet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{ADDRESS, NAME};
use crate::kubernetes::programs::Programs;
use crate::process::Process;

pub(super) const READY_WITHIN: Duration = Duration::from_secs(90);

/// Starts it with its pods in the control group `group`; it is not ready yet.
pub(super) fn start(programs: &Programs, kubeconfig: &Path, socket: PathBuf, group: &str) -> Result<Process, String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let files = directory.path();
    let fail = |error: std::io::Error| format!("kubelet: {error}");
    fs::write(files.join("resolv.conf"), "").map_err(fail)?;
    fs::write(files.join("config.yaml"), configuration(files, &socket, group)).map_err(fail)?;
    let mut command = Command::new(programs.path("kubelet"));
    command
        .arg(format!("--config={}", files.join("config.yaml").display()))
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .arg(format!("--root-dir={}", files.join("root").display()))
        .arg(format!("--cert-dir={}", files.join("certificates").display()))
        .args([format!("--hostname-override={NAME}"), format!("--node-ip={ADDRESS}")]);
    Process::start(command, directory)
}

/// Nobody reaches the kubelet but the node and its pods, so it asks nobody who they are.
fn configuration(files: &Path, socket: &Path, group: &str) -> String {
    let (files, socket) = (files.display(), socket.display());
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {ADDRESS}
healthzBindAddress: 127.0.0.1
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
containerRuntimeEndpoint: unix://{socket}
cgroupDriver: cgroupfs
cgroupRoot: /{group}
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: [pods]
clusterDomain: cluster.local
clusterDNS: [{ADDRESS}]
resolvConf: {files}/resolv.conf
volumePluginDir: {files}/plugins
# The disk is that of whoever runs this: how full it is, is none of our pods' business.
evictionHard: {{memory.available: 50Mi}}
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
maxPods: 60
"
    )
}
