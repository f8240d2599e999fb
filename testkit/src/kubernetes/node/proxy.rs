//! kube-proxy, which makes the Services' addresses lead to pods.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{ADDRESS, NAME};
use crate::kubernetes::programs::Programs;
use crate::process::Process;
use crate::program;

const READY_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn start(programs: &Programs, kubeconfig: &Path) -> Result<Process, String> {
    program::find("nft").ok_or("nft was not found: apt-get install nftables")?;
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let config = directory.path().join("config.yaml");
    fs::write(&config, configuration(kubeconfig)).map_err(|error| format!("kube-proxy: {error}"))?;
    let mut command = Command::new(programs.path("kube-proxy"));
    command.arg(format!("--config={}", config.display()));
    let mut process = Process::start(command, directory)?;
    let listens = || TcpStream::connect(("127.0.0.1", 10256)).is_ok();
    process.wait_until(READY_WITHIN, listens).map_err(|error| format!("kube-proxy {error}"))?;
    Ok(process)
}

/// Limits of connection tracking are the whole machine's, and left alone.
fn configuration(kubeconfig: &Path) -> String {
    let kubeconfig = kubeconfig.display();
    format!(
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {{kubeconfig: {kubeconfig}}}
clusterCIDR: 10.244.0.0/16
hostnameOverride: {NAME}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
nodePortAddresses: [{ADDRESS}/32]
conntrack: {{maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}}
"
    )
}
