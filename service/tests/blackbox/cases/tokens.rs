//! Showing tokens: RFC 6750, and what becomes of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use farmlokal::oauth::Scope;
use reqwest::Response;
use serde_json::{Value, json};

use super::oauth::part;
use crate::service::{Service, problem};

/// A write that changes nothing.
async fn write_with(service: &Service, token: &str) -> Response {
    service.send_as(Some(&format!("Bearer {token}")), "PATCH", "/v1/products/1", &[], &json!({})).await
}

/// Reads a refusal; the challenge must name `error`, if there is one to be named.
async fn refusal(response: Response, status: u16, kind: &str, error: &str) -> Value {
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let problem = problem(response).await;
    assert_eq!(
        (problem["status"].as_u64(), problem["type"].as_str()),
        (Some(status.into()), Some(&*format!("urn:farmlokal:problem:{kind}")))
    );
    let expected = if error.is_empty() { String::new() } else { format!(", error=\"{error}\"") };
    assert!(challenge.starts_with(&format!("Bearer realm=\"farmlokal\"{expected}")), "{challenge}");
    assert_eq!(challenge.contains("error="), !error.is_empty(), "{challenge}");
    problem
}

/// Each operation of the document that names scopes is tried with nothing, with nonsense, with every other
/// scope and with the right one; all the others with nothing.
pub async fn guard_what_the_document_says(service: &Service) {
    let document: Value = service.json("/openapi.json").await;
    let mut guarded = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let (method, path) = (method.to_uppercase(), path.replace("{id}", "1"));
            // What the body would be refused for comes later.
            let send = async |token: Option<&str>| {
                let authorization = token.map(|token| format!("Bearer {token}"));
                service.send_as(authorization.as_deref(), &method, &path, &[], &json!(["nonsense"])).await
            };
            let Some(security) = operation["security"].as_array() else {
                let response = send(None).await;
                assert_ne!(response.status(), 403, "{method} {path}");
                assert!(response.status() != 401 || path == "/oauth/token", "{method} {path}");
                continue;
            };
            guarded += 1;
            let needed = security[0]["OAuth2"][0].as_str().unwrap();
            refusal(send(None).await, 401, "token-missing", "").await;
            refusal(send(Some("nonsense")).await, 401, "invalid-token", "invalid_token").await;
            let others: Vec<_> = Scope::ALL.into_iter().filter(|scope| scope.name() != needed).collect();
            let token = service.token(&service.add_client(&others).await).await;
            let problem = refusal(send(Some(&token)).await, 403, "insufficient-scope", "insufficient_scope").await;
            assert!(problem["detail"].as_str().unwrap().contains(needed), "{problem}");
            let token = service.token(&service.add_client(&[needed.parse().unwrap()]).await).await;
            let status = send(Some(&token)).await.status();
            assert!(status != 401 && status != 403, "{method} {path}: {status}");
        }
    }
    assert!(guarded >= 3, "{guarded}");
    let basic = service.send_as(Some("Basic ZGVtbzp4"), "DELETE", "/v1/products/1", &[], &Value::Null).await;
    refusal(basic, 401, "token-missing", "").await;
    let path = format!("/v1/products/1?access_token={}", service.token);
    let in_url = service.send_as(None, "DELETE", &path, &[], &Value::Null).await;
    refusal(in_url, 401, "token-missing", "").await;
}

