//! What is found after a store was closed, or after its process was killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bson::doc;
use document::Document;
use query::Filter;

use super::{Bench, filter, name, open};
use crate::{
    CollectionName, Database, DatabaseError, Durability, IndexDefinition, RefillRequest, RemoveRequest, Store,
    StoreOptions,
};

/// Set for the process that is killed: the folder to write to.
const FOLDER_VARIABLE: &str = "DATABASE_TEST_FOLDER";

#[tokio::test]
async fn everything_is_found_again() {
    for durability in
        [Durability::Process, Durability::Power, Durability::Interval(Duration::from_secs(9)), Durability::None]
    {
        let bench = Bench::with(durability).await;
        bench.insert(vec![doc! { "_id": 1 }, doc! { "_id": 2, "large": "x".repeat(1 << 20) }]).await;
        let before = bench.all().await;
        let bench = bench.reopen().await;
        assert_eq!(bench.all().await, before, "{durability:?}");
        assert_eq!(bench.database.collections(), [name("c")]);
        bench.insert(vec![doc! { "_id": 3 }]).await;
        assert_eq!(bench.database.count(&bench.collection, Filter::all()).await, Ok(3));
    }
}

#[tokio::test]
async fn an_answered_write_is_there_after_a_crash() {
    for durability in [Durability::Process, Durability::Power] {
        let bench = Bench::with(durability).await;
        bench.insert(vec![doc! { "_id": 1 }]).await;
        assert_eq!(bench.crash().await.all().await, [doc! { "_id": 1 }], "{durability:?}");
    }
}

#[tokio::test]
async fn an_interval_passes_and_the_write_is_there() {
    let bench = Bench::with(Durability::Interval(Duration::from_millis(50))).await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.crash().await.all().await, [doc! { "_id": 1 }]);
}

#[tokio::test]
async fn a_folder_is_opened_by_one_only() {
    let bench = Bench::new().await;
    let second = Store::open(bench.folder.path(), StoreOptions::default());
    assert!(matches!(second, Err(DatabaseError::InUse(_))));
}

#[tokio::test]
async fn opening_an_empty_folder_takes_milliseconds() {
    let mut fastest = Duration::MAX; // of several, since other tests run beside this one
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let store = open(&folder, Durability::Process);
        fastest = fastest.min(start.elapsed());
        store.close().await.unwrap();
    }
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
}

#[tokio::test]
async fn damage_is_an_error() {
    let bench = Bench::with(Durability::Process).await;
    bench.insert((0..3_000).map(|id| doc! { "_id": id, "text": "x".repeat(100) }).collect()).await;
    bench.store.close().await.unwrap();
    let log = bench.folder.path().join("db");
    let whole = std::fs::read(&log).unwrap();
    for position in (0..whole.len()).step_by(whole.len() / 16) {
        let mut damaged = whole.clone();
        damaged.iter_mut().skip(position).take(64).for_each(|byte| *byte ^= 0x55);
        std::fs::write(&log, damaged).unwrap();
        read_everything(bench.folder.path()).await;
    }
}

/// Whatever is found, no panic comes through.
async fn read_everything(folder: &Path) {
    let Ok(store) = Store::open(folder, StoreOptions::default()) else { return };
    let database = store.database("env").unwrap();
    let _ = database.count(&name("c"), Filter::all()).await;
    let _ = database.count(&name("c"), filter(doc! { "_id": 7 })).await;
    let _ = store.close().await;
}

/// A process inserts pairs and says so; it is killed in the middle; whatever it said is there, and no half pair.
#[tokio::test]
async fn kill_nine_loses_nothing_that_was_answered() {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        return insert_forever(Path::new(&folder)).await;
    }
    for answers in [1, 20, 51, 130] {
        let folder = tempfile::tempdir().unwrap();
        let answered = run_and_kill("kill_nine_loses_nothing_that_was_answered", folder.path(), answers);
        let store = open(&folder, Durability::Process);
        let database = store.database("env").unwrap();
        let (halves, large) = (filter(doc! { "of": "pair" }), filter(doc! { "of": "large" }));
        let found = database.count(&name("c"), halves).await.unwrap();
        assert!(found >= 2 * answered && found % 2 == 0, "{found} halves found, {answered} pairs answered");
        assert_eq!(database.count(&name("c"), large).await.unwrap() % 2_500, 0, "a large commit was halved");
    }
}

