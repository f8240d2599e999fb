//! No text makes a search or a suggestion fail.

use proptest::prelude::*;

use super::*;

fn small() -> (TempDir, SearchIndex) {
    let rows = [
        ["Mango", "Farm", "ripe", "Fruits"],
        ["苺 ジャム", "農場", "甘い 🍓", "Fruits"],
        ["NULL", "AND OR", "id:1", "x"],
    ];
    index_of(&(1..).zip(rows).map(|(id, row)| product(id, row, id)).collect::<Vec<_>>(), 1)
}

fn ask(index: &SearchIndex, text: &str) {
    let _ = index.suggest(text, 10).unwrap();
    let Ok(search) = text.parse::<SearchText>() else { return };
    for name in Order::NAMES {
        let query = Query::new(Filter::default(), Some(search.clone()), name.parse().ok()).unwrap();
        let hits = index.search(&query, None, None, 10).unwrap();
        assert_eq!(hits.ids.len() as u64, index.count(&Filter::default(), Some(&search)).unwrap());
        assert!(!scan::words_of(text).is_empty() || hits.ids.is_empty(), "{text:?}");
    }
}

#[test]
fn of_any_odd_kind() {
    let (_dir, index) = small();
    let long = "x".repeat(10_000);
    let words = "mango ".repeat(2_000);
    let texts = [
        "",
        " ",
        "\0",
        "\u{1}\u{7f}\u{85}",
        "\u{200b}",
        "man\u{200b}go",
        "🍓",
        "苺",
        "ジャム",
        "e\u{301}",
        "\u{202e}ogna",
        "*",
        "man*",
        "\"mango",
        "mango~2",
        "name:mango",
        "id:[1 TO 9]",
        "+mango -farm",
        "(mango",
        "mango)",
        "a AND NOT b",
        "AND",
        "NULL",
        "' OR 1=1 --",
        "%",
        "\\",
        "/.*/",
        "^$",
        "mango^9",
        "İ",
        "ß",
        "\u{fdfa}\u{fdfa}\u{fdfa}",
        "\u{10ffff}",
        &long,
        &words,
    ];
    texts.into_iter().for_each(|text| ask(&index, text));
    let longest = long.chars().take(SearchText::MAX_CHARS).collect::<String>();
    ask(&index, &longest);
    ask(&index, &"\u{fdfa}".repeat(SearchText::MAX_CHARS));
}

proptest! {
    #[test]
    fn of_any_kind(text in any::<String>(), shorter in ".{0,20}", words in "[mangoesifr ]{0,40}") {
        thread_local!(static INDEX: (TempDir, SearchIndex) = small());
        INDEX.with(|(_, index)| [text, shorter, words].iter().for_each(|text| ask(index, text)));
    }

    #[test]
    fn any_position_is_a_place_to_start(bits in any::<u64>(), id in 1i64..i64::MAX) {
        thread_local!(static INDEX: (TempDir, SearchIndex) = small());
        let after = Position::Relevance(bits, ProductId::new(id).unwrap());
        INDEX.with(|(_, index)| index.search(&query("mango", "relevance"), Some(&after), None, 3).unwrap());
    }
}
