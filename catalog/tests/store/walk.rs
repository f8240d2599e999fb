//! Following a listing from its first page to its last one.

use farmlokal_catalog::cursor::Scan;
use farmlokal_catalog::store::Store;
use farmlokal_catalog::{CursorKey, Limit, Product, Query};

/// More pages than any listing of these tests has: one that goes round in circles ends here.
const MOST_PAGES: usize = 20_000;

/// Every product of `query`, page by page. Each position goes through a cursor, as it does for clients.
pub(crate) async fn walk(store: &dyn Store, query: &Query, mut limit: impl FnMut() -> Limit) -> Vec<Product> {
    let key = CursorKey::new(b"tests");
    let (mut seen, mut after) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let limit = limit();
        let page = match store.list(query, after.as_ref(), limit).await {
            Ok(page) => page,
            Err(error) => panic!("{error}\nin: {query:?} behind {after:?}"),
        };
        assert!(page.products.len() <= limit.get().into(), "{query:?} behind {after:?}");
        assert!(page.next.is_none() || !page.products.is_empty(), "{query:?} behind {after:?}");
        seen.extend(page.products);
        let Some(next) = page.next else { return seen };
        let scan = Scan { query: query.clone(), position: next, epoch: None };
        assert_eq!(key.open(&key.seal(&scan)).unwrap(), scan);
        after = Some(scan.position);
    }
    panic!("{query:?} has no last page");
}

/// The ids of `products`.
pub(crate) fn ids(products: &[Product]) -> Vec<i64> {
    products.iter().map(|product| product.id.get()).collect()
}
