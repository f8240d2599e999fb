//! A scan that goes on while products are written finds each product that is not written exactly once.

use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;

/// Odd ids stay as they are, even ones are written all the time.
const PRODUCTS: i64 = 600;

fn state(id: i64, turn: i64) -> Product {
    let name =
        ["Mango Pickle", "Mango", "Mangoes from Ratnagiri", "Green Mango Chutney"][(id % 4 + turn % 2) as usize % 4];
    let producer = ["Farm", "Mango Grove", "Estate"][((id + turn) % 3) as usize];
    product(id, [name, producer, "ripe", "Fruits"], (id * 31 + turn * 17) % 40)
}

fn write(index: &SearchIndex, over: &AtomicBool) {
    let mut writer = index.writer(HEAP, 1).unwrap();
    for turn in 1.. {
        for id in (2..=PRODUCTS).step_by(2).filter(|id| (id / 2 + turn) % 5 == 0) {
            if (id + turn) % 3 == 0 {
                writer.remove(ProductId::new(id).unwrap()).unwrap();
            } else {
                writer.put(&state(id, turn)).unwrap();
            }
        }
        writer.commit(turn.unsigned_abs()).unwrap();
        if over.load(Ordering::Acquire) {
            return;
        }
    }
}

#[test]
fn gives_each_product_that_stays_exactly_once() {
    let products: Vec<_> = (1..=PRODUCTS).map(|id| state(id, 0)).collect();
    let (_dir, index) = index_of(&products, 3);
    let over = AtomicBool::new(false);
    let unwritten: Vec<_> = products.iter().filter(|product| product.id.get() % 2 == 1).cloned().collect();
    thread::scope(|scope| {
        scope.spawn(|| write(&index, &over));
        for turn in 0..3 {
            for (search, sort) in
                Order::NAMES.iter().flat_map(|sort| ["mango", "mangoo", "man"].map(|search| (search, *sort)))
            {
                let query = query(search, sort);
                let found: Vec<_> = walk(&index, &query, 7 + turn).into_iter().filter(|id| id % 2 == 1).collect();
                assert_eq!(found, scan::scan(&unwritten, &query), "{search} by {sort}");
            }
        }
        over.store(true, Ordering::Release);
    });
    assert!(index.position() > 0);
}
