//! Getting tokens: RFC 6749, section 4.4, and what RFC 8414 and RFC 7517 have published.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use farmlokal::config::Secret;
use farmlokal::oauth::{Credentials, Scope};
use reqwest::Response;
use serde_json::{Value, json};

use crate::service::Service;

const GRANT: &str = "grant_type=client_credentials";

/// Head or claims of a token.
pub fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&BASE64.decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

async fn post(service: &Service, content_type: &str, form: String) -> Response {
    let request = service.client.post(format!("{}/oauth/token", service.base));
    request.header("content-type", content_type).body(form).send().await.unwrap()
}

pub async fn gives_tokens(service: &Service) {
    let client = service.add_client(&[Scope::CatalogWrite, Scope::Admin]).await;
    let in_body = format!("{GRANT}&client_id={}&client_secret={}", client.id, client.secret.expose());
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    for (answer, scope) in [
        (service.ask_for_token(&client, GRANT).await, "catalog:write admin"),
        (service.ask_for_token(&client, &format!("{GRANT}&scope=admin")).await, "admin"),
        (service.ask_for_token(&client, &format!("{GRANT}&scope=admin+catalog%3Awrite")).await, "catalog:write admin"),
        (post(service, form, in_body.clone()).await, "catalog:write admin"),
        (post(service, form, format!("{in_body}&scope=catalog:write&audience=x")).await, "catalog:write"),
    ] {
        assert_eq!(answer.status(), 200);
        assert_eq!(
            (&answer.headers()["cache-control"], &answer.headers()["pragma"]),
            (&"no-store".parse().unwrap(), &"no-cache".parse().unwrap())
        );
        let body: Value = answer.json().await.unwrap();
        let token = body["access_token"].as_str().unwrap();
        let rest = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": scope});
        assert_eq!(body, rest);
        let (head, claims) = (part(token, 0), part(token, 1));
        assert_eq!((&head["typ"], &head["alg"]), (&json!("at+jwt"), &json!("ES256")));
        for name in ["sub", "client_id"] {
            assert_eq!(claims[name], client.id);
        }
        for name in ["iss", "aud"] {
            assert_eq!(claims[name], service.base);
        }
        assert_eq!(claims["scope"], scope);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    }
}

pub async fn refuses_as_rfc_6749_says(service: &Service) {
    let client = service.add_client(&[Scope::CatalogWrite]).await;
    let removed = service.add_client(&[Scope::CatalogWrite]).await;
    assert!(service.clients.remove(&removed.id, service.now()).await.unwrap());
    let with = |id: &str, secret: &str| Credentials { id: id.to_owned(), secret: Secret::new(secret.to_owned()) };
    let right = client.secret.expose();
    let ask = async |credentials: Credentials, form: &str| service.ask_for_token(&credentials, form).await;
    let form = "application/x-www-form-urlencoded";
    for (name, answer, status, error) in [
        ("no secret", ask(with(&client.id, ""), GRANT).await, 401, "invalid_client"),
        ("a wrong secret", ask(with(&client.id, &right[1..]), GRANT).await, 401, "invalid_client"),
        ("a huge secret", ask(with(&client.id, &"x".repeat(30_000)), GRANT).await, 401, "invalid_client"),
        ("nobody", ask(with("nobody", right), GRANT).await, 401, "invalid_client"),
        ("a strange id", ask(with("' OR 1=1 -- ä", right), GRANT).await, 401, "invalid_client"),
        ("an id with a space behind", ask(with(&format!("{} ", client.id), right), GRANT).await, 401, "invalid_client"),
        ("the demo client", ask(with("demo", right), GRANT).await, 401, "invalid_client"),
        ("a removed client", ask(removed, GRANT).await, 401, "invalid_client"),
        ("no client", post(service, form, GRANT.to_owned()).await, 401, "invalid_client"),
        ("another grant", ask(client.clone(), "grant_type=password").await, 400, "unsupported_grant_type"),
        ("no grant", ask(client.clone(), "scope=admin").await, 400, "invalid_request"),
        ("no form", post(service, "application/json", "{}".to_owned()).await, 400, "invalid_request"),
        ("twice", ask(client.clone(), &format!("{GRANT}&{GRANT}")).await, 400, "invalid_request"),
        ("two secrets", ask(client.clone(), &format!("{GRANT}&client_secret=x")).await, 400, "invalid_request"),
        ("too much", ask(client.clone(), &format!("{GRANT}&scope=catalog:write+admin")).await, 400, "invalid_scope"),
        ("no such scope", ask(client.clone(), &format!("{GRANT}&scope=everything")).await, 400, "invalid_scope"),
    ] {
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{name}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{name}");
        let challenge = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(challenge.as_deref(), (status == 401).then_some("Basic realm=\"farmlokal\""), "{name}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"], error, "{name}: {body}");
        assert!(body["error_description"].as_str().unwrap().len() > 10, "{name}");
        assert!(!body.to_string().contains(right), "{name}");
    }
    let in_url = format!("/oauth/token?{GRANT}&client_secret={right}");
    let refused = service.send("POST", &in_url, &[], &Value::Null).await;
    assert_eq!(refused.status(), 400);
    assert!(!refused.text().await.unwrap().contains(right), "and not repeated");
}

pub async fn takes_a_changed_secret_beside_the_old_one(service: &Service) {
    let old = service.add_client(&[Scope::CatalogWrite]).await;
    let keep = Duration::from_secs(100);
    let secret = service.clients.rotate(&old.id, keep, service.now()).await.unwrap().unwrap();
    let new = Credentials { secret, ..old.clone() };
    for credentials in [&old, &new] {
        assert_eq!(service.ask_for_token(credentials, GRANT).await.status(), 200);
    }
    service.advance(101);
    assert_eq!(service.ask_for_token(&old, GRANT).await.status(), 401);
    assert_eq!(service.ask_for_token(&new, GRANT).await.status(), 200);
    let secret = service.clients.rotate(&old.id, keep, service.now()).await.unwrap().unwrap();
    assert_eq!(service.ask_for_token(&old, GRANT).await.status(), 401, "it does not come back");
    assert_eq!(service.ask_for_token(&Credentials { secret, ..old }, GRANT).await.status(), 200);
    assert!(service.clients.rotate("nobody", keep, service.now()).await.unwrap().is_none());
}

pub async fn describes_itself(service: &Service) {
    let metadata = service.json("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata["issuer"], service.base);
    assert_eq!(metadata["token_endpoint"], format!("{}/oauth/token", service.base));
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["client_secret_basic", "client_secret_post"]));
    assert_eq!(metadata["scopes_supported"], json!(["catalog:read", "catalog:write", "webhooks:read", "admin"]));
    assert_eq!(metadata["response_types_supported"], json!([]));
    let keys_at = metadata["jwks_uri"].as_str().unwrap().strip_prefix(&service.base).unwrap();
    let keys = service.json(keys_at).await;
    let [key] = keys["keys"].as_array().unwrap().as_slice() else { panic!("{keys}") };
    let mut names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"], "and no private member");
    assert_eq!(
        (&key["kty"], &key["crv"], &key["use"], &key["alg"]),
        (&json!("EC"), &json!("P-256"), &json!("sig"), &json!("ES256"))
    );
    assert_eq!(key["kid"], part(&service.token, 0)["kid"]);
    for coordinate in ["x", "y"] {
        assert_eq!(BASE64.decode(key[coordinate].as_str().unwrap()).unwrap().len(), 32);
    }
}
