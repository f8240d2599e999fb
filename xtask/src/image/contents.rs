//! What is in an image: the program, its libraries, and what it looks for in a system.

use std::path::{Path, PathBuf};
use std::process::Command;

use farmlokal_oci::Tree;

use crate::command;

/// Nobody in particular; the charts say the same.
pub(super) const USER: &str = "65532:65532";

const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
const PASSWD: &str = "root:x:0:0:root:/:/sbin/nologin\nfarmlokal:x:65532:65532:farmlokal:/:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nfarmlokal:x:65532:\n";
/// Names are looked up by the libraries of glibc.
const LOOKUPS: &str = "hosts: files dns\n";

/// Where a program is.
pub(super) fn place(name: &str) -> String {
    format!("usr/bin/{name}")
}

/// Everything that belongs to the program `built`. There is no shell, and nothing that its user may write to but `/tmp`
/// and the folder of the embedded database.
pub(super) fn tree(built: &Path, name: &str, bill: &str) -> Result<Tree, String> {
    let mut tree = Tree::default();
    tree.program(built, &place(name))?;
    let stripped = strip(built)?;
    tree.copy(stripped.path(), &place(name))?;
    if !Path::new(CERTIFICATES).is_file() {
        return Err(format!("{CERTIFICATES} is not there: apt-get install ca-certificates"));
    }
    tree.copy(Path::new(CERTIFICATES), CERTIFICATES)?;
    tree.file("etc/passwd", 0o644, PASSWD);
    tree.file("etc/group", 0o644, GROUP);
    tree.file("etc/nsswitch.conf", 0o644, LOOKUPS);
    tree.file(&format!("usr/share/sbom/{name}.cdx.json"), 0o644, bill);
    tree.folder("tmp", 0o1777);
    tree.folder("var/lib/farmlokal", 0o1777);
    Ok(tree)
}

/// The program without its symbols, which only debuggers and backtraces read.
fn strip(built: &Path) -> Result<tempfile::TempPath, String> {
    let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let path = file.into_temp_path();
    let target: PathBuf = path.to_path_buf();
    command::run(Command::new("strip").arg("--strip-debug").arg("-o").arg(target).arg(built))?;
    Ok(path)
}
