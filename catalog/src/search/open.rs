//! Making and opening the folder, and noticing what is wrong with it.

use std::fs;
use std::path::Path;

use tantivy::directory::ManagedDirectory;
use tantivy::index::{SegmentComponent, SegmentMeta};
use tantivy::store::Compressor;
use tantivy::{Index, IndexSettings};

use super::SearchError;
use super::fields::{Fields, VERSION};

/// The engine's list of segments, and its list of files.
const LISTS: [&str; 2] = ["meta.json", ".managed.json"];
/// What a segment consists of, but for its deletions.
const PARTS: [SegmentComponent; 6] = [
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FastFields,
    SegmentComponent::FieldNorms,
    SegmentComponent::Terms,
    SegmentComponent::Store,
];

/// Makes an empty index in `dir`, which must be empty or absent.
pub(super) fn create(dir: &Path) -> Result<(Index, Fields), SearchError> {
    fs::create_dir_all(dir)?;
    if fs::read_dir(dir)?.next().is_some() {
        return Err(SearchError::NotEmpty);
    }
    let (schema, fields) = Fields::schema();
    let settings = IndexSettings { docstore_compression: Compressor::None, ..IndexSettings::default() };
    let index = Index::builder().schema(schema).settings(settings).create_in_dir(dir)?;
    Fields::register(&index);
    Ok((index, fields))
}

/// Opens the index in `dir`, reading every file of it once to see that it is whole.
pub(super) fn open(dir: &Path) -> Result<(Index, Fields), SearchError> {
    let [segments, files] = LISTS;
    if !dir.join(segments).exists() {
        return Err(SearchError::Missing);
    }
    if !dir.join(files).exists() {
        return Err(SearchError::Damaged(format!("{files} is missing")));
    }
    let index = Index::open_in_dir(dir).map_err(unreadable)?;
    let (schema, fields) = Fields::schema();
    if index.schema() != schema {
        return Err(SearchError::Outdated);
    }
    Fields::register(&index);
    for segment in index.load_metas()?.segments {
        check(index.directory(), &segment)?;
    }
    Ok((index, fields))
}

/// An index that opens only in part is damaged, whatever part it is.
fn unreadable(error: tantivy::TantivyError) -> SearchError {
    match SearchError::from(error) {
        SearchError::Engine(error) => SearchError::Damaged(error.to_string()),
        other => other,
    }
}

/// Refuses `segment` unless each of its files is there and has the sum it was written with.
fn check(directory: &ManagedDirectory, segment: &SegmentMeta) -> Result<(), SearchError> {
    let deletions = segment.has_deletes().then_some(SegmentComponent::Delete);
    for part in PARTS.into_iter().chain(deletions) {
        let file = segment.relative_path(part);
        match directory.validate_checksum(&file) {
            Ok(true) => {}
            Ok(false) => return Err(SearchError::Damaged(format!("{} was altered", file.display()))),
            Err(error) => return Err(unreadable(error.into())),
        }
    }
    Ok(())
}

/// What a commit says of itself: the version of the fields and a position in the change log.
pub(super) fn payload(position: u64) -> String {
    format!("{VERSION} {position}")
}

/// The position of the last commit of `index`.
pub(super) fn position(index: &Index) -> Result<u64, SearchError> {
    let unclear = || SearchError::Damaged("the last commit does not say its position".into());
    let payload = index.load_metas()?.payload.ok_or_else(unclear)?;
    let (version, position) = payload.split_once(' ').ok_or_else(unclear)?;
    if version != VERSION.to_string() {
        return Err(SearchError::Outdated);
    }
    position.parse().map_err(|_| unclear())
}
