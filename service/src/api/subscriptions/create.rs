//! Making a subscription, once if the request has a key.

use farmlokal_catalog::idempotency::{KeptAnswer, KeyedRequest, Owner};
use farmlokal_catalog::subscription::{CallbackUrl, Kinds, NewSubscription, SharedSecret, Subscription};
use poem::Request;
use ring::rand::SystemRandom;

use super::CreateAnswer;
use super::body::SubscriptionBody;
use crate::api::answer::Rendered;
use crate::api::bearer::Caller;
use crate::api::problem::{Kind, Problem};
use crate::api::{Context, idempotency};
use crate::webhooks::SigningSecret;

const OPERATION: &str = "POST /v1/subscriptions";

/// Makes the subscription, or finds that an earlier try of the request has: the answer, and whether it was given
/// before.
pub(super) async fn once(
    context: &Context,
    request: &Request,
    caller: &Caller,
    (url, kinds): (CallbackUrl, Kinds),
) -> Result<(KeptAnswer, bool), Problem> {
    let key = idempotency::key(request)?;
    context.guard.admit(&url).await?;
    let fingerprint = format!("{kinds} {url}");
    let secret = SigningSecret::generate(&SystemRandom::new())
        .ok_or_else(|| Problem::new(Kind::Internal, "The system has no random numbers to make a secret of."))?;
    let secret = SharedSecret::new(&secret.reveal());
    let new = NewSubscription { url, kinds, secret, owner: caller.client_id.to_string() };
    let Some(key) = key else {
        return Ok((render(&context.catalogue.subscribe(new, context.now()).await?), false));
    };
    let claimant = (KeyedRequest::new(&caller.client_id, OPERATION, &key, fingerprint.as_bytes()), Owner::random());
    let once = context.catalogue.subscribe_once(claimant, new, context.now(), Box::new(render)).await?;
    idempotency::answer(once, &context.counts)
}

/// The answer to a subscription just made: the only one that has its secret.
fn render(made: &Subscription) -> KeptAnswer {
    let headers = vec![("Location".to_owned(), format!("/v1/subscriptions/{}", made.id))];
    // Strings, numbers and times always serialise.
    let body = serde_json::to_vec(&SubscriptionBody::from(made).with_secret(made)).unwrap_or_default();
    KeptAnswer { status: 201, headers, body }
}

/// The kept answer as this operation's.
pub(super) fn answer((kept, replayed): (KeptAnswer, bool)) -> CreateAnswer {
    let location = kept.headers.into_iter().find(|(field, _)| field == "Location").map(|(_, value)| value);
    let replayed = replayed.then(|| "true".to_owned());
    CreateAnswer::Created(Rendered::kept(kept.body), location.unwrap_or_default(), "no-store".to_owned(), replayed)
}
