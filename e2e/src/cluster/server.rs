//! A catalogue on MariaDB and Redis: two replicas, a million products, pools that are tuned.

use std::net::SocketAddr;

use serde_json::Value;

use super::place::{Place, get, has_products};
use super::{Arguments, Steps, events, traces, upkeep};

const SERVERS: &str = include_str!("../../manifests/servers.yaml");
const SHOP: &str = include_str!("../../manifests/shop.yaml");

/// The instance, and what the run knows of it.
pub(super) struct Shop<'a> {
    pub(super) place: &'a Place,
    pub(super) arguments: &'a Arguments,
    /// Its Service.
    pub(super) address: SocketAddr,
    /// The second account's URL of the database.
    pub(super) next_url: String,
    /// What events are signed with.
    pub(super) signing: Vec<u8>,
    /// The trace in which it was applied: 32 hexadecimal digits.
    pub(super) trace: String,
}

pub(super) fn run(place: &Place, arguments: &Arguments, steps: &mut Steps) -> Result<(), String> {
    let (password, next) = (hexadecimal(), hexadecimal());
    let (signing, trace) = (events::secret(), hexadecimal());
    steps.take("MariaDB and Redis", || {
        let servers = SERVERS.replace("PASSWORD", &password).replace("NEXT", &next);
        let servers = servers.replace("SIGNING", &events::text(&signing));
        let servers = servers.replace("REGISTRY", arguments.registry());
        place.tools.kubectl("config set-context --current --namespace shops")?;
        place.tools.apply(&servers)?;
        for name in ["mariadb", "redis"] {
            place.tools.kubectl(&format!("rollout status deployment/{name} --timeout=5m"))?;
        }
        Ok(String::new())
    })?;
    let rows = arguments.rows;
    steps.take(&format!("{rows} products on servers, applied until Ready"), || {
        place.tools.apply(&manifest(place, rows, &trace))?;
        place.tools.kubectl("wait farmlokal/shop --for=condition=Ready --timeout=30m")?;
        phases(place)
    })?;
    let address = place.service("shops", "shop")?;
    let next_url = format!("mysql://shop-next:{next}@mariadb.shops:3306/farmlokal");
    let shop = Shop { place, arguments, address, next_url, signing, trace };
    steps.take("products by its Service", || {
        has_products(address, rows)?;
        let listed = get(address, "/v1/products?category=Dairy&sort=-price&limit=3")?;
        let listed = listed["data"].as_array().map_or(0, Vec::len);
        if listed == 3 {
            Ok("the last one, none after it, and a sorted list".to_owned())
        } else {
            Err(format!("{listed} of 3 were listed"))
        }
    })?;
    events::run(&shop, steps)?;
    traces::run(&shop, steps)?;
    upkeep::run(&shop, steps)
}

fn manifest(place: &Place, rows: u64, trace: &str) -> String {
    let collector = place.collector.as_ref().map_or_else(|| "http://localhost:4318".to_owned(), |it| it.http());
    SHOP.replace("ROWS", &rows.to_string())
        .replace("COLLECTOR", &collector)
        .replace("TRACEPARENT", &format!("00-{trace}-b7ad6b7169203331-01"))
}

/// How long each part took, as the status tells it: seconds from the object's creation.
fn phases(place: &Place) -> Result<String, String> {
    let object = place.tools.kubectl("get farmlokal/shop --output json")?;
    let object: Value = serde_json::from_str(&object).map_err(|error| error.to_string())?;
    let created = time(&object["metadata"]["creationTimestamp"])?;
    let seconds = |at: &Value| time(at).map(|at| (at - created).num_seconds());
    let ready = object["status"]["conditions"].as_array().into_iter().flatten().find(|it| it["type"] == "Available");
    Ok(format!(
        "migrated after {} s, seeded after {} s, available after {} s",
        seconds(&object["status"]["migration"]["finishedAt"])?,
        seconds(&object["status"]["seed"]["finishedAt"])?,
        seconds(&ready.ok_or("the status has no condition Available")?["lastTransitionTime"])?,
    ))
}

fn time(at: &Value) -> Result<chrono::DateTime<chrono::FixedOffset>, String> {
    let text = at.as_str().ok_or("the status lacks a time")?;
    chrono::DateTime::parse_from_rfc3339(text).map_err(|error| format!("{text}: {error}"))
}

/// 128 random bits as hexadecimal digits.
fn hexadecimal() -> String {
    format!("{:032x}", fastrand::u128(1..))
}
