//! Pages of which a chore writes a part, between two lines that say so.

const END: &str = "<!-- end -->\n";

/// `text` with `part` where the one that `chore` wrote before is; `None` if there are no lines to write between.
#[must_use]
pub fn replaced(text: &str, chore: &str, part: &str) -> Option<String> {
    let begin = begin(chore);
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{begin}\n{part}\n{END}{after}"))
}

/// The part that `chore` wrote, with those lines, for whoever writes the rest of the page anew.
#[must_use]
pub fn part(text: &str, chore: &str) -> Option<String> {
    let begin = begin(chore);
    let (_, rest) = text.split_once(&begin)?;
    let (part, _) = rest.split_once(END)?;
    Some(format!("{begin}{part}{END}"))
}

fn begin(chore: &str) -> String {
    format!("<!-- written by {chore}: begin -->\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_replaces_the_one_before_and_nothing_else() {
        let text = format!("# A\n\n{}\nold\n\n{END}\n## B\n", begin("milking"));
        let new = replaced(&text, "milking", "new\n").unwrap();
        assert_eq!(new, text.replace("old", "new"));
        assert_eq!(replaced("# A\n", "milking", "new\n"), None);
        assert_eq!(part(&new, "milking").unwrap(), format!("{}\nnew\n\n{END}", begin("milking")));
        assert_eq!(part(&new, "churning"), None);
    }
}
