//! Events as subscribers get them: `{type, timestamp, data}`, a product as the API gives it.

use chrono::{DateTime, Utc};
use farmlokal_catalog::Timestamp;
use farmlokal_catalog::subscription::Happened;
use serde::Serialize;

use crate::api::products::body::ProductBody;

#[derive(Serialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: DateTime<Utc>,
    data: Data,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Product(Box<ProductBody>),
    Gone { id: i64 },
}

/// The bytes that tell that `happened`, at that time.
pub fn payload(happened: &Happened, at: Timestamp) -> Vec<u8> {
    let data = match happened {
        Happened::Changed(product) => Data::Product(Box::new(ProductBody::from((**product).clone()))),
        Happened::Deleted(id) => Data::Gone { id: id.get() },
    };
    let payload = Payload { kind: happened.kind().as_str(), timestamp: at.to_utc(), data };
    // Strings, numbers and times always serialise.
    serde_json::to_vec(&payload).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use farmlokal_catalog::{Currency, NewProduct, Product, ProductId, Version};
    use serde_json::{Value, json};

    use super::*;

    fn read(happened: &Happened) -> Value {
        serde_json::from_slice(&payload(happened, Timestamp::from_micros(1_000_000).unwrap())).unwrap()
    }

    #[test]
    fn a_product_is_told_as_the_api_tells_it() {
        let at = Timestamp::from_micros(0).unwrap();
        let id = ProductId::new(7).unwrap();
        let details = NewProduct {
            name: "Milk".parse().unwrap(),
            description: "Ä\n\"".parse().unwrap(),
            category: "Dairy".parse().unwrap(),
            price: "1.50".parse().unwrap(),
            currency: Currency::default(),
            unit: "1 l".parse().unwrap(),
            producer: "Farm".parse().unwrap(),
            stock: 3,
        };
        let product = Product { id, details, created_at: at, updated_at: at, version: Version::FIRST };
        let told = read(&Happened::Changed(Box::new(product.clone())));
        assert_eq!(told["data"], serde_json::to_value(ProductBody::from(product)).unwrap());
        assert_eq!((&told["type"], &told["timestamp"]), (&json!("product.changed"), &json!("1970-01-01T00:00:01Z")));
        assert_eq!(
            read(&Happened::Deleted(id)),
            json!({"type": "product.deleted", "timestamp": "1970-01-01T00:00:01Z", "data": {"id": 7}})
        );
    }
}
