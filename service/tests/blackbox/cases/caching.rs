//! What is said about keeping answers, and that it is true.

use reqwest::Response;
use serde_json::{Value, json};

use crate::service::{Service, problem, product};

/// Every operation of the document, an example of it, and what is said of its answer. Whoever adds an
/// operation adds a line.
const TABLE: &[(&str, &str, &str, Kept)] = &[
    ("listProducts", "GET", "/v1/products?category=Dairy&limit=2", Kept::Moments),
    ("getProduct", "GET", "/v1/products/1", Kept::Checked),
    ("listCategories", "GET", "/v1/categories", Kept::Moments),
    ("suggest", "GET", "/v1/suggest?q=mil", Kept::Moments),
    ("listProductsOriginal", "GET", "/products?limit=2", Kept::Moments),
    ("createProduct", "POST", "/v1/products", Kept::Never),
    ("updateProduct", "PATCH", "/v1/products/1", Kept::Never),
    ("deleteProduct", "DELETE", "/v1/products/2", Kept::Never),
    ("receiveWebhook", "POST", "/v1/webhooks/farm", Kept::Never),
    ("listWebhookEvents", "GET", "/v1/webhooks/farm/events", Kept::Never),
    ("getWebhookEvent", "GET", "/v1/webhooks/farm/events/1", Kept::Never),
    ("replayWebhookEvent", "POST", "/v1/webhooks/farm/events/1/replay", Kept::Never),
    ("receiveWebhookOriginal", "POST", "/webhook", Kept::Never),
    ("getToken", "POST", "/oauth/token", Kept::Never),
    ("getAuthorizationServer", "GET", "/.well-known/oauth-authorization-server", Kept::Minute),
    ("getKeys", "GET", "/.well-known/jwks.json", Kept::Minute),
    ("listSuppliers", "GET", "/v1/suppliers", Kept::Never),
    ("syncSupplier", "POST", "/v1/suppliers/farm/sync", Kept::Never),
    ("getSync", "GET", "/v1/suppliers/farm/syncs/1", Kept::Never),
    ("externalSyncOriginal", "GET", "/external-sync", Kept::Never),
    ("createSubscription", "POST", "/v1/subscriptions", Kept::Never),
    ("listSubscriptions", "GET", "/v1/subscriptions", Kept::Never),
    ("getSubscription", "GET", "/v1/subscriptions/1", Kept::Never),
    ("deleteSubscription", "DELETE", "/v1/subscriptions/1", Kept::Never),
    ("enableSubscription", "POST", "/v1/subscriptions/1/enable", Kept::Never),
    ("", "GET", "/v1/nowhere", Kept::Never),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// For a moment, and a moment longer while asking again.
    Moments,
    /// For a minute, by others than the service.
    Minute,
    /// Only after asking whether it still holds.
    Checked,
    /// By nobody.
    Never,
}

