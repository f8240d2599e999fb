//! Building Kubernetes' programs from their Go modules: once, since it takes some ten minutes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use farmlokal_testkit::kubernetes::{Program, Programs};
use farmlokal_testkit::program;

use crate::command::{line, root};

/// How many packages are compiled between two lines about it.
const PROGRESS: usize = 200;
/// What is kept of the compiler's words, for the error.
const TAIL: usize = 20;

/// Builds those that are not in the cache.
pub(crate) fn ensure() -> Result<(), String> {
    let programs = Programs::locate()?;
    let missing = programs.missing();
    if missing.is_empty() {
        return Ok(());
    }
    if program::find("go").is_none() {
        return Err("go was not found: Kubernetes' programs are built by Go 1.26 or later".to_owned());
    }
    let directory = programs.directory();
    fs::create_dir_all(directory).map_err(|error| format!("could not make {}: {error}", directory.display()))?;
    println!("building {} programs of Kubernetes into {}, once: some ten minutes", missing.len(), directory.display());
    let version = version()?;
    missing.iter().try_for_each(|program| build(*program, &programs.path(program.name), &version))
}

/// The folder of `go.mod`.
fn module() -> PathBuf {
    root().join("testkit/kubernetes")
}

/// Kubernetes' version: `1.37.2`.
fn version() -> Result<String, String> {
    let file = module().join("go.mod");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    text.lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v")?.split_whitespace().next())
        .map(str::to_owned)
        .ok_or_else(|| format!("{} requires no k8s.io/kubernetes", file.display()))
}

/// Builds one program beside `path` and then moves it there, so that what is there is whole.
fn build(Program { name, package }: Program, path: &Path, version: &str) -> Result<(), String> {
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    let mut command = Command::new("go");
    command
        .args(["build", "-v", "-trimpath", "-buildvcs=false"])
        // Those that Kubernetes is released with.
        .args(["-tags", "selinux,notest,grpcnotrace", "-ldflags", &stamp(version)])
        .arg("-o")
        .arg(&unfinished)
        .arg(package)
        .current_dir(module())
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let fail = |error: std::io::Error| format!("{name}: {error}");
    let mut child = command.spawn().map_err(fail)?;
    let mut said = Vec::new();
    for package in child.stderr.take().into_iter().flat_map(|it| BufReader::new(it).lines()) {
        said.push(package.map_err(fail)?);
        if said.len().is_multiple_of(PROGRESS) {
            println!("{name}: {} packages", said.len());
        }
    }
    if !child.wait().map_err(fail)?.success() {
        return Err(format!("{} failed:\n{}", line(&command), said[said.len().saturating_sub(TAIL)..].join("\n")));
    }
    fs::rename(&unfinished, path).map_err(fail)?;
    println!("{name}: built, with {} packages that were new", said.len());
    Ok(())
}

/// Without it every program would call itself v0.0.0, and clients that ask for the version go by that.
fn stamp(version: &str) -> String {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].iter().fold("-s -w".to_owned(), |flags, of| {
        format!("{flags} -X {of}.gitVersion=v{version} -X {of}.gitMajor={major} -X {of}.gitMinor={minor}")
    })
}
