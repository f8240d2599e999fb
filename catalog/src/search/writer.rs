//! Writing the index.

use std::sync::atomic::Ordering;

use tantivy::indexer::IndexWriterOptions;
use tantivy::{TantivyDocument, Term};

use super::{SearchError, SearchIndex, fields, open};
use crate::{Product, ProductId};

/// The one writer of an index. What it is told is seen after [`Self::commit`]; what was not committed
/// when it is dropped, or when the process ends, is as if never told.
pub struct IndexWriter {
    index: SearchIndex,
    engine: tantivy::IndexWriter<TantivyDocument>,
    /// No document has a greater id, so a product that has one replaces nothing. It spares a new index
    /// looking for a million documents that are not there.
    highest: u64,
}

impl IndexWriter {
    pub(super) fn new(index: SearchIndex, heap_bytes: usize, threads: usize) -> Result<Self, SearchError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(heap_bytes / threads.max(1))
            .num_merge_threads(1)
            .build();
        let engine = index.shared.index.writer_with_options(options)?;
        // Merges may have gone on since the index was opened.
        index.shared.reader.reload()?;
        let highest = index.highest_id()?;
        Ok(Self { index, engine, highest })
    }

    /// Puts `product` in, in place of an earlier state of it.
    ///
    /// # Errors
    ///
    /// [`SearchError::Engine`] if the disk is full or a thread of the writer ended; the writer is of no
    /// use then, and a new one starts from the last commit.
    pub fn put(&mut self, product: &Product) -> Result<(), SearchError> {
        self.remove(product.id)?;
        self.highest = self.highest.max(fields::id_value(product.id));
        self.engine.add_document(self.index.shared.fields.document(product))?;
        Ok(())
    }

    /// Takes the product `id` out, if it is there.
    ///
    /// # Errors
    ///
    /// As [`Self::put`].
    pub fn remove(&mut self, id: ProductId) -> Result<(), SearchError> {
        let value = fields::id_value(id);
        if value <= self.highest {
            self.engine.delete_term(Term::from_field_u64(self.index.shared.fields.id, value));
        }
        Ok(())
    }

    /// Makes everything so far last and be seen, as the state of the change log at `position`.
    ///
    /// # Errors
    ///
    /// As [`Self::put`]; the index is then still the one of the commit before.
    pub fn commit(&mut self, position: u64) -> Result<(), SearchError> {
        let mut commit = self.engine.prepare_commit()?;
        commit.set_payload(&open::payload(position));
        commit.commit()?;
        self.index.shared.reader.reload()?;
        self.index.shared.position.store(position, Ordering::Release);
        Ok(())
    }

    /// Waits until the segments are merged as far as they are going to be; worth it after a build.
    ///
    /// # Errors
    ///
    /// [`SearchError::Engine`] if a thread of the writer ended; what was committed is safe.
    pub fn finish(self) -> Result<(), SearchError> {
        self.engine.wait_merging_threads()?;
        self.index.shared.reader.reload()?;
        Ok(())
    }
}
