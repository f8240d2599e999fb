//! `Idempotency-Key`: a request happens once, however often it is sent.

use reqwest::Response;
use serde_json::{Value, json};

use crate::service::{Service, problem, product};

async fn make(service: &Service, key: &str, body: &Value) -> Response {
    service.send("POST", "/v1/products", &[("idempotency-key", key)], body).await
}

/// Status, the fields that say what was done, whether it was done before, and the body.
async fn whole(response: Response) -> (u16, Vec<String>, bool, String) {
    let fields = ["location", "etag", "content-type"].map(|name| response.headers()[name].to_str().unwrap().to_owned());
    let replayed = response.headers().get("idempotent-replayed").map(|value| value.to_str().unwrap().to_owned());
    assert!(replayed.as_deref().is_none_or(|value| value == "true"));
    (response.status().as_u16(), fields.to_vec(), replayed.is_some(), response.text().await.unwrap())
}

async fn count(service: &Service) -> usize {
    service.json("/v1/products?category=Testing").await["data"].as_array().unwrap().len()
}

pub async fn makes_one_product_of_many_tries(service: &Service) {
    let body = product(json!({"name": "Käse 🧀"}));
    let first = whole(make(service, "key-1", &body).await).await;
    assert_eq!((first.0, first.2), (201, false));
    let made: Value = serde_json::from_str(&first.3).unwrap();
    assert_eq!(first.1[0], format!("/v1/products/{}", made["id"]));
    let again = whole(make(service, "\"key-1\"", &body).await).await;
    assert_eq!(again, (201, first.1.clone(), true, first.3.clone()));
    // Also when the product has gone on meanwhile.
    service.send("DELETE", &first.1[0], &[], &Value::Null).await;
    assert_eq!(whole(make(service, "key-1", &body).await).await, again);
    assert_eq!(count(service).await, 0);
    for _ in 0..2 {
        service.create(&body).await;
    }
    assert_eq!(count(service).await, 2, "without a key each request is one of its own");

    let (second, other_base) = service.second().await;
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..30 {
        let base = if n % 2 == 0 { &service.base } else { &other_base };
        let request = service.client.post(format!("{base}/v1/products")).bearer_auth(&service.token);
        let request = request.header("idempotency-key", "key-2").json(&body);
        senders.spawn(async move {
            loop {
                let response = request.try_clone().unwrap().send().await.unwrap();
                if response.status() != 409 {
                    return whole(response).await;
                }
                assert_eq!(response.headers()["retry-after"], "1");
                assert_eq!(problem(response).await["field"], "Idempotency-Key");
            }
        });
    }
    let answers = senders.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.2).count(), 1);
    assert!(answers.iter().all(|answer| (answer.0, &answer.3) == (201, &answers[0].3)), "{answers:?}");
    // The other instance may have made it: what that writes is shown here within moments.
    service.until("the third product shows", async || count(service).await >= 3).await;
    assert_eq!(count(service).await, 3);
    second.shut_down(std::time::Duration::ZERO).await;
}

pub async fn tells_other_requests_apart(service: &Service) {
    assert_eq!(make(service, "key-1", &product(json!({"currency": "INR"}))).await.status(), 201);
    for (field, value) in [
        ("name", json!("Test Cheese 2")),
        ("description", json!("")),
        ("category", json!("Other")),
        ("price", json!("12.51")),
        ("currency", json!("EUR")),
        ("unit", json!("1 kg")),
        ("producer", json!("Other Farm")),
        ("stock", json!(4)),
    ] {
        let other = problem(make(service, "key-1", &product(json!({field: value}))).await).await;
        assert_eq!((&other["status"], &other["field"]), (&json!(422), &json!("Idempotency-Key")), "{field}");
    }
    // What means the same is the same.
    let spaced = "{ \"stock\": 3, \"unit\":\"200 g\", \"producer\":\"Test Farm\", \"price\":\"12.5\",\n \"name\":\"Test \\u0043heese\", \
                  \"category\":\"Testing\", \"description\":\"Made for a test.\" }";
    let request =
        service.client.post(format!("{}/v1/products", service.base)).header("content-type", "application/json");
    let request = request.bearer_auth(&service.token);
    let same = request.header("idempotency-key", "key-1").body(spaced).send().await.unwrap();
    assert_eq!(same.headers()["idempotent-replayed"], "true", "{}", same.status());
    assert_eq!(make(service, "Key-1", &product(json!({}))).await.headers().get("idempotent-replayed"), None);
    assert_eq!(count(service).await, 2);
}

pub async fn keeps_no_failures(service: &Service) {
    assert_eq!(make(service, "key-1", &product(json!({"price": "-1"}))).await.status(), 400);
    let key = [("idempotency-key", "key-1")];
    assert_eq!(service.send_as(None, "POST", "/v1/products", &key, &product(json!({}))).await.status(), 401);
    let made = make(service, "key-1", &product(json!({}))).await;
    assert_eq!((made.status().as_u16(), made.headers().get("idempotent-replayed")), (201, None));
}

pub async fn refuses_malformed_keys(service: &Service) {
    for key in ["", "\"\"", "two words", "\"open", "a,b", "\"a\";b", &"x".repeat(256)] {
        let refused = problem(make(service, key, &product(json!({}))).await).await;
        assert_eq!((&refused["status"], &refused["field"]), (&json!(400), &json!("Idempotency-Key")), "{key}");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    assert_eq!(service.send("POST", "/v1/products", &twice, &product(json!({}))).await.status(), 400);
    assert_eq!(count(service).await, 0);
    assert_eq!(make(service, &"x".repeat(255), &product(json!({}))).await.status(), 201);
}
