//! Tests of the search index, against a scan of the same products that uses none of its code.

mod agreement;
mod damage;
mod measure;
mod paging;
mod relevance;
mod scan;
mod suggest;
mod wild;
mod writing;

use tempfile::TempDir;

use super::*;
use crate::{Currency, NewProduct, Order, Price, Product, Timestamp, Version};

/// A product by name, producer, description, category and price in hundredths.
fn product(id: i64, texts: [&str; 4], price: i64) -> Product {
    let [name, producer, description, category] = texts;
    let at = Timestamp::from_micros(1_700_000_000_000_000 + (id * 7_919 % 13) * 60_000_000).unwrap();
    Product {
        id: ProductId::new(id).unwrap(),
        details: NewProduct {
            name: name.parse().unwrap(),
            description: description.parse().unwrap(),
            category: category.parse().unwrap(),
            price: Price::from_minor(price).unwrap(),
            currency: Currency::default(),
            unit: "1 kg".parse().unwrap(),
            producer: producer.parse().unwrap(),
            stock: 1,
        },
        created_at: at,
        updated_at: at,
        version: Version::FIRST,
    }
}

const HEAP: usize = 15_000_000;

/// An index of `products` in several segments, as `commits` commits make them.
fn index_of(products: &[Product], commits: usize) -> (TempDir, SearchIndex) {
    let dir = TempDir::new().unwrap();
    let index = SearchIndex::create(dir.path()).unwrap();
    let mut writer = index.writer(HEAP, 1).unwrap();
    for (at, some) in products.chunks(products.len().div_ceil(commits).max(1)).enumerate() {
        some.iter().for_each(|product| writer.put(product).unwrap());
        writer.commit(at as u64 + 1).unwrap();
    }
    writer.finish().unwrap();
    (dir, index)
}

fn query(search: &str, sort: &str) -> Query {
    Query::new(Filter::default(), search.parse().ok(), Some(sort.parse().unwrap())).unwrap()
}

fn ids(hits: &Hits) -> Vec<i64> {
    hits.ids.iter().map(|(id, _)| id.get()).collect()
}

/// What `query` finds, page by page.
fn walk(index: &SearchIndex, query: &Query, limit: usize) -> Vec<i64> {
    let (mut found, mut after, mut stage) = (Vec::new(), None, None);
    loop {
        let hits = index.search(query, after.as_ref(), stage, limit).unwrap();
        found.extend(ids(&hits));
        stage = Some(hits.stage);
        match hits.ids.into_iter().next_back() {
            Some((_, last)) if hits.more => after = Some(last),
            _ => return found,
        }
    }
}
