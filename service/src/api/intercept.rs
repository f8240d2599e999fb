//! What stands before the operations: each part sees a request before it is answered, and the answer after that.
//!
//! By reference: a request is more than half a kilobyte, and each endpoint around an endpoint moves it twice.

use poem::{Endpoint, Request, Response};

/// Sees requests and their answers.
pub(super) trait Interceptor: Send + Sync {
    /// What it remembers of a request for the answer.
    type Seen: Send;

    /// What to remember of `request`; and its answer, if there is one already: then nobody further in sees it.
    fn before(&self, request: &mut Request) -> impl Future<Output = (Self::Seen, Option<Response>)> + Send;

    /// Completes the answer to the request of which `seen` was remembered, whoever gave it.
    fn after(&self, seen: Self::Seen, response: &mut Response);
}

/// The first stands outside of the second.
impl<A: Interceptor, B: Interceptor> Interceptor for (A, B) {
    type Seen = (A::Seen, Option<B::Seen>);

    async fn before(&self, request: &mut Request) -> (Self::Seen, Option<Response>) {
        match self.0.before(request).await {
            (outer, Some(answer)) => ((outer, None), Some(answer)),
            (outer, None) => {
                let (inner, answer) = self.1.before(request).await;
                ((outer, Some(inner)), answer)
            }
        }
    }

    fn after(&self, (outer, inner): Self::Seen, response: &mut Response) {
        if let Some(inner) = inner {
            self.1.after(inner, response);
        }
        self.0.after(outer, response);
    }
}

/// `inner` behind `interceptor`.
pub(super) struct Intercepted<I, E> {
    pub(super) interceptor: I,
    pub(super) inner: E,
}

impl<I: Interceptor, E: Endpoint<Output = Response>> Endpoint for Intercepted<I, E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let (seen, answer) = self.interceptor.before(&mut request).await;
        let mut response = match answer {
            Some(answer) => answer,
            None => self.inner.call(request).await?,
        };
        self.interceptor.after(seen, &mut response);
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use poem::http::StatusCode;

    use super::*;

    /// Notes its name on the way in and out; answers itself if it is the one that is named in the URL.
    struct Named(&'static str);

    #[derive(Clone, Default)]
    struct Notes(String);

    impl Interceptor for Named {
        type Seen = String;

        async fn before(&self, request: &mut Request) -> (String, Option<Response>) {
            let mut notes = request.extensions_mut().remove::<Notes>().unwrap_or_default();
            notes.0.push_str(self.0);
            let answers = request.uri().path() == format!("/{}", self.0);
            let answer = answers.then(|| Response::builder().status(StatusCode::FORBIDDEN).body(notes.0.clone()));
            let seen = notes.0.clone();
            request.extensions_mut().insert(notes);
            (seen, answer)
        }

        fn after(&self, seen: String, response: &mut Response) {
            let out = response.extensions_mut().remove::<Notes>().unwrap_or_default();
            response.extensions_mut().insert(Notes(format!("{}<{}>{seen}", out.0, self.0)));
        }
    }

    #[tokio::test]
    async fn the_first_is_the_outermost_and_who_answers_is_the_last_who_sees() {
        let inner = poem::endpoint::make_sync(|request| {
            Response::builder().body(request.extensions().get::<Notes>().map_or(String::new(), |notes| notes.0.clone()))
        });
        let chain = Intercepted { interceptor: (Named("a"), (Named("b"), Named("c"))), inner };
        let cases = [
            ("/", StatusCode::OK, "abc", "<c>abc<b>ab<a>a"),
            ("/b", StatusCode::FORBIDDEN, "ab", "<b>ab<a>a"),
            ("/a", StatusCode::FORBIDDEN, "a", "<a>a"),
        ];
        for (path, status, inwards, outwards) in cases {
            let mut answer = chain.call(Request::builder().uri_str(path).finish()).await.unwrap();
            let notes = answer.extensions_mut().remove::<Notes>().unwrap();
            assert_eq!((answer.status(), &*notes.0), (status, outwards), "{path}");
            assert_eq!(answer.into_body().into_string().await.unwrap(), inwards, "{path}");
        }
    }
}
