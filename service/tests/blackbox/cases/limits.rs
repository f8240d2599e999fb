//! Rate limits and load shedding. No engine matters here, so each case has its own service, on SQLite.

use std::time::{Duration, Instant};

use farmlokal_testkit::redis::Server;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::service::{Engine, Service, problem, product};

/// Everybody is limited, this machine too, and believed as a proxy, so that a test can be many clients.
const EVERYBODY: &str = "exempt = ''\ntrusted_proxies = '127.0.0.0/8'";
const PATIENCE: Duration = Duration::from_secs(30);

async fn service(toml: &str) -> Service {
    Service::start_with(Engine::sqlite, toml).await
}

/// A request of the client at `address`.
async fn get_as(service: &Service, address: &str, path: &str) -> Response {
    service.send_as(None, "GET", path, &[("x-forwarded-for", address)], &Value::Null).await
}

fn field<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("no {name} in {headers:?}")).to_str().unwrap()
}

/// `RateLimit`'s parameter `name`.
fn told(response: &Response, name: char) -> u64 {
    let told = field(response.headers(), "ratelimit");
    let parameter = told.split(';').find_map(|it| it.strip_prefix(&format!("{name}=")));
    parameter.unwrap_or_else(|| panic!("{told}")).parse().unwrap()
}

