//! Telling others of changes: a real receiver on this machine hears of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use farmlokal::webhooks::SigningSecret;
use farmlokal_testkit::receiver::{Mood, Received, Receiver};
use reqwest::Response;
use serde_json::{Value, json};

use crate::service::{Service, problem, product};

const PATH: &str = "/v1/subscriptions";

async fn subscribe(service: &Service, receiver: &Receiver, path: &str) -> Value {
    let response = service.send("POST", PATH, &[], &json!({"url": receiver.url(path)})).await;
    assert_eq!(response.status(), 201);
    response.json().await.unwrap()
}

/// The JSON of an answer that is to be 200, to who has a token.
async fn read(service: &Service, path: &str) -> Value {
    let response = service.send("GET", path, &[], &Value::Null).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

async fn one(service: &Service, subscription: &Value) -> Value {
    read(service, &format!("{PATH}/{}", subscription["id"])).await
}

async fn create(service: &Service, name: &str) -> i64 {
    service.create(&product(json!({"name": name}))).await["id"].as_i64().unwrap()
}

async fn until_received(service: &Service, receiver: &Receiver, path: &str, count: usize) -> Vec<Received> {
    service.until(&format!("{path} has {count}"), async || receiver.received(path).len() >= count).await;
    receiver.received(path)
}

fn body(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}

fn event_id(received: &Received) -> &str {
    &received.fields["webhook-id"]
}

/// Whether it is signed with `secret`, lately.
fn is_signed(received: &Received, secret: &str) -> bool {
    let at: i64 = received.fields["webhook-timestamp"].parse().unwrap();
    assert!((chrono::Utc::now().timestamp() - at).abs() < 60, "{at}");
    let signature = secret.parse::<SigningSecret>().unwrap().sign(event_id(received), at, &received.body);
    received.fields["webhook-signature"] == signature
}

pub async fn are_told_of_each_change(service: &Service) {
    let receiver = Receiver::start();
    let before = create(service, "Before").await;
    // What came before is passed on by then, to nobody.
    let made = subscribe(service, &receiver, "/all").await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && made["state"] == "active", "{made}");
    let id = create(service, "Käse 🧀").await;
    service.until("it is told", async || told(&receiver, "/all", id).len() == 1).await;
    let path = format!("/v1/products/{id}");
    assert_eq!(service.send("PATCH", &path, &[], &json!({"price": "99.00"})).await.status(), 200);
    service.until("it is told", async || told(&receiver, "/all", id).len() == 2).await;
    let now = service.json(&path).await;
    assert_eq!(service.send("DELETE", &path, &[], &Value::Null).await.status(), 204);
    service.until("it is told", async || told(&receiver, "/all", id).len() == 3).await;
    let events = told(&receiver, "/all", id);
    let kinds: Vec<Value> = events.iter().map(|event| body(event)["type"].clone()).collect();
    assert_eq!(kinds, ["product.changed", "product.changed", "product.deleted"]);
    assert_eq!((&body(&events[1])["data"], &body(&events[2])["data"]), (&now, &json!({"id": id})));
    assert!(chrono::DateTime::parse_from_rfc3339(body(&events[0])["timestamp"].as_str().unwrap()).is_ok());
    for event in &events {
        assert!(is_signed(event, secret) && !is_signed(event, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        assert_eq!(event.fields["content-type"], "application/json");
    }
    let ids: BTreeSet<&str> = events.iter().map(event_id).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| !id.contains('.')), "{ids:?}");
    // At the most what had not been passed on when the subscription was made.
    assert!(told(&receiver, "/all", before).len() <= 1);
    service
        .until("they are noted", async || {
            let deliveries = one(service, &made).await["deliveries"].as_array().unwrap().clone();
            deliveries.len() >= 3 && deliveries.iter().all(|delivery| delivery["state"] == "delivered")
        })
        .await;
    let last = one(service, &made).await["deliveries"][0].clone();
    assert_eq!((&last["eventId"], &last["productId"]), (&json!(event_id(&events[2])), &json!(id)));
    assert_eq!((&last["attempts"], &last["lastStatus"]), (&json!(1), &json!(204)));
}

