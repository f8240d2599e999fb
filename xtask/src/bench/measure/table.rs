//! Tables that read well as Markdown and as they are.

/// A table with these headings; columns of numbers are aligned to the right.
pub(super) fn table<H: ToString>(headings: &[H], rows: &[Vec<String>]) -> String {
    let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
    let columns: Vec<Column> = (0..headings.len()).map(|number| Column::of(number, &headings, rows)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&columns).map(|(cell, column)| column.cell(cell));
        cells.collect::<String>() + "|\n"
    };
    let rule = columns.iter().map(Column::rule).collect::<String>() + "|\n";
    line(&headings) + &rule + &rows.iter().map(line).collect::<String>()
}

struct Column {
    width: usize,
    numbers: bool,
}

impl Column {
    fn of(number: usize, headings: &[String], rows: &[Vec<String>]) -> Self {
        let cells = || rows.iter().filter_map(|row| row.get(number));
        let widths = cells().chain(headings.get(number)).map(|cell| cell.chars().count());
        Self { width: widths.max().unwrap_or_default(), numbers: cells().all(|cell| cell.parse::<f64>().is_ok()) }
    }

    fn cell(&self, text: &str) -> String {
        let width = self.width;
        if self.numbers { format!("| {text:>width$} ") } else { format!("| {text:width$} ") }
    }

    fn rule(&self) -> String {
        let dashes = "-".repeat(self.width + 1);
        let end = if self.numbers { ':' } else { '-' };
        format!("|{dashes}{end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_width_of_their_widest_cell() {
        let rows = [vec!["first page".to_owned(), "0.52".to_owned()]];
        let expected = "| case       |  P50 |\n\
                        |------------|-----:|\n\
                        | first page | 0.52 |\n";
        assert_eq!(table(&["case", "P50"], &rows), expected);
    }
}
