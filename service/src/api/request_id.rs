//! `X-Request-Id`: the name under which client, log and support speak of one request.

use std::sync::Arc;

use poem::http::{HeaderName, HeaderValue};
use poem::{Endpoint, Request, Response};
use tracing::Instrument as _;

/// The field's name.
pub const FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ones are not taken over.
const MAX_BYTES: usize = 128;

/// Left in a request's extensions: its id.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// Gives each request its id, says it in the answer and in every line of the log meanwhile.
pub(super) struct RequestIds<E>(pub(super) E);

impl<E: Endpoint> Endpoint for RequestIds<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let sent = request.headers().get(FIELD).and_then(|sent| sent.to_str().ok()).filter(|sent| is_sound(sent));
        let id: Arc<str> = sent.map_or_else(|| fresh().into(), Into::into);
        // At the level of errors, so that none is logged without it whatever the filter says of the rest.
        let span = tracing::error_span!("request", id = &*id);
        request.extensions_mut().insert(RequestId(Arc::clone(&id)));
        let mut response = self.0.get_response(request).instrument(span).await;
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(FIELD, id);
        }
        Ok(response)
    }
}

/// An id nobody had before.
pub fn fresh() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Whether an id of the client's can stand in logs and header fields as it is. Another one is answered under an id of
/// ours: a request is not worth refusing for it.
fn is_sound(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(&byte);
    (1..=MAX_BYTES).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Mutex, PoisonError};

    use poem::EndpointExt as _;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[test]
    fn only_sound_ids_are_taken_over() {
        let long = "a".repeat(MAX_BYTES);
        for sound in ["a", "550e8400-e29b-41d4-a716-446655440000", "Root=1-67891233:x/y+z=@_.", &long] {
            assert!(is_sound(sound), "{sound}");
        }
        for not in ["", " ", "a b", "a\"b", "a\\n", "a{b}", "é", &format!("{long}a")] {
            assert!(!is_sound(not), "{not}");
        }
        assert!(is_sound(&fresh()) && fresh() != fresh());
    }

    /// A log that can be read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
        }
    }

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Log {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[tokio::test]
    async fn errors_are_logged_under_the_id_that_is_answered() {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_env_filter("error").with_writer(log.clone()).with_ansi(false);
        let _default = tracing::subscriber::set_default(subscriber.finish());
        let failing = poem::endpoint::make(async |_| -> poem::Result<Response> {
            tokio::task::yield_now().await;
            tracing::error!("the barn is on fire");
            Err(poem::error::InternalServerError(io::Error::other("fire")))
        });
        let endpoint = RequestIds(failing).map_to_response();
        let answer = endpoint.get_response(Request::builder().header("x-request-id", "support-4711").finish()).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[FIELD]),
            (500, &HeaderValue::from_static("support-4711"))
        );
        let hostile = Request::builder().header("x-request-id", "x\"} forged").finish();
        let made = endpoint.get_response(hostile).await.headers()[FIELD].to_str().unwrap().to_owned();
        assert_eq!(made.len(), 32);
        let (first, second) = log.text().trim().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(first.contains("request{id=\"support-4711\"}") && first.contains("barn"), "{first}");
        assert!(second.contains(&format!("request{{id=\"{made}\"}}")) && !second.contains("forged"), "{second}");
    }
}
