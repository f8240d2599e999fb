//! `farmlokal token`: an access token of a running service, for scripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::ask::{self, Question};
use super::{CommandError, Outcome, print};
use crate::cli::Token;
use crate::config::Config;
use crate::oauth::Scopes;

pub(super) async fn run(config: Config, options: Token) -> Result<Outcome, CommandError> {
    let mut body = "grant_type=client_credentials".to_owned();
    if !options.scopes.is_empty() {
        let scopes: Scopes = options.scopes.into_iter().collect();
        // Of letters and colons, with spaces between.
        body.push_str(&format!("&scope={scopes}").replace(' ', "+"));
    }
    let credentials = BASE64.encode(format!("{}:{}", options.client_id, options.client_secret.expose()));
    let head = format!(
        "authorization: Basic {credentials}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
        body.len()
    );
    let answer =
        ask::ask(config.http.listen, Question { request: "POST /oauth/token", head: &head, body: &body }).await?;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let token = answer["access_token"].as_str();
    print(&format!("{}\n", token.ok_or_else(|| CommandError::Client("the answer has no token".to_owned()))?));
    Ok(Outcome::Done)
}
