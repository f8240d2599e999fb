//! A file lost, cut or altered is noticed when the index is opened, and one lost or cut also while it is open.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::*;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_none_or(|kind| kind != "lock"));
    files.sort();
    files
}

#[test]
fn is_noticed_whatever_file_it_is() {
    let products: Vec<_> = (1..=300).map(|id| product(id, ["Mango Pickle", "Farm", "good", "Food"], id)).collect();
    let (dir, index) = index_of(&products, 2);
    let mut writer = index.writer(HEAP, 1).unwrap();
    writer.remove(ProductId::new(17).unwrap()).unwrap();
    writer.commit(3).unwrap();
    drop((writer, index));
    // What no segment needs any more would not be missed.
    let all = files(dir.path());
    let kinds = ["idx", "pos", "fast", "fieldnorm", "term", "store", "del", "json"];
    for kind in kinds {
        assert!(all.iter().any(|file| file.extension().is_some_and(|other| other == kind)), "{kind} in {all:?}");
    }
    for file in all {
        let whole = fs::read(&file).unwrap();
        let middle = whole.len() / 2;
        let mut flipped = whole.clone();
        flipped[middle] ^= 0x40;
        let cut = [0, 1, middle, whole.len() - 1].map(|length| Some(whole[..length].to_vec()));
        for damage in [None].into_iter().chain(cut).chain([Some(flipped)]) {
            match &damage {
                Some(bytes) => fs::write(&file, bytes).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let length = damage.as_ref().map(Vec::len);
            match SearchIndex::open(dir.path()) {
                Err(SearchError::Damaged(_) | SearchError::Missing | SearchError::Outdated) => {}
                Err(other) => panic!("{file:?} with {length:?} of {} bytes: {other}", whole.len()),
                // A list may lose its line end and still say the same; a segment's file may lose nothing.
                Ok(index) if file.extension().is_some_and(|kind| kind == "json") => {
                    assert_eq!(walk(&index, &query("mango", "id"), 100).len(), 299, "{file:?} {length:?}")
                }
                Ok(_) => panic!("{file:?} with {length:?} of {} bytes is served", whole.len()),
            }
            fs::write(&file, &whole).unwrap();
        }
    }
    assert_eq!(SearchIndex::open(dir.path()).unwrap().documents(), 299);
}

#[test]
fn under_an_open_index_is_noticed_and_does_no_harm() {
    let products: Vec<_> = (1..=2_000).map(|id| product(id, ["Mango Pickle", "Farm", "good", "Food"], id)).collect();
    let found = |index: &SearchIndex| ["id", "name", "relevance"].map(|sort| walk(index, &query("mango", sort), 900));
    let damages: [fn(&Path); 3] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::File::create(file).map(drop).unwrap(),
        |file| fs::OpenOptions::new().append(true).open(file).and_then(|mut file| file.write_all(b"x")).unwrap(),
    ];
    for damage in damages {
        let (dir, index) = index_of(&products, 3);
        let before = found(&index);
        index.look().unwrap();
        // The writer reads files too; what it needs is in memory already.
        let mut writer = index.writer(HEAP, 1).unwrap();
        files(dir.path()).iter().filter(|file| file.extension().is_some_and(|kind| kind != "json")).for_each(|file| {
            damage(file);
            assert!(matches!(index.look(), Err(SearchError::Damaged(_))), "{file:?}");
        });
        assert_eq!(found(&index), before);
        assert_eq!(index.facets(&Filter::default(), None).unwrap().categories[0].1, 2_000);
        assert_eq!(index.suggest("mang", 10).unwrap(), ["mango"]);
        writer.put(&products[7]).unwrap();
        let _ = writer.commit(9);
        assert_eq!(found(&index), before);
    }
}

#[test]
fn merges_are_no_damage() {
    let (_dir, index) = index_of(&[], 1);
    let mut writer = index.writer(HEAP, 1).unwrap();
    for id in 1..=60 {
        writer.put(&product(id, ["Mango Pickle", "Farm", "good", "Food"], id)).unwrap();
        if id % 3 == 0 {
            writer.remove(ProductId::new(id - 1).unwrap()).unwrap();
        }
        writer.commit(id.unsigned_abs()).unwrap();
        (0..20).for_each(|_| index.look().unwrap());
    }
    writer.finish().unwrap();
    index.look().unwrap();
    assert_eq!(index.documents(), 40);
}
