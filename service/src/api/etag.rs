//! Entity tags and the conditions on them (RFC 9110, sections 8.8.3 and 13.1).

use farmlokal_catalog::{Product, ProductId, Version};

/// Raised when products are shown in another form, so that old tags no longer match.
const FORM: u8 = 1;

/// The strong tag of one state of a product.
pub fn of_product(product: &Product) -> String {
    format!("\"{FORM}-{}-{}\"", product.id, product.version.get())
}

/// The strong tag of rendered bytes.
pub fn of_bytes(bytes: &[u8]) -> String {
    format!("\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(bytes))
}

/// Whether `If-None-Match: field` lists `tag`, by weak comparison: then the answer is 304.
pub fn none_match(field: Option<&str>, tag: &str) -> bool {
    field.is_some_and(|field| {
        field.trim() == "*" || tags(field).any(|listed| listed.strip_prefix("W/").unwrap_or(listed) == tag)
    })
}

/// The versions of product `id` that `If-Match: field` allows; `None` when any is. Tags are compared
/// strongly: a weak one, or one of another product, allows nothing.
pub fn matching_versions(field: Option<&str>, id: ProductId) -> Option<Vec<Version>> {
    let field = field?;
    if field.trim() == "*" {
        return None;
    }
    let prefix = format!("\"{FORM}-{id}-");
    let version = |tag: &str| tag.strip_prefix(&prefix)?.strip_suffix('"')?.parse().ok().and_then(Version::new);
    Some(tags(field).filter_map(version).collect())
}

/// The tags of a list. A tag may hold a comma, so they are cut at their quotes.
fn tags(field: &str) -> impl Iterator<Item = &str> {
    let mut rest = field;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let open = rest.find('"')?;
        let close = open + 1 + rest[open + 1..].find('"')?;
        let (tag, behind) = rest.split_at(close + 1);
        rest = behind;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags_are_read_as_rfc_9110_writes_them() {
        let tag = "\"1-7-3\"";
        for field in ["\"1-7-3\"", "W/\"1-7-3\"", "\"a,b\", \"1-7-3\"", " * ", "\"x\",W/\"1-7-3\" , \"y\""] {
            assert!(none_match(Some(field), tag), "{field}");
        }
        for field in ["", "1-7-3", "\"1-7-33\"", "\"1-7-3", "\"\u{fffd}\"", "W/"] {
            assert!(!none_match(Some(field), tag), "{field}");
        }
        assert!(!none_match(None, tag));
    }

    #[test]
    fn if_match_compares_strongly_and_for_this_product_only() {
        let id = ProductId::new(7).unwrap();
        let versions = |field| matching_versions(Some(field), id);
        assert_eq!(matching_versions(None, id), None);
        assert_eq!(versions("*"), None);
        assert_eq!(versions("\"1-7-3\", \"1-7-4\""), Some([3, 4].map(|v| Version::new(v).unwrap()).to_vec()));
        for nothing in ["W/\"1-7-3\"", "\"1-8-3\"", "\"0-7-3\"", "\"1-7-x\"", "\"1-7-0\"", ""] {
            assert_eq!(versions(nothing), Some(vec![]), "{nothing}");
        }
    }
}
