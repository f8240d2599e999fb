//! What the generated catalogue is: the same for ever, valid, and spread like a real one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;

/// Everything about a product in one line.
fn line(product: &BulkProduct) -> String {
    let NewProduct { name, description, category, price, currency, unit, producer, stock } = &product.details;
    let (id, at, currency) = (product.id, product.created_at.to_utc(), currency.as_str());
    format!("{id}|{name}|{description}|{category}|{price}|{currency}|{unit}|{producer}|{stock}|{at}")
}

#[test]
fn the_first_thousand_products_of_seed_42_never_change() {
    let products = Generator::new(42).products(1, 1_000).unwrap();
    let mut hash = Sha256::new();
    products.iter().for_each(|product| hash.update(line(product) + "\n"));
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "c80ba39d019eecc9184b4ee0cbc02bb9fc8184195c6d0a0b191ad49a33e17036");
}

#[test]
fn three_of_them_in_words() {
    let expected = [
        "4|Clean-Sorted Samai Little Millet|Grown on black cotton soil near Hassan, sifted on a steel mesh; \
         good for khichdi and dosa.|Grains|57.25|INR|500 g|Sahyadri Organics, Hassan|290|2024-10-23 05:06:00 UTC",
        "13|Heirloom Tender Coconuts|Picked the day before delivery near Ujjain, checked for sweetness; \
         sweet enough for dessert. (LOT-9GQFN)|Fruits|93.99|INR|2 pieces|Nandini Family Farm, Ujjain|258|\
         2025-09-12 22:53:00 UTC",
        "1000|Export-Grade Ratnagiri Kokum from Nellore|Picked the day before delivery near Nellore, kept cool on \
         the road; lovely in shakes and lassi.|Fruits|154.00|INR|200 g|D'Souza Estate, Nellore|272|\
         2025-03-03 12:16:00 UTC",
    ];
    let lines = [4, 13, 1_000].map(|n| line(&Generator::new(42).product(n).unwrap()));
    assert_eq!(lines, expected);
}

proptest! {
    #[test]
    fn a_product_is_valid_and_depends_on_seed_and_number_only(seed: u64, n in 2..=i64::MAX as u64 - 1) {
        let generator = Generator::new(seed);
        let product = generator.product(n).unwrap();
        let neighbours = generator.products(n - 1, n + 1).unwrap();
        prop_assert_eq!(&neighbours[1], &product);
        let description = product.details.description.as_str().chars().count();
        prop_assert!((60..=120).contains(&description), "{}", product.details.description);
        prop_assert!((1_000..=50_000).contains(&product.details.price.minor()));
        prop_assert!(product.details.stock <= 500);
    }
}

#[test]
fn there_is_no_product_zero() {
    assert_eq!(Generator::new(42).product(0).unwrap_err().field, "id");
    assert_eq!(Generator::new(42).product(u64::MAX).unwrap_err().field, "id");
}

#[test]
fn another_seed_gives_other_products() {
    let names =
        |seed| Generator::new(seed).products(1, 20).unwrap().into_iter().map(|p| p.details.name).collect::<Vec<_>>();
    assert_ne!(names(1), names(2));
}

#[test]
fn the_catalogue_is_spread_like_a_real_one() {
    const ROWS: usize = 50_000;
    let products = Generator::new(42).products(1, ROWS as u64).unwrap();
    let mut categories = BTreeMap::<&str, usize>::new();
    for product in &products {
        *categories.entry(product.details.category.as_str()).or_default() += 1;
    }
    let shares = [("Dairy", 20), ("Fruits", 26), ("Grains", 15), ("Poultry", 9), ("Vegetables", 30)];
    for ((category, rows), (expected, share)) in categories.into_iter().zip(shares) {
        assert_eq!(category, expected);
        assert!(rows.abs_diff(ROWS * share / 100) < ROWS / 100, "{rows} {category}");
    }

    let prices: BTreeSet<i64> = products.iter().map(|product| product.details.price.minor()).collect();
    assert!(prices.first() < Some(&1_200) && prices.last() > Some(&45_000), "the whole range");
    assert!(prices.len() < ROWS / 10, "many have the same price");
    let at_the_ends = products.iter().filter(|product| [1_000, 50_000].contains(&product.details.price.minor()));
    assert!(at_the_ends.count() < ROWS / 50, "and few are cut off to fit");

    let producers: HashSet<_> = products.iter().map(|product| product.details.producer.as_str()).collect();
    assert_eq!(producers.len(), 2_000);
    let names: HashSet<_> = products.iter().map(|product| product.details.name.as_str()).collect();
    assert!(names.len() > ROWS / 10 && names.len() < ROWS, "{} names", names.len());

    let soldout = products.iter().filter(|product| product.details.stock == 0).count();
    assert!((ROWS / 30..ROWS / 10).contains(&soldout), "{soldout} sold out");
    let lots = products.iter().filter(|product| product.details.description.as_str().contains("(LOT-")).count();
    assert!((ROWS / 100..ROWS / 30).contains(&lots), "{lots} with a lot");

    let moments: HashSet<_> = products.iter().map(|product| product.created_at).collect();
    assert!(moments.len() < ROWS, "some are made in the same minute");
    assert!(!products.is_sorted_by_key(|product| product.created_at));
    let year = |product: &BulkProduct| chrono::Datelike::year(&product.created_at.to_utc());
    assert!(products.iter().all(|product| (2024..=2025).contains(&year(product))));
}