/// What was sent about the product `id`.
fn told(receiver: &Receiver, path: &str, id: i64) -> Vec<Received> {
    receiver.received(path).into_iter().filter(|received| body(received)["data"]["id"] == id).collect()
}

pub async fn are_told_what_they_want(service: &Service) {
    let receiver = Receiver::start();
    let wanted = json!({"url": receiver.url("/gone"), "types": ["product.deleted"]});
    let made: Value = service.send("POST", PATH, &[], &wanted).await.json().await.unwrap();
    assert_eq!(made["types"], json!(["product.deleted"]));
    subscribe(service, &receiver, "/all").await;
    let id = create(service, "Milk").await;
    service.until("it is told", async || !told(&receiver, "/all", id).is_empty()).await;
    service.send("DELETE", &format!("/v1/products/{id}"), &[], &Value::Null).await;
    until_received(service, &receiver, "/gone", 1).await;
    // An event from outside is a change like any; so is what a bulk load is not.
    service.until("it is told", async || told(&receiver, "/all", id).len() >= 2).await;
    assert!(receiver.received("/gone").iter().all(|event| body(event)["type"] == "product.deleted"));
}

pub async fn are_made_once(service: &Service) {
    let url = json!({"url": "https://192.0.2.7.invalid/a"});
    let make = async |key: &str, body: &Value| service.send("POST", PATH, &[("idempotency-key", key)], body).await;
    let first = make("key-1", &url).await;
    assert_eq!((first.status().as_u16(), first.headers().get("idempotent-replayed")), (201, None));
    assert_eq!(first.headers()["cache-control"], "no-store");
    let location = first.headers()["location"].clone();
    let text = first.text().await.unwrap();
    let again = make("key-1", &json!({"types": [], "url": "https://192.0.2.7.INVALID:443/a"})).await;
    assert_eq!(
        (&again.headers()["location"], &again.headers()["idempotent-replayed"]),
        (&location, &"true".parse().unwrap())
    );
    assert_eq!(again.text().await.unwrap(), text, "the secret too");
    let other = json!({"url": "https://192.0.2.7.invalid/a", "types": ["product.deleted"]});
    assert_eq!(problem(make("key-1", &other).await).await["status"], 422);
    assert_eq!(make("key-2", &url).await.status(), 201);
    assert_eq!(read(service, PATH).await["data"].as_array().unwrap().len(), 2);
}

pub async fn are_listed_and_removed(service: &Service) {
    let receiver = Receiver::start();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.insert(0, subscribe(service, &receiver, &format!("/{n}")).await["id"].as_i64().unwrap());
    }
    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read(service, &format!("{PATH}?limit=2{cursor}")).await;
        walked.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()));
        assert_eq!(page["hasMore"], page["nextCursor"].is_string());
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(walked, ids);
    let listed = read(service, &format!("{PATH}?limit=2")).await;
    assert!(listed["data"].as_array().unwrap().iter().all(|one| one.get("secret").is_none() && one["url"].is_string()));
    let path = format!("{PATH}/{}", ids[0]);
    assert_eq!(read(service, &path).await["deliveries"], json!([]));
    assert!(!read(service, &path).await.as_object().unwrap().contains_key("secret"), "shown once");
    assert_eq!(service.send("DELETE", &path, &[], &Value::Null).await.status(), 204);
    for (method, path) in [("DELETE", path.clone()), ("GET", path.clone()), ("POST", format!("{path}/enable"))] {
        let gone = problem(service.send(method, &path, &[], &Value::Null).await).await;
        assert_eq!(gone["type"], "urn:farmlokal:problem:no-such-subscription", "{method}");
    }
    create(service, "Milk").await;
    until_received(service, &receiver, "/3", 1).await;
    assert!(receiver.received("/4").is_empty(), "it was removed");
    let cursor = problem(service.send("GET", &format!("{PATH}?cursor=abc"), &[], &Value::Null).await).await;
    assert_eq!((&cursor["status"], &cursor["field"]), (&json!(400), &json!("cursor")));
}

