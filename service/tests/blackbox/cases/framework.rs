//! What the framework answers by itself elsewhere, and the pages around the API.

use serde_json::{Value, json};

use crate::service::{Service, problem, product};

pub async fn errors_are_problems_too(service: &Service) {
    for path in ["/nope", "/v1", "/v1/products/1/nope", "/docs/nope", "//", "/v1/products/"] {
        assert_eq!(problem(service.get(path).await).await["status"], 404, "{path}");
    }
    for (method, path, allow) in [
        ("PUT", "/v1/products", "GET, HEAD, POST"),
        ("POST", "/v1/products/1", "DELETE, GET, HEAD, PATCH"),
        ("DELETE", "/v1/categories", "GET, HEAD"),
        ("OPTIONS", "/products", "GET, HEAD"),
        ("TRACE", "/products", "GET, HEAD"),
        ("POST", "/docs", "GET, HEAD"),
        ("BREW", "/openapi.json", "GET, HEAD"),
    ] {
        let response = service.send(method, path, &[], &Value::Null).await;
        assert_eq!(response.headers()["allow"], allow, "{method} {path}");
        assert_eq!(problem(response).await["status"], 405);
    }
    let post = || service.client.post(format!("{}/v1/products", service.base)).bearer_auth(&service.token);
    let text = post().header("content-type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!(problem(text).await["status"], 415);
    for body in ["", "{", "nonsense", "{\"name\":", "\u{0}"] {
        let response = post().header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(problem(response).await["status"], 400, "{body:?}");
    }
    let large = post().json(&product(json!({"description": "x".repeat(70_000)}))).send().await.unwrap();
    let large = problem(large).await;
    assert_eq!((large["status"].as_u64(), large["field"].as_str()), (Some(413), Some("body")));
    let long = problem(service.get(&format!("/v1/products?search={}", "x".repeat(20_000))).await).await;
    assert_eq!((long["status"].as_u64(), long["field"].as_str()), (Some(414), Some("url")));
}

pub async fn serves_its_documentation(service: &Service) {
    let root = service.get("/").await;
    assert_eq!((root.status().as_u16(), root.headers()["location"].to_str().unwrap()), (307, "/docs"));
    let document = service.get("/openapi.json").await.text().await.unwrap();
    assert_eq!(document, farmlokal::api::document::json());
    let page = service.get("/docs").await.text().await.unwrap();
    assert!(page.contains("SwaggerUIBundle") && page.contains("listProducts"));
    for elsewhere in ["src=\"http", "href=\"http", "src=\"//", "@import"] {
        assert!(!page.contains(elsewhere), "the page loads {elsewhere}");
    }
    let compressed =
        service.client.get(format!("{}/docs", service.base)).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert!(compressed.bytes().await.unwrap().len() < page.len() / 3);
    for path in ["/v1/products", "/v1/products/1", "/v1/categories", "/products", "/docs"] {
        let head = service.client.head(format!("{}{path}", service.base)).send().await.unwrap();
        assert_eq!(head.status(), 200, "HEAD {path}");
        assert!(head.bytes().await.unwrap().is_empty());
    }
}

pub async fn says_whether_it_is_ready(service: &Service) {
    let admin = |path: &str| service.client.get(format!("{}{path}", service.admin)).send();
    assert_eq!(admin("/livez").await.unwrap().status(), 200);
    let ready: Value = admin("/readyz").await.unwrap().json().await.unwrap();
    assert_eq!(ready, json!({"status": "ok", "checks": {"process": "ok", "database": "ok", "search": "ok"}}));
    assert_eq!(problem(admin("/v1/products").await.unwrap()).await["status"], 404, "no API on the admin port");
    for path in ["/livez", "/readyz"] {
        assert_eq!(service.get(path).await.status(), 404, "{path} is not public");
    }
}
