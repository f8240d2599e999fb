//! Requests to an upgraded service, and what is looked at in its answers.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// Status, header fields and body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    /// Sends `request`.
    pub(super) async fn to(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, fields) = (response.status().as_u16(), response.headers().clone());
        Self { status, fields, text: response.text().await.unwrap() }
    }

    /// Header field `name`; empty without one.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Last part of the problem's `type`.
    pub(super) fn problem(&self) -> String {
        let problem = self.json();
        problem["type"].as_str().unwrap_or_default().rsplit(['/', ':', '#']).next().unwrap_or_default().to_owned()
    }

    /// Returns the answer, which has to have `status`.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// Ids in a page.
pub(super) fn ids(page: &Value) -> Vec<Value> {
    page["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
}

/// Members of a list.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// A text.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
