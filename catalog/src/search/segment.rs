//! One segment of the index: which of its documents have a word, a category, a price.

use std::ops::ControlFlow;
use std::sync::Arc;

use tantivy::columnar::{ColumnValues, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{TantivyError, Term};

use super::SearchError;
use super::bits::{BLOCK, Bits};
use super::fields::{self, Fields};
use super::word::{Way, Word};
use crate::{Category, Filter, PriceRange};

/// A column of whole numbers, one a document.
pub(super) type Numbers = Arc<dyn ColumnValues<u64>>;

/// What is done with a term and where its documents are; says whether to go on.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &TermInfo) -> Result<ControlFlow<()>, SearchError> + 'a;

/// A segment under a search.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) reader: &'a SegmentReader,
    pub(super) fields: Fields,
}

impl Segment<'_> {
    /// How many documents it has, deleted ones included.
    pub(super) fn size(&self) -> u32 {
        self.reader.max_doc()
    }

    /// The column `name`.
    pub(super) fn numbers(&self, name: &str) -> Result<Numbers, SearchError> {
        Ok(self.reader.fast_fields().column_first_or_default(name)?)
    }

    /// The column of texts `name`.
    pub(super) fn texts(&self, name: &str) -> Result<StrColumn, SearchError> {
        let column = self.reader.fast_fields().str(name)?;
        column.ok_or_else(|| TantivyError::FieldNotFound(name.to_owned()).into())
    }

    /// The documents that are not deleted.
    pub(super) fn alive(&self) -> Bits {
        let mut alive = Bits::all(self.size());
        self.keep_alive(&mut alive);
        alive
    }

    /// Takes the deleted documents out of `bits`.
    pub(super) fn keep_alive(&self, bits: &mut Bits) {
        let Some(alive) = self.reader.alive_bitset() else { return };
        bits.retain(|documents, answers| {
            documents.iter().zip(answers).for_each(|(document, answer)| *answer = alive.is_alive(*document));
        });
    }

    /// The documents whose `field` has a word that answers `word` in `way`; `None` if none has.
    pub(super) fn answering(&self, field: Field, word: &Word, way: Way) -> Result<Option<Bits>, SearchError> {
        let index = self.reader.inverted_index(field)?;
        let mut found = None;
        visit_terms(&index, field, word, way, &mut |_, info| {
            self.read(&index, info, found.get_or_insert_with(|| Bits::none(self.size())))?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The documents that have the term of `info` in `index`, added to `bits`.
    pub(super) fn read(
        &self,
        index: &InvertedIndexReader,
        info: &TermInfo,
        bits: &mut Bits,
    ) -> Result<(), SearchError> {
        let mut postings = index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        loop {
            let documents = postings.docs();
            if documents.is_empty() {
                return Ok(());
            }
            documents.iter().for_each(|document| bits.insert(*document));
            postings.advance();
        }
    }

    /// Takes out of `bits` what `filter` does not want.
    pub(super) fn narrow(&self, bits: &mut Bits, filter: &Filter) -> Result<(), SearchError> {
        if let Some(category) = &filter.category {
            bits.keep(&self.in_category(category)?);
        }
        if filter.price.bounds().is_some() {
            self.keep_prices(bits, &filter.price)?;
        }
        Ok(())
    }

    fn in_category(&self, category: &Category) -> Result<Bits, SearchError> {
        let index = self.reader.inverted_index(self.fields.category)?;
        let mut bits = Bits::none(self.size());
        if let Some(info) = index.get_term_info(&Term::from_field_text(self.fields.category, category.as_str()))? {
            self.read(&index, &info, &mut bits)?;
        }
        Ok(bits)
    }

    fn keep_prices(&self, bits: &mut Bits, range: &PriceRange) -> Result<(), SearchError> {
        let Some((min, max)) = range.bounds() else { return Ok(()) };
        let range = fields::price_value(min)..=fields::price_value(max);
        let prices = self.numbers(fields::PRICE)?;
        let mut values = [0; BLOCK];
        bits.retain(|documents, answers| {
            let values = read(&*prices, documents, &mut values);
            values.iter().zip(answers).for_each(|(price, answer)| *answer = range.contains(price));
        });
        Ok(())
    }
}

/// The values of `column` for `documents`, which are in ascending order and no more than fit into `values`.
/// Neighbours are decoded together, which halved the time of facets over everything.
pub(super) fn read<'a>(column: &dyn ColumnValues<u64>, documents: &[u32], values: &'a mut [u64]) -> &'a [u64] {
    let values = &mut values[..documents.len()];
    match (documents.first(), documents.last()) {
        (Some(first), Some(last)) if (last - first) as usize + 1 == documents.len() => {
            column.get_range(u64::from(*first), values);
        }
        _ => column.get_vals(documents, values),
    }
    values
}

/// Hands every term of `field` that answers `word` in `way` to `visit`, in the order of the terms,
/// until it says stop.
pub(super) fn visit_terms(
    index: &InvertedIndexReader,
    field: Field,
    word: &Word,
    way: Way,
    visit: &mut Visit<'_>,
) -> Result<(), SearchError> {
    match way {
        Way::Exact => {
            if let Some(info) = index.get_term_info(&Term::from_field_text(field, &word.text))? {
                let _ = visit(word.text.as_bytes(), &info)?;
            }
        }
        Way::Prefix => {
            let mut terms = index.terms().range().ge(&word.text).into_stream()?;
            while let Some((term, info)) = terms.next() {
                if !term.starts_with(word.text.as_bytes()) || visit(term, info)?.is_break() {
                    break;
                }
            }
        }
        Way::Edits(edits) => {
            let mut terms = index.terms().search(word.automaton(field, edits)?).into_stream()?;
            while let Some((term, info)) = terms.next() {
                if visit(term, info)?.is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}
