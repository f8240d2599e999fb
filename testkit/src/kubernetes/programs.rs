//! The control plane's programs: which, in what version, and where they are kept once built.

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cache;

/// The Go module that they are built from. It names all versions, so that another text is another control plane.
const MODULE: &str = include_str!("../../kubernetes/go.mod");
const CHECKSUMS: &str = include_str!("../../kubernetes/go.sum");

/// The environment variable with a directory of programs that were built elsewhere.
const DIRECTORY_VARIABLE: &str = "FARMLOKAL_TEST_KUBERNETES";

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Its file's name.
    pub name: &'static str,
    /// Its Go package.
    pub package: &'static str,
}

/// A directory of programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// All that a control plane needs, in the order in which they are built: the largest first, as the others share
    /// most of their packages with it.
    pub const ALL: [Program; 4] = [
        Program { name: "kube-apiserver", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
        Program { name: "kube-controller-manager", package: "k8s.io/kubernetes/cmd/kube-controller-manager" },
        Program { name: "kube-scheduler", package: "k8s.io/kubernetes/cmd/kube-scheduler" },
        Program { name: "etcd", package: "go.etcd.io/etcd/server/v3" },
    ];

    /// Those in the directory that `FARMLOKAL_TEST_KUBERNETES` names, else those in the user's cache directory.
    ///
    /// # Errors
    ///
    /// When there is no cache directory either.
    pub fn locate() -> Result<Self, String> {
        let directory = match env::var_os(DIRECTORY_VARIABLE) {
            Some(given) => given.into(),
            None => cache::directory()?.join(format!("kubernetes-{}", checksum())),
        };
        Ok(Self { directory })
    }

    /// Where they are, or are to be.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Those that are not there.
    #[must_use]
    pub fn missing(&self) -> Vec<Program> {
        Self::ALL.into_iter().filter(|program| !self.path(program.name).is_file()).collect()
    }

    /// Where one of them is, or is to be.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Twelve hexadecimal digits are enough to tell versions apart.
fn checksum() -> String {
    let digest = Sha256::new().chain_update(MODULE).chain_update(CHECKSUMS).finalize();
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
