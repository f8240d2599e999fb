//! `cargo xtask control-plane`: a Kubernetes without nodes, for the operator and its tests.

mod build;

use std::io;

use farmlokal_testkit::kubernetes;

pub(crate) use build::{ensure, ensure_node};

/// Builds what is missing, starts it, prints what to export, and waits for the end of standard input. Ctrl-C needs no
/// handler: the programs end with this one, however it ends.
pub(crate) fn run() -> Result<(), String> {
    ensure()?;
    let server = kubernetes::Server::start()?;
    println!("export KUBECONFIG={}", server.kubeconfig().display());
    io::copy(&mut io::stdin(), &mut io::sink()).map_err(|error| error.to_string())?;
    Ok(())
}
