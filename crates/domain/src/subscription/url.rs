//! Where a subscriber wants to be told.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::Invalid;

/// An absolute web URL with a host, without user, password and fragment. Whether we are willing to go there
/// is another question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallbackUrl(Url);

impl CallbackUrl {
    /// The most bytes it may have, as it is normalized.
    pub const MAX_BYTES: usize = 2_048;

    /// The URL in its parts.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for CallbackUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            let remedy = "must be a URL such as https://shop.example/events, without user, password and fragment, of 2048 bytes at the most";
            Invalid::new("url", remedy)
        };
        // Parsers repair much; what has to be repaired was not meant.
        let clean = text.len() <= Self::MAX_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let url: Url = text.parse().ok().filter(|_| clean).ok_or_else(wrong)?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host() && text.contains("://");
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if web && bare && url.as_str().len() <= Self::MAX_BYTES { Ok(Self(url)) } else { Err(wrong()) }
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_host_and_no_secrets() {
        for (text, normal) in [
            ("https://shop.example/events?a=b", "https://shop.example/events?a=b"),
            ("http://192.0.2.7:8080", "http://192.0.2.7:8080/"),
            ("https://0x7f.1/", "https://127.0.0.1/"),
            ("HTTPS://Shop.Example:443/%20", "https://shop.example/%20"),
        ] {
            assert_eq!(text.parse::<CallbackUrl>().unwrap().to_string(), normal);
        }
        let long = format!("https://shop.example/{}", "x".repeat(2_048));
        for text in [
            "",
            "shop.example",
            "/events",
            "ftp://shop.example/",
            "file:///etc/passwd",
            "https://",
            "https:shop.example",
            "https://user@shop.example/",
            "https://user:hunter2@shop.example/",
            "https://shop.example/#part",
            "https://shop.example/a b",
            "https:\\\\shop.example",
            "https://shöp.example/",
            "javascript:alert(1)",
            &long,
        ] {
            let error = text.parse::<CallbackUrl>().unwrap_err();
            assert!(error.field == "url" && !error.to_string().contains("hunter2"), "{text}");
        }
    }
}
