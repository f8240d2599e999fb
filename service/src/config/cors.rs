//! `[cors]`: pages of other origins whose scripts may read our answers.

use std::time::Duration;

use url::Url;

use super::reader::Reader;

/// Cross-origin requests.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Who may.
    pub origins: Origins,
    /// How long a browser may remember that.
    pub max_age: Duration,
}

/// Origins of pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every one.
    Any,
    /// These, as browsers write them; none when empty.
    Listed(Vec<String>),
}

pub(super) fn read(reader: &mut Reader) -> Option<Cors> {
    let origins = reader.text("cors.allowed_origins");
    let max_age = reader.whole("cors.max_age_s", 0, 86_400);
    let origins = origins.and_then(|text| {
        let origins = parse(&text);
        if origins.is_none() {
            reader.mistake(
                "cors.allowed_origins",
                "must be * or origins such as https://shop.example, with commas between them and nothing behind the port",
            );
        }
        origins
    });
    Some(Cors { origins: origins?, max_age: Duration::from_secs(max_age?) })
}

fn parse(text: &str) -> Option<Origins> {
    if text.trim() == "*" {
        return Some(Origins::Any);
    }
    let listed = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    listed.map(|origin| is_origin(origin).then(|| origin.to_owned())).collect::<Option<_>>().map(Origins::Listed)
}

/// Browsers write origins in one way, so any other would match nothing; nor does a pattern.
fn is_origin(text: &str) -> bool {
    !text.contains('*')
        && Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_do() {
        let listed = |origins: &[&str]| Some(Origins::Listed(origins.iter().map(ToString::to_string).collect()));
        assert_eq!(parse(""), listed(&[]));
        assert_eq!(parse("*"), Some(Origins::Any));
        let two = "https://shop.example, http://localhost:3000";
        assert_eq!(parse(two), listed(&["https://shop.example", "http://localhost:3000"]));
        for wrong in [
            "shop.example",
            "https://shop.example/",
            "https://shop.example:443",
            "https://Shop.example",
            "null",
            "https://*.shop.example",
            "ftp://shop.example",
            "https://shop.example, *",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
