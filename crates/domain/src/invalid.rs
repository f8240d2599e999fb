//! The one error of the domain's value types.

/// A value that the domain refuses: the field it was meant for, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {remedy}")]
pub struct Invalid {
    /// The field's public name, such as `price` or `minPrice`.
    pub field: &'static str,
    /// What a right value looks like, as the end of a sentence: "must be …".
    pub remedy: String,
}

impl Invalid {
    /// A refusal of `field` with the remedy "must be …".
    pub fn new(field: &'static str, remedy: impl Into<String>) -> Self {
        Self { field, remedy: remedy.into() }
    }

    /// The same refusal under another field's name, for a type that serves several fields.
    #[must_use]
    pub fn of(mut self, field: &'static str) -> Self {
        self.field = field;
        self
    }
}
