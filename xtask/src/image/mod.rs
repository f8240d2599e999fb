//! `cargo xtask image`: the two images, as archives, without a daemon.

mod bill;
mod contents;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use farmlokal_oci::Image;

use crate::command::{cargo, root, run as run_command};

/// What each may be, as a registry would store it.
const LIMIT: u64 = 40_000_000;

/// A program and what is said about its image.
pub(crate) struct Product {
    /// The package, the program, and the image's repository.
    pub(crate) name: &'static str,
    title: &'static str,
    ports: &'static [&'static str],
}

/// The service, which seeds as well, and the operator.
pub(crate) const PRODUCTS: [Product; 2] = [
    Product { name: "farmlokal", title: "FarmLokal", ports: &["8080/tcp", "9090/tcp"] },
    Product { name: "farmlokal-operator", title: "FarmLokal's operator", ports: &["8081/tcp"] },
];

#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder to write them to
    #[arg(long, default_value = "target/images")]
    out: PathBuf,
    /// Take the programs that are built
    #[arg(long)]
    skip_build: bool,
    /// Quick to build, large and slow: for tests
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let Arguments { out, skip_build, debug } = arguments;
    if !skip_build {
        build(*debug)?;
    }
    write(&root().join(out), *debug, "").map(|_| ())
}

/// Builds the programs.
pub(crate) fn build(debug: bool) -> Result<(), String> {
    if debug {
        // With everything, as the tests have it: for a part, cargo would build dependencies anew, with fewer features.
        return run_command(&mut cargo("test --locked --workspace --no-run"));
    }
    let packages = PRODUCTS.iter().flat_map(|product| ["--package", product.name]);
    run_command(cargo("build --locked --release").args(packages))
}

/// Writes both, with `suffix` after the version in their tags, and their bills of materials beside them; returns the
/// archives.
pub(crate) fn write(out: &Path, debug: bool, suffix: &str) -> Result<Vec<PathBuf>, String> {
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    PRODUCTS.iter().map(|product| product.write(out, debug, suffix)).collect()
}

impl Product {
    fn write(&self, out: &Path, debug: bool, suffix: &str) -> Result<PathBuf, String> {
        let built = built(if debug { "debug" } else { "release" }, self.name)?;
        if !built.is_file() {
            return Err(format!("{} is not there: build it, or leave out --skip-build", built.display()));
        }
        let tag = format!("{}{suffix}", env!("CARGO_PKG_VERSION"));
        let reference = format!("docker.io/library/{}:{tag}", self.name);
        let bill = bill::of(self.name)?;
        let mut image = Image {
            reference: reference.clone(),
            tree: contents::tree(&built, self.name, &bill)?,
            entrypoint: vec![format!("/{}", contents::place(self.name))],
            user: contents::USER.to_owned(),
            environment: vec!["SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt".to_owned()],
            ports: self.ports.iter().map(|&port| port.to_owned()).collect(),
            created: git("log -1 --format=%ct")?.parse().map_err(|error| format!("the commit's time: {error}"))?,
            // Between two programs of one machine that costs more time than it saves.
            compressed: !debug,
            ..Image::default()
        };
        let time = image.time();
        let labels = [
            ("title", self.title),
            ("description", "A catalogue of local farms' products"),
            ("version", &tag),
            ("revision", &git("rev-parse HEAD")?),
            ("created", &time),
            ("licenses", "Apache-2.0"),
        ];
        image.labels =
            labels.map(|(name, value)| (format!("org.opencontainers.image.{name}"), value.to_owned())).into();
        let file = out.join(format!("{}-{tag}.tar", self.name));
        let written = image.write(&file)?;
        fs::write(out.join(format!("{}-{tag}.cdx.json", self.name)), bill).map_err(|error| error.to_string())?;
        let megabytes = written.bytes as f64 / 1e6;
        println!("{} {reference} {} {megabytes:.1} MB", file.display(), written.digest);
        if !debug && written.bytes > LIMIT {
            return Err(format!("{reference} has {megabytes:.1} MB, more than the {} it may have", LIMIT / 1_000_000));
        }
        Ok(file)
    }
}

/// Where cargo puts a program: beside this one's folder, wherever that is.
fn built(profile: &str, name: &str) -> Result<PathBuf, String> {
    let this = env::current_exe().map_err(|error| format!("xtask: {error}"))?;
    let target = this.ancestors().nth(2).ok_or("xtask is in no folder of cargo's")?;
    Ok(target.join(profile).join(name))
}

/// What git says of the commit that is checked out.
fn git(words: &str) -> Result<String, String> {
    let output = Command::new("git").args(words.split(' ')).current_dir(root()).output();
    let output = output.map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git {words}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
