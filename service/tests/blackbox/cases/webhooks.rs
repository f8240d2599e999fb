//! Events from outside: believed, kept, applied once.

use std::time::{SystemTime, UNIX_EPOCH};

use farmlokal::webhooks::SigningSecret;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::service::{SECRETS, Service, problem};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// The body of an event that happened so many seconds ago.
fn event(kind: &str, ago: i64, data: &Value) -> String {
    let at = chrono::DateTime::from_timestamp(now() - ago, 0).unwrap().to_rfc3339();
    json!({"type": kind, "timestamp": at, "data": data}).to_string()
}

fn cheese(external: &str, price: &str) -> Value {
    json!({
        "externalId": external, "name": "Webhook Cheese", "category": "Webhooks", "price": price, "unit": "kg",
        "producer": "Farm", "stock": 2,
    })
}

fn signed(service: &Service, base: &str, secret: &str, id: &str, at: i64, body: &str) -> RequestBuilder {
    let signature = secret.parse::<SigningSecret>().unwrap().sign(id, at, body.as_bytes());
    service
        .client
        .post(format!("{base}/v1/webhooks/farm-hub"))
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", signature)
        .body(body.to_owned())
}

async fn send(service: &Service, id: &str, body: &str) -> Response {
    signed(service, &service.base, SECRETS[0], id, now(), body).send().await.unwrap()
}

async fn event_of(service: &Service, id: &str) -> Value {
    service.own(&format!("/v1/webhooks/farm-hub/events/{id}")).await
}

/// Sends an event and waits for what becomes of it.
async fn settle(service: &Service, id: &str, body: &str) -> Value {
    let response = send(service, id, body).await;
    assert_eq!(response.status(), 202, "{}", response.text().await.unwrap());
    settled(service, id).await
}

async fn settled(service: &Service, id: &str) -> Value {
    service.until(id, async || event_of(service, id).await["state"] != "pending").await;
    event_of(service, id).await
}

async fn cheeses(service: &Service) -> Vec<Value> {
    service.json("/v1/products?category=Webhooks").await["data"].as_array().unwrap().clone()
}

/// Events of all fates at the door, one each: accepted, sent again, another one with its id, not signed by its source,
/// and of no source there is.
pub async fn of_every_kind(service: &Service) {
    let body = event("product.upserted", 50, &cheese("K-1", "10.00"));
    assert_eq!(send(service, "kind-1", &body).await.status(), 202);
    assert_eq!(send(service, "kind-1", &body).await.status(), 200);
    assert_eq!(send(service, "kind-1", &body.replace("10.00", "10.01")).await.status(), 409);
    let stranger = "whsec_c3RyYW5nZXIgc3RyYW5nZXIgc3RyYW5nZXI=";
    let unsigned = signed(service, &service.base, stranger, "kind-2", now(), &body);
    assert_eq!(unsigned.send().await.unwrap().status(), 401);
    let mut unknown = signed(service, &service.base, SECRETS[0], "kind-3", now(), &body).build().unwrap();
    unknown.url_mut().set_path("/v1/webhooks/nobody");
    assert_eq!(service.client.execute(unknown).await.unwrap().status(), 404);
    settled(service, "kind-1").await;
}

/// An event that can never be applied.
pub async fn parked(service: &Service) {
    let parked = settle(service, "parked-1", &event("stock.changed", 0, &json!({"id": 1, "stock": 0.5}))).await;
    assert_eq!(parked["state"], "parked");
}

