//! Programs of this machine, and who runs them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Where Debian keeps servers; an ordinary user's `PATH` leaves out the first.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/usr/bin"];

/// The path of the program called `name`, looked for on `PATH`, then in the system's directories.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM.map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// Whether this process runs as root; false when that cannot be told.
#[must_use]
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|it| it.stdout.trim_ascii() == b"0")
}
