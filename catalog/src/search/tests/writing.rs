//! Commits, replacements, versions of the index.

use super::*;

fn put(index: &SearchIndex, id: i64, name: &str, position: u64) {
    let mut writer = index.writer(HEAP, 1).unwrap();
    writer.put(&product(id, [name, "Farm", "", "Food"], 100)).unwrap();
    writer.commit(position).unwrap();
}

fn found(index: &SearchIndex, search: &str) -> Vec<i64> {
    ids(&index.search(&query(search, "id"), None, None, 10).unwrap())
}

#[test]
fn a_later_state_replaces_an_earlier_one() {
    let dir = TempDir::new().unwrap();
    let index = SearchIndex::create(dir.path()).unwrap();
    put(&index, 5, "apple", 1);
    put(&index, 3, "apple", 2);
    put(&index, 5, "pear", 3);
    assert_eq!((found(&index, "apple"), found(&index, "pear"), index.documents()), (vec![3], vec![5], 2));
    let mut writer = index.writer(HEAP, 1).unwrap();
    let state = |name| product(7, [name, "Farm", "", "Food"], 100);
    // Several states, removals of what is there, not there, and just put, in one commit.
    ["apple", "pear", "plum"].into_iter().for_each(|name| writer.put(&state(name)).unwrap());
    writer.remove(ProductId::new(3).unwrap()).unwrap();
    writer.remove(ProductId::new(99).unwrap()).unwrap();
    writer.put(&product(8, ["apple", "Farm", "", "Food"], 100)).unwrap();
    writer.remove(ProductId::new(8).unwrap()).unwrap();
    assert_eq!(found(&index, "apple"), [3], "not before the commit");
    writer.commit(4).unwrap();
    assert!(found(&index, "apple").is_empty());
    assert_eq!((found(&index, "plum"), found(&index, "pear"), index.documents()), (vec![7], vec![5], 2));
}

#[test]
fn the_position_is_that_of_the_last_commit() {
    let dir = TempDir::new().unwrap();
    let index = SearchIndex::create(dir.path()).unwrap();
    assert_eq!((index.position(), index.documents()), (0, 0));
    put(&index, 1, "apple", u64::MAX);
    let mut writer = index.writer(HEAP, 1).unwrap();
    assert!(matches!(index.writer(HEAP, 1), Err(SearchError::Busy)));
    writer.put(&product(2, ["pear", "Farm", "", "Food"], 100)).unwrap();
    drop(writer);
    let again = SearchIndex::open(dir.path()).unwrap();
    assert_eq!((again.position(), again.documents()), (u64::MAX, 1), "what was not committed is as if never told");
    assert!(again.bytes_on_disk() > 0);
    let mut writer = again.writer(HEAP, 1).unwrap();
    writer.commit(7).unwrap();
    assert_eq!(SearchIndex::open(dir.path()).unwrap().position(), 7, "a commit of nothing moves on");
}

#[test]
fn merges_keep_everything() {
    let dir = TempDir::new().unwrap();
    let index = SearchIndex::create(dir.path()).unwrap();
    let mut writer = index.writer(HEAP, 1).unwrap();
    for id in 1..=60 {
        writer.put(&product(id, ["apple", "Farm", "", "Food"], 100)).unwrap();
        writer.remove(ProductId::new((id / 2).max(1)).unwrap()).unwrap();
        writer.commit(id.unsigned_abs()).unwrap();
    }
    writer.finish().unwrap();
    let expected: Vec<i64> = (31..=60).collect();
    assert_eq!(walk(&index, &query("apple", "id"), 7), expected);
    assert_eq!(walk(&SearchIndex::open(dir.path()).unwrap(), &query("apple", "relevance"), 7), expected);
    assert_eq!(index.position(), 60);
}

#[test]
fn an_index_of_another_version_is_outdated() {
    let dir = TempDir::new().unwrap();
    put(&SearchIndex::create(dir.path()).unwrap(), 1, "apple", 12);
    let meta = dir.path().join("meta.json");
    let text = std::fs::read_to_string(&meta).unwrap();
    for (from, to) in [(open::payload(12), "0 12".to_owned()), ("name_length".to_owned(), "name_size".to_owned())] {
        assert!(text.contains(&from));
        std::fs::write(&meta, text.replace(&from, &to)).unwrap();
        assert!(matches!(SearchIndex::open(dir.path()), Err(SearchError::Outdated)), "{to}");
    }
    std::fs::write(&meta, text).unwrap();
    assert_eq!(SearchIndex::open(dir.path()).unwrap().position(), 12);
}

#[test]
fn a_new_index_wants_an_empty_folder() {
    let dir = TempDir::new().unwrap();
    assert!(matches!(SearchIndex::open(&dir.path().join("none")), Err(SearchError::Missing)));
    assert!(matches!(SearchIndex::open(dir.path()), Err(SearchError::Missing)));
    SearchIndex::create(&dir.path().join("deep/er")).unwrap();
    assert!(matches!(SearchIndex::create(dir.path()), Err(SearchError::NotEmpty)));
}