pub async fn change_products(service: &Service) {
    let body = event("product.upserted", 50, &cheese("C-1", "10.00"));
    let response = send(service, "evt-1", &body).await;
    assert_eq!(response.status(), 202);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let accepted: Value = response.json().await.unwrap();
    assert_eq!(
        (&accepted["id"], &accepted["source"], &accepted["state"]),
        (&json!("evt-1"), &json!("farm-hub"), &json!("pending"))
    );
    service.until("the event is applied", async || service.own(&location).await["state"] == "processed").await;
    let [made] = &cheeses(service).await[..] else { panic!() };
    let done = service.own(&location).await;
    assert_eq!(done["outcome"], format!("made product {}", made["id"]));
    assert_eq!((&done["payload"], &done["attempts"]), (&json!(body), &json!(0)));
    assert!(done["processedAt"].is_string() && done.get("nextAttemptAt").is_none(), "{done}");
    settle(service, "evt-2", &event("price.changed", 40, &json!({"externalId": "C-1", "price": "11.50"}))).await;
    settle(service, "evt-3", &event("stock.changed", 30, &json!({"id": made["id"], "stock": 0}))).await;
    let changed = service.json(&format!("/v1/products/{}", made["id"])).await;
    assert_eq!((&changed["price"], &changed["stock"], &changed["version"]), (&json!("11.50"), &json!(0), &json!(3)));
    // The search follows as it does any other write.
    service.until_found("webhook+cheese", 1).await;
    let gone = settle(service, "evt-4", &event("product.deleted", 20, &json!({"externalId": "C-1"}))).await;
    assert_eq!(gone["outcome"], format!("removed product {}", made["id"]));
    // The event is done with its transaction, and cached answers are void a moment later.
    let path = format!("/v1/products/{}", made["id"]);
    service.until("the product is gone", async || service.get(&path).await.status() == 404).await;
    service.until_found("webhook+cheese", 0).await;
    assert_eq!(settle(service, "evt-5", &event("order.placed", 0, &json!(null))).await["state"], "ignored");
}

pub async fn happen_once_however_often_they_are_sent(service: &Service) {
    let (second, other_base) = service.second().await;
    let body = event("product.upserted", 0, &cheese("C-1", "10.00"));
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..30 {
        let base = if n % 2 == 0 { &service.base } else { &other_base };
        let request = signed(service, base, SECRETS[0], "evt-1", now(), &body);
        senders.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    let mut statuses = senders.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[..29].to_vec(), statuses[29]), (vec![200; 29], 202), "one is new, and all succeed");
    settled(service, "evt-1").await;
    let made = cheeses(service).await;
    assert_eq!((made.len(), &made[0]["version"]), (1, &json!(1)));

    // A later repetition, signed anew with another timestamp, is told what came of the first.
    let again = signed(service, &other_base, SECRETS[0], "evt-1", now() - 100, &body).send().await.unwrap();
    assert_eq!(again.status(), 200);
    assert_eq!(again.json::<Value>().await.unwrap()["outcome"], format!("made product {}", made[0]["id"]));
    let conflict =
        problem(send(service, "evt-1", &event("product.deleted", 0, &json!({"externalId": "C-1"}))).await).await;
    assert_eq!((&conflict["status"], &conflict["field"]), (&json!(409), &json!("webhook-id")));
    assert_eq!(cheeses(service).await, made);

    // Many events over both instances, each sent twice: each is applied once, by either's worker.
    let mut senders = tokio::task::JoinSet::new();
    let bodies: Vec<String> = (0..30).map(|n| event("product.upserted", 60, &cheese(&format!("M-{n}"), "1"))).collect();
    for n in 0..60 {
        let base = if n % 3 == 0 { &service.base } else { &other_base };
        let (id, body) = (format!("many-{}", n / 2), &bodies[n / 2]);
        let request = signed(service, base, SECRETS[0], &id, now(), body);
        senders.spawn(async move { assert!(request.send().await.unwrap().status().is_success()) });
    }
    senders.join_all().await;
    for n in 0..30 {
        assert_eq!(settled(service, &format!("many-{n}")).await["state"], "processed");
    }
    let categories = service.json("/v1/categories").await;
    let counted = categories["data"].as_array().unwrap().iter().find(|one| one["name"] == "Webhooks").unwrap();
    assert_eq!(counted["products"], 31);
    second.shut_down(std::time::Duration::ZERO).await;
}

