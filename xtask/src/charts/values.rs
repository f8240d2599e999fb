//! A chart's values and the comments before them.
//!
//! `## Text` begins a section. A comment right before a key says what it is; a key with such a comment whose own keys have
//! none is shown with its whole default. No value may be without one.

use std::collections::BTreeMap;

use serde_json::Value;

/// A key that has a comment.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// The last `##` before it.
    pub(super) section: String,
    /// `image.tag`.
    pub(super) path: String,
    /// What it is.
    pub(super) about: String,
    /// As JSON; `None` where its keys have rows of their own.
    pub(super) default: Option<String>,
}

/// The rows of a `values.yaml`, in its order.
///
/// # Errors
///
/// When a value has no comment.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, String> {
    let defaults = super::yaml::parse(text)?;
    let mut rows = commented(text);
    let paths: Vec<_> = rows.iter().map(|row| row.path.clone()).collect();
    let is_group = |path: &str| paths.iter().any(|other| is_under(other, path));
    for row in &mut rows {
        let value = defaults.pointer(&format!("/{}", row.path.replace('.', "/")));
        let value = value.ok_or_else(|| format!("{} was not understood: write its keys one a line", row.path))?;
        row.default = (!is_group(&row.path)).then(|| value.to_string());
    }
    let mut silent = Vec::new();
    find_silent(&defaults, "", &paths, &mut silent);
    if silent.is_empty() { Ok(rows) } else { Err(format!("without a comment: {}", silent.join(", "))) }
}

fn is_under(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

fn find_silent(value: &Value, path: &str, rows: &[String], silent: &mut Vec<String>) {
    let Value::Object(keys) = value else { return };
    for (key, value) in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if rows.iter().any(|row| is_under(row, &path)) {
            find_silent(value, &path, rows, silent);
        } else if !rows.contains(&path) {
            silent.push(path);
        }
    }
}

/// All keys that have a comment.
fn commented(text: &str) -> Vec<Row> {
    let (mut rows, mut section, mut about) = (Vec::new(), String::new(), Vec::new());
    let mut above: BTreeMap<usize, &str> = BTreeMap::new();
    for line in text.lines() {
        let (indent, content) = (line.len() - line.trim_start().len(), line.trim());
        if let Some(title) = content.strip_prefix("## ") {
            section = title.to_owned();
        } else if let Some(comment) = content.strip_prefix('#') {
            about.push(comment.trim());
        } else if let Some((key, _)) = content.split_once(':') {
            above.retain(|at, _| *at < indent);
            above.insert(indent, key);
            if !about.is_empty() {
                let path = above.values().copied().collect::<Vec<_>>().join(".");
                rows.push(Row { section: section.clone(), path, about: about.join(" "), default: None });
            }
            about.clear();
        } else {
            about.clear();
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(section: &str, path: &str, about: &str, default: Option<&str>) -> Row {
        let (section, path, about) = (section.to_owned(), path.to_owned(), about.to_owned());
        Row { section, path, about, default: default.map(str::to_owned) }
    }

    #[test]
    fn comments_belong_to_the_key_behind_them() {
        let text = "# Not of any.\n\n## One\n\n# How\n# many.\ncount: 2\nimage:\n  # Its tag.\n  tag: \"\"\n\n## Two\n\n\
                    # All of it.\nlimits:\n  memory: 1Gi\n  more: {a: 1}\n#  example: 3\n";
        let expected = [
            row("One", "count", "How many.", Some("2")),
            row("One", "image.tag", "Its tag.", Some("\"\"")),
            row("Two", "limits", "All of it.", Some(r#"{"memory":"1Gi","more":{"a":1}}"#)),
        ];
        assert_eq!(rows(text).as_deref(), Ok(expected.as_slice()));
    }

    #[test]
    fn a_group_may_have_a_comment_of_its_own() {
        let rows = rows("# Ours.\nimage:\n  # Its tag.\n  tag: x\n").unwrap_or_default();
        assert_eq!(rows, [row("", "image", "Ours.", None), row("", "image.tag", "Its tag.", Some("\"x\""))]);
    }

    #[test]
    fn a_value_without_a_comment_is_told() {
        let text = "# It.\na: 1\nb:\n  # That.\n  c: 1\n  d: 2\n";
        assert_eq!(rows(text), Err("without a comment: b.d".to_owned()));
    }
}
