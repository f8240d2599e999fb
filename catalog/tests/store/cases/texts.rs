//! What goes in comes out, to the last character and the last paisa.

use farmlokal_catalog::{NewProduct, Timestamp};

use crate::engine::{Shop, conformance};
use crate::sample::{at, filter, limit, product, query};
use crate::walk::walk;

conformance!(
    every_kind_of_text_is_kept,
    the_longest_texts_are_kept,
    extreme_numbers_are_kept,
    extreme_moments_are_kept
);

/// Kept, found by its id, in a listing, by its category, and after a change.
async fn is_kept(shop: &Shop, details: NewProduct) {
    let made = shop.store.create(details.clone(), at(0)).await.unwrap();
    assert_eq!(made.details, details);
    assert_eq!(shop.store.get(made.id).await.unwrap(), made);
    let same_category = filter(details.category.as_str(), "", "");
    let listed = walk(&*shop.store, &query(&same_category, "-id"), || limit(100)).await;
    assert_eq!(listed.first(), Some(&made));
    let other = shop.store.create(product("other", "Other", "1.00"), at(0)).await.unwrap();
    let changed = farmlokal_catalog::ProductPatch {
        name: Some(details.name.clone()),
        description: Some(details.description.clone()),
        category: Some(details.category.clone()),
        price: Some(details.price),
        currency: Some(details.currency),
        unit: Some(details.unit.clone()),
        producer: Some(details.producer.clone()),
        stock: Some(details.stock),
    };
    shop.store.update(other.id, changed, None, at(1)).await.unwrap();
    assert_eq!(shop.store.get(other.id).await.unwrap().details, details);
}

async fn every_kind_of_text_is_kept(shop: &Shop) {
    for text in [
        "ÄÖÜ äöü ß ẞ",
        "Cre\u{300}me with a combining accent",
        "🍎🧑‍🌾🇮🇳 four bytes each",
        "दूध ताज़ा",
        "حليب طازج",
        "\u{202e}turned round\u{202c}",
        "한우 불고기",
        "a\u{200b}b zero width",
        "\u{feff}byte order mark",
        "\u{10ffff}\u{e000}\u{fffd}\u{fffe}",
        "O'Brien's \"best\" \\ 100%_ `; DROP TABLE products; --",
        "?1 :name @x $y {z}",
        "\u{301}",
        "ﬁ Ⅷ ½ ℵ",
        "1e400",
        "NULL",
    ] {
        is_kept(
            shop,
            NewProduct {
                name: text.parse().unwrap(),
                description: format!("{text}\n\t{text}\n").parse().unwrap(),
                category: text.parse().unwrap(),
                unit: text.chars().take(32).collect::<String>().trim().parse().unwrap(),
                producer: text.parse().unwrap(),
                ..product("x", "x", "1.00")
            },
        )
        .await;
    }
}

async fn the_longest_texts_are_kept(shop: &Shop) {
    for letter in ["x", "ß", "🍎", "ﷺ", "İ"] {
        is_kept(
            shop,
            NewProduct {
                name: letter.repeat(200).parse().unwrap(),
                description: letter.repeat(2_000).parse().unwrap(),
                category: letter.repeat(64).parse().unwrap(),
                unit: letter.repeat(32).parse().unwrap(),
                producer: letter.repeat(120).parse().unwrap(),
                ..product("x", "x", "1.00")
            },
        )
        .await;
    }
}

async fn extreme_numbers_are_kept(shop: &Shop) {
    for price in ["0.00", "0.01", "9999999999.99", "9999999999.98", "12345678.90"] {
        for stock in [0, 1, u32::MAX] {
            is_kept(shop, NewProduct { stock, ..product("Milk", "Dairy", price) }).await;
        }
    }
    for (min, max, found) in
        [("9999999999.99", "", 6), ("", "0", 6), ("0.00", "0.01", 12), ("9999999999.98", "9999999999.98", 6)]
    {
        let listed = walk(&*shop.store, &query(&filter("Dairy", min, max), "price"), || limit(5)).await;
        assert_eq!(listed.len(), found, "{min} to {max}");
    }
}

async fn extreme_moments_are_kept(shop: &Shop) {
    // The bounds of a Timestamp: what MySQL documents for DATETIME is narrower by 999 years.
    let first = Timestamp::from_micros(-62_135_596_800_000_000).unwrap();
    let last = Timestamp::from_micros(253_402_300_799_999_999).unwrap();
    let micro = Timestamp::from_micros(1_700_000_000_123_457).unwrap();
    let moments = [last, micro, first, Timestamp::from_micros(-1).unwrap(), Timestamp::from_micros(0).unwrap()];
    for at in moments {
        let made = shop.store.create(product("Milk", "Dairy", "1.00"), at).await.unwrap();
        let kept = shop.store.get(made.id).await.unwrap();
        assert_eq!((kept.created_at, kept.updated_at), (at, at));
    }
    let listed = walk(&*shop.store, &query(&filter("", "", ""), "-createdAt"), || limit(1)).await;
    let mut sorted = moments;
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(listed.iter().map(|product| product.created_at).collect::<Vec<_>>(), sorted);
}
