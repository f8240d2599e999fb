//! CoreDNS, which knows the Services' names.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::ADDRESS;
use crate::kubernetes::programs::Programs;
use crate::process::Process;

const READY_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn start(programs: &Programs, kubeconfig: &Path) -> Result<Process, String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let config = directory.path().join("Corefile");
    let kubeconfig = kubeconfig.display();
    // Other names are nobody's here, and asking for them is answered at once.
    let text = format!(
        ".:53 {{\n    errors\n    ready 127.0.0.1:8181\n    kubernetes cluster.local {{\n        kubeconfig {kubeconfig}\n    \
         }}\n}}\n"
    );
    fs::write(&config, text).map_err(|error| format!("CoreDNS: {error}"))?;
    let mut command = Command::new(programs.path("coredns"));
    command.arg("-conf").arg(config);
    let mut process = Process::start(command, directory)?;
    let listens = || TcpStream::connect((ADDRESS, 53)).is_ok();
    process.wait_until(READY_WITHIN, listens).map_err(|error| format!("CoreDNS {error}"))?;
    Ok(process)
}
