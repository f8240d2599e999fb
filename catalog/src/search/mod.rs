//! The search index: every word, misspelt or not, under every filter and in every order.
//!
//! A projection of the products table in a folder of its own, made with tantivy. It knows neither SQL
//! nor the change log: whoever feeds it says with each commit which [position](SearchIndex::position)
//! of the log it stands for, and fetches the products behind the ids that it finds.
//!
//! *What matches*: all words of the search, each in name, producer or description; the last one also
//! as a beginning. If no product has them, misspellings are forgiven: see [`Stage`].
//!
//! *How fast*: the matches of a segment are a bit set, made from the words' postings; filters, orders
//! and counts are read from columns. Nothing depends on the place of a page in the scan.

mod bits;
mod error;
mod facets;
mod fields;
mod files;
mod matching;
mod name_order;
mod nearby;
mod open;
mod relevance;
mod scan;
mod segment;
mod suggest;
mod top;
mod word;
mod writer;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tantivy::{Index, IndexReader, ReloadPolicy, Searcher};

use crate::{Filter, Position, ProductId, Query, SearchText};

pub use error::SearchError;
pub use facets::Facets;
pub use word::Stage;
pub use writer::IndexWriter;

use fields::Fields;
use files::Files;
use matching::Matching;
use segment::Segment;

/// A search index in a folder. Clones share it; it is read from any number of threads while one
/// [`IndexWriter`] writes.
///
/// The files are read into memory, so that an open index answers on whatever becomes of them. Damage is
/// looked for by [`Self::open`], byte by byte, and by [`Self::look`] at the cost of some system calls.
#[derive(Clone)]
pub struct SearchIndex {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    index: Index,
    fields: Fields,
    files: Files,
    reader: IndexReader,
    position: AtomicU64,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// The products, in the order asked for, each with the position a page behind it starts at.
    pub ids: Vec<(ProductId, Position)>,
    /// Whether there are further ones.
    pub more: bool,
    /// How the search was understood. A cursor keeps it, so that all pages of a scan agree.
    pub stage: Stage,
}

impl SearchIndex {
    /// A new, empty index in `dir`, which must be empty or absent, at position 0.
    ///
    /// # Errors
    ///
    /// [`SearchError::NotEmpty`], or [`SearchError::Engine`] if the folder cannot be written.
    pub fn create(dir: &Path) -> Result<Self, SearchError> {
        let (index, fields, files) = open::create(dir)?;
        let mut first: tantivy::IndexWriter = index.writer_with_num_threads(1, 15_000_000)?;
        let mut commit = first.prepare_commit()?;
        commit.set_payload(&open::payload(0));
        commit.commit()?;
        drop(first);
        Self::with(dir, index, fields, files)
    }

    /// The index in `dir`, after a look at every byte of it: 49 MB took 10 to 30 ms from the page
    /// cache; from a disk it takes as long as reading them.
    ///
    /// # Errors
    ///
    /// [`SearchError::Missing`], [`SearchError::Outdated`] or [`SearchError::Damaged`]: the index is to
    /// be made again.
    pub fn open(dir: &Path) -> Result<Self, SearchError> {
        let (index, fields, files) = open::open(dir)?;
        Self::with(dir, index, fields, files)
    }

