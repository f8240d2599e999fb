//! `cargo xtask servers`: the servers that tests share, for as long as one works on them.

use std::io;

use farmlokal_testkit::kubernetes::{self, CONTROL_PLANE, Module, Programs};
use farmlokal_testkit::mariadb;

/// Starts them, prints what to export, and waits for the end of standard input. Ctrl-C needs no
/// handler: the servers end with this process, however it ends.
pub(crate) fn run() -> Result<(), String> {
    let mariadb = mariadb::Server::start()?;
    println!("export {}={}", mariadb::URL_VARIABLE, mariadb.url(""));
    let _kubernetes = match Programs::locate(Module::Kubernetes)?.missing(&CONTROL_PLANE).is_empty() {
        true => {
            let server = kubernetes::Server::start()?;
            println!("export {}={}", kubernetes::CONFIG_VARIABLE, server.kubeconfig().display());
            Some(server)
        }
        false => {
            eprintln!("no Kubernetes: it is not built yet, which `cargo xtask control-plane` does");
            None
        }
    };
    io::copy(&mut io::stdin(), &mut io::sink()).map_err(|error| error.to_string())?;
    Ok(())
}
