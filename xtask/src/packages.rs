//! Programs of the system that the tests need.

use std::env;
use std::process::Command;

use farmlokal_testkit::{collector, program};

use crate::command;

/// A program and the Debian package that brings it.
const NEEDED: [(&str, &str); 8] = [
    ("chromium", "chromium"),
    ("mariadbd", "mariadb-server"),
    // Brings Helm.
    ("npm", "npm"),
    ("openssl", "openssl"),
    ("pip3", "python3-pip"),
    // Checks alerts and dashboards; the server itself is not started.
    ("promtool", "prometheus"),
    ("redis-server", "redis-server"),
    ("sqlite3", "sqlite3"),
];

/// What a node needs, and what runs on it.
const NODE: [(&str, &str); 13] = [
    ("busybox", "busybox"),
    ("ip", "iproute2"),
    ("ldd", "libc-bin"),
    ("nft", "nftables"),
    ("runc", "runc"),
    ("setpriv", "util-linux"),
    ("strip", "binutils"),
    ("hostname", "hostname"),
    ("wget", "wget"),
    ("mariadbd", "mariadb-server"),
    ("npm", "npm"),
    ("openssl", "openssl"),
    ("redis-server", "redis-server"),
];

/// Installs what is missing: Debian's packages, as root, and the collector, for this user.
///
/// # Errors
///
/// When something cannot be installed; the message has the command that would do it.
pub(crate) fn ensure() -> Result<(), String> {
    system(&NEEDED)?;
    collector()
}

/// The same for a node.
///
/// # Errors
///
/// As [`ensure`].
pub(crate) fn ensure_node() -> Result<(), String> {
    system(&NODE)?;
    collector()
}

/// The collector's program comes in a wheel. Only the program is wanted, so which Python asks does not matter.
fn collector() -> Result<(), String> {
    if collector::agent()?.is_file() {
        return Ok(());
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"]);
    pip.args(["--implementation", "cp", "--abi", "cp311", "--platform"]);
    pip.arg(format!("manylinux_2_34_{}", env::consts::ARCH)).arg("--target").arg(collector::home()?);
    command::run(pip.arg(format!("rotel=={}", collector::VERSION)))
}

fn system(needed: &[(&str, &'static str)]) -> Result<(), String> {
    let missing: Vec<_> =
        needed.iter().filter(|(name, _)| program::find(name).is_none()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if program::find("apt-get").is_none() {
        return Err(format!("please install what Debian calls {}", missing.join(" and ")));
    }
    if !program::is_root() {
        let missing = missing.join(" ");
        return Err(format!("please run: sudo apt-get install --no-install-recommends {missing}"));
    }
    command::run(&mut apt_get(&["update"]))?;
    command::run(apt_get(&["install", "-y", "--no-install-recommends"]).args(missing))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
