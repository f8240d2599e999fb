//! Making and opening the folder, and noticing what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};

use tantivy::directory::ManagedDirectory;
use tantivy::index::{SegmentComponent, SegmentMeta};
use tantivy::store::Compressor;
use tantivy::{Index, IndexSettings};

use super::SearchError;
use super::fields::{Fields, VERSION};
use super::files::Files;

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
pub(super) fn create(dir: &Path) -> Result<(Index, Fields, Files), SearchError> {
    fs::create_dir_all(dir)?;
    if fs::read_dir(dir)?.next().is_some() {
        return Err(SearchError::NotEmpty);
    }
    let (schema, fields) = Fields::schema();
    let settings = IndexSettings { docstore_compression: Compressor::None, ..IndexSettings::default() };
    let files = Files::open(dir).map_err(tantivy::TantivyError::from)?;
    let index = Index::create(files.clone(), schema, settings)?;
    Fields::register(&index);
    Ok((index, fields, files))
}

/// Opens the index in `dir`, reading every file of it once to see that it is whole.
pub(super) fn open(dir: &Path) -> Result<(Index, Fields, Files), SearchError> {
    let [segments, managed] = LISTS;
    if !dir.join(segments).exists() {
        return Err(SearchError::Missing);
    }
    if !dir.join(managed).exists() {
        return Err(SearchError::Damaged(format!("{managed} is missing")));
    }
    let files = Files::open(dir).map_err(tantivy::TantivyError::from)?;
    let index = Index::open(files.clone()).map_err(unreadable)?;
    let (schema, fields) = Fields::schema();
    if index.schema() != schema {
        return Err(SearchError::Outdated);
    }
    Fields::register(&index);
    for segment in index.load_metas()?.segments {
        check(index.directory(), &segment)?;
    }
    Ok((index, fields, files))
}

/// Refuses an index of which a file has gone or changed its length since it was read.
pub(super) fn look(index: &Index, files: &Files) -> Result<(), SearchError> {
    loop {
        let listed = listed(index)?;
        let Some(damage) = listed.iter().find_map(|file| files.check(file).err()) else { return Ok(()) };
        // A merge may have taken its sources away meanwhile; then they are not listed any more.
        if self::listed(index)? == listed {
            return Err(damage);
        }
    }
}

/// Every file that the index needs now.
fn listed(index: &Index) -> Result<Vec<PathBuf>, SearchError> {
    let segments = index.load_metas().map_err(unreadable)?.segments;
    Ok(segments.iter().flat_map(parts).chain(LISTS.map(PathBuf::from)).collect())
}

/// The files of `segment`.
fn parts(segment: &SegmentMeta) -> impl Iterator<Item = PathBuf> {
    let deletions = segment.has_deletes().then_some(SegmentComponent::Delete);
    PARTS.into_iter().chain(deletions).map(|part| segment.relative_path(part))
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
    for file in parts(segment) {
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
