//! What is in an image: the program, its libraries, and what it looks for in a system.

use std::fs;
use std::path::Path;
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
    tree.file(&place(name), 0o755, stripped(built)?);
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

/// The program without its symbols, which only debuggers read.
fn stripped(built: &Path) -> Result<Vec<u8>, String> {
    let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    command::run(Command::new("strip").args(["--strip-debug", "-o"]).arg(file.path()).arg(built))?;
    fs::read(file.path()).map_err(|error| error.to_string())
}
