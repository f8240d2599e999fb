//! What is found first, for searches as people write them.

use super::*;

fn shop() -> (TempDir, SearchIndex) {
    let rows = [
        ["Alphonso Mangoes", "Green Valley Farm, Ratnagiri", "Picked ripe at dawn", "Fruits"],
        ["Mango Pickle", "Sunrise Organics, Pune", "Made of green fruit", "Preserves"],
        ["Tomatoes", "Mango Grove Farm, Nashik", "Cut to order", "Vegetables"],
        ["Free-Range Eggs", "Peepal Estate, Satara", "Raised under mango trees (LOT-7K2QX)", "Poultry"],
        ["Crème fraîche", "Blue Hill Dairy, Ooty", "Cultured cream, 30% fat", "Dairy"],
        ["Organic Buffalo Milk", "Two Wells, Anand", "Chilled within the hour", "Dairy"],
        ["Buffalo Milk", "Lotus Pond, Anand", "Chilled within the hour", "Dairy"],
        ["Black-Eyed Beans", "Red Soil, Hassan", "Dried on the stalk (LOT-7K2QY)", "Grains"],
        ["Cauliflower", "Nilgiri Fields, Ooty", "Good with beans", "Vegetables"],
    ];
    let products: Vec<_> = (1..).zip(rows).map(|(id, row)| product(id, row, id * 100)).collect();
    index_of(&products, 2)
}

#[test]
fn the_best_comes_first() {
    let (_dir, index) = shop();
    let table: [(&str, &[i64]); 26] = [
        // Name before producer before description; the word itself before one that begins so.
        ("mango", &[2, 1, 3, 4]),
        ("mang", &[2, 1, 3, 4]),
        ("MANGOES", &[1]),
        // The shorter name first.
        ("buffalo milk", &[7, 6]),
        ("milk buffalo", &[7, 6]),
        // All words, wherever they stand; the last one may be a beginning, the others may not.
        ("mango farm", &[3]),
        ("mangoes ratna", &[1]),
        ("beans", &[8, 9]),
        ("buff milk", &[]),
        // Accents, case and compatibility forms do not count.
        ("creme fraiche", &[5]),
        ("CRÈME", &[5]),
        ("ｍｉｌｋ", &[7, 6]),
        // One edit from five letters: swapped, lost, added, changed.
        ("mnago", &[2, 1, 3, 4]),
        ("mago", &[]),
        ("buffaloo milk", &[7, 6]),
        ("tomatos", &[3]),
        ("orgamic", &[6, 2]),
        // Two from nine.
        ("culiflwer", &[9]),
        ("califlowre", &[9]),
        ("tomatsoe", &[3]),
        // A misspelt beginning.
        ("caulfl", &[9]),
        // None in codes and short words.
        ("7K2QX", &[4]),
        ("7k2qz", &[]),
        ("lot-7k2q", &[4, 8]),
        ("mlik", &[]),
        ("no such thing", &[]),
    ];
    let found = |search: &str| ids(&index.search(&query(search, "relevance"), None, None, 10).unwrap());
    let found = table.map(|(search, _)| (search, found(search)));
    assert_eq!(found, table.map(|(search, expected)| (search, expected.to_vec())));
}

#[test]
fn what_exists_is_not_misspelt() {
    let (_dir, index) = shop();
    let hits = index.search(&query("mango", "price"), None, None, 10).unwrap();
    assert_eq!((ids(&hits), hits.stage), (vec![1, 2, 3, 4], Stage::Exact));
    let hits = index.search(&query("mnago", "price"), None, None, 10).unwrap();
    assert_eq!((ids(&hits), hits.stage), (vec![1, 2, 3, 4], Stage::Fuzzy));
    // A filter that leaves nothing does not make a known word a misspelt one.
    let dairy = Filter { category: "Dairy".parse().ok(), ..Filter::default() };
    let hits = index.search(&Query::new(dairy, "mango".parse().ok(), None).unwrap(), None, None, 10).unwrap();
    assert_eq!((ids(&hits), hits.stage), (vec![], Stage::Exact));
}

#[test]
fn a_position_of_another_order_is_refused() {
    let (_dir, index) = shop();
    let hits = index.search(&query("mango", "price"), None, None, 1).unwrap();
    let wrong = index.search(&query("mango", "name"), Some(&hits.ids[0].1), None, 1);
    assert!(matches!(wrong, Err(SearchError::Position)));
}

/// "organis" is two edits from what is asked, "organisc" three.
#[test]
fn a_beginning_that_is_near_enough_counts_whatever_follows() {
    let (_dir, index) = index_of(&[product(1, ["Organisc", "Farm", "", "Dairy"], 100)], 1);
    assert_eq!(walk(&index, &query("organicxs", "relevance"), 10), [1]);
    assert_eq!(walk(&index, &query("organicxs farm", "relevance"), 10), [0_i64; 0], "not the last word");
}
