//! Kubernetes' programs and those of a node: which, in what version, and where they are kept once built.

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cache;

/// A Go module that programs are built from. Its files name all versions, so that other files are other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// Kubernetes and etcd.
    Kubernetes,
    /// What a node needs besides: a container runtime, pods' network, and names.
    Node,
}

/// One of their programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Its file's name.
    pub name: &'static str,
    /// Its Go package.
    pub package: &'static str,
}

/// A directory of a module's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    directory: PathBuf,
}

/// All that a control plane needs, of [`Module::Kubernetes`], in the order in which they are built: the largest first,
/// as the others share most of their packages with it.
pub const CONTROL_PLANE: [Program; 4] = [
    Program { name: "kube-apiserver", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
    Program { name: "kube-controller-manager", package: "k8s.io/kubernetes/cmd/kube-controller-manager" },
    Program { name: "kube-scheduler", package: "k8s.io/kubernetes/cmd/kube-scheduler" },
    Program { name: "etcd", package: "go.etcd.io/etcd/server/v3" },
];

/// What a node needs of [`Module::Kubernetes`].
pub const KUBELET: [Program; 2] = [
    Program { name: "kubelet", package: "k8s.io/kubernetes/cmd/kubelet" },
    Program { name: "kube-proxy", package: "k8s.io/kubernetes/cmd/kube-proxy" },
];

/// What a node needs of [`Module::Node`].
pub const RUNTIME: [Program; 7] = [
    Program { name: "containerd", package: "github.com/containerd/containerd/v2/cmd/containerd" },
    Program {
        name: "containerd-shim-runc-v2",
        package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    },
    Program { name: "ctr", package: "github.com/containerd/containerd/v2/cmd/ctr" },
    Program { name: "host-local", package: "github.com/containernetworking/plugins/plugins/ipam/host-local" },
    Program { name: "loopback", package: "github.com/containernetworking/plugins/plugins/main/loopback" },
    Program { name: "ptp", package: "github.com/containernetworking/plugins/plugins/main/ptp" },
    Program { name: "coredns", package: "farmlokal/testkit/node/dns" },
];

impl Module {
    /// Its folder in the repository, with `go.mod`.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Kubernetes => "testkit/kubernetes",
            Self::Node => "testkit/node",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Node => "node",
        }
    }

    /// The environment variable with a directory of programs that were built elsewhere.
    fn variable(self) -> &'static str {
        match self {
            Self::Kubernetes => "FARMLOKAL_TEST_KUBERNETES",
            Self::Node => "FARMLOKAL_TEST_NODE",
        }
    }

    /// Twelve hexadecimal digits, which are enough to tell versions apart.
    fn checksum(self) -> String {
        let files: &[&str] = match self {
            Self::Kubernetes => &[include_str!("../../kubernetes/go.mod"), include_str!("../../kubernetes/go.sum")],
            Self::Node => &[
                include_str!("../../node/go.mod"),
                include_str!("../../node/go.sum"),
                include_str!("../../node/dns/main.go"),
            ],
        };
        let digest = files.iter().fold(Sha256::new(), |sum, file| sum.chain_update(file)).finalize();
        digest.iter().take(6).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Programs {
    /// Those in the directory that `FARMLOKAL_TEST_KUBERNETES` or `FARMLOKAL_TEST_NODE` names, else those in the user's
    /// cache directory.
    ///
    /// # Errors
    ///
    /// When there is no cache directory either.
    pub fn locate(module: Module) -> Result<Self, String> {
        let directory = match env::var_os(module.variable()) {
            Some(given) => given.into(),
            None => cache::directory()?.join(format!("{}-{}", module.name(), module.checksum())),
        };
        Ok(Self { directory })
    }

    /// Where they are, or are to be.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Those of `needed` that are not there.
    #[must_use]
    pub fn missing(&self, needed: &[Program]) -> Vec<Program> {
        needed.iter().copied().filter(|program| !self.path(program.name).is_file()).collect()
    }

    /// Where one of them is, or is to be.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Says that they are all there.
    ///
    /// # Errors
    ///
    /// When one is not; the message says that `chore` builds it.
    pub fn require(&self, needed: &[Program], chore: &str) -> Result<(), String> {
        match self.missing(needed).first() {
            None => Ok(()),
            Some(missing) => {
                Err(format!("{} is not in {}: `{chore}` builds it", missing.name, self.directory.display()))
            }
        }
    }
}