fn field<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub async fn every_operation_says_what_may_be_kept(service: &Service) {
    let document = service.json("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap().values();
    let mut operations: Vec<&str> = paths
        .flat_map(|path| path.as_object().unwrap().values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let mut listed: Vec<&str> = TABLE.iter().map(|(operation, ..)| *operation).filter(|it| !it.is_empty()).collect();
    operations.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, operations, "each operation has a line in the table");
    for &(operation, method, path, kept) in TABLE {
        let body = match method {
            "POST" => product(json!({})),
            "PATCH" => json!({"stock": 1}),
            _ => Value::Null,
        };
        let response = service.send(method, path, &[], &body).await;
        let (control, status) = (field(&response, "cache-control"), field(&response, "cache-status"));
        let expected = match kept {
            Kept::Moments => "public, max-age=1, stale-while-revalidate=5",
            Kept::Minute => "public, max-age=60",
            Kept::Checked => "public, no-cache",
            Kept::Never => "no-store",
        };
        assert_eq!(control, expected, "{operation} {path}");
        let how = match (kept, method) {
            (Kept::Never | Kept::Minute, "GET") => "FarmLokal; fwd=bypass",
            (Kept::Never | Kept::Minute, _) => "FarmLokal; fwd=method",
            _ => "FarmLokal; fwd=uri-miss; stored",
        };
        assert_eq!(status, how, "{operation} {path}");
        let cached = !matches!(kept, Kept::Never | Kept::Minute);
        assert_eq!(response.headers().contains_key("age"), cached, "{operation} {path}");
        if !cached {
            continue;
        }
        // Again: from the cache, the same bytes and tag, and as old as it says.
        let again = service.send(method, path, &[], &Value::Null).await;
        assert!(field(&again, "cache-status").starts_with("FarmLokal; hit; ttl="), "{operation} {path}");
        assert!(field(&again, "cache-status").ends_with("; detail=local"), "{operation} {path}");
        assert_eq!(field(&again, "etag"), field(&response, "etag"));
        let (tag, age) = (field(&again, "etag").to_owned(), field(&again, "age").parse::<u64>().unwrap());
        assert!(age < 60, "{age}");
        assert_eq!(again.bytes().await.unwrap(), response.bytes().await.unwrap(), "{operation} {path}");
        let unchanged = service.send(method, path, &[("if-none-match", &tag)], &Value::Null).await;
        assert_eq!(unchanged.status(), 304, "{operation} {path}");
        for name in ["cache-control", "cache-status", "etag", "age"] {
            assert!(unchanged.headers().contains_key(name), "{operation} {path}: {name}");
        }
    }
}

async fn origin(service: &Service, path: &str) -> String {
    field(&service.get(path).await, "cache-status").to_owned()
}

pub async fn answers_come_from_the_cache_until_a_write(service: &Service) {
    let made = service.create(&product(json!({"category": "Testing"}))).await;
    let own = format!("/v1/products/{}", made["id"]);
    let (all, dairy, testing) =
        ("/v1/products?limit=5", "/v1/products?category=Dairy&limit=5", "/v1/products?category=Testing&limit=5");
    let paths = [all, dairy, testing, own.as_str(), "/v1/categories"];
    let hits = async || {
        let mut hits = Vec::new();
        for path in paths {
            hits.push(origin(service, path).await.contains("; hit;"));
        }
        hits
    };
    // What was made reaches the log of changes too; until it was read there, it may void once more.
    service.until("all answers are kept", async || hits().await == [true; 5]).await;
    service.send("PATCH", &own, &[], &json!({"stock": 77})).await;
    assert_eq!(hits().await, [false, true, false, false, false], "what it concerns, and nothing else");
    assert_eq!(service.json(&own).await["stock"], 77);
    service.until("all answers are kept", async || hits().await == [true; 5]).await;
    service.send("PATCH", &own, &[], &json!({"category": "Dairy"})).await;
    assert_eq!(hits().await, [false; 5], "where it was and where it is");
    service.send("DELETE", &own, &[], &Value::Null).await;
    assert_eq!(problem(service.get(&own).await).await["status"], 404);
    assert_eq!(service.json(testing).await["data"], json!([]));
}

pub async fn tells_and_forgets_on_the_admin_port(service: &Service) {
    let path = "/v1/products?category=Dairy&limit=7";
    service.until("it is kept", async || origin(service, path).await.contains("; hit;")).await;
    let told = service.admin_json("/v1/admin/cache").await;
    let list = &told["operations"]["listProducts"];
    assert!(list["local"].as_u64() >= Some(1) && list["computed"].as_u64() >= Some(1), "{told}");
    assert!((0.0..1.0).contains(&list["hitRatio"].as_f64().unwrap()), "{told}");
    assert!(told["loads"].as_u64() >= Some(1) && told["local"]["bytes"].as_u64().is_some(), "{told}");
    let metrics = service.client.get(format!("{}/metrics", service.admin)).send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("farmlokal_cache_answers_total{operation=\"listProducts\",origin=\"local\"}"),
        "{metrics}"
    );

    let flush = async |body: &str| {
        let request = service.client.post(format!("{}/v1/admin/cache/flush", service.admin)).body(body.to_owned());
        request.send().await.unwrap()
    };
    assert_eq!(flush(r#"{"namespace": "category:Fruits"}"#).await.status(), 200);
    assert!(origin(service, path).await.contains("; hit;"), "another category");
    for namespace in ["category:Dairy", "all"] {
        assert_eq!(flush(&json!({ "namespace": namespace }).to_string()).await.status(), 200);
        assert!(origin(service, path).await.contains("fwd=uri-miss"), "{namespace}");
    }
    for wrong in ["", "{}", r#"{"namespace": "everything"}"#, r#"{"namespace": "product:0"}"#, "[]"] {
        let refused = problem(flush(wrong).await).await;
        assert_eq!((refused["status"].as_u64(), refused["field"].as_str()), (Some(400), Some("namespace")), "{wrong}");
        assert!(refused["detail"].as_str().unwrap().contains("category:NAME"), "{refused}");
    }
}
