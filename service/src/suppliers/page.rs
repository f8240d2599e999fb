//! A page of a supplier's offers: `{"data": [offer, …], "nextCursor": "…"}`.

use farmlokal_catalog::supply::Offer;
use serde::Deserialize;
use serde_json::Value;

use crate::outbound::Failure;

/// What a cursor may have in bytes; more is no cursor, and would not fit our URLs and tables.
const MAX_CURSOR: usize = 1_024;

/// A page as it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The offers that fit a product.
    pub(super) offers: Vec<Offer>,
    /// How many do not.
    pub(super) failed: u64,
    /// What is wrong with the first of those.
    pub(super) example: Option<String>,
    /// Where the next page is, if there is one.
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    data: Vec<Value>,
    next_cursor: Option<String>,
}

impl Page {
    /// The page in `body`. An offer that does not fit is counted and left out; a page that is none is a failure.
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let sent: Sent = serde_json::from_slice(body).map_err(|_| Failure::Garbled("it is no page of offers"))?;
        let next = sent.next_cursor.filter(|cursor| !cursor.is_empty());
        if next.as_ref().is_some_and(|cursor| cursor.len() > MAX_CURSOR) {
            return Err(Failure::Garbled("its cursor is too long"));
        }
        let mut page = Self { next, ..Self::default() };
        for sent in &sent.data {
            match Offer::read(sent) {
                Ok(offer) => page.offers.push(offer),
                Err(invalid) => {
                    page.failed += 1;
                    page.example.get_or_insert_with(|| invalid.to_string());
                }
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_taken_and_what_does_not_is_counted() {
        let offer =
            r#"{"id": "a", "name": "Milk", "category": "Dairy", "price": "1", "unit": "l", "producer": "Farm"}"#;
        let body = format!(r#"{{"data": [{offer}, 7, {{}}, {offer}], "nextCursor": "c", "more": true}}"#);
        let page = Page::read(body.as_bytes()).unwrap();
        assert_eq!((page.offers.len(), page.failed, page.next.as_deref()), (2, 2, Some("c")));
        assert!(page.example.unwrap().starts_with("offer must have id"));
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        for rest in ["", r#", "nextCursor": null"#, r#", "nextCursor": """#] {
            assert_eq!(Page::read(format!(r#"{{"data": []{rest}}}"#).as_bytes()), Ok(Page::default()));
        }
    }

    #[test]
    fn what_is_no_page_is_a_failure() {
        let long = format!(r#"{{"data": [], "nextCursor": "{}"}}"#, "x".repeat(1_025));
        for body in ["", "<html>", "[]", "{}", r#"{"data": {}}"#, r#"{"data": [], "nextCursor": 2}"#, &long] {
            assert!(matches!(Page::read(body.as_bytes()), Err(Failure::Garbled(_))), "{body:.40}");
        }
    }
}
