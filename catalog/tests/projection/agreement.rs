//! The catalogue answers the same through the index as through the table, also while others write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use farmlokal_catalog::catalogue::CatalogueError;
use farmlokal_catalog::{Catalogue, Filter, Order, PriceRange, ProductPatch, Query};

use crate::bench::{Bench, at, details, search, walk};

fn bounded(order: &str, category: Option<&str>, min: i64, max: i64) -> Query {
    let price = |minor| farmlokal_catalog::Price::from_minor(minor);
    let filter = Filter {
        category: category.map(|name| name.parse().unwrap()),
        price: PriceRange::new(price(min), price(max)).unwrap(),
    };
    Query::new(filter, None, order.parse().ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn price_ranges_in_other_orders_are_the_same_by_index_and_by_table() {
    let bench = Bench::sqlite().await;
    for number in 0..900_i64 {
        // Many equal prices and names, so that ties are common.
        bench.create(&format!("Chèvre {}", number * 7 % 40), number * 13 % 50).await;
    }
    let running = bench.ready().await;
    running.until_found("chevre", 900).await;
    let by_index = Catalogue::new(Arc::clone(&bench.store), Arc::clone(&running.projection));
    let by_table = Catalogue::new(Arc::clone(&bench.store), bench.idle());
    for order in Order::NAMES.iter().filter(|order| **order != "relevance") {
        for (category, min, max) in [(None, 10, 30), (Some("Dairy"), 0, 25), (None, 49, 49), (Some("Fruits"), 60, 70)] {
            let query = bounded(order, category, min, max);
            let expected = walk(&by_table, &query, 100).await;
            assert_eq!(walk(&by_index, &query, 17).await, expected, "{order} {category:?} {min} {max}");
            let total = by_index.total(query.filter(), search("chevre", "id").search()).await.unwrap();
            assert_eq!(total, farmlokal_catalog::Total::Exact(expected.len() as u32));
        }
    }
    running.cut_off().await;
}

#[tokio::test]
async fn a_search_is_refused_without_an_index_and_its_cursor_outlives_only_its_ranking() {
    let bench = Bench::sqlite().await;
    bench.create("Organic Paneer", 7).await;
    let (query, limit) = (search("paneer", "relevance"), farmlokal_catalog::Limit::default());
    let without = Catalogue::new(Arc::clone(&bench.store), bench.idle());
    let refused = [
        without.list(&query, None, None, limit).await.map(drop),
        without.total(query.filter(), query.search()).await.map(drop),
        without.facets(query.filter(), None).await.map(drop),
        without.suggest(query.search().unwrap(), 10).await.map(drop),
    ];
    for answer in refused {
        assert!(matches!(answer, Err(CatalogueError::NotReady(_))), "{answer:?}");
    }
    // Epoch 0 was that of SQL's own full text.
    let running = bench.ready().await;
    running.until_found("paneer", 1).await;
    let with = Catalogue::new(Arc::clone(&bench.store), Arc::clone(&running.projection));
    let first = with.list(&query, None, None, limit).await.unwrap();
    assert_eq!((first.page.products.len(), first.epoch.is_some()), (1, true));
    assert!(with.list(&query, None, first.epoch, limit).await.is_ok());
    for epoch in [0, 1, 4_000_000] {
        let expired = with.list(&query, None, Some(epoch), limit).await.map(drop);
        assert!(matches!(expired, Err(CatalogueError::Expired)), "{epoch}: {expired:?}");
    }
    running.cut_off().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_walked_while_others_write_gives_untouched_products_once() {
    let bench = Bench::sqlite().await;
    let mut untouched = BTreeSet::new();
    let mut others = Vec::new();
    for number in 0..400 {
        let product = bench.create(&format!("Organic Paneer {}", number % 5), number).await;
        if number % 2 == 0 {
            untouched.insert(product.id.get())
        } else {
            others.push(product.id);
            true
        };
    }
    let running = bench.ready().await;
    running.until_found("paneer", 400).await;
    let catalogue = Catalogue::new(Arc::clone(&bench.store), Arc::clone(&running.projection));
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (store, done) = (Arc::clone(&bench.store), Arc::clone(&done));
        async move {
            let mut turn = 0_usize;
            while !done.load(Ordering::Relaxed) {
                let id = others[turn % others.len()];
                let name = ["Organic Paneer new", "Paneer", "Fine Organic Fresh Paneer", "Bread"][turn % 4];
                let patch = ProductPatch { name: name.parse().ok(), ..ProductPatch::default() };
                // Some were deleted by an earlier turn.
                let _ = store.update(id, patch, None, at()).await;
                if turn.is_multiple_of(5) {
                    let _ = store.delete(id, None).await;
                    store.create(details("Organic Paneer 9", turn as i64 % 100), at()).await.unwrap();
                }
                turn += 1;
                tokio::task::yield_now().await;
            }
        }
    });
    for order in ["relevance", "price", "-name", "createdAt", "-id", "relevance"] {
        for limit in [3, 50] {
            let seen = walk(&catalogue, &search("organic panee", order), limit).await;
            for id in &untouched {
                assert_eq!(seen.iter().filter(|seen| *seen == id).count(), 1, "{order}, {limit} a page, product {id}");
            }
        }
    }
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    running.cut_off().await;
}
