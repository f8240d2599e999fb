//! Making a product, once if the request has a key.

use farmlokal_catalog::idempotency::{KeptAnswer, KeyedRequest, Owner};
use farmlokal_catalog::{NewProduct, Product};
use poem::Request;

use super::CreateAnswer;
use super::body::ProductBody;
use crate::api::answer::Rendered;
use crate::api::bearer::Caller;
use crate::api::problem::Problem;
use crate::api::{Context, etag, idempotency};

const OPERATION: &str = "POST /v1/products";

/// Makes the product, or finds that an earlier try of the request has: the answer, and whether it was given before.
pub(super) async fn once(
    context: &Context,
    request: &Request,
    caller: &Caller,
    details: NewProduct,
) -> Result<(KeptAnswer, bool), Problem> {
    let Some(key) = idempotency::key(request)? else {
        return Ok((render(&context.catalogue.create(details, context.now()).await?), false));
    };
    let keyed = KeyedRequest::new(&caller.client_id, OPERATION, &key, &canonical(&details));
    let claimant = (keyed, Owner::random());
    let once = context.catalogue.create_once(claimant, details, context.now(), Box::new(render)).await?;
    idempotency::answer(once, &context.counts)
}

/// `details` as bytes that are the same whenever the product is: spaces and the order of fields do not count, and
/// what is left out is what it stands for.
fn canonical(details: &NewProduct) -> Vec<u8> {
    let texts = [
        details.name.as_str(),
        details.description.as_str(),
        details.category.as_str(),
        details.currency.as_str(),
        details.unit.as_str(),
        details.producer.as_str(),
    ];
    // Strings and numbers always serialise.
    serde_json::to_vec(&(texts, details.price.minor(), details.stock)).unwrap_or_default()
}

/// The answer to a product just made.
fn render(product: &Product) -> KeptAnswer {
    let headers = vec![
        ("Location".to_owned(), format!("/v1/products/{}", product.id)),
        ("ETag".to_owned(), etag::of_product(product)),
    ];
    // Strings, numbers and times always serialise.
    let body = serde_json::to_vec(&ProductBody::from(product.clone())).unwrap_or_default();
    KeptAnswer { status: 201, headers, body }
}

/// The kept answer as this operation's.
pub(super) fn answer((kept, replayed): (KeptAnswer, bool)) -> CreateAnswer {
    let header = |name: &str| {
        kept.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (location, etag) = (header("Location"), header("ETag"));
    CreateAnswer::Created(Rendered::kept(kept.body), location, etag, replayed.then(|| "true".to_owned()))
}
