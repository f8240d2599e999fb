//! The suppliers of the fixtures, played again: `tests/upgrade/maker/partners.py` has the offers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

const PAGE: usize = 20;

/// Suppliers on one port of loopback; they answer until the test process ends.
pub(super) struct Suppliers {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Suppliers {
    /// Listens on a free port.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let suppliers = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let asked = Arc::clone(&suppliers.asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let asked = Arc::clone(&asked);
                // A client that closes its connection is no failure here.
                thread::spawn(move || while serve(&stream, &asked).is_some() {});
            }
        });
        suppliers
    }

    /// Settings that name the supplier `name`.
    pub(super) fn settings(&self, name: &str) -> Vec<(String, String)> {
        let prefix = format!("FARMLOKAL_SUPPLIERS__{}", name.replace('-', "_").to_ascii_uppercase());
        let base = format!("http://{}", self.address);
        [
            ("BASE_URL", format!("{base}/{name}")),
            ("TOKEN_URL", format!("{base}/token")),
            ("CLIENT_ID", "farmlokal".to_owned()),
            ("CLIENT_SECRET", "a secret".to_owned()),
            ("PAGE_SIZE", PAGE.to_string()),
        ]
        .map(|(key, value)| (format!("{prefix}__{key}"), value))
        .into()
    }

    /// Targets of the requests for offers so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request; `None` at the end of the connection.
fn serve(mut stream: &TcpStream, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line.trim_end().to_owned())
    };
    let target = line()?.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    while let Some((name, value)) = line()?.split_once(':') {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let body = if target == "/token" {
        json!({"access_token": "token", "token_type": "Bearer", "expires_in": 3600})
    } else {
        asked.lock().unwrap().push(target.clone());
        page(&target)
    };
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
    write!(stream, "{head}: {}\r\n\r\n{body}", body.len()).ok()
}

/// The page that `target` names.
fn page(target: &str) -> Value {
    let offer = |prefix: &str, number: usize, price: &str, category: &str| {
        json!({"id": format!("{prefix}-{number}"), "name": format!("{prefix} {category} {number:02}"),
               "category": category, "price": price, "unit": "1 kg", "producer": format!("{prefix} Farm"),
               "stock": number})
    };
    let offers: Vec<_> = if target.starts_with("/green-valley/") {
        (0..25).map(|number| offer("Green", number, if number < 3 { "101.00" } else { "100.00" }, "Pulses")).collect()
    } else {
        (0..30).map(|number| offer("Zz River", number, &format!("90000{number:02}.00"), "Zz Fish")).collect()
    };
    let from: usize = target.split_once("cursor=").map_or(0, |(_, cursor)| cursor.parse().unwrap());
    let to = offers.len().min(from + PAGE);
    json!({"data": offers[from..to], "nextCursor": (to < offers.len()).then(|| to.to_string())})
}
