//! Namespaces of the kernel: for the network, mounts, processes, and the machine's name.

use std::env;
use std::path::Path;
use std::process::{self, Command};

use tempfile::TempDir;

use super::{ADDRESS, NAME};
use crate::program;

/// The variable that tells a process inside the name of the control group that pods are to be in.
const GROUP_VARIABLE: &str = "FARMLOKAL_TEST_NODE_GROUP";

/// Runs `sh -c $2` and the words after it inside, as the first process there, and clears up: whatever ends, that process
/// or this one, by any signal, ends all that is inside. `$1` is the control group, and `$TMPDIR` for nothing else.
const OUTSIDE: &str = r#"
group=$1
shift
set -- unshare --mount --propagation private --net --pid --uts --ipc --fork --kill-child --mount-proc sh -c "$@"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    groups=/sys/fs/cgroup
    echo '+cpu +cpuset +memory +pids' > "$groups/cgroup.subtree_control"
    mkdir -p "$groups/$group"
else
    groups='/sys/fs/cgroup/*'
    for controller in $groups; do mkdir -p "$controller/$group"; done
    for file in cpuset.cpus cpuset.mems; do
        cat "/sys/fs/cgroup/cpuset/$file" > "/sys/fs/cgroup/cpuset/$group/$file"
    done
fi
"$@" &
inside=$!
trap 'kill -KILL "$inside"' HUP INT TERM
wait "$inside"
code=$?
wait
# A group is busy until its last process is gone, which takes the kernel a moment.
tries=0
for controller in $groups; do
    while [ -d "$controller/$group" ] && [ "$tries" -lt 100 ]; do
        find "$controller/$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.05
        tries=$((tries + 1))
    done
done
rm -rf "$TMPDIR"
exit "$code"
"#;

/// A machine of its own for the words after `$1`, which is its address: `$0` is its name, and Services are reached from
/// it as from its pods.
const INSIDE: &str = r#"
set -e
hostname "$0"
ip link set lo up
ip address add "$1/32" dev lo
ip route add 10.96.0.0/16 dev lo src "$1"
mount --make-rshared /
shift
# Not instead of this shell: the first process has to take leave of those whose parents are gone.
"$@" &
wait $!
"#;

/// Where a program is to run.
#[derive(Debug)]
pub struct Namespaces {
    /// For all that it makes.
    directory: TempDir,
}

impl Namespaces {
    /// Nothing is made but a directory yet.
    ///
    /// # Errors
    ///
    /// When this machine is not ours to divide, or lacks what divides it.
    pub fn new() -> Result<Self, String> {
        if !program::is_root() {
            return Err("a node needs root, for its namespaces and mounts: run as root, or use --kubeconfig".to_owned());
        }
        let needed = ["find", "hostname", "ip", "mount", "setpriv", "unshare"];
        if let Some(missing) = needed.iter().find(|name| program::find(name).is_none()) {
            return Err(format!("{missing} was not found, which makes the node's namespaces"));
        }
        let directory = tempfile::Builder::new().prefix("farmlokal-node-").tempdir();
        Ok(Self { directory: directory.map_err(|error| format!("no temporary directory for a node: {error}"))? })
    }

    /// The command that runs `program` with `arguments` inside, with its temporary files in a directory that goes with
    /// `self`. It ends when this process does.
    #[must_use]
    pub fn command(&self, program: &Path, arguments: &[String]) -> Command {
        let group = format!("farmlokal-{}", process::id());
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM", "sh", "-c", OUTSIDE, "outside", &group, INSIDE, NAME, &ADDRESS.to_string()])
            .arg(program)
            .args(arguments)
            .env(GROUP_VARIABLE, &group)
            .env("TMPDIR", self.directory.path());
        command
    }
}

/// The control group for pods.
pub(super) fn group() -> Result<String, String> {
    env::var(GROUP_VARIABLE)
        .map_err(|_| "a node runs in namespaces of its own: `cargo xtask e2e` makes them".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> process::Output {
        let namespaces = Namespaces::new().unwrap_or_else(|error| panic!("{error}"));
        let arguments = ["-c".to_owned(), script.to_owned()];
        namespaces.command(Path::new("/bin/sh"), &arguments).output().unwrap()
    }

    #[test]
    fn what_is_inside_sees_only_itself_and_ends_together() {
        if !program::is_root() {
            // Whoever is not, cannot have a node; that is said, and not tried.
            assert!(Namespaces::new().unwrap_err().contains("needs root"));
            return;
        }
        let mark = format!("100{}", process::id());
        let output = run(&format!(
            "sleep {mark} & hostname; ip -brief link; ls /sys/fs/cgroup/*/$FARMLOKAL_TEST_NODE_GROUP -d; exit 7"
        ));
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert!(said.starts_with("node1\nlo "), "{said}");
        assert_eq!(said.lines().filter(|line| line.contains("UP") || line.contains("UNKNOWN")).count(), 1, "{said}");

        let processes = Command::new("ps").args(["-eo", "args"]).output().unwrap();
        assert!(!String::from_utf8_lossy(&processes.stdout).lines().any(|line| line == format!("sleep {mark}")));
        for group in said.lines().filter(|line| line.starts_with("/sys")) {
            assert!(!Path::new(group).exists(), "{group}");
        }
    }
}
