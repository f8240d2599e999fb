//! `[search]`: the search index.

use std::path::{Path, PathBuf};

use super::reader::Reader;

/// The search index.
#[derive(Debug, Clone)]
pub struct Search {
    /// Folder of the index.
    pub dir: PathBuf,
    /// Readiness waits for the first index.
    pub readiness_waits: bool,
}

pub(super) fn read(reader: &mut Reader) -> Option<Search> {
    let dir = reader.text("data.dir");
    let readiness_waits = reader.read("search.readiness_waits", "must be true or false");
    let dir = dir?;
    if dir.is_empty() {
        reader.mistake("data.dir", "must be a folder such as ./data");
        return None;
    }
    Some(Search { dir: Path::new(&dir).join("search"), readiness_waits: readiness_waits? })
}