    fn with(dir: &Path, index: Index, fields: Fields, files: Files) -> Result<Self, SearchError> {
        let position = AtomicU64::new(open::position(&index)?);
        // The writer reloads after each commit; a watcher would be a thread that polls a file.
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { shared: Arc::new(Shared { dir: dir.to_owned(), index, fields, files, reader, position }) })
    }

    /// Looks whether every file is still there and as long as when it was read. It reads none of them:
    /// enough to notice what is deleted or cut under an open index.
    ///
    /// # Errors
    ///
    /// [`SearchError::Damaged`]: the index answers on, but is to be made again.
    pub fn look(&self) -> Result<(), SearchError> {
        open::look(&self.shared.index, &self.shared.files)
    }

    /// The writer of this index, with `threads` threads that buffer `heap_bytes` bytes together (at
    /// least 15 MB each) before they write a segment.
    ///
    /// # Errors
    ///
    /// [`SearchError::Busy`] if there is one already, in this process or another.
    pub fn writer(&self, heap_bytes: usize, threads: usize) -> Result<IndexWriter, SearchError> {
        IndexWriter::new(self.clone(), heap_bytes, threads)
    }

    /// The position in the change log that the last commit stands for.
    pub fn position(&self) -> u64 {
        self.shared.position.load(Ordering::Acquire)
    }

    /// How many products it has.
    pub fn documents(&self) -> u64 {
        self.shared.reader.searcher().num_docs()
    }

    /// How many bytes its files have; files that come or go meanwhile are left out.
    pub fn bytes_on_disk(&self) -> u64 {
        let files = fs::read_dir(&self.shared.dir).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    }

    /// The first `limit` products of `query` behind `after`. On pages behind the first, `stage` is the
    /// one of the first page's [`Hits`]; with `None` it is found out.
    ///
    /// # Errors
    ///
    /// [`SearchError::Position`] if `after` is of another order; [`SearchError::Engine`] if the files
    /// cannot be read. No search text is an error; one without words finds nothing.
    pub fn search(
        &self,
        query: &Query,
        after: Option<&Position>,
        stage: Option<Stage>,
        limit: usize,
    ) -> Result<Hits, SearchError> {
        let searcher = self.shared.reader.searcher();
        let found = self.find(&searcher, query.filter(), query.search(), stage)?;
        let mut ids = scan::first(&found, query.order(), after, limit.saturating_add(1))?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        Ok(Hits { ids, more, stage: found.stage })
    }

    /// How many products `filter` and `search` leave, exactly.
    ///
    /// # Errors
    ///
    /// [`SearchError::Engine`] if the files cannot be read.
    pub fn count(&self, filter: &Filter, search: Option<&SearchText>) -> Result<u64, SearchError> {
        let searcher = self.shared.reader.searcher();
        let found = self.find(&searcher, filter, search, None)?;
        Ok(found.segments.iter().map(|(_, bits)| bits.count()).sum())
    }

    /// How the products that `filter` and `search` leave are spread over categories and prices.
    ///
    /// # Errors
    ///
    /// [`SearchError::Engine`] if the files cannot be read.
    pub fn facets(&self, filter: &Filter, search: Option<&SearchText>) -> Result<Facets, SearchError> {
        let searcher = self.shared.reader.searcher();
        Facets::of(&self.find(&searcher, filter, search, None)?)
    }

    /// Up to `limit` completions of `text`, of which characters beyond [`SearchText::MAX_CHARS`] are
    /// ignored: its words with the last one completed to a word of a product's name, folded; those in
    /// most names first. One edit is forgiven from four letters.
    ///
    /// # Errors
    ///
    /// [`SearchError::Engine`] if the files cannot be read.
    pub fn suggest(&self, text: &str, limit: usize) -> Result<Vec<String>, SearchError> {
        let start: String = text.trim_start().chars().take(SearchText::MAX_CHARS).collect();
        let Ok(text) = start.parse() else { return Ok(Vec::new()) };
        let searcher = self.shared.reader.searcher();
        let fields = self.shared.fields;
        let segments: Vec<_> = searcher.segment_readers().iter().map(|reader| Segment { reader, fields }).collect();
        suggest::suggest(&segments, &text, limit)
    }

    fn find<'a>(
        &self,
        searcher: &'a Searcher,
        filter: &Filter,
        search: Option<&SearchText>,
        stage: Option<Stage>,
    ) -> Result<Matching<'a>, SearchError> {
        Matching::find(searcher, self.shared.fields, search, stage)?.narrowed(filter)
    }

    /// The greatest id in the index, or a greater one.
    fn highest_id(&self) -> Result<u64, SearchError> {
        let searcher = self.shared.reader.searcher();
        let mut highest = 0;
        for reader in searcher.segment_readers() {
            highest = highest.max(Segment { reader, fields: self.shared.fields }.numbers(fields::ID)?.max_value());
        }
        Ok(highest)
    }
}
