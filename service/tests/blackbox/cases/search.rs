//! The search index as clients see it.

use farmlokal_catalog::CursorKey;
use serde_json::{Value, json};

use crate::service::{ROWS, Service, problem, product};

pub async fn forgives_misspellings(service: &Service) {
    let ids = |page: Value| -> Vec<i64> {
        page["data"].as_array().unwrap().iter().map(|product| product["id"].as_i64().unwrap()).collect()
    };
    service.create(&product(json!({"name": "Quetzalcoatl Gouda", "description": "LOT-7F3K9Q"}))).await;
    service.until_found("quetzalcoatl", 1).await;
    let right = ids(service.json("/v1/products?search=quetzalcoatl gouda").await);
    for wrong in ["quetzalcaotl", "quetzlcoatl gouda", "quetzalcoatl guoda", "qwetzalcoatll", "goudda quetzalcoatl"] {
        let found = ids(service.json(&format!("/v1/products?search={wrong}")).await);
        assert_eq!(found, right, "{wrong}");
    }
    for code in ["7F3K9X", "7F3K9QX"] {
        assert!(ids(service.json(&format!("/v1/products?search={code}")).await).is_empty(), "a code is meant: {code}");
    }
    assert_eq!(ids(service.json("/v1/products?search=7f3k9q").await), right);
}

pub async fn goes_on_where_it_began(service: &Service) {
    let page = service.json("/v1/products?search=organic&limit=2").await;
    let cursor = page["nextCursor"].as_str().unwrap();
    assert_eq!(service.get(&format!("/v1/products?cursor={cursor}")).await.status(), 200);
    // Cursors of another ranking, and of the full text that SQL once had.
    let key = CursorKey::new(b"farmlokal");
    let mut scan = key.open(cursor).unwrap();
    for epoch in [4_000_000, 0] {
        scan.epoch = Some(epoch);
        let expired = problem(service.get(&format!("/v1/products?cursor={}", key.seal(&scan))).await).await;
        assert_eq!((expired["status"].as_u64(), expired["field"].as_str()), (Some(410), Some("cursor")));
        assert!(expired["detail"].as_str().unwrap().contains("start again"), "{expired}");
    }
}

pub async fn spreads_matches(service: &Service) {
    let path = "/v1/products?facets=category,price&limit=1";
    let sum =
        |facet: &Value| facet.as_array().unwrap().iter().map(|entry| entry["count"].as_u64().unwrap()).sum::<u64>();
    let all = service.json(path).await;
    assert_eq!((sum(&all["facets"]["category"]), sum(&all["facets"]["price"])), (ROWS, ROWS));
    let some = service.json("/v1/products?facets=category&category=Dairy&maxPrice=100&total=true&limit=1").await;
    assert_eq!(some["facets"]["category"], json!([{"name": "Dairy", "count": some["total"]["count"]}]));
    assert_eq!(some["facets"].get("price"), None, "only what was asked for");
    let wrong = problem(service.get("/v1/products?facets=colour").await).await;
    assert_eq!((wrong["status"].as_u64(), wrong["field"].as_str()), (Some(400), Some("facets")));
}

pub async fn completes_words(service: &Service) {
    let response = service.get("/v1/suggest?q=orga").await;
    let found: Value = response.json().await.unwrap();
    assert_eq!(found["data"][0], "organic");
    assert_eq!(service.json("/v1/suggest?q=orgnaic").await["data"][0], "organic", "one wrong letter");
    assert_eq!(service.json("/v1/suggest?q=").await["data"], json!([]));
    assert!(service.json("/v1/suggest?q=a").await["data"].as_array().unwrap().len() <= 10);
    let missing = problem(service.get("/v1/suggest").await).await;
    assert_eq!((missing["status"].as_u64(), missing["field"].as_str()), (Some(400), Some("q")));
}

pub async fn follows_writes(service: &Service) {
    let made = service.create(&product(json!({"name": "Xylophagous Ham"}))).await;
    let path = format!("/v1/products/{}", made["id"]);
    service.until_found("xylophagous", 1).await;
    service.send("PATCH", &path, &[], &json!({"name": "Zoophagous Ham"})).await;
    service.until_found("zoophagous", 1).await;
    service.until_found("xylophagous", 0).await;
    service.send("PATCH", &path, &[], &json!({"price": "0.07"})).await;
    assert_eq!(
        service.json("/v1/products?search=zoophagous").await["data"][0]["price"],
        "0.07",
        "prices are fresh at once"
    );
    service.send("DELETE", &path, &[], &Value::Null).await;
    service.until_found("zoophagous", 0).await;
}

/// The index lags by up to a second: what it still lists must not leave a hole in a page.
pub async fn fills_pages_around_what_is_gone(service: &Service) {
    for number in 0..30 {
        service.create(&product(json!({"name": format!("Gigot number {number}"), "category": "Lamb"}))).await;
    }
    service.until_found("gigot", 30).await;
    let listed = service.walk("/v1/products?search=gigot&limit=7").await;
    for id in &listed[..10] {
        service.send("DELETE", &format!("/v1/products/{id}"), &[], &Value::Null).await;
    }
    let page = service.json("/v1/products?search=gigot&limit=7").await;
    let first: Vec<i64> =
        page["data"].as_array().unwrap().iter().map(|product| product["id"].as_i64().unwrap()).collect();
    assert_eq!(first, listed[10..17]);
}
