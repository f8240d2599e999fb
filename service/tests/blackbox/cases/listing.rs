//! Listings against what the generator says must be there.

use std::cmp::Ordering;

use farmlokal_catalog::NameKey;
use farmlokal_catalog::store::bulk::BulkProduct;

use crate::service::{ROWS, Service, product};

type Compare = fn(&BulkProduct, &BulkProduct) -> Ordering;

const ORDERS: [(&str, Compare); 4] = [
    ("id", |a, b| a.id.cmp(&b.id)),
    ("price", |a, b| a.details.price.cmp(&b.details.price)),
    ("name", |a, b| NameKey::from(&a.details.name).cmp(&NameKey::from(&b.details.name))),
    ("createdAt", |a, b| a.created_at.cmp(&b.created_at)),
];

fn ids(products: &[BulkProduct]) -> Vec<i64> {
    products.iter().map(|product| product.id.get()).collect()
}

pub async fn walks_every_order_to_its_end(service: &Service) {
    for (name, compare) in ORDERS {
        let mut expected = service.products();
        expected.sort_by(|a, b| compare(a, b).then(a.id.cmp(&b.id)));
        assert_eq!(service.walk(&format!("/v1/products?sort={name}&limit=97")).await, ids(&expected), "{name}");
        expected.reverse();
        assert_eq!(service.walk(&format!("/v1/products?sort=-{name}&limit=97")).await, ids(&expected), "-{name}");
    }
}

pub async fn follows_links(service: &Service) {
    let mut expected: Vec<BulkProduct> =
        service.products().into_iter().filter(|product| product.details.category.as_str() == "Dairy").collect();
    expected.sort_by(|a, b| b.details.price.cmp(&a.details.price).then(b.id.cmp(&a.id)));
    assert!(expected.len() > 60);
    for limit in [1, 7, 100] {
        let walked = service.walk(&format!("/v1/products?sort=-price&category=Dairy&limit={limit}")).await;
        assert_eq!(walked, ids(&expected), "limit {limit}");
    }
}

pub async fn takes_filters_together(service: &Service) {
    for (name, compare) in ORDERS {
        let mut expected: Vec<BulkProduct> = service.products();
        expected.retain(|product| {
            let price = product.details.price.minor();
            product.details.category.as_str() == "Vegetables" && (3_000..=20_000).contains(&price)
        });
        expected.sort_by(|a, b| compare(a, b).then(a.id.cmp(&b.id)));
        assert!(!expected.is_empty());
        let path = format!("/v1/products?category=Vegetables&minPrice=30&maxPrice=200.00&sort={name}&limit=13");
        assert_eq!(service.walk(&path).await, ids(&expected), "{name}");
    }
    assert!(service.walk("/v1/products?category=dairy").await.is_empty(), "letters count as written");
    assert!(service.walk("/v1/products?minPrice=9999999999.99").await.is_empty());
}

pub async fn counts_up_to_a_cap(service: &Service) {
    let page = service.json("/v1/products?limit=1&total=true").await;
    assert_eq!(page["total"], serde_json::json!({"count": ROWS, "precision": "exact"}));
    let dairy = service.products().iter().filter(|product| product.details.category.as_str() == "Dairy").count();
    let page = service.json("/v1/products?limit=1&total=true&category=Dairy&maxPrice=9999").await;
    assert_eq!(page["total"]["count"], dairy);
    assert_eq!(service.json("/v1/products?limit=1").await.get("total"), None, "only when asked for");
}

pub async fn searches_words(service: &Service) {
    let made = service
        .create(&product(serde_json::json!({"name": "Zwetschgenknödel", "description": "with the word quetzalcoatl"})))
        .await;
    let id = made["id"].as_i64().unwrap();
    service.until_found("quetzalcoatl", 1).await;
    for search in [
        "quetzalcoatl",
        "QUETZALCO",
        "zwetschgenknodel",
        "zwetschgenknödel quetz",
        "the quetzalcoatl",
        "word test farm",
    ] {
        for sort in ["relevance", "price", "-name", "id"] {
            let path = format!("/v1/products?search={search}&sort={sort}");
            assert_eq!(service.walk(&path).await, [id], "{path}");
        }
    }
    assert!(service.walk("/v1/products?search=quetzalcoatl mango").await.is_empty(), "all words, not any");
    assert_eq!(service.json("/v1/products?search=quetzalcoatl&total=true").await["total"]["count"], 1);
    let all = service.walk("/v1/products?search=organic&limit=5").await;
    let mut by_id = service.walk("/v1/products?search=organic&limit=100&sort=id").await;
    assert!(all.len() > 5, "some pages");
    let mut sorted = all.clone();
    sorted.sort_unstable();
    by_id.sort_unstable();
    assert_eq!(sorted, by_id, "relevance and id list the same products");
}
