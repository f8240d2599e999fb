//! The archive: blobs by their digests, and an index.

use std::fs::File;
use std::io;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};

/// Bytes that others refer to.
pub(crate) struct Blob {
    kind: String,
    digest: String,
    bytes: Vec<u8>,
}

/// One that is being written.
pub(crate) struct Archive {
    tar: Builder<File>,
    time: u64,
}

impl Blob {
    pub(crate) fn new(kind: &str, bytes: Vec<u8>) -> Self {
        Self { kind: kind.to_owned(), digest: digest(&bytes), bytes }
    }

    pub(crate) fn json(kind: &str, value: &Value) -> io::Result<Self> {
        Ok(Self::new(kind, serde_json::to_vec(value)?))
    }

    pub(crate) fn descriptor(&self) -> Value {
        json!({"mediaType": self.kind, "digest": self.digest, "size": self.bytes.len()})
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Archive {
    pub(crate) fn new(file: File, time: u64) -> Self {
        Self { tar: Builder::new(file), time }
    }

    /// The first entries: what this is, and where to begin.
    pub(crate) fn index(&mut self, manifest: &Value) -> io::Result<()> {
        self.put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [manifest],
        });
        self.put("index.json", &serde_json::to_vec(&index)?)
    }

    pub(crate) fn blob(&mut self, blob: &Blob) -> io::Result<()> {
        self.put(&format!("blobs/{}", blob.digest.replace(':', "/")), &blob.bytes)
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.tar.finish()
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_mtime(self.time);
        header.set_size(bytes.len() as u64);
        self.tar.append_data(&mut header, path, bytes)
    }
}

/// `sha256:…`
pub(crate) fn digest(bytes: &[u8]) -> String {
    let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{sum}")
}
