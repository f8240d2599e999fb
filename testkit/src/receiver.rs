//! An HTTP server on loopback that takes what is sent to it, and can be what receivers are: slow, gone, rude.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How it takes what is sent to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Answers 204.
    Accepts,
    /// Answers with this status and this further header line, which may be empty.
    Answers(u16, &'static str),
    /// Answers 204, after so long.
    Dawdles(Duration),
    /// Reads the request and closes the connection.
    HangsUp,
}

/// What was sent.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path it was sent to.
    pub path: String,
    /// The header fields, their names in small letters.
    pub fields: HashMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// When it arrived.
    pub at: Instant,
    /// How it was taken.
    pub mood: Mood,
}

#[derive(Default)]
struct State {
    moods: HashMap<String, Mood>,
    received: Vec<Received>,
}

/// The server; dropping it closes its port.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ends: Arc<AtomicBool>,
}

impl Receiver {
    /// A server on a free port that accepts everything.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// The same on the port that `address` names.
    ///
    /// # Panics
    ///
    /// When the port is taken.
    pub fn start_at(address: &str) -> Self {
        let listening = TcpListener::bind(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let Ok((address, listener)) = listening else { panic!("cannot listen on {address}") };
        let receiver = Self { address, state: Arc::default(), ends: Arc::default() };
        let (state, ends) = (Arc::clone(&receiver.state), Arc::clone(&receiver.ends));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&state);
                // A client that goes away is no failure here.
                thread::spawn(move || serve(&state, &stream));
            }
        });
        receiver
    }

    /// Where `path` is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Takes what is sent to `path` as `mood` says, from now on.
    pub fn mood(&self, path: &str, mood: Mood) {
        lock(&self.state).moods.insert(path.to_owned(), mood);
    }

    /// What was sent to `path` so far.
    pub fn received(&self, path: &str) -> Vec<Received> {
        lock(&self.state).received.iter().filter(|received| received.path == path).cloned().collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Wakes the listener, which then closes.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(state: &Mutex<State>, stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let path = line()?.split(' ').nth(1)?.to_owned();
    let mut fields = HashMap::new();
    while let Some((name, value)) = line()?.split_once(':') {
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; fields.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let mood = {
        let mut state = lock(state);
        let mood = state.moods.get(&path).copied().unwrap_or(Mood::Accepts);
        state.received.push(Received { path, fields, body, at: Instant::now(), mood });
        mood
    };
    let (status, field) = match mood {
        Mood::Accepts => (204, ""),
        Mood::Answers(status, field) => (status, field),
        Mood::Dawdles(time) => {
            thread::sleep(time);
            (204, "")
        }
        Mood::HangsUp => return None,
    };
    let field = if field.is_empty() { String::new() } else { format!("{field}\r\n") };
    let mut writer = stream;
    write!(writer, "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 0\r\n{field}\r\n").ok()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
