//! The contract of the project FarmLokal grew out of.

use serde_json::Value;

use crate::service::{ROWS, Service, problem};

pub async fn answers_as_it_did(service: &Service) {
    let page = service.json("/products").await;
    let products = page.as_array().expect("a bare array");
    assert_eq!(products.len(), 10, "ten by default");
    let mut fields: Vec<&str> = products[0].as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["category", "createdAt", "description", "id", "name", "price", "updatedAt"]);
    assert!(products[0]["price"].is_number() && products[0]["id"].is_i64());

    let (mut seen, mut cursor) = (0, 0);
    loop {
        let page = service.json(&format!("/products?cursor={cursor}&limit=99")).await;
        let ids: Vec<i64> = page.as_array().unwrap().iter().map(|product| product["id"].as_i64().unwrap()).collect();
        assert!(ids.is_sorted() && ids.first().is_none_or(|first| *first > cursor));
        seen += ids.len();
        match ids.last() {
            Some(last) => cursor = *last,
            None => break,
        }
    }
    assert_eq!(seen as u64, ROWS);

    let filtered = service.json("/products?category=Dairy&minPrice=20&maxPrice=300&limit=100").await;
    let dairy = |product: &Value| {
        product["category"] == "Dairy" && (20.0..=300.0).contains(&product["price"].as_f64().unwrap())
    };
    assert!(!filtered.as_array().unwrap().is_empty() && filtered.as_array().unwrap().iter().all(dairy));
    assert!(service.json("/products?search=organic&limit=3").await.as_array().unwrap().len() == 3);

    for (query, field) in
        [("cursor=abc", "cursor"), ("cursor=-1", "cursor"), ("limit=250000", "limit"), ("minPrice=abc", "minPrice")]
    {
        let problem = problem(service.get(&format!("/products?{query}")).await).await;
        assert_eq!((problem["status"].as_u64(), problem["field"].as_str()), (Some(400), Some(field)), "{query}");
    }
}