#[tokio::test]
async fn a_quota_is_told_counted_and_comes_back() {
    let service = service(&format!("[limits]\nread = 4\nsearch = 100\nwindow_s = 8\n{EVERYBODY}")).await;
    for left in (0..4).rev() {
        let response = service.get("/v1/products/1").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(field(response.headers(), "ratelimit-policy"), "\"read\";q=4;w=8");
        assert_eq!((told(&response, 'r'), told(&response, 't')), (left, 2));
    }
    let used_up = Instant::now();
    let refused = service.get("/v1/products/1").await;
    assert_eq!((told(&refused, 'r'), told(&refused, 't')), (0, 2));
    assert_eq!(field(refused.headers(), "retry-after"), "2", "not earlier than t");
    let refused = problem(refused).await;
    assert_eq!((&refused["status"], &refused["type"]), (&json!(429), &json!("urn:farmlokal:problem:quota-exceeded")));
    // Nothing that is read, found or not, goes beside the quota; but other classes have their own.
    assert_eq!(service.get("/nope").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(service.get("/docs").await.status(), StatusCode::TOO_MANY_REQUESTS);
    let search = service.get("/v1/products?search=milk").await;
    assert_eq!(
        (search.status(), field(search.headers(), "ratelimit-policy")),
        (StatusCode::OK, "\"search\";q=100;w=8")
    );
    service.until("the quota comes back", async || service.get("/v1/products/1").await.status() == 200).await;
    assert!(used_up.elapsed() > Duration::from_millis(500), "after {:?}", used_up.elapsed());
    service.stop().await;
}

#[tokio::test]
async fn clients_are_told_apart_behind_trusted_proxies() {
    let service = service(&format!("[limits]\nread = 2\n{EVERYBODY}")).await;
    let admitted = async |addresses: &[&str]| {
        let mut admitted = 0;
        for address in addresses {
            admitted += usize::from(get_as(&service, address, "/v1/products/1").await.status() == 200);
        }
        admitted
    };
    assert_eq!(admitted(&["192.0.2.1"; 5]).await, 2);
    assert_eq!(admitted(&["192.0.2.2"; 5]).await, 2);
    // What a client writes itself stands further left.
    assert_eq!(admitted(&["7.7.7.7, 192.0.2.1", "8.8.8.8, 192.0.2.1", "9.9.9.9, 192.0.2.2"]).await, 0);
    assert_eq!(admitted(&["2001:db8::1", "2001:db8::2", "2001:db8::3"]).await, 2, "one /64, one client");
    service.stop().await;
}

#[tokio::test]
async fn this_machine_is_not_limited_but_who_comes_through_it_is() {
    let service = service("[limits]\nread = 2").await;
    for _ in 0..20 {
        let response = service.get("/v1/products/1").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(!response.headers().contains_key("ratelimit"));
    }
    // Nobody told us of this proxy, so all its clients are one.
    for (address, status) in [("192.0.2.1", 200), ("192.0.2.2", 200), ("192.0.2.3", 429)] {
        assert_eq!(get_as(&service, address, "/v1/products/1").await.status(), status);
    }
    service.stop().await;
}

/// An operation is reached by one path only, so no other way of writing it leads around its class.
#[tokio::test]
async fn a_path_written_otherwise_is_another_path() {
    let service = service("").await;
    for path in
        ["/v1/%73uggest?q=mi", "/v1//suggest?q=mi", "/v1/suggest/?q=mi", "/V1/suggest?q=mi", "//v1/suggest?q=mi"]
    {
        assert_eq!(service.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    service.stop().await;
}

#[tokio::test]
async fn the_admin_port_is_never_limited() {
    let limits = "read = 1\nsearch = 1\nwrite = 1\ntoken = 1\nwebhook = 1\nmax_in_flight = 1\nmax_queued = 0";
    let service = service(&format!("[limits]\n{limits}\n{EVERYBODY}")).await;
    for path in ["/livez", "/readyz", "/metrics"] {
        for _ in 0..10 {
            let response = service.client.get(format!("{}{path}", service.admin)).send().await.unwrap();
            assert_ne!(response.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
            assert!(!response.headers().contains_key("ratelimit"), "{path}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn two_instances_share_a_quota_and_do_without_redis() {
    let mut redis = Server::start();
    let port = redis.port();
    let toml = format!("[limits]\nread = 20\nwindow_s = 3600\n{EVERYBODY}\n[redis]\nurl = '{}'", redis.url());
    let instances = [service(&toml).await, service(&toml).await];
    // How many of 60 requests to both in turn are admitted; none fails, and none takes long.
    let admitted = async |address: &str| {
        let mut admitted = 0;
        for instance in instances.iter().cycle().take(60) {
            let asked = Instant::now();
            let status = get_as(instance, address, "/v1/products/1").await.status();
            assert!(matches!(status.as_u16(), 200 | 429), "{status}");
            assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
            admitted += usize::from(status == 200);
        }
        admitted
    };
    assert_eq!(admitted("192.0.2.1").await, 20);
    drop(redis);
    assert!(admitted("192.0.2.1").await <= 1, "what was used up stays used up");
    assert_eq!(admitted("192.0.2.2").await, 40, "each by itself");
    redis = Server::start_on(port, &[]);
    let deadline = Instant::now() + PATIENCE;
    for client in 1.. {
        if admitted(&format!("192.0.3.{client}")).await == 20 {
            break;
        }
        assert!(Instant::now() < deadline, "they do not share again");
    }
    drop(redis);
    for instance in instances {
        instance.stop().await;
    }
}

/// A crowd that asks again at once, whatever it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_at_once_are_turned_away_and_the_rest_is_served() {
    let service = service("[limits]\nmax_in_flight = 1\nmax_queued = 1").await;
    let end = Instant::now() + Duration::from_secs(2);
    let crowd = (0..40).map(|_| {
        let (client, url) = (service.client.clone(), format!("{}/v1/products?limit=100", service.base));
        tokio::spawn(async move {
            let (mut good, mut turned_away) = (0, 0);
            while Instant::now() < end {
                let response = client.get(&url).send().await.unwrap();
                if response.status() == 200 {
                    good += 1;
                    continue;
                }
                let after: u64 = field(response.headers(), "retry-after").parse().unwrap();
                assert!((1..=3).contains(&after), "{after}");
                let problem = problem(response).await;
                assert_eq!((&problem["status"], &problem["type"]), (&json!(503), &json!("urn:farmlokal:problem:busy")));
                // And asks again at once, which it was told not to do.
                turned_away += 1;
            }
            (good, turned_away)
        })
    });
    let crowd: Vec<_> = crowd.collect();
    let admin = format!("{}/readyz", service.admin);
    while Instant::now() < end {
        assert_eq!(service.client.get(&admin).send().await.unwrap().status(), 200, "health is not concerned");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut good, mut turned_away) = (0, 0);
    for client in crowd {
        let counts = client.await.unwrap();
        (good, turned_away) = (good + counts.0, turned_away + counts.1);
    }
    assert!(good > 50, "{good} good answers beside {turned_away} refusals");
    assert!(turned_away > 30, "{turned_away}");
    assert_eq!(service.get("/v1/products/1").await.status(), 200, "and after it all is well");
    service.stop().await;
}

/// A body that does not come holds a connection, not a place.
#[tokio::test]
async fn slow_bodies_hold_no_places() {
    use tokio::io::AsyncWriteExt as _;
    let service = service("[limits]\nmax_in_flight = 1\nmax_queued = 0").await;
    let mut stream = tokio::net::TcpStream::connect(service.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = "POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..20 {
        assert_eq!(service.get("/v1/products/1").await.status(), 200);
    }
    service.create(&product(json!({}))).await;
    service.stop().await;
}
