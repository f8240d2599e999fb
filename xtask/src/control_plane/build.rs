//! Building the programs of Kubernetes and of a node from their Go modules: once, since it takes some ten minutes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use farmlokal_testkit::kubernetes::{CONTROL_PLANE, KUBELET, Module, Program, Programs, RUNTIME};
use farmlokal_testkit::program;

use crate::command::{line, root};

/// How many packages are compiled between two lines about it.
const PROGRESS: usize = 200;
/// What is kept of the compiler's words, for the error.
const TAIL: usize = 20;

/// Builds what the control plane lacks.
pub(crate) fn ensure() -> Result<(), String> {
    ensure_of(Module::Kubernetes, &CONTROL_PLANE)
}

/// Builds what a node lacks, the control plane included.
pub(crate) fn ensure_node() -> Result<(), String> {
    ensure()?;
    ensure_of(Module::Kubernetes, &KUBELET)?;
    ensure_of(Module::Node, &RUNTIME)
}

/// Builds those that are not in the cache.
fn ensure_of(module: Module, needed: &[Program]) -> Result<(), String> {
    let programs = Programs::locate(module)?;
    let missing = programs.missing(needed);
    if missing.is_empty() {
        return Ok(());
    }
    if program::find("go").is_none() {
        return Err("go was not found: Kubernetes' programs are built by Go 1.26 or later".to_owned());
    }
    let directory = programs.directory();
    fs::create_dir_all(directory).map_err(|error| format!("could not make {}: {error}", directory.display()))?;
    println!("building {} programs into {}, once: some minutes", missing.len(), directory.display());
    let flags = flags(module)?;
    missing.iter().try_for_each(|program| build(*program, module, &programs.path(program.name), &flags))
}

/// What the linker is told. Without the version every program of Kubernetes would call itself v0.0.0, and clients that
/// ask for the version go by that.
fn flags(module: Module) -> Result<String, String> {
    let mut flags = "-s -w".to_owned();
    if module == Module::Kubernetes {
        let version = version(module)?;
        let mut parts = version.split('.');
        let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        for of in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
            flags += &format!(" -X {of}.gitVersion=v{version} -X {of}.gitMajor={major} -X {of}.gitMinor={minor}");
        }
    }
    Ok(flags)
}

/// Kubernetes' version: `1.37.2`.
fn version(module: Module) -> Result<String, String> {
    let file = root().join(module.folder()).join("go.mod");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    text.lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v")?.split_whitespace().next())
        .map(str::to_owned)
        .ok_or_else(|| format!("{} requires no k8s.io/kubernetes", file.display()))
}

/// Builds one program beside `path` and then moves it there, so that what is there is whole.
fn build(Program { name, package }: Program, module: Module, path: &Path, flags: &str) -> Result<(), String> {
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    let mut command = Command::new("go");
    command
        .args(["build", "-v", "-trimpath", "-buildvcs=false"])
        // Those that Kubernetes is released with.
        .args(["-tags", "selinux,notest,grpcnotrace", "-ldflags", flags])
        .arg("-o")
        .arg(&unfinished)
        .arg(package)
        .current_dir(root().join(module.folder()))
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