pub async fn are_believed_only_when_signed(service: &Service) {
    let body = event("product.upserted", 0, &cheese("C-1", "10.00"));
    let request = |secret: &str, at: i64| signed(service, &service.base, secret, "evt-1", at, &body);
    let stranger = "whsec_c3RyYW5nZXIgc3RyYW5nZXIgc3RyYW5nZXI=";
    let with = |field: &'static str, value: &'static str| {
        let mut request = request(SECRETS[0], now()).build().unwrap();
        request.headers_mut().insert(field, value.parse().unwrap());
        RequestBuilder::from_parts(service.client.clone(), request)
    };
    let without = |field: &'static str| {
        let mut request = request(SECRETS[0], now()).build().unwrap();
        request.headers_mut().remove(field);
        RequestBuilder::from_parts(service.client.clone(), request)
    };
    for (request, status, field) in [
        (request(stranger, now()), 401, "webhook-signature"),
        (request(SECRETS[0], now() - 330), 401, "webhook-timestamp"),
        (request(SECRETS[0], now() + 330), 401, "webhook-timestamp"),
        (with("webhook-id", "evt-2"), 401, "webhook-signature"),
        (with("webhook-timestamp", "1614265330"), 401, "webhook-timestamp"),
        (with("webhook-timestamp", "soon"), 400, "webhook-timestamp"),
        (with("webhook-id", "evt.1"), 400, "webhook-id"),
        (with("webhook-signature", "v1a,AAAA"), 400, "webhook-signature"),
        (without("webhook-id"), 400, "webhook-id"),
        (without("webhook-timestamp"), 400, "webhook-timestamp"),
        (without("webhook-signature"), 400, "webhook-signature"),
        // Which of two would count?
        (request(SECRETS[0], now()).header("webhook-id", "evt-2"), 400, "webhook-id"),
        (request(SECRETS[0], now()).body(body.replace("10.00", "10.01")), 401, "webhook-signature"),
        (request(SECRETS[0], now()).body(""), 401, "webhook-signature"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
        let problem = problem(response).await;
        assert_eq!((&problem["status"], &problem["field"]), (&json!(status), &json!(field)), "{problem}");
    }
    let mut unknown = request(SECRETS[0], now()).build().unwrap();
    unknown.url_mut().set_path("/v1/webhooks/nobody");
    assert_eq!(problem(service.client.execute(unknown).await.unwrap()).await["status"], 404);
    // Signed by this source, sent to another.
    let mut other = request(SECRETS[0], now()).build().unwrap();
    other.url_mut().set_path("/v1/webhooks/other");
    assert_eq!(problem(service.client.execute(other).await.unwrap()).await["status"], 401);
    assert_eq!(service.own("/v1/webhooks/farm-hub/events").await["data"], json!([]), "nothing was kept");
    // While secrets are rotated, either will do, and so will one good signature among others.
    assert_eq!(request(SECRETS[1], now() - 200).send().await.unwrap().status(), 202);
    let mut several = request(SECRETS[0], now()).build().unwrap();
    let good = several.headers()["webhook-signature"].to_str().unwrap().to_owned();
    several.headers_mut().insert("webhook-signature", format!("v1,AAAA {good} v2,x").parse().unwrap());
    assert_eq!(service.client.execute(several).await.unwrap().status(), 200);
}

/// The bytes are what is signed: spaces, the order of fields and escapes are nobody's business.
pub async fn are_signed_as_bytes(service: &Service) {
    let body = "{\n  \"data\" : { \"stock\":7.0e0 ,\t\"id\": 1, \"note\": \"caf\\u00e9 é \u{1f9c0}\" },\r\n \"type\":\"stock\\u002echanged\" }\n";
    let kept = settle(service, "evt-1", &body.replace("7.0e0", "7")).await;
    assert_eq!((&kept["state"], &kept["type"]), (&json!("processed"), &json!("stock.changed")));
    assert_eq!(kept["payload"], body.replace("7.0e0", "7"));
    assert_eq!(service.json("/v1/products/1").await["stock"], 7);
    let parked = settle(service, "evt-2", body).await;
    assert_eq!(
        (&parked["state"], parked["attempts"].as_u64()),
        (&json!("parked"), Some(1)),
        "a float is no number of pieces"
    );
}

pub async fn come_in_any_order(service: &Service) {
    let price = |price: &str| json!({"externalId": "C-1", "price": price});
    // Its product is not there yet: this waits for it.
    assert_eq!(send(service, "evt-1", &event("price.changed", 30, &price("12.00"))).await.status(), 202);
    settle(service, "evt-2", &event("product.upserted", 60, &cheese("C-1", "10.00"))).await;
    assert_eq!(settled(service, "evt-1").await["state"], "processed");
    let late = settle(service, "evt-3", &event("price.changed", 45, &price("11.00"))).await;
    assert_eq!((&late["state"], &late["outcome"]), (&json!("processed"), &json!("superseded by newer events")));
    settle(service, "evt-4", &event("product.upserted", 40, &cheese("C-1", "11.50"))).await;
    assert_eq!(cheeses(service).await[0]["price"], "12.00");
    settle(service, "evt-5", &event("product.deleted", 50, &json!({"externalId": "C-1"}))).await;
    assert_eq!(cheeses(service).await.len(), 1, "it was there after that");
    settle(service, "evt-6", &event("product.deleted", 10, &json!({"externalId": "C-1"}))).await;
    settle(service, "evt-7", &event("product.upserted", 20, &cheese("C-1", "13.00"))).await;
    service.until("it stays gone", async || cheeses(service).await.is_empty()).await;
}

