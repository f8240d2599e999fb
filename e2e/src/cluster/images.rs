//! Images of what the catalogue needs beside itself, made of what Debian has installed here: nothing is pulled.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, iter};

use clap::Args;
use farmlokal_oci::{Image, Tree};
use farmlokal_testkit::{kubernetes, program};

/// What `helm test` asks with.
const ASKING: &str = "asking:1";
const MARIADB: &str = "mariadb:1";
const REDIS: &str = "redis:1";

/// Options of `farmlokal-e2e images`.
#[derive(Debug, Clone, Args)]
pub struct Images {
    /// The folder to write them to
    #[arg(long, default_value = "target/images")]
    out: PathBuf,
    /// Where a cluster will pull them from
    #[arg(long)]
    registry: String,
}

/// Writes them for a cluster that is there, and says which.
///
/// # Errors
///
/// When one of the programs is not installed, or the folder cannot be written to.
pub fn export(arguments: &Images) -> Result<(), String> {
    let Images { out, registry } = arguments;
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let beginning = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    for image in own(beginning.path(), registry)? {
        let name = image.reference.rsplit('/').next().unwrap_or_default().replace(':', "-");
        let file = out.join(format!("{name}.tar"));
        image.write(&file)?;
        println!("{} {}", file.display(), image.reference);
    }
    Ok(())
}

/// The image of `helm test`.
pub(super) fn asking(registry: &str) -> String {
    format!("{registry}/{ASKING}")
}

/// MariaDB's own files: messages, character sets.
const SHARE: &str = "usr/share/mysql";
/// Tables that a new server begins with.
const BEGINNING: &str = "usr/share/beginning";
/// As the charts say of theirs.
const USER: &str = "65532:65532";

/// Writes all of them to `folder`, as if they came from `registry`; returns the archives.
///
/// # Errors
///
/// When one of the programs is not installed; the message names it.
pub(super) fn write(folder: &Path, registry: &str) -> Result<Vec<PathBuf>, String> {
    let own = own(folder, registry)?;
    iter::once(pause()?)
        .chain(own)
        .enumerate()
        .map(|(number, image)| {
            let file = folder.join(format!("image-{number}.tar"));
            image.write(&file).map(|_| file)
        })
        .collect()
}

/// What a cluster does not have by itself.
fn own(folder: &Path, registry: &str) -> Result<[Image; 3], String> {
    let mut images = [shell_and_wget()?, mariadb(folder)?, redis()?];
    images.iter_mut().for_each(|image| image.reference = format!("{registry}/{}", image.reference));
    Ok(images)
}

/// A shell and its usual commands.
fn shell() -> Result<Tree, String> {
    let mut tree = Tree::default();
    tree.program(&find("busybox")?, "bin/busybox")?;
    ["cp", "sh", "sleep"].iter().for_each(|name| tree.link(&format!("bin/{name}"), "busybox"));
    tree.folder("tmp", 0o1777);
    Ok(tree)
}

fn image(reference: &str, tree: Tree, entrypoint: &[&str]) -> Image {
    Image {
        reference: reference.to_owned(),
        tree,
        entrypoint: entrypoint.iter().map(|&word| word.to_owned()).collect(),
        user: USER.to_owned(),
        environment: vec!["PATH=/bin:/usr/bin:/usr/sbin".to_owned()],
        ..Image::default()
    }
}

/// What holds a pod's namespaces: it does nothing, for very long.
fn pause() -> Result<Image, String> {
    Ok(image(kubernetes::PAUSE, shell()?, &["/bin/sleep", "2147483647"]))
}

fn shell_and_wget() -> Result<Image, String> {
    let mut tree = shell()?;
    // That of Debian's busybox crashes at its option -T.
    tree.program(&find("wget")?, "bin/wget")?;
    Ok(image(ASKING, tree, &["/bin/sh"]))
}

fn redis() -> Result<Image, String> {
    let mut tree = shell()?;
    tree.program(&find("redis-server")?, "usr/bin/redis-server")?;
    Ok(image(REDIS, tree, &["/usr/bin/redis-server", "--bind", "0.0.0.0", "--save", "", "--protected-mode", "no"]))
}

fn mariadb(folder: &Path) -> Result<Image, String> {
    let beginning = folder.join("mariadb");
    let mut install = Command::new(find("mariadb-install-db")?);
    install
        .args(["--no-defaults", "--user=root", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .args(["--innodb-log-file-size=8M", &format!("--datadir={}", beginning.display())]);
    let output = install.output().map_err(|error| format!("mariadb-install-db: {error}"))?;
    if !output.status.success() {
        return Err(format!("mariadb-install-db: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut tree = shell()?;
    tree.program(&find("mariadbd")?, "usr/sbin/mariadbd")?;
    tree.copy(&Path::new("/").join(SHARE), SHARE)?;
    tree.copy(&beginning, BEGINNING)?;
    // Another start finds what the one before left.
    let start = format!("[ -d /data/mysql ] || cp -r /{BEGINNING}/. /data; exec mariadbd --no-defaults \"$@\"");
    Ok(image(MARIADB, tree, &["/bin/sh", "-c", &start, "mariadbd"]))
}

fn find(name: &str) -> Result<PathBuf, String> {
    program::find(name).ok_or_else(|| format!("{name} was not found: `cargo xtask e2e` installs what it needs"))
}
