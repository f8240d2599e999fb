//! Clients and tokens by the command line, and what is written where.

use std::fs::{self, File};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::child::{Process, farmlokal, word_behind};

/// Runs `farmlokal` with the settings of `launch`.
fn run(launch: &Command, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farmlokal"));
    command.args(arguments).envs(launch.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.envs(environment.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Id and secret in what a command printed.
fn credentials(text: &str) -> (String, String) {
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    (word_behind(&lines, "client_id"), word_behind(&lines, "client_secret"))
}

async fn patch(process: &Process, token: &str) -> u16 {
    let request = reqwest::Client::new().patch(format!("{}/v1/products/1", process.public)).bearer_auth(token);
    request.json(&serde_json::json!({"stock": 1})).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_client_is_added_gets_tokens_and_is_removed() {
    let data = TempDir::new().unwrap();
    let (command, public, admin) = farmlokal(&data);
    let (mut again, ..) = farmlokal(&data);
    again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let add = ["client", "add", "Shop in Pune", "--scope", "catalog:write", "--scope", "catalog:read"];
    // Before the first start: the tables are made.
    let (id, secret) = credentials(&said(&run(&again, &add, &[])));
    let process = Process::serving((command, public, admin));
    let token = |secret: &str, more: &[&str]| {
        let environment = [("FARMLOKAL_CLIENT_ID", &*id), ("FARMLOKAL_CLIENT_SECRET", secret)];
        run(&again, &[&["token"], more].concat(), &environment)
    };
    let for_all = said(&token(&secret, &[]));
    assert_eq!(patch(&process, for_all.trim()).await, 200);
    let to_read = said(&token(&secret, &["--scope", "catalog:read"]));
    assert_eq!(patch(&process, to_read.trim()).await, 403);
    assert!(!token(&secret, &["--scope", "admin"]).status.success(), "it has no such scope");
    let wrong = token("hunter2", &[]);
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && told.contains("invalid_client") && !told.contains("hunter2"), "{told}");

    let list = said(&run(&again, &["client", "list"], &[]));
    assert!(
        list.contains(&id) && list.contains("Shop in Pune") && list.contains("catalog:read catalog:write"),
        "{list}"
    );
    assert!(!list.contains(&secret) && !list.contains("argon2"), "{list}");
    let (same, second) = credentials(&said(&run(&again, &["client", "rotate", &id, "--keep", "0"], &[])));
    assert_eq!(same, id);
    assert!(!token(&secret, &[]).status.success() && token(&second, &[]).status.success());
    said(&run(&again, &["client", "remove", &id], &[]));
    assert!(!token(&second, &[]).status.success());
    assert!(!run(&again, &["client", "remove", &id], &[]).status.success(), "once");
    assert!(!run(&again, &["client", "rotate", &id], &[]).status.success());
    assert!(said(&run(&again, &["client", "list"], &[])).contains("removed"));
    let unknown = run(&again, &["client", "add", "x", "--scope", "everything"], &[]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("catalog:write"), "the scopes there are");
}

/// The demo client lives in the memory of one process: it is nobody to the next one, and to none that is given
/// the same file as a database of its own.
#[tokio::test]
async fn the_demo_client_ends_with_its_process() {
    let data = TempDir::new().unwrap();
    let mut first = Process::serving(farmlokal(&data));
    assert_eq!(first.demo.0, "demo");
    assert_eq!(patch(&first, &first.token().await).await, 200);
    first.signal("INT");
    first.wait();
    let file = fs::read(data.path().join("farmlokal.db")).unwrap();
    assert!(!file.windows(first.demo.1.len()).any(|window| window == first.demo.1.as_bytes()));
    let second = Process::serving(farmlokal(&data));
    assert_ne!(second.demo.1, first.demo.1);
    drop(second);
    let (mut command, public, admin) = farmlokal(&data);
    command.env("FARMLOKAL_DATABASE__URL", format!("sqlite:{}", data.path().join("farmlokal.db").display()));
    let server = Process::serving((command, public, admin));
    assert_eq!(server.demo, (String::new(), String::new()));
    let ask =
        reqwest::Client::new().post(format!("{}/oauth/token", server.public)).basic_auth("demo", Some(&first.demo.1));
    let ask = ask.header("content-type", "application/x-www-form-urlencoded").body("grant_type=client_credentials");
    assert_eq!(ask.send().await.unwrap().status(), 401);
}

/// With everything logged that can be.
#[tokio::test]
async fn no_log_has_a_secret_or_a_token() {
    let data = TempDir::new().unwrap();
    let log = data.path().join("log");
    let (mut command, public, admin) = farmlokal(&data);
    command
        .env("FARMLOKAL_LOG__FILTER", "trace")
        .env("FARMLOKAL_OAUTH__KEY_SECRET", "a key secret of thirty-two characters");
    let mut process = Process::logging((command, public, admin), File::create(&log).unwrap().into());
    let token = process.token().await;
    assert_eq!(patch(&process, &token).await, 200);
    assert_eq!(patch(&process, &format!("{token}x")).await, 401);
    let (id, secret) = process.demo.clone();
    let wrong = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}x");
    let post = reqwest::Client::new().post(format!("{}/oauth/token", process.public)).body(wrong);
    let refused = post.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    process.signal("INT");
    process.wait();
    let text = fs::read_to_string(log).unwrap();
    assert!(text.len() > 1_000, "something was logged");
    let (_, signature) = token.rsplit_once('.').unwrap();
    for hidden in [&*secret, signature, "a key secret of thirty-two", "$argon2id$"] {
        assert!(!text.contains(hidden), "{hidden} is in the log");
    }
}
