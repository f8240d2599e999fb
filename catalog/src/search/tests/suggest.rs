//! Completions.

use super::*;

#[test]
fn complete_and_correct() {
    let names = [
        "Organic Alphonso Mangoes",
        "Organic Kesar Mangoes",
        "Mango Pickle",
        "Organic Milk",
        "Milk",
        "Buffalo Milk",
        "Fresh Mint",
        "Crème fraîche",
        "Mandarins",
        "Box A1",
    ];
    let products: Vec<_> =
        (1..).zip(names).map(|(id, name)| product(id, [name, "Mill Farm", "", "Food"], 100)).collect();
    let (_dir, index) = index_of(&products, 2);
    let table: [(&str, &[&str]); 14] = [
        ("m", &["milk", "mangoes", "mandarins", "mango", "mint"]),
        ("man", &["mangoes", "mandarins", "mango"]),
        ("mango", &["mangoes", "mango"]),
        ("Mnago", &["mangoes", "mango"]),
        ("mnag", &["mangoes", "mango"]),
        ("organic m", &["organic mangoes", "organic milk"]),
        ("orgnaic mi", &["organic milk"]),
        ("organic pickle", &[]),
        ("CRÈ", &["creme"]),
        ("a1", &["a1"]),
        ("a2", &[]),
        // One edit from "milk".
        ("mill", &["milk"]),
        ("", &[]),
        ("?!* ", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(index.suggest(text, 10).unwrap(), expected, "{text}");
    }
    assert_eq!(index.suggest("m", 2).unwrap(), ["milk", "mangoes"]);
    let mut writer = index.writer(HEAP, 1).unwrap();
    for id in [1, 2] {
        writer.remove(ProductId::new(id).unwrap()).unwrap();
    }
    writer.commit(9).unwrap();
    assert_eq!(index.suggest("man", 10).unwrap(), ["mandarins", "mango"], "what no product has is not suggested");
}
