//! Webhooks: events of a source, signed as Standard Webhooks has it, and what they do to products.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farmlokal_testkit::http::Client;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Steps;
use super::place::get;
use super::server::Shop;

const EVENTS: u64 = 100;

/// A secret to sign with.
pub(super) fn secret() -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(32).collect()
}

/// A secret as the configuration has it.
pub(super) fn text(secret: &[u8]) -> String {
    STANDARD.encode(secret)
}

pub(super) fn run(shop: &Shop<'_>, steps: &mut Steps) -> Result<(), String> {
    steps.take(&format!("{EVENTS} webhooks, until they show"), || {
        let mut client = Client::new(shop.address);
        for product in 1..=EVENTS {
            let body = format!(r#"{{"type":"stock.changed","data":{{"id":{product},"stock":{}}}}}"#, 7_000 + product);
            let status = deliver(&mut client, shop, &format!("run-{product}"), &body)?;
            if status != 202 {
                return Err(format!("an event was answered {status}"));
            }
        }
        let again = deliver(&mut client, shop, "run-1", r#"{"type":"stock.changed","data":{"id":1,"stock":1}}"#);
        for product in 1..=EVENTS {
            shop.place.tools.until(&format!("the stock of product {product}"), 30, || {
                let is = get(shop.address, &format!("/v1/products/{product}"))?["stock"].clone();
                if is == 7_000 + product { Ok(Some(())) } else { Err(format!("it is {is}")) }
            })?;
        }
        Ok(format!("each once; one that was sent again was answered {}", again?))
    })?;
    Ok(())
}

fn deliver(client: &mut Client, shop: &Shop<'_>, id: &str, body: &str) -> Result<u16, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_secs();
    let mut mac = Hmac::<Sha256>::new_from_slice(&shop.signing).map_err(|error| error.to_string())?;
    mac.update(format!("{id}.{now}.{body}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let fields = [
        "Content-Type: application/json".to_owned(),
        format!("webhook-id: {id}"),
        format!("webhook-timestamp: {now}"),
        format!("webhook-signature: v1,{signature}"),
    ];
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    client.send("POST /v1/webhooks/farm-hub HTTP/1.1", &fields, body).map(|(status, _)| status)
}
