use crate::engine::{Shop, conformance};
use crate::sample::{at, filter, limit, product, query};
conformance!(look);
async fn look(shop: &Shop) {
    let names = ["Crème Fraîche", "Йогурт", "दूध ताज़ा", "한우 불고기", "がんもどき", "日本酒", "λάδι", "حليب طازج", "ÇİĞ köfte", "Ox Tongue 1 kg", "The Best of Milk", "foo_bar jam", "O'Brien's Stew", "Cre\u{301}me brulee", "straße", "Ⓐpple", "ﬁg jam", "𝒜rt 🍎 emoji", "שָׁלוֹם", "தேன்", "ปลาทู", "İstanbul", "e\u{301}toile"];
    for name in names {
        shop.store.create(product(name, "Fruits", "1.00"), at(0)).await.unwrap();
    }
    let e = std::any::type_name_of_val(&*shop.database);
    let _ = e;
    for (text, want) in [("Crème Fraîche","Crème"),("creme","Crème"),("fraiche creme","Crème"),("crè","Crème"),("йогурт","Йогурт"),("Йог","Йог"),("иогурт", "Йог"),("दूध","दूध"),("ताज़ा","दूध"),("दू","दूध"),("한우","한우"),("한","한우"),("불고","한우"),("がんもどき","がん"),("がん","がん"),("日本","日本"),("日本酒","日本"),("λάδι","λάδι"),("ΛΑΔΙ","λάδι"),("حليب","حليب"),("çiğ","ÇİĞ"),("cig","ÇİĞ"),("ox tongue","Ox"),("Ox Tongue 1 kg","Ox"),("kg","Ox"),("ox","Ox"),("the","The"),("of","The"),("best of milk","The"),("the best of","The"),("foo","foo"),("foo_bar","foo"),("foo bar","foo"),("bar","foo"),("o'brien","O'B"),("o'brien's stew","O'B"),("brien","O'B"),("crème brulee","Cre"),("creme br","Cre"),("strasse","stra"),("straße","stra"),("apple","Ⓐ"),("fig","ﬁg"),("art","𝒜rt"),("emoji","𝒜rt"),("שלום","ש"),("שָׁלוֹם","ש"),("தேன்","தேன்"),("ปลาทู","ปลาทู"),("ปลา","ปลาทู"),("istanbul","İst"),("İSTANBUL","İst"),("étoile","e\u{301}"),("etoile","e\u{301}"),("e\u{301}toile","e\u{301}"),("cre\u{300}me fraiche","Crème")] {
        let found = shop.store.list(&query(&filter("", "", ""), text, ""), None, limit(100)).await;
        let names: Vec<_> = match &found { Ok(p) => p.products.iter().map(|p| p.details.name.as_str().to_owned()).collect(), Err(e) => vec![e.to_string()] };
        let ok = names.iter().any(|n| n.starts_with(want));
        println!("{} {text:?} -> {names:?}", if ok {"ok  "} else {"MISS"});
    }
}
