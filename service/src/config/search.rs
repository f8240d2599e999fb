//! `[search]`: whether there is a search index, and where.

use std::path::{Path, PathBuf};

use super::reader::Reader;

/// The folder of the search index, if there is to be one.
pub(super) fn read(reader: &mut Reader) -> Option<Option<PathBuf>> {
    let dir = reader.text("data.dir");
    let index: bool = reader.read("search.index", "must be true or false")?;
    let dir = dir?;
    if dir.is_empty() {
        reader.mistake("data.dir", "must be a folder such as ./data");
        return None;
    }
    Some(index.then(|| Path::new(&dir).join("search")))
}