pub async fn are_parked_and_replayed(service: &Service) {
    let body = event("stock.changed", 0, &json!({"externalId": "C-1", "stock": 9}));
    let parked = settle(service, "evt-1", &body).await;
    assert_eq!((&parked["state"], &parked["attempts"]), (&json!("parked"), &json!(3)));
    assert_eq!(parked["outcome"], "there is no such product");
    let duplicate = send(service, "evt-1", &body).await;
    assert_eq!(duplicate.status(), 200);
    assert_eq!(duplicate.json::<Value>().await.unwrap()["state"], "parked");
    settle(service, "evt-2", &event("product.upserted", 60, &cheese("C-1", "10.00"))).await;
    let replay = async |id: &str| {
        service.send("POST", &format!("/v1/webhooks/farm-hub/events/{id}/replay"), &[], &Value::Null).await
    };
    let replayed = replay("evt-1").await;
    assert_eq!(replayed.status(), 202);
    let replayed: Value = replayed.json().await.unwrap();
    assert_eq!((&replayed["state"], &replayed["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(settled(service, "evt-1").await["state"], "processed");
    assert_eq!(cheeses(service).await[0]["stock"], 9);
    assert_eq!(problem(replay("evt-1").await).await["status"], 409);
    assert_eq!(problem(replay("evt-3").await).await["status"], 404);
}

pub async fn are_listed(service: &Service) {
    for n in 0..7 {
        let kind = if n < 3 { "order.placed" } else { "stock.changed" };
        settle(service, &format!("evt-{n}"), &event(kind, 0, &json!({"id": 1, "stock": n}))).await;
    }
    let path = "/v1/webhooks/farm-hub/events";
    let ids = |page: &Value| {
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let response = service.get_own(&format!("{path}?limit=3&state=processed")).await;
    let link = response.headers()["link"].to_str().unwrap().to_owned();
    let first: Value = response.json().await.unwrap();
    assert_eq!(ids(&first), ["evt-6", "evt-5", "evt-4"]);
    assert!(first["data"][0].get("payload").is_none());
    let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let second = service.own(next).await;
    assert_eq!((ids(&second), &second["hasMore"]), (vec!["evt-3".to_owned()], &json!(false)), "the state is adopted");
    assert_eq!(ids(&service.own(&format!("{path}?state=ignored")).await), ["evt-2", "evt-1", "evt-0"]);
    assert_eq!(ids(&service.own(path).await).len(), 7);
    assert_eq!(service.own("/v1/webhooks/other/events").await["data"], json!([]));
    let cursor = first["nextCursor"].as_str().unwrap();
    for (query, status) in [
        (format!("{path}?cursor={cursor}&state=parked"), 400),
        (format!("/v1/webhooks/other/events?cursor={cursor}"), 400),
        (format!("{path}?cursor=x"), 400),
        (format!("{path}?state=done"), 400),
        (format!("{path}?limit=101"), 400),
        (format!("{path}?kind=x"), 400),
        (format!("/v1/products?cursor={cursor}"), 400),
        ("/v1/webhooks/nobody/events".to_owned(), 404),
        ("/v1/webhooks/Not_A_Name/events".to_owned(), 400),
        (format!("{path}/evt-9"), 404),
    ] {
        assert_eq!(problem(service.get_own(&query).await).await["status"], status, "{query}");
    }
    for (method, path) in
        [("GET", path.to_owned()), ("GET", format!("{path}/evt-1")), ("POST", format!("{path}/evt-1/replay"))]
    {
        let refused = service.send_as(None, method, &path, &[], &Value::Null).await;
        assert_eq!(problem(refused).await["status"], 401, "{method} {path}");
    }
    // An id may be anything a header field can carry, a full stop excepted.
    let odd = "a/b?c#d%e&f+g\"'<>~";
    let response = send(service, odd, &event("order.placed", 0, &json!(null))).await;
    assert_eq!(response.status(), 202);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(service.own(&location).await["id"], odd);
}

pub async fn must_be_events(service: &Service) {
    for (body, field) in [
        ("", "body"),
        ("null", "body"),
        ("[]", "body"),
        ("{\"type\":", "body"),
        ("{\"data\": {}}", "body"),
        ("{\"type\": 7}", "body"),
        ("{\"type\": \"\"}", "type"),
        ("{\"type\": \"x\", \"timestamp\": 1614265330}", "body"),
        ("{\"type\": \"x\", \"timestamp\": \"yesterday\"}", "timestamp"),
        ("{\"type\": \"x\", \"timestamp\": \"2126-01-01T00:00:00Z\"}", "timestamp"),
    ] {
        let problem = problem(send(service, "evt-1", body).await).await;
        assert_eq!((&problem["status"], &problem["field"]), (&json!(400), &json!(field)), "{body}: {problem}");
    }
    let large = event("x", 0, &json!("x".repeat(70_000)));
    assert_eq!(problem(send(service, "evt-1", &large).await).await["status"], 413);
    let small = event("x", 0, &json!(null));
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let mut request = signed(service, &service.base, SECRETS[0], "evt-1", now(), &small).build().unwrap();
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        assert_eq!(problem(service.client.execute(request).await.unwrap()).await["status"], 415, "{kind}");
    }
    assert_eq!(service.own("/v1/webhooks/farm-hub/events").await["data"], json!([]));
    let mut request = signed(service, &service.base, SECRETS[0], "evt-1", now(), &small).build().unwrap();
    request.headers_mut().insert("content-type", "application/json; charset=utf-8".parse().unwrap());
    assert_eq!(service.client.execute(request).await.unwrap().status(), 202);
}

pub async fn of_the_original_are_answered_as_it_did(service: &Service) {
    let (second, other_base) = service.second().await;
    let send = async |base: &str, body: &Value| {
        let response = service.client.post(format!("{base}/webhook")).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let success = (200, json!({"status": "success"}));
    let duplicate = (200, json!({"message": "Event already processed (Idempotent)"}));
    let missing = (400, json!({"error": "Missing eventId"}));
    assert_eq!(send(&service.base, &json!({"eventId": "e-1", "data": {"a": 1}})).await, success);
    assert_eq!(send(&other_base, &json!({"eventId": "e-1", "data": {"a": 1}})).await, duplicate);
    assert_eq!(send(&service.base, &json!({"eventId": "e-1", "data": {"a": 2}})).await, duplicate);
    assert_eq!(send(&service.base, &json!({"eventId": "E-1"})).await, success);
    for body in [json!({}), json!({"data": 1}), json!({"eventId": null}), json!({"eventId": ""}), json!([])] {
        assert_eq!(send(&service.base, &body).await, missing, "{body}");
    }
    // Different objects were one and the same event to the original.
    for id in [json!({"a": 1}), json!({"a": 2}), json!([1]), json!(7), json!(true)] {
        let (status, answer) = send(&service.base, &json!({"eventId": id})).await;
        assert_eq!((status, &answer["error"]), (400, &json!("eventId must be a string")), "{id}");
    }
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..30 {
        let base = if n % 2 == 0 { &service.base } else { &other_base };
        let request = service.client.post(format!("{base}/webhook")).json(&json!({"eventId": "e-2", "data": 1}));
        senders.spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() });
    }
    let answers = senders.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == success.1).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == duplicate.1).count(), 29);
    let kept = service.own("/v1/webhooks/original/events").await;
    assert_eq!(kept["data"].as_array().unwrap().len(), 3);
    assert_eq!(kept["data"][0]["state"], "ignored");
    let bad = service
        .client
        .post(format!("{}/webhook", service.base))
        .header("content-type", "application/json")
        .body("{")
        .send();
    assert_eq!(problem(bad.await.unwrap()).await["status"], 400);
    // It is a source of its own: nobody can sign for it.
    let mut signed = signed(service, &service.base, SECRETS[0], "e-3", now(), "{}").build().unwrap();
    signed.url_mut().set_path("/v1/webhooks/original");
    assert_eq!(problem(service.client.execute(signed).await.unwrap()).await["status"], 404);
    second.shut_down(std::time::Duration::ZERO).await;
}
