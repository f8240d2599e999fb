//! What every answer tells browsers, who may read it, and its name.

use reqwest::{Method, Response};
use serde_json::Value;

use crate::service::{Engine, Service, problem};

const SHOP: &str = "https://shop.example";

/// Every operation of the document, with something in place of its parameters.
fn operations() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(&farmlokal::api::document::json()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, methods)| {
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "1" } else { segment });
        let path = segments.collect::<Vec<_>>().join("/");
        let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase().parse().unwrap());
        methods.map(move |method| (method, path.clone())).collect::<Vec<_>>()
    });
    operations.collect()
}

fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_operation_says_all_of_it() {
    let service = Service::start_with(Engine::sqlite, "[limits]\nexempt = ''").await;
    let mut asked = operations();
    assert!(asked.len() > 5, "{asked:?}");
    let others = ["/", "/docs", "/docs/", "/openapi.json", "/nope", "/v1/products?limit=0"];
    asked.extend(others.map(|path| (Method::GET, path.to_owned())));
    asked.push((Method::PUT, "/v1/products".to_owned()));
    for (method, path) in asked {
        let response = service.send(method.as_str(), &path, &[], &Value::Null).await;
        let place = format!("{method} {path}: {} {:?}", response.status(), response.headers());
        let says = |name| field(&response, name).unwrap_or_else(|| panic!("no {name}: {place}"));
        assert_eq!(says("x-content-type-options"), "nosniff", "{place}");
        assert_eq!(says("referrer-policy"), "no-referrer", "{place}");
        assert_eq!(says("x-frame-options"), "DENY", "{place}");
        let policy = says("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{place}");
        assert_eq!(policy.contains("script-src"), path.starts_with("/docs"), "{place}");
        assert_eq!(says("x-request-id").len(), 32, "{place}");
        assert!(says("ratelimit-policy").contains(";q=") && says("ratelimit").contains(";r="), "{place}");
        for not in ["strict-transport-security", "access-control-allow-origin", "server", "x-powered-by"] {
            assert_eq!(field(&response, not), None, "{place}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn request_ids_are_taken_over_if_they_are_sound() {
    let service = Service::start(Engine::sqlite).await;
    let id_for = async |sent: &str, path: &str| {
        let response = service.send("GET", path, &[("x-request-id", sent)], &Value::Null).await;
        field(&response, "x-request-id").unwrap().to_owned()
    };
    for path in ["/v1/products/1", "/v1/products/0", "/nope", "/docs"] {
        assert_eq!(id_for("support-4711", path).await, "support-4711", "{path}");
    }
    for hostile in ["", "a b", "<script>", "{\"a\":1}", &"a".repeat(129)] {
        let made = id_for(hostile, "/v1/products/1").await;
        assert!(made.len() == 32 && made.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hostile}: {made}");
    }
    service.stop().await;
}

#[tokio::test]
async fn no_other_pages_may_read_unless_they_are_listed() {
    let service = Service::start(Engine::sqlite).await;
    let origin = [("origin", SHOP)];
    let response = service.send("GET", "/v1/products/1", &origin, &Value::Null).await;
    assert_eq!((response.status().as_u16(), field(&response, "access-control-allow-origin")), (200, None));
    assert_eq!(field(&response, "vary"), None, "it depends on nothing");
    let preflight = [("origin", SHOP), ("access-control-request-method", "POST")];
    let response = service.send("OPTIONS", "/v1/products", &preflight, &Value::Null).await;
    assert_eq!(problem(response).await["status"], 405);
    service.stop().await;
}

#[tokio::test]
async fn listed_pages_may_read() {
    let toml = format!("[cors]\nallowed_origins = '{SHOP}, http://localhost:3000'\nmax_age_s = 7");
    let service = Service::start_with(Engine::sqlite, &toml).await;
    let ask = async |method: &str, path: &str, fields: &[(&str, &str)]| {
        service.send(method, path, fields, &Value::Null).await
    };
    // Also what is refused can be read, and the documentation, which varies by coding as well.
    for (path, status) in [("/v1/products/1", 200), ("/v1/products/0", 400), ("/nope", 404), ("/openapi.json", 200)] {
        let response = ask("GET", path, &[("origin", SHOP)]).await;
        assert_eq!((response.status().as_u16(), field(&response, "access-control-allow-origin")), (status, Some(SHOP)));
        let exposed = field(&response, "access-control-expose-headers").unwrap();
        for name in ["ETag", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"] {
            assert!(exposed.split(", ").any(|it| it == name), "{name} in {exposed}");
        }
        let vary: Vec<_> = response.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.contains(&"Origin"), "{path}: {vary:?}");
        assert_eq!(vary.contains(&"Accept-Encoding"), path == "/openapi.json", "{path}: {vary:?}");
    }
    // A foreign page, and our own, which sends an origin with its writes: served, but not told to be readable.
    for origin in ["https://evil.example", "https://shop.example.evil", "null", &service.base] {
        let response = ask("GET", "/v1/products/1", &[("origin", origin)]).await;
        assert_eq!(
            (response.status().as_u16(), field(&response, "access-control-allow-origin")),
            (200, None),
            "{origin}"
        );
        assert_eq!(field(&response, "vary"), Some("Origin"));
    }
    let no_origin = ask("GET", "/v1/products/1", &[]).await;
    assert_eq!(field(&no_origin, "vary"), Some("Origin"), "a cache must not hand this to a page");
    let preflight = async |origin| {
        let fields = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "if-match"),
        ];
        ask("OPTIONS", "/v1/products/1", &fields).await
    };
    let allowed = preflight(SHOP).await;
    assert_eq!((allowed.status().as_u16(), field(&allowed, "access-control-allow-origin")), (204, Some(SHOP)));
    assert!(field(&allowed, "access-control-allow-methods").unwrap().contains("PATCH"));
    assert!(field(&allowed, "access-control-allow-headers").unwrap().contains("If-Match"));
    assert_eq!((field(&allowed, "access-control-max-age"), field(&allowed, "vary")), (Some("7"), Some("Origin")));
    assert_eq!(field(&allowed, "access-control-allow-credentials"), None);
    let refused = preflight("https://evil.example").await;
    assert_eq!((field(&refused, "access-control-allow-origin"), field(&refused, "vary")), (None, Some("Origin")));
    let refused = problem(refused).await;
    assert_eq!((refused["status"].as_u64(), refused["field"].as_str()), (Some(403), Some("Origin")));
    let plain = ask("OPTIONS", "/v1/products", &[("origin", SHOP)]).await;
    assert_eq!(problem(plain).await["status"], 405, "OPTIONS without a question is no preflight");
    service.stop().await;
}

#[tokio::test]
async fn every_page_may_read_where_it_says_so() {
    let service = Service::start_with(Engine::sqlite, "[cors]\nallowed_origins = '*'").await;
    let response = service.send("GET", "/v1/products/1", &[("origin", SHOP)], &Value::Null).await;
    assert_eq!((field(&response, "access-control-allow-origin"), field(&response, "vary")), (Some("*"), None));
    service.stop().await;
}
