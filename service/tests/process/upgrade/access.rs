//! Clients, tokens and signing keys.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde_json::Value;

use super::answer::{Answer, list, text};
use super::engine::Engine;
use super::on_both_engines;
use super::restored::{Restored, Upgraded, said};
use crate::child::Process;

on_both_engines!(client_secrets_and_tokens_are_honoured, clients);
on_both_engines!(sealed_keys_open_with_their_secret_only, keys);

/// Skew of clocks that tokens are allowed.
const SKEW: i64 = 60;

async fn clients(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve();
    let listed = said(&fixture.run(&["client", "list"]));
    for client in list(&fixture.facts["clients"]) {
        let (id, name) = (text(&client["id"]), text(&client["name"]));
        let line = listed.lines().find(|line| line.contains(id) && line.contains(name));
        assert!(line.is_some(), "{name} in {listed}");
        for good in list(&client["good"]) {
            let granted = service.grant(id, text(good)).await.expect(200).json();
            assert_eq!(granted["token_type"], "Bearer", "{name}");
        }
        for refused in list(&client["refused"]) {
            let answer = service.grant(id, text(refused)).await.expect(401);
            assert_eq!(answer.json()["error"], "invalid_client", "{name}");
        }
    }

    // A token of the old version holds for as long as it says.
    let token = text(&fixture.facts["token"]);
    let claims = part(token, 1);
    let (from, to) = (claims["iat"].as_i64().unwrap() - SKEW, claims["exp"].as_i64().unwrap() + SKEW);
    let valid = (from..to).contains(&Utc::now().timestamp());
    let request = service.client.get(format!("{}/v1/subscriptions", service.process.public)).bearer_auth(token);
    let answer = Answer::to(request).await.expect(if valid { 200 } else { 401 });
    assert!(valid || answer.field("www-authenticate").contains("invalid_token"), "{:?}", answer.fields);
}

async fn keys(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    let old = kids(&fixture.facts["jwks"]);
    let published = service.get("/.well-known/jwks.json").await.expect(200).json();
    let kept: Vec<_> = list(&published["keys"]).iter().filter(|key| old.contains(&text(&key["kid"]))).collect();
    let expected: Vec<_> = list(&fixture.facts["jwks"]["keys"]).iter().collect();
    assert_eq!(kept, expected, "the keys of tokens under way are published");
    assert!(old.contains(&text(&part(text(&fixture.facts["token"]), 0)["kid"])));
    assert!(old.contains(&text(&part(&service.token, 0)["kid"])), "a key of the old version signs");
    drop(service);

    // With another secret no sealed key signs: either the start is refused, or another key signs.
    match start_with_other_secret(&fixture).await {
        Err(complaint) => assert!(complaint.contains("oauth.key_secret"), "{complaint}"),
        Ok(service) => {
            let published = service.get("/.well-known/jwks.json").await.expect(200).json();
            let kid = text(&part(&service.token, 0)["kid"]).to_owned();
            assert!(!old.contains(&kid.as_str()), "a sealed key was opened with another secret");
            let kids = kids(&published);
            assert!(kids.contains(&kid.as_str()) && old.iter().all(|kid| kids.contains(kid)), "{kids:?}");
        }
    }
}

/// The service under another `oauth.key_secret`, or what it says when it refuses to start.
async fn start_with_other_secret(fixture: &Restored) -> Result<Upgraded, String> {
    let (mut command, public, admin) = fixture.command();
    command.env("FARMLOKAL_OAUTH__KEY_SECRET", "another secret, which seals none of these keys");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut complaints = child.stderr.take().unwrap();
    let said = std::thread::spawn(move || {
        let mut text = Vec::new();
        complaints.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let serves = {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.any(|line| line.contains("Ctrl-C ends it"))
    };
    if !serves {
        assert!(!child.wait().unwrap().success());
        return Err(said.join().unwrap().unwrap());
    }
    let process = Process {
        child,
        public: format!("http://{public}"),
        admin: format!("http://{admin}"),
        demo: Default::default(),
    };
    let service = Upgraded { process, client: reqwest::Client::new(), token: String::new() };
    Ok(service.operated(fixture).await)
}

/// Header (0) or claims (1) of a token.
fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn kids(jwks: &Value) -> Vec<&str> {
    list(&jwks["keys"]).iter().map(|key| text(&key["kid"])).collect()
}
