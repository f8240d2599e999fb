//! A supplier on a port of this machine, that can do everything suppliers do wrong. It writes its answers
//! byte by byte, so that they need not be right.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// How it answers who asks for offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Fine,
    Slow(Duration),
    Status(u16),
    /// Every second request fails.
    Flapping,
    Garbage,
    WrongTypes,
    /// Announces more than it sends.
    Truncated,
    /// Never comes to an end.
    Huge,
    /// The last page's cursor is the first one's.
    Circle,
    /// Always another cursor, and nothing new behind it.
    Endless,
    /// The pages from this offer on fail.
    FailsFrom(usize),
    /// Takes no token.
    Locked,
}

pub struct State {
    pub mood: Mood,
    pub offers: Vec<Value>,
    pub token_lifetime: u64,
    pub token_takes: Duration,
    pub token_status: u16,
    /// The tokens given so far; the last one that was revoked, and all before it, open nothing.
    pub tokens: usize,
    pub revoked: usize,
    /// Requests for offers.
    pub asked: usize,
    pub token_requests: Vec<String>,
}

#[derive(Clone)]
pub struct Farm {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

pub fn offer(number: usize, price: &str) -> Value {
    json!({"id": format!("M-{number}"), "name": format!("Milk {number}"), "category": "Dairy", "price": price,
           "unit": "1 l", "producer": "Green Valley", "stock": number, "colour": "white"})
}

impl Farm {
    /// A farm that offers so many products.
    pub async fn start(offers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            mood: Mood::Fine,
            offers: (0..offers).map(|number| offer(number, "1.50")).collect(),
            token_lifetime: 3_600,
            token_takes: Duration::ZERO,
            token_status: 200,
            tokens: 0,
            revoked: 0,
            asked: 0,
            token_requests: Vec::new(),
        };
        let farm = Self { address: listener.local_addr().unwrap(), state: Arc::new(Mutex::new(state)) };
        let serving = farm.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let farm = serving.clone();
                // A client that goes away is no failure here.
                tokio::spawn(async move { farm.serve(stream).await });
            }
        });
        farm
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Its section of a configuration, with little patience.
    pub fn section(&self) -> String {
        format!(
            "[suppliers.green-valley]\nbase_url = 'http://{0}/api'\ntoken_url = 'http://{0}/token'\n\
             client_id = 'farm:lokal'\nclient_secret = 'hunter2'\nscope = 'offers'\ntimeout_ms = 400\ndeadline_ms = 1500\n",
            self.address
        )
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let (mut line, mut authorization, mut length) = (String::new(), String::new(), 0);
            stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
            loop {
                let mut field = String::new();
                stream.read_line(&mut field).await.ok().filter(|read| *read > 0)?;
                match field.trim().split_once(": ") {
                    None => break,
                    Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                        value.clone_into(&mut authorization)
                    }
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.parse().ok()?
                    }
                    Some(_) => {}
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.ok()?;
            let target = line.split(' ').nth(1)?.to_owned();
            let answer = if target.starts_with("/token") {
                self.token(&authorization, &String::from_utf8(body).ok()?).await
            } else {
                self.offers(&target, &authorization).await
            };
            stream.write_all(&answer.bytes).await.ok()?;
            if answer.goes_on {
                loop {
                    stream.write_all(&[b' '; 65_536]).await.ok()?;
                }
            }
            if answer.breaks_off {
                return None;
            }
        }
    }

    async fn token(&self, authorization: &str, form: &str) -> Answer {
        let takes = {
            let mut state = self.state();
            state.token_requests.push(format!("{authorization} {form}"));
            state.token_takes
        };
        sleep(takes).await;
        let mut state = self.state();
        if state.token_status != 200 {
            return Answer::json(state.token_status, &json!({"error": "invalid_client"}));
        }
        state.tokens += 1;
        let token = format!("token-{}", state.tokens);
        let lifetime = state.token_lifetime;
        Answer::json(200, &json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime}))
    }

    async fn offers(&self, target: &str, authorization: &str) -> Answer {
        let (mood, asked) = {
            let mut state = self.state();
            state.asked += 1;
            (state.mood, state.asked)
        };
        if let Mood::Slow(by) = mood {
            sleep(by).await;
        }
        let state = self.state();
        let number = authorization.strip_prefix("Bearer token-").and_then(|number| number.parse::<usize>().ok());
        if mood == Mood::Locked || number.is_none_or(|number| number <= state.revoked || number > state.tokens) {
            return Answer::json(401, &json!({"error": "invalid_token"}));
        }
        let value = |name: &str| {
            let query = target.split_once('?').map_or("", |(_, query)| query);
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
        };
        let (limit, from) = (value("limit").unwrap_or(100), value("cursor").unwrap_or(0));
        let to = state.offers.len().min(from + limit);
        let page = state.offers.get(from..to).unwrap_or_default();
        let next = |next: Option<usize>| json!({"data": page, "nextCursor": next.map(|next| next.to_string())});
        let right = next(Some(to).filter(|to| *to < state.offers.len()));
        match mood {
            Mood::Status(status) => Answer::json(status, &json!({"secret": "hunter2"})),
            Mood::Flapping if asked % 2 == 1 => Answer::json(503, &json!({})),
            Mood::FailsFrom(bad) if from >= bad => Answer::json(500, &json!({})),
            Mood::Garbage => Answer::new(200, "<html>hunter2"),
            Mood::WrongTypes => Answer::json(200, &json!({"data": {"0": "hunter2"}, "nextCursor": 7})),
            Mood::Truncated => Answer { breaks_off: true, ..Answer::with_length(200, &right.to_string(), 99_999) },
            Mood::Huge => Answer { goes_on: true, ..Answer::with_length(200, "{", 999_999_999) },
            Mood::Circle if to == state.offers.len() => Answer::json(200, &next(Some(limit))),
            Mood::Endless => Answer::json(200, &next(Some(to + asked))),
            _ => Answer::json(200, &right),
        }
    }
}

struct Answer {
    bytes: Vec<u8>,
    breaks_off: bool,
    goes_on: bool,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self::new(status, &body.to_string())
    }

    fn new(status: u16, body: &str) -> Self {
        Self::with_length(status, body, body.len())
    }

    fn with_length(status: u16, body: &str, length: usize) -> Self {
        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        Self { bytes: (head + body).into_bytes(), breaks_off: false, goes_on: false }
    }
}