pub async fn go_nowhere_private(service: &Service) {
    let refused = async |body: Value| -> Response { service.send("POST", PATH, &[], &body).await };
    for url in [
        "http://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.1.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://0.0.0.0/",
        "https://0xa.0.0.1/",
        "https://167772161/",
        "https://[fe80::1]/",
        "https://100.64.0.1/",
        // Allowed is this machine in the tests; not by its ports for services of the system.
        "http://127.0.0.1:22/",
        "https://127.0.0.1:25/",
        // No URLs that could be meant.
        "ftp://shop.example/",
        "https://user:hunter2@shop.example/",
        "https://shop.example/#part",
        "shop.example",
        "",
    ] {
        let problem = problem(refused(json!({"url": url})).await).await;
        assert_eq!((&problem["status"], &problem["field"]), (&json!(400), &json!("url")), "{url}: {problem}");
        assert!(!problem.to_string().contains("hunter2"));
    }
    for body in
        [json!({}), json!({"url": 7}), json!({"url": null}), json!({"url": "https://shop.example/", "kinds": []})]
    {
        assert_eq!(problem(refused(body).await).await["status"], 400);
    }
    let kinds = problem(refused(json!({"url": "https://shop.example/", "types": ["order.placed"]})).await).await;
    assert_eq!((&kinds["status"], &kinds["field"]), (&json!(400), &json!("types")));
    assert_eq!(read(service, PATH).await["data"], json!([]));
}

pub async fn are_tried_again_and_given_up(service: &Service) {
    let receiver = Receiver::start();
    for (path, mood) in [
        ("/fails", Mood::Answers(500, "")),
        ("/hangs", Mood::HangsUp),
        ("/moved", Mood::Answers(307, "location: /elsewhere")),
    ] {
        receiver.mood(path, mood);
        let made = subscribe(service, &receiver, path).await;
        create(service, "Milk").await;
        service.until(path, async || one(service, &made).await["state"] == "disabled").await;
        let disabled = one(service, &made).await;
        let failed = disabled["deliveries"].as_array().unwrap().iter().find(|one| one["state"] == "failed").unwrap();
        assert_eq!(failed["attempts"], 4, "{failed}");
        let reason = disabled["reason"].as_str().unwrap();
        assert!(
            reason.contains("4 times in vain") && reason.ends_with(failed["outcome"].as_str().unwrap()),
            "{reason}"
        );
        let id = failed["eventId"].as_str().unwrap();
        let tries: Vec<Received> = receiver.received(path).into_iter().filter(|event| event_id(event) == id).collect();
        assert!(tries.len() == 4 && tries.iter().all(|again| again.body == tries[0].body), "{}", tries.len());
        let least = [40, 60, 80].map(Duration::from_millis);
        for (pair, least) in tries.windows(2).zip(least) {
            assert!(pair[1].at - pair[0].at >= least, "{:?}", pair[1].at - pair[0].at);
        }
        // Mended and enabled, it gets what it has missed.
        receiver.mood(path, Mood::Accepts);
        let enable = format!("{PATH}/{}/enable", made["id"]);
        let enabled: Value = service.send("POST", &enable, &[], &Value::Null).await.json().await.unwrap();
        assert!(enabled["state"] == "active" && enabled.get("reason").is_none(), "{enabled}");
        let accepted = |event: &Received| event_id(event) == id && event.mood == Mood::Accepts;
        service.until("it gets it", async || receiver.received(path).iter().any(accepted)).await;
        service.send("DELETE", &format!("{PATH}/{}", made["id"]), &[], &Value::Null).await;
    }
    assert!(receiver.received("/elsewhere").is_empty(), "redirects are not followed");
}

