//! Kubernetes: a private control plane. There is no node, so pods are made and never run; a test that needs them to
//! says what a kubelet would have said. [`Node`] is such a control plane with a node, for the whole system.

mod node;
mod programs;
mod server;
pub mod validator;

use std::env;
use std::path::PathBuf;

pub use node::{ADDRESS, Namespaces, Node, PAUSE};
pub use programs::{CONTROL_PLANE, KUBELET, Module, Program, Programs, RUNTIME};
pub use server::Server;

/// The environment variable with the path of the shared control plane's kubeconfig.
pub const CONFIG_VARIABLE: &str = "FARMLOKAL_TEST_KUBECONFIG";

/// The kubeconfig of the control plane that this test run shares: the cluster's administrator, who may do anything.
///
/// # Panics
///
/// When no control plane is announced in `FARMLOKAL_TEST_KUBECONFIG`.
#[must_use]
pub fn kubeconfig() -> PathBuf {
    match env::var_os(CONFIG_VARIABLE) {
        Some(path) => path.into(),
        None => panic!(
            "{CONFIG_VARIABLE} is not set: run the tests by `cargo xtask test`, \
             or run `cargo xtask servers` and export what it prints"
        ),
    }
}
