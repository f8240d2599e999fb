//! One product as a supplier offers it.

use serde::Deserialize;
use serde_json::Value;

use crate::{Currency, Description, ExternalId, Invalid, NewProduct};

/// A product of a supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What the supplier calls it.
    pub external: ExternalId,
    /// What it is.
    pub details: NewProduct,
}

/// As it is sent. What an offer has beside these is the supplier's own business.
#[derive(Deserialize)]
struct Sent {
    id: String,
    name: String,
    description: Option<String>,
    category: String,
    price: String,
    currency: Option<String>,
    unit: String,
    producer: String,
    #[serde(default)]
    stock: u32,
}

impl Offer {
    /// The offer that `sent` describes: `{id, name, category, price, unit, producer}`, and `description`,
    /// `currency` and `stock` if the supplier has them.
    pub fn read(sent: &Value) -> Result<Self, Invalid> {
        let sent = Sent::deserialize(sent)
            .map_err(|_| Invalid::new("offer", "must have id, name, category, price, unit and producer as texts"))?;
        let description = sent.description.map_or_else(|| Ok(Description::default()), |text| text.parse())?;
        let currency = sent.currency.map_or_else(|| Ok(Currency::default()), |code| code.parse())?;
        Ok(Self {
            external: sent.id.parse()?,
            details: NewProduct {
                name: sent.name.parse()?,
                description,
                category: sent.category.parse()?,
                price: sent.price.parse()?,
                currency,
                unit: sent.unit.parse()?,
                producer: sent.producer.parse()?,
                stock: sent.stock,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent() -> Value {
        json!({"id": "M-1", "name": "Milk", "category": "Dairy", "price": "1.50", "unit": "l", "producer": "Farm"})
    }

    #[test]
    fn what_may_be_left_out_has_its_default() {
        let offer = Offer::read(&sent()).unwrap();
        assert_eq!((offer.external.as_str(), offer.details.stock), ("M-1", 0));
        assert_eq!((offer.details.currency, offer.details.description.as_str()), (Currency::default(), ""));
        let mut more = sent();
        more["colour"] = json!("white");
        assert_eq!(Offer::read(&more).unwrap(), offer, "what we do not know does not matter");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (field, value, named) in [
            ("id", json!(1), "offer"),
            ("id", json!(""), "externalId"),
            ("name", json!(null), "offer"),
            ("price", json!(1.5), "offer"),
            ("price", json!("1.505"), "price"),
            ("stock", json!(-1), "offer"),
            ("currency", json!("rupees"), "currency"),
        ] {
            let mut wrong = sent();
            wrong[field] = value;
            assert_eq!(Offer::read(&wrong).unwrap_err().field, named, "{wrong}");
        }
        assert_eq!(Offer::read(&json!([])).unwrap_err().field, "offer");
    }
}
