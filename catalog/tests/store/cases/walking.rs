//! Walking all pages while others write: every product that nobody touches is seen exactly once, and
//! none is seen twice unless somebody moved it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use farmlokal_catalog::store::{Store, StoreError};
use farmlokal_catalog::{Filter, Order, ProductPatch, SortKey};
use tokio::task::JoinHandle;

use crate::engine::{Shop, conformance};
use crate::model::{self, orders};
use crate::sample::{Dice, Row, at, filter, id, limit, product, query};
use crate::walk::{ids, walk};

conformance!(sees_every_untouched_product_once);

/// As many as the store sorts rather than walks past, and some more.
const ROWS: i64 = 2_400;
const WRITERS: u64 = 3;
/// How long the walks go on; every listing has its turn at least once.
const TIME: Duration = Duration::from_secs(8);

/// Every fourth product is the writers'.
fn is_touched(id: i64) -> bool {
    id % 4 == 0 || id > ROWS
}

fn details(dice: &mut Dice) -> farmlokal_catalog::NewProduct {
    let name = format!("Milk {}", dice.below(12));
    product(&name, dice.pick(&["Dairy", "Dairy", "Fruits"]), dice.pick(&["1.00", "2.00", "2.50", "3.00", "9.00"]))
}

async fn sees_every_untouched_product_once(shop: &Shop) {
    let mut dice = Dice(23);
    let rows: Vec<Row> = (1..=ROWS)
        .map(|id| Row { id, details: details(&mut dice), created_at: at(dice.below(6).cast_signed()) })
        .collect();
    shop.insert(&rows).await;
    let untouched: Vec<Row> = rows.into_iter().filter(|row| !is_touched(row.id)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<JoinHandle<u32>> =
        (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&shop.store), writer, Arc::clone(&stop)))).collect();
    let start = Instant::now();
    let mut round = 0;
    while round == 0 || start.elapsed() < TIME {
        for filter in
            [filter("", "", ""), filter("Dairy", "", ""), filter("", "2.00", "3.00"), filter("Dairy", "", "2.50")]
        {
            for order in orders().filter(|_| round == 0 || start.elapsed() < TIME) {
                check(&*shop.store, &untouched, &filter, order, &mut dice).await;
            }
        }
        round += 1;
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 50, "a writer hardly wrote");
    }
}

async fn check(store: &dyn Store, untouched: &[Row], filter: &Filter, order: Order, dice: &mut Dice) {
    let query = query(filter, &order.to_string());
    let seen = walk(store, &query, || limit(1 + dice.below(100).cast_signed())).await;
    assert!(seen.iter().all(|product| model::matches(filter, &product.details)), "{query:?}");
    let mut seen = ids(&seen);
    // Nobody changes an id or the moment a product was made, so that nothing moves in these orders.
    if let Order::By(SortKey::Id | SortKey::CreatedAt, _) = order {
        let mut times: HashMap<i64, u32> = HashMap::new();
        seen.iter().for_each(|id| *times.entry(*id).or_default() += 1);
        times.retain(|_, times| *times > 1);
        assert_eq!(times, HashMap::new(), "seen more than once in {query:?}");
    }
    seen.retain(|id| !is_touched(*id));
    assert_eq!(seen, model::listing(untouched, filter, order), "{query:?}");
}

/// Creates, changes and removes until it is told to stop; gives the number of writes.
async fn write(store: Arc<dyn Store>, writer: u64, stop: Arc<AtomicBool>) -> u32 {
    let mut dice = Dice(100 + writer);
    let mut writes = 0;
    while !stop.load(Ordering::Relaxed) {
        // Writers meet here and there: the last few products are everybody's.
        let some = id(4 * (1 + dice.below(700).cast_signed()));
        let new = details(&mut dice);
        let moment = at(dice.below(6).cast_signed());
        let done = match dice.below(6) {
            0 => store.create(new, moment).await.map(|_| ()),
            1 => store.delete(some, None).await,
            choice => {
                let patch = match choice {
                    2 => ProductPatch { price: Some(new.price), ..ProductPatch::default() },
                    3 => ProductPatch { name: Some(new.name), ..ProductPatch::default() },
                    4 => ProductPatch { category: Some(new.category), ..ProductPatch::default() },
                    _ => ProductPatch { stock: Some(dice.below(9) as u32), ..ProductPatch::default() },
                };
                store.update(some, patch, None, moment).await.map(|_| ())
            }
        };
        assert!(matches!(done, Ok(()) | Err(StoreError::NotFound)), "{done:?}");
        writes += 1;
    }
    writes
}
