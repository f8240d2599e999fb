//! `[suppliers.NAME]`: whose offers are pulled into the catalogue.

use std::time::Duration;

use farmlokal_catalog::inbox::SourceName;
use http::Uri;
use url::Url;

use super::Secret;
use super::reader::Reader;
use crate::outbound::Patience;

/// A supplier.
#[derive(Debug, Clone)]
pub struct Supplier {
    /// What it is called.
    pub name: SourceName,
    /// Where its offers are.
    pub offers: Url,
    /// Where it gives tokens.
    pub token_url: Uri,
    /// Who we are there.
    pub client_id: String,
    /// What proves it.
    pub client_secret: Secret,
    /// What is to be opened to us; empty for what it gives by itself.
    pub scope: String,
    /// How many offers a page is to have.
    pub page_size: u64,
    /// How long it is waited for.
    pub patience: Patience,
}

/// The suppliers, by name.
pub(super) fn read(reader: &mut Reader) -> Option<Vec<Supplier>> {
    let names = reader.names("suppliers");
    // Every one is read before any is used, so that all mistakes come to light.
    let suppliers: Vec<Option<Supplier>> = names.into_iter().map(|name| supplier(reader, &name)).collect();
    suppliers.into_iter().collect()
}

fn supplier(reader: &mut Reader, name: &str) -> Option<Supplier> {
    let section = format!("suppliers.{name}");
    let key = |key: &str| format!("{section}.{key}");
    let base_url = url(reader, &key("base_url"));
    let token_url = url(reader, &key("token_url"));
    let client_id = some_text(reader, &key("client_id"));
    let client_secret = some_text(reader, &key("client_secret"));
    let scope = reader.text_or(&key("scope"), "");
    let page_size = reader.whole_or(&key("page_size"), 1, 1_000, 100);
    let per_try = reader.whole_or(&key("timeout_ms"), 1, 30_000, 3_000);
    let in_all = reader.whole_or(&key("deadline_ms"), 1, 30_000, 15_000);
    let name = name.parse().map_err(|_| {
        reader.mistake(&section, "must be named by 1 to 64 small letters, digits and hyphens");
    });
    let mut offers = base_url?;
    offers.path_segments_mut().ok()?.pop_if_empty().push("offers");
    Some(Supplier {
        name: name.ok()?,
        offers,
        token_url: token_url?.as_str().parse().ok()?,
        client_id: client_id?,
        client_secret: Secret(client_secret?),
        scope: scope?,
        page_size: page_size?,
        patience: Patience { per_try: Duration::from_millis(per_try?), in_all: Duration::from_millis(in_all?) },
    })
}

/// A URL without credentials, which would end up in logs, and without a query, which is ours to add.
fn url(reader: &mut Reader, key: &str) -> Option<Url> {
    let text = reader.text(key)?;
    let plain = |url: &Url| {
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let bare = url.username().is_empty() && url.password().is_none();
        web && bare && url.query().is_none() && url.fragment().is_none() && url.as_str().parse::<Uri>().is_ok()
    };
    let url = text.parse().ok().filter(plain);
    if url.is_none() {
        reader.mistake(key, "must be a URL such as https://supplier.example/api, without user, password and query");
    }
    url
}

fn some_text(reader: &mut Reader, key: &str) -> Option<String> {
    let text = reader.text(key)?;
    if text.is_empty() {
        reader.mistake(key, "must not be empty");
        return None;
    }
    Some(text)
}
