//! The index's fields, and how a product becomes a document of them.

use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, WhitespaceTokenizer};
use tantivy::{Index, TantivyDocument, i64_to_u64, u64_to_i64};

use crate::text::{fold, words};
use crate::{NameKey, Price, Product, ProductId, Timestamp};

/// Counts the meanings the fields have had. One more whenever a document would be made differently
/// from the same product; an index of another version is made again.
pub(super) const VERSION: u32 = 1;

/// Columns, by name as the engine wants them.
pub(super) const ID: &str = "id";
pub(super) const PRICE: &str = "price";
pub(super) const CREATED: &str = "created_at";
pub(super) const CATEGORY: &str = "category";
pub(super) const NAME_KEY: &str = "name_key";
pub(super) const NAME_LENGTH: &str = "name_length";

/// The tokenizer's name: words come to it folded, cut and put together again with spaces.
const WORDS: &str = "folded_words";

/// The fields. Nothing is stored: hits are read from the catalogue by id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// The number; a term, to find the document that a write replaces, and a column.
    pub(super) id: Field,
    /// Every word of name, producer and description. It alone decides what matches; that a word stands
    /// in the description follows from its standing here and not in the other two.
    pub(super) any: Field,
    /// The words of the name; for ranking and suggestions.
    pub(super) name: Field,
    /// The words of the producer; for ranking.
    pub(super) producer: Field,
    /// The category as it is; a term and a column.
    pub(super) category: Field,
    price: Field,
    created_at: Field,
    name_key: Field,
    name_length: Field,
}

impl Fields {
    /// The schema and its fields.
    pub(super) fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let indexed = |tokenizer| {
            // No frequencies, positions or norms: a score is a function of query and document alone.
            let indexing = TextFieldIndexing::default();
            indexing.set_tokenizer(tokenizer).set_index_option(IndexRecordOption::Basic).set_fieldnorms(false)
        };
        let words = TextOptions::default().set_indexing_options(indexed(WORDS));
        let exact = TextOptions::default().set_indexing_options(indexed("raw")).set_fast("raw");
        let fields = Self {
            id: schema.add_u64_field(ID, INDEXED | FAST),
            any: schema.add_text_field("any", words.clone()),
            name: schema.add_text_field("name", words.clone()),
            producer: schema.add_text_field("producer", words),
            category: schema.add_text_field(CATEGORY, exact),
            price: schema.add_u64_field(PRICE, FAST),
            created_at: schema.add_u64_field(CREATED, FAST),
            name_key: schema.add_text_field(NAME_KEY, TextOptions::default().set_fast("raw")),
            name_length: schema.add_u64_field(NAME_LENGTH, FAST),
        };
        (schema.build(), fields)
    }

    /// Makes the tokenizer known to `index`.
    pub(super) fn register(index: &Index) {
        index.tokenizers().register(WORDS, TextAnalyzer::from(WhitespaceTokenizer::default()));
    }

    /// The document of `product`.
    pub(super) fn document(&self, product: &Product) -> TantivyDocument {
        let details = &product.details;
        let (name, producer) = (fold(details.name.as_str()), fold(details.producer.as_str()));
        let mut document = TantivyDocument::new();
        document.add_u64(self.id, id_value(product.id));
        document.add_text(self.any, spaced(&fold(details.description.as_str())));
        for (field, words) in [(self.name, &name), (self.producer, &producer)] {
            let words = spaced(words);
            document.add_text(self.any, &words);
            document.add_text(field, &words);
        }
        document.add_text(self.category, details.category.as_str());
        document.add_u64(self.price, price_value(details.price));
        document.add_u64(self.created_at, created_value(product.created_at));
        document.add_text(self.name_key, NameKey::from(&details.name).as_str());
        document.add_u64(self.name_length, name_length(&name));
        document
    }
}

/// The words of `folded`, with a space between each two.
fn spaced(folded: &str) -> String {
    words(folded).collect::<Vec<_>>().join(" ")
}

/// The value of an id in its column; ids are 1 and up, so nothing is cut.
pub(super) fn id_value(id: ProductId) -> u64 {
    id.get().unsigned_abs()
}

/// The id of a column's value; `None` for what [`id_value`] never gives.
pub(super) fn id_of(value: u64) -> Option<ProductId> {
    i64::try_from(value).ok().and_then(|id| ProductId::new(id).ok())
}

/// The value of a price in its column, hundredths; they are never negative, so nothing is cut.
pub(super) fn price_value(price: Price) -> u64 {
    price.minor().unsigned_abs()
}

/// The price of a column's value.
pub(super) fn price_of(value: u64) -> Option<Price> {
    i64::try_from(value).ok().and_then(Price::from_minor)
}

/// The value of a moment in its column, in the order of time.
pub(super) fn created_value(at: Timestamp) -> u64 {
    i64_to_u64(at.micros())
}

/// The moment of a column's value.
pub(super) fn created_of(value: u64) -> Option<Timestamp> {
    Timestamp::from_micros(u64_to_i64(value))
}

/// The length that ranks names among equals: characters of the folded name, up to 255.
pub(super) fn name_length(folded: &str) -> u64 {
    folded.chars().take(255).count() as u64
}
