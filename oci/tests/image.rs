//! An archive is what a registry client would read, and the same each time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use farmlokal_oci::{Image, Tree, Written};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn image(time: u64) -> Image {
    let mut tree = Tree::default();
    tree.file("/usr/bin/milk", 0o755, "a program");
    tree.folder("tmp", 0o1777);
    tree.link("/bin/milk", "../usr/bin/milk");
    tree.file(&format!("etc/{}", "long/".repeat(30)), 0o644, "beyond a hundred characters");
    Image {
        reference: "registry.example:5000/dairy/milk:1.2".to_owned(),
        tree,
        entrypoint: vec!["/usr/bin/milk".to_owned()],
        user: "65532:65532".to_owned(),
        labels: BTreeMap::from([("org.opencontainers.image.version".to_owned(), "1.2".to_owned())]),
        created: time,
        compressed: true,
        ..Image::default()
    }
}

fn written(image: &Image) -> (Written, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    (image.write(&file).unwrap(), fs::read(file).unwrap())
}

/// All files of an archive.
fn files(archive: &[u8]) -> HashMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (path, bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

/// The blob that a descriptor speaks of, which is as long and has the digest that it says.
fn blob(files: &HashMap<String, Vec<u8>>, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = files[&format!("blobs/{}", digest.replace(':', "/"))].clone();
    assert_eq!(descriptor["size"], bytes.len());
    let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, format!("sha256:{sum}"));
    bytes
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let (first, second) = (written(&image(1_700_000_000)), written(&image(1_700_000_000)));
    assert!(first == second, "{:?} and {:?}", first.0, second.0);
    assert_ne!(first.0.digest, written(&image(1_700_000_001)).0.digest, "the time is part of it");
    let mut other = image(1_700_000_000);
    other.tree.file("usr/bin/milk", 0o755, "another program");
    assert_ne!(first.0.digest, written(&other).0.digest);
}

#[test]
fn everything_is_found_from_the_index() {
    let (about, archive) = written(&image(1_700_000_000));
    let files = files(&archive);
    let layout: Value = serde_json::from_slice(&files["oci-layout"]).unwrap();
    assert_eq!(layout["imageLayoutVersion"], "1.0.0");
    let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    let [descriptor] = &index["manifests"].as_array().unwrap()[..] else { panic!("{index}") };
    assert_eq!(descriptor["digest"], about.digest);
    assert_eq!(descriptor["annotations"]["io.containerd.image.name"], "registry.example:5000/dairy/milk:1.2");
    assert_eq!(descriptor["annotations"]["org.opencontainers.image.ref.name"], "1.2");

    let manifest: Value = serde_json::from_slice(&blob(&files, descriptor)).unwrap();
    let config: Value = serde_json::from_slice(&blob(&files, &manifest["config"])).unwrap();
    assert_eq!(config["created"], "2023-11-14T22:13:20Z");
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"][0], "/usr/bin/milk");
    assert_eq!(config["config"]["Labels"]["org.opencontainers.image.version"], "1.2");

    let layer = blob(&files, &manifest["layers"][0]);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&layer[..]).read_to_end(&mut unpacked).unwrap();
    let sum: String = Sha256::digest(&unpacked).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{sum}"));
    let mut entries = Vec::new();
    for entry in tar::Archive::new(&unpacked[..]).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 1_700_000_000));
        entries.push((entry.path().unwrap().to_string_lossy().into_owned(), header.mode().unwrap()));
    }
    let mode = |path: &str| entries.iter().find(|(is, _)| is.trim_end_matches('/') == path).map(|(_, mode)| *mode);
    assert_eq!(mode("usr/bin/milk"), Some(0o755));
    assert_eq!(mode("tmp"), Some(0o1777));
    assert_eq!(mode("usr"), Some(0o755), "folders above are made");
    let above = entries.iter().position(|(path, _)| path.trim_end_matches('/') == "usr").unwrap();
    assert!(above < entries.iter().position(|(path, _)| path == "usr/bin/milk").unwrap(), "{entries:?}");
}

#[test]
fn a_program_comes_with_its_libraries() {
    let mut tree = Tree::default();
    tree.program(Path::new("/bin/sh"), "bin/sh").unwrap();
    assert!(tree.paths().any(|path| path.contains("libc.so")), "{:?}", tree.paths().collect::<Vec<_>>());
    let error = tree.program(Path::new("/nowhere/milk"), "bin/milk").unwrap_err();
    assert!(error.starts_with("/nowhere/milk: "), "{error}");
}
