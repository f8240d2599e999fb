//! Programs of the system that the tests need.

use std::process::Command;

use farmlokal_testkit::program;

use crate::command;

/// A program and the Debian package that brings it.
const NEEDED: [(&str, &str); 5] = [
    ("mariadbd", "mariadb-server"),
    ("openssl", "openssl"),
    // Checks alerts and dashboards; the server itself is not started.
    ("promtool", "prometheus"),
    ("redis-server", "redis-server"),
    ("sqlite3", "sqlite3"),
];

/// Installs the packages whose programs are missing, as root on Debian.
///
/// # Errors
///
/// When they cannot be installed; the message has the command that would do it.
pub(crate) fn ensure() -> Result<(), String> {
    let missing: Vec<_> =
        NEEDED.iter().filter(|(name, _)| program::find(name).is_none()).map(|(_, package)| *package).collect();
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
