//! Routing by the OpenAPI document: what it does not describe is refused by name.
//!
//! The framework ignores query parameters it does not know, takes the first of several, and answers
//! 405 without saying what is allowed. Here each path knows its operations, their parameters and the scopes
//! they need, from the same source as the document: what it promises is what is checked.

use std::collections::HashMap;
use std::sync::Arc;

use poem::http::Method;
use poem::{Endpoint, IntoResponse as _, Request, Response, Route};
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, MetaOperation, MetaParamIn};

use super::bearer::{self, Scope};
use super::problem::{Kind, Problem};
use crate::oauth::OAuth;

type BoxEndpoint = poem::endpoint::BoxEndpoint<'static>;

/// The path of the document that answered, for logs and metrics: a template, never the real path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteTemplate(pub &'static str);

/// One path of the document.
struct DocumentedPath {
    template: RouteTemplate,
    operations: HashMap<Method, Documented>,
    oauth: Arc<OAuth>,
}

/// One operation of the document.
struct Documented {
    endpoint: BoxEndpoint,
    /// The query parameters it takes.
    parameters: Vec<String>,
    /// What a token must be good for; `None` for what is open to everybody.
    needs: Option<Vec<Scope>>,
}

/// The routes of `api`, each guarded by its description.
pub(super) fn routes<A: OpenApi + 'static>(api: A, oauth: &Arc<OAuth>) -> Route {
    let described = A::meta();
    let mut table = HashMap::new();
    api.add_routes(&mut table);
    table.into_iter().fold(Route::new(), |routes, (path, endpoints)| {
        let operations = endpoints
            .into_iter()
            .map(|(method, endpoint)| {
                let parameters = query_parameters(&described, &path, &method);
                let needs = operation(&described, &path, &method).next().and_then(bearer::needs);
                (method, Documented { endpoint, parameters, needs })
            })
            .collect();
        let template = template(&described, &path);
        routes.at(path, DocumentedPath { template, operations, oauth: Arc::clone(oauth) })
    })
}

impl Endpoint for DocumentedPath {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let head = request.method() == Method::HEAD;
        let answer = self.answer(request).await;
        let mut response = answer.unwrap_or_else(|error| Problem::from_framework(&error).into_response());
        // Refusals belong to the path too.
        response.extensions_mut().insert(self.template);
        if head {
            response.set_body(());
        }
        Ok(response)
    }
}

impl DocumentedPath {
    async fn answer(&self, mut request: Request) -> poem::Result<Response> {
        // HEAD is GET without its body (RFC 9110, 9.3.2).
        let head = request.method() == Method::HEAD;
        let method = if head { &Method::GET } else { request.method() };
        let Some(Documented { endpoint, parameters, needs }) = self.operations.get(method) else {
            return Err(Problem::method_not_allowed(self.allow()).into());
        };
        if let Some(needs) = needs {
            let caller = bearer::authorize(&self.oauth, &request, needs).await?;
            request.extensions_mut().insert(caller);
        }
        let parameters = read_query(request.uri().query().unwrap_or_default(), parameters)?;
        request.extensions_mut().insert(poem_openapi::__private::UrlQuery(parameters));
        endpoint.call(request).await
    }

    fn allow(&self) -> String {
        let mut methods: Vec<&str> = self.operations.keys().map(Method::as_str).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.join(", ")
    }
}

/// The query's parameters: each known, each once, in UTF-8.
fn read_query(query: &str, known: &[String]) -> Result<Vec<(String, String)>, Problem> {
    let mut read: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let refuse = |why: String| {
            // Names come from the client and may be long.
            let shown: String = name.chars().take(64).collect();
            Problem::new(Kind::InvalidParameter, format!("{shown} {why}")).field(shown)
        };
        if !known.iter().any(|known| *known == name) {
            let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(refuse(format!("is not a parameter of this operation; it takes {list}.")));
        }
        if value.contains('\u{fffd}') {
            return Err(refuse("must be percent-encoded UTF-8.".to_owned()));
        }
        if read.iter().any(|(earlier, _)| *earlier == name) {
            return Err(refuse("must be given once.".to_owned()));
        }
        read.push((name.into_owned(), value.into_owned()));
    }
    Ok(read)
}

/// The framework calls `/v1/products/{id}` `/v1/products/:param0` in its routes.
fn route_of(documented: &str) -> String {
    let mut parameters = 0..;
    documented
        .split('/')
        .map(|segment| match segment.starts_with(['{', ':']) {
            true => format!(":param{}", parameters.next().unwrap_or(0)),
            false => segment.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn template(described: &[MetaApi], route: &str) -> RouteTemplate {
    let paths = described.iter().flat_map(|api| &api.paths);
    let template = paths.map(|path| path.path.as_str()).find(|path| route_of(path) == route).unwrap_or(route);
    // Leaked once per path at start: labels of logs and metrics want to live for ever.
    RouteTemplate(Box::leak(template.to_owned().into_boxed_str()))
}

fn query_parameters(described: &[MetaApi], route: &str, method: &Method) -> Vec<String> {
    operation(described, route, method)
        .flat_map(|operation| &operation.params)
        .filter(|parameter| parameter.in_type == MetaParamIn::Query)
        .map(|parameter| parameter.name.clone())
        .collect()
}

fn operation<'a>(
    described: &'a [MetaApi],
    route: &'a str,
    method: &'a Method,
) -> impl Iterator<Item = &'a MetaOperation> {
    let paths = described.iter().flat_map(|api| &api.paths).filter(move |path| route_of(&path.path) == route);
    paths.flat_map(|path| &path.operations).filter(move |operation| operation.method == *method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_repeated_parameters_are_named() {
        let known = ["limit".to_owned(), "sort".to_owned()];
        let detail = |query| read_query(query, &known).unwrap_err().to_string();
        assert_eq!(detail("color=red"), "color is not a parameter of this operation; it takes limit, sort.");
        assert_eq!(detail("limit=1&limit=2"), "limit must be given once.");
        assert_eq!(detail("sort=%FF"), "sort must be percent-encoded UTF-8.");
        assert_eq!(read_query("limit=1&sort=a%20b", &known).unwrap().len(), 2);
        assert!(detail(&"x".repeat(1_000)).len() < 200, "a hostile name is cut");
    }

    #[test]
    fn routes_are_found_by_their_documented_path() {
        assert_eq!(route_of("/v1/products/{id}"), "/v1/products/:param0");
        assert_eq!(route_of("/v1/webhooks/{source}/events/{id}"), "/v1/webhooks/:param0/events/:param1");
    }
}
