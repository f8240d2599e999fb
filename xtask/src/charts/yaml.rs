//! YAML, read into what JSON can say.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The one document in a file.
pub(super) fn read(file: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    parse(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// One document.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// The texts of several documents. Lines of dashes within a document would be indented.
pub(super) fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("---\n").filter(|document| document.contains("kind: "))
}
