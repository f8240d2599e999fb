//! The OpenAPI document.

use std::collections::HashMap;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{ContactObject, LicenseObject, OpenApi, OpenApiService};

use super::Operations;

const DESCRIPTION: &str = "\
A hyperlocal marketplace's catalogue: a million products and more, filtered, searched and sorted a page at a time.

**Errors** are problem documents (RFC 9457): decide by `type`, show `detail`; `field` names what is wrong. Query \
parameters that an operation does not have are refused.

**Limits**: each client has a quota for each class of operations, told by `RateLimit-Policy` and `RateLimit`; beyond it \
the answer is 429 with `Retry-After`. 503 with `Retry-After` means that all clients together ask too much.

**Support**: every answer has an `X-Request-Id`, the client's own if it sent one; the log knows requests by it.

**Writing** needs an access token: `POST /oauth/token` gives one for client credentials, and Authorize does it for \
you here. An embedded instance prints those of its demo client when it starts.";

/// The description of the operations without anything behind them.
struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<MetaApi> {
        Operations::meta()
    }

    fn register(registry: &mut Registry) {
        Operations::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

/// The document as JSON, the same at every start of the same version.
pub fn json() -> String {
    complete(service().spec()) + "\n"
}

/// Says what the framework cannot: a media type needs no parameter, since JSON is UTF-8 (RFC 8259), and
/// the bodies that are sent to us have no further fields. On the text, so that the order stays.
fn complete(document: String) -> String {
    ["NewProduct", "ProductPatch", "NewSubscription"].iter().fold(
        document.replace("application/json; charset=utf-8", "application/json"),
        |document, body| {
            let start = format!("      \"{body}\": {{\n        \"type\": \"object\",\n");
            document.replace(&start, &format!("{start}        \"additionalProperties\": false,\n"))
        },
    )
}

/// Swagger UI with the document, in one page that loads nothing from elsewhere.
pub(super) fn swagger_ui_html() -> String {
    service().swagger_ui_html().replace("<title>Swagger UI</title>", "<title>FarmLokal API</title>")
}

fn service() -> OpenApiService<Described, ()> {
    OpenApiService::new(Described, "FarmLokal", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0"))
        .contact(ContactObject::new().name("FarmLokal"))
        .server("/")
}

#[cfg(test)]
mod tests {
    #[test]
    fn bodies_sent_to_us_are_described_as_closed() {
        assert_eq!(super::json().matches("\"additionalProperties\": false").count(), 3);
    }

    /// The checked-in document is the one this code gives: a change of the API is a visible change.
    #[test]
    fn the_checked_in_document_is_up_to_date() {
        let checked_in = include_str!("../../../docs/openapi.json");
        assert_eq!(checked_in, super::json(), "run `cargo xtask openapi` and look at what changed");
    }
}
