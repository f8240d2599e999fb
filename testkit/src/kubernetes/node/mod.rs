//! A node: what makes pods run. All of it, the control plane included, runs in namespaces of its own, where nothing is
//! reachable but itself, and nothing outlives it.

mod kubelet;
mod names;
mod namespaces;
mod proxy;
mod runtime;

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use super::programs::{KUBELET, Module, Programs, RUNTIME};
use super::server::Server;
use crate::process::Process;
pub use namespaces::Namespaces;
use runtime::Runtime;

/// Where the node is, for itself and its pods.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 250, 0, 10);
/// What it is called.
const NAME: &str = "node1";
/// The image that holds a pod's namespaces; whoever starts a node brings it.
pub const PAUSE: &str = "localhost/pause:1";

/// A Kubernetes of one node.
#[derive(Debug)]
pub struct Node {
    /// Held for their destructors, which run in this order: each needs those after it.
    _clients: [Process; 3],
    runtime: Runtime,
    server: Server,
}

impl Node {
    /// Starts it with the images in `archives`, and waits until pods can run. `kubectl` is a path.
    ///
    /// # Errors
    ///
    /// Outside of [`Namespaces`], when programs are not built, or when something does not come up; the message quotes
    /// its log.
    pub fn start(kubectl: &Path, archives: &[&Path]) -> Result<Self, String> {
        let group = namespaces::group()?;
        let kubernetes = Programs::locate(Module::Kubernetes)?;
        kubernetes.require(&KUBELET, "cargo xtask e2e")?;
        let programs = Programs::locate(Module::Node)?;
        programs.require(&RUNTIME, "cargo xtask e2e")?;
        let runtime = Runtime::start(&programs)?;
        archives.iter().try_for_each(|archive| runtime.import(archive))?;
        let server = Server::start_at(ADDRESS)?;
        let config = server.kubeconfig();
        let names = names::start(&programs, config)?;
        let mut kubelet = kubelet::start(&kubernetes, config, runtime.socket(), &group)?;
        let ready = || {
            let mut wait = Command::new(kubectl);
            wait.args(["wait", "--for=condition=Ready", "--timeout=1s", "node", NAME]).env("KUBECONFIG", config);
            wait.output().is_ok_and(|output| output.status.success())
        };
        kubelet.wait_until(kubelet::READY_WITHIN, ready).map_err(|error| format!("kubelet {error}"))?;
        // It looks for the node first.
        let proxy = proxy::start(&kubernetes, config)?;
        Ok(Self { _clients: [kubelet, proxy, names], runtime, server })
    }

    /// Kills a container by its id, `containerd://…`, as if its program had crashed: without a word to anybody.
    ///
    /// # Errors
    ///
    /// When there is no such container.
    pub fn kill(&self, container: &str) -> Result<(), String> {
        self.runtime.kill(container.trim_start_matches("containerd://"))
    }

    /// The path of the kubeconfig of the cluster's administrator.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        self.server.kubeconfig()
    }
}
