//! Which words find which products.

use crate::engine::{Shop, conformance};
use crate::sample::{at, filter, limit, product, query};

conformance!(
    all_words_must_be_there,
    the_last_word_may_be_a_beginning,
    case_and_accents_do_not_matter,
    every_script_is_found,
    stop_words_are_words,
    short_words_hide_nothing,
    a_name_finds_its_product,
    a_search_follows_changes,
    names_weigh_most,
);

/// The names that `search` finds, sorted.
async fn found(shop: &Shop, search: &str) -> Vec<String> {
    let page = shop.store.list(&query(&filter("", "", ""), search, ""), None, limit(100)).await.unwrap();
    assert_eq!(page.next, None);
    let mut names: Vec<String> = page.products.iter().map(|found| found.details.name.as_str().to_owned()).collect();
    names.sort();
    names
}

async fn stock(shop: &Shop, names: &[&str]) {
    for name in names {
        shop.store.create(product(name, "Dairy", "1.00"), at(0)).await.unwrap();
    }
}

async fn all_words_must_be_there(shop: &Shop) {
    stock(shop, &["Goat Milk", "Cow Milk", "Goat Cheese", "Milky Way"]).await;
    assert_eq!(found(shop, "goat milk").await, ["Goat Milk"]);
    assert_eq!(found(shop, "milk goat").await, ["Goat Milk"]);
    assert_eq!(found(shop, "milk  -goat!").await, ["Goat Milk"], "signs are nothing");
    assert_eq!(found(shop, "goat milk cheese").await, [""; 0]);
    assert_eq!(found(shop, "goat goat").await, ["Goat Cheese", "Goat Milk"]);
    // In any of name, description and producer.
    assert_eq!(found(shop, "cow pune").await, ["Cow Milk"]);
    assert_eq!(found(shop, "sharma cow grown").await, ["Cow Milk"]);
}

async fn the_last_word_may_be_a_beginning(shop: &Shop) {
    stock(shop, &["Goat Milk", "Milkshake", "Buttermilk"]).await;
    assert_eq!(found(shop, "mil").await, ["Goat Milk", "Milkshake"]);
    assert_eq!(found(shop, "milks").await, ["Milkshake"]);
    assert_eq!(found(shop, "goa mil").await, [""; 0], "no other word may");
    assert_eq!(found(shop, "goat mil").await, ["Goat Milk"]);
}

async fn case_and_accents_do_not_matter(shop: &Shop) {
    stock(shop, &["Crème Fraîche", "CRE\u{300}ME brûlée", "Cremona"]).await;
    for search in ["creme", "CRÈME", "cre\u{300}me", "Crëmé"] {
        assert_eq!(found(shop, search).await, ["CRE\u{300}ME brûlée", "Crème Fraîche"], "{search}");
    }
    assert_eq!(found(shop, "crè").await.len(), 3);
    assert_eq!(found(shop, "creme-fraiche").await, ["Crème Fraîche"]);
}

async fn every_script_is_found(shop: &Shop) {
    let names = [
        "Йогурт",
        "दूध ताज़ा",
        "தேன்",
        "ปลาทู",
        "불고기 소스",
        "がんもどき",
        "日本酒造",
        "λάδι",
        "حليب طازج",
        "שָׁלוֹם",
        "ÇİĞ köfte",
    ];
    stock(shop, &names).await;
    for name in names {
        assert_eq!(found(shop, name).await, [name]);
    }
    for (search, name) in [
        ("йог", "Йогурт"),
        ("ताज़ा", "दूध ताज़ा"),
        ("불고기", "불고기 소스"),
        ("がんも", "がんもどき"),
        ("日本酒", "日本酒造"),
        ("طازج", "حليب طازج"),
        ("cig kofte", "ÇİĞ köfte"),
    ] {
        assert_eq!(found(shop, search).await, [name], "{search}");
    }
}

async fn stop_words_are_words(shop: &Shop) {
    stock(shop, &["The Best of Milk", "Milk about to be", "Honey"]).await;
    assert_eq!(found(shop, "the").await, ["The Best of Milk"]);
    assert_eq!(found(shop, "about").await, ["Milk about to be"]);
    assert_eq!(found(shop, "the milk").await, ["The Best of Milk"]);
    assert_eq!(found(shop, "the honey").await, [""; 0]);
    assert_eq!(found(shop, "best of milk").await, ["The Best of Milk"]);
}

async fn short_words_hide_nothing(shop: &Shop) {
    stock(shop, &["Ox Tongue 1 kg", "Tongue"]).await;
    assert!(found(shop, "ox tongue").await.contains(&"Ox Tongue 1 kg".to_owned()));
    assert!(found(shop, "tongue 1 kg").await.contains(&"Ox Tongue 1 kg".to_owned()));
    assert!(found(shop, "tongue k").await.contains(&"Ox Tongue 1 kg".to_owned()));
    for search in ["1 kg", "k", "1", "of", "é"] {
        found(shop, search).await;
    }
}

async fn a_name_finds_its_product(shop: &Shop) {
    let names = [
        "Organic A2 Cow Ghee (500 ml)",
        "Dr. O'Brien's \"Best\" Stew, no. 7",
        "50% less sugar - jam & jelly",
        "AT&T-style R&D cheese",
        "NOT AND OR NEAR",
        "name:milk* {x}",
        "Milk",
    ];
    stock(shop, &names).await;
    for name in names {
        assert!(found(shop, name).await.contains(&name.to_owned()), "{name}");
    }
}

async fn a_search_follows_changes(shop: &Shop) {
    let made = shop.store.create(product("Goat Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let renamed = farmlokal_catalog::ProductPatch { name: "Goat Cheese".parse().ok(), ..Default::default() };
    shop.store.update(made.id, renamed, None, at(1)).await.unwrap();
    assert_eq!(found(shop, "milk").await, [""; 0]);
    assert_eq!(found(shop, "cheese").await, ["Goat Cheese"]);
    shop.store.delete(made.id, None).await.unwrap();
    assert_eq!(found(shop, "goat").await, [""; 0]);
}

async fn names_weigh_most(shop: &Shop) {
    for number in 0..20 {
        let mut other = product(&format!("Bread {number}"), "Bakery", "1.00");
        other.description = "Plain.".parse().unwrap();
        shop.store.create(other, at(0)).await.unwrap();
    }
    let mut described = product("Toast", "Bakery", "1.00");
    described.description = "Goes with honey.".parse().unwrap();
    let described = shop.store.create(described, at(0)).await.unwrap();
    let named = shop.store.create(product("Honey Honey", "Honey", "1.00"), at(0)).await.unwrap();
    let page = shop.store.list(&query(&filter("", "", ""), "honey", "relevance"), None, limit(2)).await.unwrap();
    assert_eq!(page.products, [named, described]);
}