/// Each round forks, changes the fork, remembers it, changes it again, goes back and drops another one, in two collections.
#[tokio::test]
async fn kill_nine_leaves_whole_namespaces() {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        return fork_forever(Path::new(&folder)).await;
    }
    for answers in [3, 18, 33] {
        let folder = tempfile::tempdir().unwrap();
        run_and_kill("kill_nine_leaves_whole_namespaces", folder.path(), answers);
        let store = open(&folder, Durability::Process);
        for namespace in store.namespaces() {
            let database = store.database(&namespace).unwrap();
            assert_eq!(database.collections(), [name("c"), name("d")], "{namespace}");
            let mut found = Vec::new();
            for collection in ["c", "d"] {
                let (zero, one) = (filter(doc! { "n": 0 }), filter(doc! { "n": 1 }));
                assert_eq!(database.indexes(&name(collection)).unwrap().len(), 2);
                found.push(database.count(&name(collection), zero).await.unwrap());
                found.push(database.count(&name(collection), one).await.unwrap());
            }
            let is_fork = namespace != "env";
            assert!(found == [400, 0, 400, 0] || is_fork && found == [0, 400, 0, 400], "{namespace}: {found:?}");
            store.drop_namespace(&namespace).await.unwrap();
        }
        store.close().await.unwrap();
        let store = open(&folder, Durability::Process);
        assert_eq!(store.namespaces(), Vec::<String>::new());
    }
}

#[allow(clippy::print_stdout)]
async fn fork_forever(folder: &Path) {
    let store = Store::open(folder, StoreOptions::default()).unwrap();
    let documents = || (0..400).map(|id| doc! { "_id": id, "n": 0 }).collect();
    let index = IndexDefinition::parse(&doc! { "n": 1 }, None, false).unwrap();
    let (indexes, collections) =
        ["c", "d"].map(|c| ((name(c), index.clone()), (name(c), documents()))).into_iter().unzip();
    store
        .database("env")
        .unwrap()
        .refill(RefillRequest { indexes, collections, ..RefillRequest::default() })
        .await
        .unwrap();
    for round in 0.. {
        let namespace = format!("fork {}", round % 3);
        store.fork("env", &namespace).await.unwrap();
        println!("answered");
        let fork = store.database(&namespace).unwrap();
        fork.refill(rewritten()).await.unwrap();
        println!("answered");
        store.snapshot(&namespace, "s").await.unwrap();
        fork.refill(rewritten()).await.unwrap();
        store.restore(&namespace, "s").await.unwrap();
        println!("answered");
        store.drop_namespace(&format!("fork {}", (round + 1) % 3)).await.unwrap();
        println!("answered");
    }
}

/// All documents of both collections with another content.
fn rewritten() -> RefillRequest {
    let all = |collection: &str| RemoveRequest { collection: name(collection), filter: Filter::all(), multi: true };
    let documents = || (0..400).map(|id| doc! { "_id": id, "n": 1 }).collect();
    let collections = ["c", "d"].map(|collection| (name(collection), documents()));
    RefillRequest { removals: ["c", "d"].map(all).into(), collections: collections.into(), ..RefillRequest::default() }
}

/// Runs a test in a process, kills it soon after so many answers and returns how many there were in all.
fn run_and_kill(test: &str, folder: &Path, answers: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("testing::durability::{test}"), "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answered = lines.map_while(Result::ok).filter(|line| line == "answered");
    assert_eq!(answered.by_ref().take(answers).count(), answers);
    std::thread::sleep(Duration::from_millis(answers as u64 % 7));
    child.kill().unwrap();
    child.wait().unwrap();
    (answers + answered.count()) as u64
}

#[allow(clippy::print_stdout)]
async fn insert_forever(folder: &Path) {
    let store = Store::open(folder, StoreOptions::default()).unwrap();
    let database = store.database("env").unwrap();
    let collection = name("c");
    database.create_collection(&collection).await.unwrap();
    for round in 0.. {
        let pair = ["a", "b"].map(|half| doc! { "_id": format!("{round}{half}"), "of": "pair" });
        if round % 3 == 0 {
            insert_in_transactions(&database, &collection, round, pair).await;
        } else {
            database.insert(&collection, pair.to_vec()).await.unwrap();
        }
        println!("answered");
        if round % 50 == 0 {
            let large = (0..2_500).map(|n| doc! { "_id": format!("{round}-{n}"), "of": "large" }).collect();
            database.insert(&collection, large).await.unwrap();
        }
    }
}

/// One by one, and commits; another transaction does half of as much and stays open.
async fn insert_in_transactions(database: &Database, collection: &CollectionName, round: i32, pair: [Document; 2]) {
    let open = database.begin(&format!("{round} open")).await.unwrap();
    let half = doc! { "_id": format!("{round}-half"), "of": "pair" };
    open.insert(collection, vec![half]).await.unwrap();
    let transaction = database.begin(&format!("{round}")).await.unwrap();
    for half in pair {
        transaction.insert(collection, vec![half]).await.unwrap();
    }
    transaction.commit().await.unwrap();
}
