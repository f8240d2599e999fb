//! The product's texts: bounded, clean, and folded where they are sorted.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::Invalid;

/// One line of text: no control characters, no white space at either end.
const LINE: &str = r"^[^\s\u0000-\u001F\u007F-\u009F]([^\u0000-\u001F\u007F-\u009F]*[^\s\u0000-\u001F\u007F-\u009F])?$";
/// Text of several lines: of the control characters only line feed and tab.
const LINES: &str = r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]*$";

fn is_line(text: &str) -> bool {
    text.trim() == text && !text.chars().any(char::is_control)
}

fn is_lines(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

/// Declares a text type of `$min` to `$max` characters for the field `$field`.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $field:literal, $min:literal..=$max:literal, $check:ident, $pattern:ident, $clean:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The fewest characters it may have.
            pub const MIN_CHARS: usize = $min;
            /// The most characters it may have.
            pub const MAX_CHARS: usize = $max;
            /// The form it has, as a regular expression.
            pub const PATTERN: &'static str = $pattern;

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                // Bytes first: a megabyte is refused without counting its characters.
                let fits = text.len() <= $max * 4 && (Self::MIN_CHARS..=$max).contains(&text.chars().count());
                if fits && $check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(Invalid::new($field, concat!("must be ", $min, " to ", $max, " characters, ", $clean)))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_type!(
    /// What a product is called.
    ProductName, "name", 1..=200, is_line, LINE, "without control characters and without white space at either end"
);
text_type!(
    /// What is to be said about a product; may be empty and may have several lines.
    Description, "description", 0..=2000, is_lines, LINES, "without control characters other than line feed and tab"
);
text_type!(
    /// The shelf a product stands on, such as `Dairy`. Compared letter by letter.
    Category, "category", 1..=64, is_line, LINE, "without control characters and without white space at either end"
);
text_type!(
    /// The farm or maker a product comes from.
    Producer, "producer", 1..=120, is_line, LINE, "without control characters and without white space at either end"
);
text_type!(
    /// What one piece of a product is, such as `500 g` or `dozen`.
    Unit, "unit", 1..=32, is_line, LINE, "without control characters and without white space at either end"
);

text_type!(
    /// What a source of events calls one of them; its name with that of the source is an event's identity.
    EventId, "id", 1..=255, is_line, LINE, "without control characters and without white space at either end"
);
text_type!(
    /// What kind of event one is, such as `price.changed`.
    EventType, "type", 1..=128, is_line, LINE, "without control characters and without white space at either end"
);
text_type!(
    /// What a source of events or a supplier calls a product.
    ExternalId, "externalId", 1..=128, is_line, LINE, "without control characters and without white space at either end"
);

impl Default for Description {
    /// The empty description.
    fn default() -> Self {
        Self("".into())
    }
}

/// `text` without case, accents and compatibility forms, so that `Éclair` sorts and matches as
/// `eclair`: Unicode NFKD (Unicode Standard Annex 15), diacritics removed, lower case. Marks of other
/// scripts stay: a vowel sign of Devanagari is no accent but a letter's half.
pub fn fold(text: &str) -> String {
    // The same by a shorter way, which most texts can go.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd().filter(|c| !is_diacritic(*c)).flat_map(char::to_lowercase).collect()
}

/// Whether `c` is in one of Unicode's blocks of combining diacritical marks.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The words of `text`: runs of letters, digits and the marks that belong to them.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c))
        .filter(|word| word.contains(char::is_alphanumeric))
}

/// What products are sorted by under `sort=name`: the first 64 characters of the folded name.
/// Kept as a column and compared by code point, so that every engine gives the same order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(Box<str>);

impl NameKey {
    /// The most characters a key has; names alike up to there are ordered by id.
    pub const MAX_CHARS: usize = 64;

    /// The key as the database keeps it; `None` if no name can have it.
    pub fn from_stored(text: &str) -> Option<Self> {
        (text.chars().count() <= Self::MAX_CHARS).then(|| Self(text.into()))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&ProductName> for NameKey {
    fn from(name: &ProductName) -> Self {
        // MySQL's utf8mb4_bin pads with spaces when it compares: a key must not end in one.
        let key: String = fold(name.as_str()).chars().take(Self::MAX_CHARS).collect();
        Self(key.trim_end().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_would_not_be_clean() {
        for text in ["", " milk", "milk ", "mi\0lk", "mi\nlk", "\u{85}", &"x".repeat(201), &"é".repeat(100_000)] {
            let error = text.parse::<ProductName>().unwrap_err();
            assert_eq!(error.field, "name");
            assert!(error.remedy.contains("1 to 200 characters"), "{error}");
        }
        assert!("two\nlines\tand a tab".parse::<Description>().is_ok());
        assert!("".parse::<Description>().is_ok());
        assert!("bell \u{7}".parse::<Description>().is_err());
        assert!("ü".repeat(200).parse::<ProductName>().is_ok(), "characters count, not bytes");
    }

    #[test]
    fn marks_of_other_scripts_are_kept_and_do_not_cut_words() {
        assert_ne!(fold("दही"), fold("दूही"), "vowel signs tell words apart");
        assert_eq!(words("मक्खन, ताज़ा").collect::<Vec<_>>(), ["मक्खन", "ताज़ा"]);
        assert_eq!(words("Crème-fraîche 30% _").collect::<Vec<_>>(), ["Crème", "fraîche", "30"]);
    }

    #[test]
    fn plain_texts_fold_as_all_do() {
        let plain: String = (0..128_u8).map(char::from).collect();
        assert_eq!(fold(&format!("{plain}é")), fold(&plain) + "e");
    }

    #[test]
    fn names_sort_without_case_and_accents() {
        let key = |name: &str| NameKey::from(&name.parse::<ProductName>().unwrap());
        assert_eq!(key("Éclair au CAFÉ"), key("eclair au cafe"));
        assert_eq!(key("ﬁg jam"), key("Fig Jam"));
        assert!(key("apple") < key("Zucchini"));
        assert_eq!(key(&format!("{} tail", "a".repeat(63))).as_str(), "a".repeat(63), "no padding at the end");
    }
}
