//! An API server in memory, as far as the operator uses one: it gets, lists, watches, creates, applies, patches,
//! replaces and deletes; it counts versions and generations; and it fails when it is told to.

mod apply;
mod call;
mod objects;
mod watch;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower_service::Service;

pub(crate) use call::{Call, Verb};
use objects::Objects;

/// What a request is answered with instead of what it asks for; `None` to let it through.
type Fault = Box<dyn FnMut(&Call) -> Option<StatusCode> + Send>;

/// The body of an answer.
type Answer = UnsyncBoxBody<Bytes, Infallible>;

/// The server. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Api {
    state: Arc<Mutex<State>>,
    by_operator: bool,
}

#[derive(Default)]
struct State {
    objects: Objects,
    calls: Vec<Call>,
    fault: Option<Fault>,
}

impl Api {
    pub(crate) fn client(&self) -> Client {
        Client::new(self.clone(), "shop")
    }

    /// One whose calls are marked as the operator's.
    pub(crate) fn operator_client(&self) -> Client {
        Client::new(Self { by_operator: true, ..self.clone() }, "shop")
    }

    /// What was asked since the last time.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// Answers as `fault` says from now on.
    pub(crate) fn fail(&self, fault: impl FnMut(&Call) -> Option<StatusCode> + Send + 'static) {
        self.state.lock().unwrap().fault = Some(Box::new(fault));
    }

    /// Does as it is asked again.
    pub(crate) fn recover(&self) {
        self.state.lock().unwrap().fault = None;
    }

    fn answer(&self, call: Call, body: &[u8]) -> Response<Answer> {
        let mut state = self.state.lock().unwrap();
        state.calls.push(call.clone());
        if let Some(code) = state.fault.as_mut().and_then(|fault| fault(&call)) {
            return failure(code, "made to fail");
        }
        if call.verb == Verb::Watch {
            return watch::answer(&mut state.objects, &call);
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match state.objects.answer(&call, body) {
            Ok(value) => response(StatusCode::OK, text(&value)),
            Err((code, message)) => failure(code, &message),
        }
    }
}

fn failure(code: StatusCode, message: &str) -> Response<Answer> {
    let reason = match code.as_u16() {
        404 => "NotFound",
        409 => "Conflict",
        422 => "Invalid",
        403 => "Forbidden",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    let reason = if message.contains("already exists") { "AlreadyExists" } else { reason };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code.as_u16(),
    });
    response(code, text(&status))
}

fn text(value: &Value) -> Answer {
    Full::new(Bytes::from(value.to_string())).boxed_unsync()
}

fn response(code: StatusCode, body: Answer) -> Response<Answer> {
    Response::builder().status(code).header("content-type", "application/json").body(body).unwrap()
}

impl Service<Request<Body>> for Api {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Ok(api.answer(Call { by_operator: api.by_operator, ..Call::parse(&head) }, &body))
        })
    }
}