pub async fn end_when_the_receiver_is_gone(service: &Service) {
    let receiver = Receiver::start();
    receiver.mood("/gone", Mood::Answers(410, ""));
    let made = subscribe(service, &receiver, "/gone").await;
    create(service, "Milk").await;
    service.until("it is disabled", async || one(service, &made).await["state"] == "disabled").await;
    let asked = receiver.received("/gone").len();
    subscribe(service, &receiver, "/other").await;
    let id = create(service, "More milk").await;
    service.until("the other hears of it", async || !told(&receiver, "/other", id).is_empty()).await;
    assert_eq!(receiver.received("/gone").len(), asked);
    let disabled = one(service, &made).await;
    assert!(disabled["reason"].as_str().unwrap().contains("410"), "{disabled}");
}

pub async fn leave_an_overloaded_receiver_alone(service: &Service) {
    let receiver = Receiver::start();
    receiver.mood("/busy", Mood::Answers(429, "retry-after: 1"));
    subscribe(service, &receiver, "/busy").await;
    let id = create(service, "Milk").await;
    let first = until_received(service, &receiver, "/busy", 1).await[0].at;
    receiver.mood("/busy", Mood::Accepts);
    let other = create(service, "More milk").await;
    let both = async || [id, other].iter().all(|id| told(&receiver, "/busy", *id).iter().any(accepted));
    service.until("both arrive", both).await;
    let early = receiver.received("/busy").into_iter().filter(|event| event.mood == Mood::Accepts);
    // A moment less than was asked for: our answer was on its way.
    assert!(early.into_iter().all(|event| event.at - first > Duration::from_millis(900)));
}

fn accepted(event: &Received) -> bool {
    event.mood == Mood::Accepts
}

pub async fn hold_nobody_up(service: &Service) {
    let receiver = Receiver::start();
    let slow = Duration::from_secs(20);
    for n in 0..3 {
        receiver.mood(&format!("/slow-{n}"), Mood::Dawdles(slow));
        subscribe(service, &receiver, &format!("/slow-{n}")).await;
    }
    subscribe(service, &receiver, "/quick").await;
    let start = Instant::now();
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(create(service, &format!("Milk {n}")).await);
    }
    service
        .until("the quick one hears of all", async || ids.iter().all(|id| !told(&receiver, "/quick", *id).is_empty()))
        .await;
    assert!(start.elapsed() < slow, "it had to wait for the slow ones");
    let order: Vec<i64> =
        receiver.received("/quick").iter().filter_map(|event| body(event)["data"]["id"].as_i64()).collect();
    assert!(order.len() >= 20);
    // A receiver has a few at once at the most.
    let first = receiver.received("/slow-0").first().map(|event| event.at).unwrap();
    let at_once =
        receiver.received("/slow-0").iter().filter(|event| event.at - first < Duration::from_millis(900)).count();
    assert!(at_once <= 4, "{at_once}");
}

pub async fn are_served_by_all_instances(service: &Service) {
    let (second, _) = service.second().await;
    let receiver = Receiver::start();
    subscribe(service, &receiver, "/all").await;
    let mut ids = Vec::new();
    for n in 0..60 {
        ids.push(create(service, &format!("Milk {n}")).await);
    }
    let heard = async || ids.iter().all(|id| !told(&receiver, "/all", *id).is_empty());
    service.until("each is told", heard).await;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for event in receiver.received("/all") {
        *times.entry(event_id(&event).to_owned()).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "nothing failed, so nothing comes twice: {times:?}");
    // Whoever it is that passes changes on: when it ends, the other goes on.
    second.shut_down(Duration::ZERO).await;
    let late = create(service, "Late milk").await;
    service.until("it is told", async || !told(&receiver, "/all", late).is_empty()).await;
}
