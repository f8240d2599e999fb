//! The way to deep pages: keyset cursors cannot jump, so a client walks there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use farmlokal_catalog::CursorKey;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ask::Spot;
use super::draw::Deep;
use super::service::CURSOR_SECRET;
use farmlokal_testkit::http::Client;

/// How long a walk takes between two lines of progress.
const NEWS: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<IgnoredAny>,
    next_cursor: Option<String>,
}

/// Walks through all `products` in both orders that have a case, to the last hundredth by pages of a
/// hundred, and from there by pages of ten whose cursors it keeps.
pub(super) fn to_the_end(address: SocketAddr, products: u64) -> Result<Deep, String> {
    thread::scope(|scope| {
        let by_id = scope.spawn(|| walk(address, products, "id"));
        let by_price = walk(address, products, "-price")?;
        let by_id = by_id.join().map_err(|_| "the walk ended early")??;
        Ok(Deep { by_id, by_price })
    })
}

fn walk(address: SocketAddr, products: u64, sort: &str) -> Result<Vec<Arc<Spot>>, String> {
    let key = CursorKey::new(CURSOR_SECRET.as_bytes());
    let mut client = Client::new(address);
    let (mut seen, mut cursor, mut spots) = (0, None::<String>, Vec::new());
    let mut said = Instant::now();
    loop {
        let deep = seen >= products / 100 * 99;
        let limit = if deep { 10 } else { 100 };
        let mut path = format!("/v1/products?sort={sort}&limit={limit}");
        if let Some(cursor) = cursor.take() {
            path.extend(["&cursor=", &cursor]);
            if deep {
                let position = key.open(&cursor).map_err(|error| format!("{path}: {error}"))?.position;
                spots.push(Arc::new(Spot { cursor, position }));
            }
        }
        let page: Page = match client.get(&path)? {
            (200, body) => serde_json::from_slice(body).map_err(|error| format!("{path}: {error}"))?,
            (status, body) => {
                return Err(format!("GET {path}: {status} {}", String::from_utf8_lossy(body)));
            }
        };
        seen += page.data.len() as u64;
        if said.elapsed() > NEWS {
            println!("    sort={sort}: {seen} of {products} products");
            said = Instant::now();
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None if seen == products => break,
            None => {
                return Err(format!("the walk by {sort} found {seen} of {products} products"));
            }
        }
    }
    // The very last page may not be a full one.
    spots.pop();
    Ok(spots)
}
