//! The trace that a request belongs to (W3C Trace Context).

/// `field` if it is a `traceparent` of the version we know; anything else starts a trace of its own.
pub(super) fn valid(field: &str) -> Option<&str> {
    let parts: Vec<&str> = field.split('-').collect();
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let known = |part: &str, digits| hex(part, digits) && part.bytes().any(|byte| byte != b'0');
    match parts[..] {
        ["00", trace, span, flags] if known(trace, 32) && known(span, 16) && hex(flags, 2) => Some(field),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_one_is_kept() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(valid(good), Some(good));
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(valid(bad), None, "{bad}");
        }
    }
}