pub async fn are_refused_when_altered(service: &Service) {
    let token = &service.token;
    assert_eq!(write_with(service, token).await.status(), 200);
    let parts: Vec<&str> = token.split('.').collect();
    let encode = |value: &Value| BASE64.encode(value.to_string());
    let with = |number: usize, name: &str, value: Value| {
        let mut part = part(token, number);
        part[name] = value;
        encode(&part)
    };
    let hour = part(token, 1)["exp"].as_i64().unwrap() + 3600;
    for (name, altered) in [
        ("alg none", format!("{}.{}.", with(0, "alg", json!("none")), parts[1])),
        ("alg none, signed", format!("{}.{}.{}", with(0, "alg", json!("none")), parts[1], parts[2])),
        ("alg HS256", format!("{}.{}.{}", with(0, "alg", json!("HS256")), parts[1], parts[2])),
        ("another typ", format!("{}.{}.{}", with(0, "typ", json!("JWT")), parts[1], parts[2])),
        ("another kid", format!("{}.{}.{}", with(0, "kid", json!("x")), parts[1], parts[2])),
        ("a later end", format!("{}.{}.{}", parts[0], with(1, "exp", json!(hour)), parts[2])),
        ("another issuer", format!("{}.{}.{}", parts[0], with(1, "iss", json!("https://x")), parts[2])),
        ("another audience", format!("{}.{}.{}", parts[0], with(1, "aud", json!("https://x")), parts[2])),
        ("another client", format!("{}.{}.{}", parts[0], with(1, "client_id", json!("demo")), parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("another signature", format!("{}.{}.{}", parts[0], parts[1], BASE64.encode([7; 64]))),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("something behind", format!("{token}.{}", parts[2])),
        ("too long", "x".repeat(20_000)),
        ("empty", String::new()),
    ] {
        let response = write_with(service, &altered).await;
        assert_eq!(response.status(), 401, "{name}");
        let problem = refusal(response, 401, "invalid-token", "invalid_token").await;
        assert!(!problem.to_string().contains(parts[2]), "{name}: the token is not repeated");
    }
    assert_eq!(write_with(service, token).await.status(), 200, "as it was");
}

pub async fn end_in_time(service: &Service) {
    assert_eq!(write_with(service, &service.token).await.status(), 200);
    service.advance(3_590);
    assert_eq!(write_with(service, &service.token).await.status(), 200, "and is remembered");
    service.advance(11);
    let problem = refusal(write_with(service, &service.token).await, 401, "invalid-token", "invalid_token").await;
    assert_eq!(problem["detail"], "The access token has expired.");
}

pub async fn are_gone_with_their_client(service: &Service) {
    let client = service.add_client(&[Scope::CatalogWrite]).await;
    let token = service.token(&client).await;
    assert_eq!(write_with(service, &token).await.status(), 200);
    assert!(service.clients.remove(&client.id, service.now()).await.unwrap());
    service.advance(11);
    let problem = refusal(write_with(service, &token).await, 401, "invalid-token", "invalid_token").await;
    assert!(problem["detail"].as_str().unwrap().contains("was removed"), "{problem}");
    assert_eq!(write_with(service, &service.token).await.status(), 200, "nobody else's");
}

pub async fn outlive_their_key_unless_it_is_taken_back(service: &Service) {
    let kids = async || {
        let keys = service.json("/.well-known/jwks.json").await["keys"].take();
        let kids: Vec<_> = keys.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
        kids
    };
    let client = service.add_client(&[Scope::CatalogWrite]).await;
    let kid = |token: &str| part(token, 0)["kid"].as_str().unwrap().to_owned();
    service.keys.rotate(false, service.now()).await.unwrap();
    service.advance(31);
    let [first, second] = <[String; 2]>::try_from(kids().await).unwrap();
    assert_eq!((kid(&service.token), kid(&service.token(&client).await)), (first.clone(), first.clone()));
    service.advance(300);
    let by_second = service.token(&client).await;
    assert_eq!(kid(&by_second), second);
    for token in [&service.token, &by_second] {
        assert_eq!(write_with(service, token).await.status(), 200);
    }
    service.keys.rotate(true, service.now()).await.unwrap();
    service.advance(42);
    for token in [&service.token, &by_second] {
        refusal(write_with(service, token).await, 401, "invalid-token", "invalid_token").await;
    }
    let by_third = service.token(&client).await;
    assert_eq!(kids().await, [kid(&by_third)]);
    assert_eq!(write_with(service, &by_third).await.status(), 200);
}
