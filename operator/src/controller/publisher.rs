//! Publishes events, and remembers some of them.

use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};

/// Events after which all are forgotten.
const REMEMBERED: usize = 100;

/// Publishes events. One that repeats within minutes is counted and not told anew, unless many others came between: the
/// library's recorder would remember every one for six minutes, and where hundreds of objects begin at once that is more
/// than the objects themselves.
pub struct Publisher {
    client: Client,
    reporter: Reporter,
    current: Mutex<Current>,
}

struct Current {
    recorder: Recorder,
    published: usize,
}

impl Publisher {
    /// Publishes for `reporter`.
    #[must_use]
    pub fn new(client: Client, reporter: Reporter) -> Self {
        let recorder = Recorder::new(client.clone(), reporter.clone());
        Self { client, reporter, current: Mutex::new(Current { recorder, published: 0 }) }
    }

    /// Publishes `event`, which is about `object`.
    ///
    /// # Errors
    ///
    /// When the API server does not take it.
    pub async fn publish(&self, event: &Event, object: &ObjectReference) -> Result<(), kube::Error> {
        self.recorder().publish(event, object).await
    }

    fn recorder(&self) -> Recorder {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.published >= REMEMBERED {
            *current = Current { recorder: Recorder::new(self.client.clone(), self.reporter.clone()), published: 0 };
        }
        current.published += 1;
        current.recorder.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{Method, Request, Response};
    use kube::client::Body;
    use kube::runtime::events::EventType;

    use super::*;

    #[tokio::test]
    async fn what_repeats_is_counted_until_many_others_have_come() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let api_server = tower::service_fn(move |request: Request<Body>| {
            seen.lock().unwrap().push(request.method().clone());
            let event = r#"{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e"},"eventTime":null}"#;
            async move { Ok::<_, std::convert::Infallible>(Response::new(Body::from(event.as_bytes().to_vec()))) }
        });
        let reporter = Reporter { controller: "test".to_owned(), instance: None };
        let publisher = Publisher::new(Client::new(api_server, "shop"), reporter);
        let object = ObjectReference { name: Some("corner".to_owned()), ..ObjectReference::default() };
        let event = |reason: usize| Event {
            type_: EventType::Normal,
            reason: format!("Reason{reason}"),
            note: None,
            action: "Test".to_owned(),
            secondary: None,
        };
        for reason in [0, 0].into_iter().chain(1..REMEMBERED).chain([0]) {
            publisher.publish(&event(reason), &object).await.unwrap();
        }
        let asked = asked.lock().unwrap();
        assert_eq!(asked[..2], [Method::POST, Method::PATCH]);
        assert_eq!(asked.iter().filter(|method| **method == Method::PATCH).count(), 1, "the last one is told anew");
    }
}
