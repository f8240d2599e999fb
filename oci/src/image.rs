//! An image: its files, and how a runtime starts it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use chrono::{DateTime, SecondsFormat};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use crate::Tree;
use crate::archive::{Archive, Blob, digest};

/// What there is to say of an image.
#[derive(Debug, Clone, Default)]
pub struct Image {
    /// Its full name: `docker.io/library/farmlokal:0.1.0`.
    pub reference: String,
    /// What is in it.
    pub tree: Tree,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments, instead of which a container may have others.
    pub arguments: Vec<String>,
    /// `65532:65532`; root if empty.
    pub user: String,
    /// Variables as `NAME=value`.
    pub environment: Vec<String>,
    /// The ports that it listens on: `8080/tcp`.
    pub ports: Vec<String>,
    /// `org.opencontainers.image.…`.
    pub labels: BTreeMap<String, String>,
    /// When it was made, in seconds since 1970: a commit's time, so that the same commit makes the same image.
    pub created: u64,
    /// Whether its files are compressed: for a registry they should be, for a runtime beside it that is lost time.
    pub compressed: bool,
}

/// An archive that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The image's: `sha256:…`.
    pub digest: String,
    /// Bytes that a registry would store and a node pull.
    pub bytes: u64,
}

impl Image {
    /// Writes it to `path`, as a tar archive with the OCI image layout.
    ///
    /// # Errors
    ///
    /// When that cannot be written; the message names it.
    pub fn write(&self, path: &Path) -> Result<Written, String> {
        self.try_write(path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn try_write(&self, path: &Path) -> io::Result<Written> {
        let mut files = Vec::new();
        self.tree.write(&mut files, self.created)?;
        // Runtimes know a layer by its files, whatever packed them.
        let identity = digest(&files);
        let (suffix, layer) = if self.compressed { ("+gzip", gzip(&files)?) } else { ("", files) };
        let layer = Blob::new(&format!("application/vnd.oci.image.layer.v1.tar{suffix}"), layer);
        let config = Blob::json("application/vnd.oci.image.config.v1+json", &self.configuration(&identity))?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
            "annotations": self.labels,
        });
        let manifest = Blob::json("application/vnd.oci.image.manifest.v1+json", &manifest)?;
        let mut descriptor = manifest.descriptor();
        let tag = self.reference.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        descriptor["annotations"] =
            json!({"io.containerd.image.name": self.reference, "org.opencontainers.image.ref.name": tag});
        descriptor["platform"] = json!({"architecture": architecture(), "os": "linux"});
        let written = Written {
            digest: manifest.digest().to_owned(),
            bytes: [&layer, &config, &manifest].iter().map(|blob| blob.bytes().len() as u64).sum(),
        };
        let mut archive = Archive::new(File::create(path)?, self.created);
        archive.index(&descriptor)?;
        [config, layer, manifest].iter().try_for_each(|blob| archive.blob(blob))?;
        archive.finish()?;
        Ok(written)
    }

    fn configuration(&self, layer: &str) -> Value {
        let created = self.time();
        let ports: BTreeMap<_, _> = self.ports.iter().map(|port| (port, json!({}))).collect();
        json!({
            "created": created,
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "User": self.user,
                "ExposedPorts": ports,
                "Env": self.environment,
                "Entrypoint": self.entrypoint,
                "Cmd": self.arguments,
                "WorkingDir": "/",
                "Labels": self.labels,
            },
            "rootfs": {"type": "layers", "diff_ids": [layer]},
            "history": [{"created": created}],
        })
    }

    /// `created` as a registry shows it: `2026-11-29T10:00:00Z`.
    #[must_use]
    pub fn time(&self) -> String {
        let seconds = i64::try_from(self.created).unwrap_or_default();
        DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// Without the time and the name that gzip writes by itself.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    packed.finish()
}

/// This machine's, by the name that images have for it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
