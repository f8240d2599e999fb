//! Nothing that anybody types is an error, or an operator.

use farmlokal_catalog::{Order, Query, SearchText, Total};

use crate::engine::{Shop, conformance};
use crate::model::orders;
use crate::sample::{Dice, at, filter, limit, product};

conformance!(signs_find_nothing, operators_mean_nothing, anything_may_be_typed);

/// Signs of InnoDB's boolean mode, of FTS5, of LIKE, of SQL, and others.
const SIGNS: [&str; 24] = [
    "+", "-", "<", ">", "(", ")", "~", "*", "\"", "@", ":", "^", "{", "}", "%", "_", "\\", "'", ";", "--", "`", "?",
    "/*", "🍎",
];

async fn count(shop: &Shop, search: &str) -> usize {
    let everything = filter("", "", "");
    let mut counts = Vec::new();
    for order in orders().chain([Order::Relevance]) {
        let query = Query::new(everything.clone(), search.parse().ok(), Some(order)).unwrap();
        match shop.store.list(&query, None, limit(100)).await {
            Ok(page) => counts.push(page.products.len()),
            Err(error) => panic!("{search:?} by {order}: {error}"),
        }
    }
    match shop.store.total(&everything, search.parse().ok().as_ref()).await {
        Ok(Total::Exact(total)) => counts.push(total as usize),
        other => panic!("total of {search:?}: {other:?}"),
    }
    counts.dedup();
    assert_eq!(counts.len(), 1, "{search:?} finds {counts:?} in different orders");
    counts[0]
}

async fn signs_find_nothing(shop: &Shop) {
    shop.store.create(product("+-><()~*\"@:^{}%_\\';-- 🍎", "Dairy", "1.00"), at(0)).await.unwrap();
    assert_eq!(count(shop, "").await, 0);
    assert_eq!(count(shop, " \t\n").await, 0);
    for one in SIGNS {
        assert_eq!(count(shop, one).await, 0, "{one:?}");
        for other in SIGNS {
            assert_eq!(count(shop, &format!("{one}{other}")).await, 0, "{one:?} {other:?}");
        }
    }
    assert_eq!(count(shop, &"\"".repeat(200)).await, 0);
    assert_eq!(count(shop, &"*".repeat(199)).await, 0);
    for control in
        (0..32).chain(127..160).filter_map(char::from_u32).chain(['\u{200b}', '\u{feff}', '\u{2028}', '\u{301}'])
    {
        assert_eq!(count(shop, &format!("{control}{control}")).await, 0, "{control:?}");
    }
}

async fn operators_mean_nothing(shop: &Shop) {
    for name in ["Goat Milk", "Cow Milk"] {
        shop.store.create(product(name, "Dairy", "1.00"), at(0)).await.unwrap();
    }
    for one in SIGNS {
        for search in
            [format!("{one}milk"), format!("milk{one}"), format!("{one} milk {one}"), format!("goat{one}milk")]
        {
            let wanted = if search.starts_with("goat") { 1 } else { 2 };
            assert_eq!(count(shop, &search).await, wanted, "{search:?}");
        }
    }
    for (search, wanted) in [
        ("\"goat milk\"", 1),
        ("\"milk goat\"", 1),
        ("+milk -goat", 1),
        ("goat OR cow", 0),
        ("milk NOT goat", 0),
        ("milk AND goat", 0),
        ("NEAR(goat milk, 2)", 0),
        ("NEAR/2", 0),
        ("name:milk", 0),
        ("name : goat", 0),
        ("{name producer}: goat", 0),
        ("- name: milk", 0),
        ("^goat", 1),
        ("goat*milk*", 1),
        ("\"goat milk\" @345", 0),
        ("milk\0goat", 1),
        ("milk\u{1}goat", 1),
        ("' OR 1=1 --", 0),
        ("milk'; DROP TABLE products; --", 0),
        ("milk\\", 2),
        ("%", 0),
        ("mil_", 2),
        ("m%lk", 0),
    ] {
        assert_eq!(count(shop, search).await, wanted, "{search:?}");
    }
    assert_eq!(shop.database.sql("SELECT COUNT(*) > 0 FROM products").await.len(), 1, "the table is still there");
}

/// Texts of everything that is special somewhere, as long as a search may be.
async fn anything_may_be_typed(shop: &Shop) {
    let words = [
        "milk", "AND", "OR", "NOT", "NEAR", "name:", "the", "a", "1", "é", "दू", "한", "🍎", "\0", "\u{7f}", "\u{301}",
        " ",
    ];
    shop.store.create(product("Goat Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let mut dice = Dice(3);
    for _ in 0..150 {
        let mut search = String::new();
        for _ in 0..dice.below(40) {
            search.push_str(if dice.below(2) == 0 { dice.pick(&SIGNS) } else { dice.pick(&words) });
        }
        let search: String = search.chars().take(SearchText::MAX_CHARS).collect();
        count(shop, &search).await;
    }
    for letter in ["x", "🍎", "é", "中", "\u{301}", "ﷺ", "x y ", "xyz "] {
        let search: String = letter.chars().cycle().take(SearchText::MAX_CHARS).collect();
        assert_eq!(count(shop, &search).await, 0, "{search:?}");
    }
}
