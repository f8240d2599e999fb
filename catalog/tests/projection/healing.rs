//! Whatever happens to the index or to the process, it comes back and says what the table says.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use farmlokal_catalog::projection::State;
use farmlokal_catalog::store;

use crate::bench::Bench;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_cut_off_anywhere_starts_anew_and_ends_whole() {
    let bench = Bench::sqlite().await;
    for number in 0..6_000 {
        bench.create(&format!("Cheese {number}"), number).await;
    }
    for after in [0, 1, 2_000, 4_000, 6_000] {
        let running = bench.start();
        running.until("some of the build", || running.projection.status().build.built >= after).await;
        running.cut_off().await;
    }
    let running = bench.ready().await;
    running.until_found("cheese", 6_000).await;
    assert_eq!(running.projection.status().documents, 6_000);
    running.cut_off().await;
    let generations = fs::read_dir(bench.index_dir()).unwrap().flatten().filter(|entry| entry.path().is_dir()).count();
    assert_eq!(generations, 1, "what was cut off is swept away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_every_kind_are_followed_through_restarts() {
    let bench = Bench::sqlite().await;
    for round in 0..5 {
        let kept = bench.create(&format!("Gouda {round}"), round).await;
        let gone = bench.create("Gone Gouda", 7).await;
        let running = bench.start();
        running.until_found("gouda", round as usize + 2).await;
        // Cut off at once: what was committed to the index is there, the rest is read from the log again.
        bench.store.delete(gone.id, None).await.unwrap();
        let patch = farmlokal_catalog::ProductPatch { stock: Some(1), ..Default::default() };
        bench.store.update(kept.id, patch, None, crate::bench::at()).await.unwrap();
        running.cut_off().await;
    }
    let running = bench.ready().await;
    running.until_found("gouda", 5).await;
    assert_eq!(running.projection.status().build_seconds, 0.0, "an index that is whole is not built anew");
    running.cut_off().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_or_truncated_file_is_noticed_and_healed() {
    let bench = Bench::sqlite().await;
    for number in 0..500 {
        bench.create(&format!("Cheddar {number}"), number).await;
    }
    bench.ready().await.cut_off().await;
    let count = files(&bench).len();
    assert!(count > 3);
    for at in 0..count {
        let damages: [Damage; 2] = [remove, halve];
        for damage in damages {
            let file = damaged(&bench, at, damage);
            let running = bench.ready().await;
            assert_eq!(running.found("cheddar").len(), 500, "{}", file.display());
            running.cut_off().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_deleted_or_truncated_under_a_running_index_is_noticed_and_healed() {
    let bench = Bench::sqlite().await;
    // Pages and more of each file, so that a mapped one would have some to lose.
    for number in 0..3_000 {
        bench.create(&format!("Cheddar {number}"), number).await;
    }
    let running = bench.ready().await;
    let kinds = ["idx", "term", "fast", "store", "pos", "fieldnorm", "meta.json", ".managed.json"];
    let damages: [(&str, Damage); 3] = [("deleted", remove), ("halved", halve), ("emptied", empty)];
    for (what, damage) in damages {
        for kind in kinds.into_iter().filter(|kind| what == "deleted" || !kind.ends_with("json")) {
            let settled = settled(&bench).await;
            let file = settled.into_iter().find(|file| file.to_string_lossy().ends_with(kind)).unwrap();
            damage(&file).unwrap();
            let report = || running.projection.status().error.is_some_and(|error| error.contains("damaged"));
            running.until(&format!("a report of {} {what}", file.display()), report).await;
            let healed = || {
                assert_eq!(running.found("cheddar").len(), 3_000, "{} {what}", file.display());
                let status = running.projection.status();
                status.state == State::Ready && status.error.is_none()
            };
            running.until(&format!("{} {what} healed", file.display()), healed).await;
            assert!(!file.exists(), "another generation serves");
        }
    }
    // The folder itself.
    fs::remove_dir_all(bench.index_dir()).unwrap();
    let again = || fs::exists(bench.index_dir().join("CURRENT")).unwrap();
    running.until("a new folder", || again() && running.projection.status().error.is_none()).await;
    // What heals follows on.
    bench.create("Healed Halloumi", 1).await;
    running.until_found("halloumi", 1).await;
    running.cut_off().await;
}

/// Does `damage` to the file `at` of the current generation. A merge that was under way when the process was cut
/// off may still take files away, so a file that is gone by then is replaced by the one that has its place.
fn damaged(bench: &Bench, at: usize, damage: Damage) -> PathBuf {
    loop {
        let files = files(bench);
        let file = &files[at % files.len()];
        match damage(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => {
                done.unwrap();
                return file.clone();
            }
        }
    }
}

type Damage = fn(&Path) -> io::Result<()>;

fn remove(file: &Path) -> io::Result<()> {
    fs::remove_file(file)
}

fn halve(file: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(file)?;
    file.set_len(file.metadata()?.len() / 2)
}

fn empty(file: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(file)?.set_len(0)
}

/// The files of the current generation, once no merge replaces them: what a merge has read is not missed.
async fn settled(bench: &Bench) -> Vec<PathBuf> {
    loop {
        let before = files(bench);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        if before == files(bench) {
            return before;
        }
    }
}

/// The files of the current generation.
fn files(bench: &Bench) -> Vec<PathBuf> {
    let current = fs::read_to_string(bench.index_dir().join("CURRENT")).unwrap();
    let generation = bench.index_dir().join(current.lines().next().unwrap());
    let mut files: Vec<_> = fs::read_dir(generation).unwrap().flatten().map(|file| file.path()).collect();
    files.retain(|file| !file.to_string_lossy().ends_with(".lock"));
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_another_catalogue_or_behind_a_pruned_log_is_not_believed() {
    let first = Bench::sqlite().await;
    first.create("First Feta", 1).await;
    first.ready().await.cut_off().await;
    let second =
        Bench::at(first.folder, &format!("sqlite:{}", tempfile::tempdir().unwrap().keep().join("b.db").display()))
            .await;
    second.create("Second Brie", 1).await;
    let running = second.ready().await;
    assert!(running.found("feta").is_empty(), "an index of another database");
    assert_eq!(running.found("brie").len(), 1);
    running.cut_off().await;

    // While nobody followed, the log moved on and lost its beginning.
    let kept = second.create("Later Brie", 2).await;
    let output = std::process::Command::new("sqlite3")
        .args(["-cmd", ".timeout 10000"])
        .arg(second.url.to_string().trim_start_matches("sqlite:"))
        .arg("INSERT INTO product_changes (product_id, at) VALUES (1, 0); DELETE FROM product_changes WHERE number < 3")
        .output()
        .expect("sqlite3 is missing: apt-get install sqlite3, or let `cargo xtask test` do it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let running = second.ready().await;
    running.until_found("brie", 2).await;
    assert!(running.found("brie").contains(&kept.id.get()));
    running.cut_off().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_has_the_folder_and_the_next_one_takes_over() {
    let bench = Bench::sqlite().await;
    bench.create("Shared Ricotta", 1).await;
    let first = bench.ready().await;
    let second = bench.start();
    second.until("waiting", || second.projection.status().state == State::Waiting).await;
    assert!(second.projection.index().is_none(), "searches are refused there");
    first.cut_off().await;
    second.until_found("ricotta", 1).await;
    second.projection.rebuild();
    second.until("built anew", || second.projection.status().build_seconds > 0.0).await;
    second.until_found("ricotta", 1).await;
    second.cut_off().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_migrated_yet_is_waited_for() {
    let folder = tempfile::TempDir::new().unwrap();
    let url: store::DatabaseUrl = format!("sqlite:{}", folder.path().join("later.db").display()).parse().unwrap();
    let opened = store::open(&url, None, &store::Options::default()).await.unwrap();
    let bench = Bench { store: opened, folder, url };
    let running = bench.start();
    running.until("an error", || running.projection.status().error.is_some()).await;
    store::migrate(&bench.url).await.unwrap();
    running.until("ready", || running.projection.status().state == State::Ready).await;
    assert_eq!(running.projection.status().error, None);
    running.cut_off().await;
}
