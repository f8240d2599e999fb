//! Watches: what happens from now on, line by line. What is there already is told first.

use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::call::Call;
use super::objects::{Objects, presented};

pub(super) fn answer(objects: &mut Objects, call: &Call) -> Response<super::Answer> {
    let since: u64 = call.query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or_default();
    let newer = |object: &&Value| {
        object["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok()).unwrap_or(0) > since
    };
    let missed: Vec<_> = objects.matching(call).filter(newer).map(|object| line("ADDED", object, call)).collect();
    let (call, changes) = (call.clone(), objects.changes.subscribe());
    let lines = futures::stream::unfold((missed.into_iter(), changes), move |(mut missed, mut changes)| {
        let call = call.clone();
        async move {
            if let Some(line) = missed.next() {
                return Some((Ok::<_, std::convert::Infallible>(Frame::data(line)), (missed, changes)));
            }
            loop {
                let change = match changes.recv().await {
                    Ok(change) => change,
                    Err(RecvError::Lagged(_)) => panic!("more changes than a watch holds"),
                    Err(RecvError::Closed) => return None,
                };
                if change.group == call.group && change.plural == call.plural() && call.wants(&change.object) {
                    let line = line(change.word, &change.object, &call);
                    return Some((Ok(Frame::data(line)), (missed, changes)));
                }
            }
        }
    });
    super::response(StatusCode::OK, StreamBody::new(lines).boxed_unsync())
}

fn line(word: &str, object: &Value, call: &Call) -> Bytes {
    format!("{}\n", json!({"type": word, "object": presented(object, call)})).into()
}
