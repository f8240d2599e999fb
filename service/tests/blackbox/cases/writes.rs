//! Making, changing and removing products.

use serde_json::{Value, json};

use crate::service::{Service, problem, product};

pub async fn make_read_change_remove(service: &Service) {
    let body = product(json!({"name": "Käse 🧀", "price": "0.10", "description": "two\nlines"}));
    let response = service.send("POST", "/v1/products", &[], &body).await;
    assert_eq!(response.status(), 201);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (location, etag) = (header("location"), header("etag"));
    let made: Value = response.json().await.unwrap();
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(made[field], *value, "{field}");
    }
    assert_eq!((&made["currency"], &made["version"]), (&json!("INR"), &json!(1)));
    assert_eq!(location, format!("/v1/products/{}", made["id"]));
    assert_eq!(service.json(&location).await, made, "what was answered is what is stored");

    let response = service.send("PATCH", &location, &[], &json!({"price": "9999999999.99", "stock": 0})).await;
    assert_eq!(response.status(), 200);
    assert_ne!(response.headers()["etag"].to_str().unwrap(), etag);
    let changed: Value = response.json().await.unwrap();
    assert_eq!((&changed["price"], &changed["version"]), (&json!("9999999999.99"), &json!(2)));
    assert_eq!((&changed["name"], &changed["createdAt"]), (&made["name"], &made["createdAt"]));
    assert_eq!(service.json(&location).await, changed);

    let response = service.send("PATCH", &location, &[], &json!({"stock": 0})).await;
    assert_eq!(response.json::<Value>().await.unwrap(), changed, "a change of nothing changes nothing");

    assert_eq!(service.send("DELETE", &location, &[], &Value::Null).await.status(), 204);
    for method in ["GET", "DELETE", "PATCH"] {
        let body = if method == "PATCH" { json!({}) } else { Value::Null };
        let problem = problem(service.send(method, &location, &[], &body).await).await;
        assert_eq!(problem["status"], 404, "{method}");
    }
}

pub async fn guard_against_lost_changes(service: &Service) {
    let made = service.create(&product(json!({}))).await;
    let location = format!("/v1/products/{}", made["id"]);
    let first = service.get(&location).await.headers()["etag"].to_str().unwrap().to_owned();
    let change = |tag: String, price: &str| {
        let (location, body) = (location.clone(), json!({"price": price}));
        async move { service.send("PATCH", &location, &[("if-match", &tag)], &body).await }
    };
    assert_eq!(change(first.clone(), "1.00").await.status(), 200);
    let lost = problem(change(first.clone(), "2.00").await).await;
    assert_eq!((lost["status"].as_u64(), lost["field"].as_str()), (Some(412), Some("If-Match")));
    assert_eq!(change(format!("W/{first}"), "2.00").await.status(), 412, "a weak tag never matches here");
    assert_eq!(change("*".to_owned(), "3.00").await.status(), 200);
    let removal = service.send("DELETE", &location, &[("if-match", &first)], &Value::Null).await;
    assert_eq!(removal.status(), 412);
    assert_eq!(service.json(&location).await["price"], "3.00");

    // Two clients with the same tag at once: one wins, the other learns that it lost.
    let tag = service.get(&location).await.headers()["etag"].to_str().unwrap().to_owned();
    let (a, b) = tokio::join!(change(tag.clone(), "4.00"), change(tag, "5.00"));
    let mut statuses = [a.status().as_u16(), b.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

pub async fn name_the_wrong_field(service: &Service) {
    let long = "x".repeat(201);
    for (body, field) in [
        (product(json!({"name": ""})), "name"),
        (product(json!({"name": " padded "})), "name"),
        (product(json!({"name": long})), "name"),
        (product(json!({"name": 1})), "name"),
        (product(json!({"name": null})), "name"),
        (product(json!({"name": "a\u{0}b"})), "name"),
        (product(json!({"price": 12.5})), "price"),
        (product(json!({"price": "12.505"})), "price"),
        (product(json!({"price": "-1"})), "price"),
        (product(json!({"price": "1e3"})), "price"),
        (product(json!({"currency": "rupees"})), "currency"),
        (product(json!({"stock": -1})), "stock"),
        (product(json!({"stock": 1.5})), "stock"),
        (product(json!({"stock": 4_294_967_296_u64})), "stock"),
        (product(json!({"stock": null})), "stock"),
        (product(json!({"category": "a\nb"})), "category"),
    ] {
        let problem = problem(service.send("POST", "/v1/products", &[], &body).await).await;
        assert_eq!(
            (problem["status"].as_u64(), problem["field"].as_str()),
            (Some(400), Some(field)),
            "{body} {problem}"
        );
    }
    let mut without = product(json!({}));
    without.as_object_mut().unwrap().remove("unit");
    let missing = problem(service.send("POST", "/v1/products", &[], &without).await).await;
    assert_eq!(missing["detail"], "unit is missing.");
    for (body, word) in
        [(product(json!({"colour": "red"})), "colour"), (json!([1]), "NewProduct"), (json!("text"), "NewProduct")]
    {
        let problem = problem(service.send("POST", "/v1/products", &[], &body).await).await;
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    let null = problem(service.send("PATCH", "/v1/products/1", &[], &json!({"name": null})).await).await;
    assert_eq!((null["status"].as_u64(), null["field"].as_str()), (Some(400), Some("name")));
}

pub async fn count_categories(service: &Service) {
    let count = |categories: &Value, name: &str| {
        let list = categories["data"].as_array().unwrap();
        list.iter().find(|category| category["name"] == name).map(|category| category["products"].as_u64().unwrap())
    };
    let before = service.json("/v1/categories").await;
    let listed: u64 =
        before["data"].as_array().unwrap().iter().map(|category| category["products"].as_u64().unwrap()).sum();
    assert_eq!(listed, crate::service::ROWS);
    let made = service.create(&product(json!({"category": "Shelf A"}))).await;
    let location = format!("/v1/products/{}", made["id"]);
    assert_eq!(count(&service.json("/v1/categories").await, "Shelf A"), Some(1));
    service.send("PATCH", &location, &[], &json!({"category": "Shelf B"})).await;
    let moved = service.json("/v1/categories").await;
    assert_eq!((count(&moved, "Shelf A"), count(&moved, "Shelf B")), (None, Some(1)));
    service.send("DELETE", &location, &[], &Value::Null).await;
    assert_eq!(service.json("/v1/categories").await, before);
}
