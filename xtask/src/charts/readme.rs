//! The values in a chart's README, between two marks.

use std::fmt::Write as _;
use std::fs;

use super::values::{Row, rows};
use super::{Generated, directory};

const BEGIN: &str = "<!-- Made from values.yaml by `cargo xtask charts`. -->\n";
const END: &str = "<!-- The end of what is made. -->\n";

/// The README of a chart with its values as they are now.
pub(super) fn of(chart: &str) -> Result<Generated, String> {
    let folder = directory(chart);
    let values = folder.join("values.yaml");
    let text = fs::read_to_string(&values).map_err(|error| format!("{}: {error}", values.display()))?;
    let rows = rows(&text).map_err(|error| format!("{}: {error}", values.display()))?;
    let file = folder.join("README.md");
    let old = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let parts = old.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{} lacks the marks {BEGIN}and {END}", file.display()))?;
    Ok(Generated { text: format!("{before}{BEGIN}{}\n{END}{after}", tables(&rows)), file })
}

/// A table for each section.
fn tables(rows: &[Row]) -> String {
    let mut text = String::new();
    for rows in rows.chunk_by(|a, b| a.section == b.section) {
        let section = rows.first().map_or("", |row| &row.section);
        let _ = write!(text, "\n### {section}\n\n| value | default | what it is |\n| --- | --- | --- |\n");
        for Row { path, about, default, .. } in rows {
            let default = default.as_ref().map(|it| format!("`{}`", cell(it))).unwrap_or_default();
            let _ = writeln!(text, "| `{path}` | {default} | {} |", cell(about));
        }
    }
    text
}

/// As it can stand in a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
