//! The rules of stored files, checked through the public face; and what `open` makes of a folder whose process died.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use super::*;

const ENVIRONMENT: &str = "test";

fn path(text: &str) -> FilePath {
    FilePath::parse(text).unwrap()
}

async fn open(folder: &TempDir) -> Storage {
    Storage::open(folder.path()).await.unwrap()
}

async fn empty() -> (TempDir, Storage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(&folder).await;
    (folder, storage)
}

async fn store_in(storage: &Storage, environment: &str, name: &str, body: &[u8]) -> StoredFile {
    let mut upload = storage.receive().await.unwrap();
    upload.write(body).await.unwrap();
    upload.finish(environment, &path(name), None, None).await.unwrap()
}

async fn store(storage: &Storage, name: &str, body: &[u8]) -> StoredFile {
    store_in(storage, ENVIRONMENT, name, body).await
}

async fn read_to_end(mut file: tokio::fs::File) -> Vec<u8> {
    let mut body = Vec::new();
    file.read_to_end(&mut body).await.unwrap();
    body
}

async fn body_in(storage: &Storage, environment: &str, name: &str) -> Option<Vec<u8>> {
    let file = storage.get(environment, &path(name)).await.unwrap()?;
    Some(read_to_end(storage.open_body(&file).await.unwrap()).await)
}

async fn body(storage: &Storage, name: &str) -> Option<Vec<u8>> {
    body_in(storage, ENVIRONMENT, name).await
}

async fn names(storage: &Storage, environment: &str) -> Vec<String> {
    storage.list(environment).await.unwrap().into_iter().map(|file| file.path.to_string()).collect()
}

/// How many files lie in a sub-folder of the storage folder.
fn count(folder: &TempDir, sub_folder: &str) -> usize {
    fs::read_dir(folder.path().join(sub_folder)).unwrap().count()
}

/// Where the only file that is stored has its metadata.
fn entry_on_disk(folder: &TempDir) -> PathBuf {
    let only = |folder: PathBuf| fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    only(only(folder.path().join("catalogue")))
}

/// Nothing but one body per stored file.
#[track_caller]
fn check_tidy(folder: &TempDir, bodies: usize) {
    let counts = (count(folder, "incoming"), count(folder, "notes"), count(folder, "bodies"));
    assert_eq!(counts, (0, 0, bodies), "(incoming, notes, bodies)");
}

#[tokio::test]
async fn a_stored_file_is_found_with_all_that_is_known_of_it() {
    let (folder, storage) = empty().await;
    let mut upload = storage.receive().await.unwrap();
    upload.write(b"hel").await.unwrap();
    upload.write(b"").await.unwrap();
    upload.write(b"lo").await.unwrap();
    let stored = upload.finish(ENVIRONMENT, &path("a/b.txt"), None, Some("openid-1")).await.unwrap();
    assert_eq!((stored.environment.as_str(), stored.path.as_str(), stored.size), (ENVIRONMENT, "a/b.txt", 5));
    assert_eq!(stored.content_type, "text/plain");
    assert_eq!(stored.owner.as_deref(), Some("openid-1"));
    assert_eq!(stored.etag, "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"");
    assert!(stored.modified_ms > 1_700_000_000_000);
    assert_eq!(storage.get(ENVIRONMENT, &path("a/b.txt")).await.unwrap(), Some(stored));
    assert_eq!(body(&storage, "a/b.txt").await.unwrap(), b"hello");
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn an_empty_and_a_large_body_are_kept_whole() {
    let (_folder, storage) = empty().await;
    let upload = storage.receive().await.unwrap();
    let stored = upload.finish(ENVIRONMENT, &path("empty"), None, None).await.unwrap();
    assert_eq!((stored.size, body(&storage, "empty").await), (0, Some(Vec::new())));
    let large: Vec<u8> = (0..5_000_000u32).map(|number| (number % 251) as u8).collect();
    let mut upload = storage.receive().await.unwrap();
    for chunk in large.chunks(60_001) {
        upload.write(chunk).await.unwrap();
    }
    let stored = upload.finish(ENVIRONMENT, &path("large"), None, None).await.unwrap();
    assert_eq!(stored.size, 5_000_000);
    assert!(body(&storage, "large").await.unwrap() == large);
}

#[tokio::test]
async fn the_content_type_is_given_or_guessed() {
    #[track_caller]
    fn check(stored: &StoredFile, expected: &str) {
        assert_eq!(stored.content_type, expected);
    }
    let (_folder, storage) = empty().await;
    check(&store(&storage, "a.png", b"").await, "image/png");
    check(&store(&storage, "a.JPG", b"").await, "image/jpeg");
    check(&store(&storage, "中文.json", b"").await, "application/json");
    check(&store(&storage, "plain", b"").await, "application/octet-stream");
    let upload = storage.receive().await.unwrap();
    check(&upload.finish(ENVIRONMENT, &path("a.png"), Some("x/y"), None).await.unwrap(), "x/y");
    let upload = storage.receive().await.unwrap();
    check(&upload.finish(ENVIRONMENT, &path("a.png"), Some(""), None).await.unwrap(), "image/png");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (_folder, storage) = empty().await;
    assert_eq!(storage.get(ENVIRONMENT, &path("a")).await.unwrap(), None);
    assert!(storage.get_with_body(ENVIRONMENT, &path("a")).await.unwrap().is_none());
    assert!(!storage.remove(ENVIRONMENT, &path("a")).await.unwrap());
    assert!(storage.list(ENVIRONMENT).await.unwrap().is_empty());
    let copied = storage.copy(ENVIRONMENT, &path("a"), &path("b"), true, false).await;
    assert!(matches!(copied, Err(StorageError::Missing)));
}

#[tokio::test]
async fn names_are_plain_and_distinct() {
    let (folder, storage) = empty().await;
    let files = [
        "..",
        ".",
        "../..",
        "a/../b",
        "b",
        "C:\\x",
        "C:/x",
        "%2e%2e/x",
        "CON",
        "nul.txt",
        "a\\b",
        "a/b",
        "A/b",
        "中文/文 件.txt",
        "é",
        "e\u{301}",
        "a ",
        "a.",
        "dir/",
        "dir",
        "😀",
    ];
    for name in files {
        store(&storage, name, name.as_bytes()).await;
    }
    for name in files {
        assert_eq!(body(&storage, name).await.as_deref(), Some(name.as_bytes()), "{name:?}");
    }
    let mut sorted: Vec<&str> = files.to_vec();
    sorted.sort_unstable();
    assert_eq!(names(&storage, ENVIRONMENT).await, sorted);
    check_tidy(&folder, files.len());
    check_nothing_outside(folder.path());
}

/// The storage folder holds what `lib.rs` says and nothing else.
#[track_caller]
fn check_nothing_outside(folder: &Path) {
    let mut found: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, ["bodies", "catalogue", "incoming", "notes", "signing-key"]);
}

#[tokio::test]
async fn environments_do_not_see_each_other() {
    let (folder, storage) = empty().await;
    let environments = ["one", "two", "", "..", "one/a", "../two", "一"];
    for environment in environments {
        store_in(&storage, environment, "a", environment.as_bytes()).await;
    }
    for environment in environments {
        assert_eq!(body_in(&storage, environment, "a").await.as_deref(), Some(environment.as_bytes()));
        assert_eq!(names(&storage, environment).await, ["a"]);
    }
    assert!(storage.remove("one", &path("a")).await.unwrap());
    assert_eq!(body_in(&storage, "one", "a").await, None);
    assert!(body_in(&storage, "two", "a").await.is_some());
    check_nothing_outside(folder.path());
}

#[tokio::test]
async fn replacing_keeps_readers_and_drops_the_old_body() {
    let (folder, storage) = empty().await;
    let old = store(&storage, "a", b"old").await;
    let reader = storage.open_body(&old).await.unwrap();
    let new = store(&storage, "a", b"newer").await;
    assert_ne!(old.etag, new.etag);
    assert_eq!(read_to_end(reader).await, b"old");
    assert_eq!(body(&storage, "a").await.unwrap(), b"newer");
    assert!(matches!(storage.open_body(&old).await, Err(StorageError::Missing)));
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn removing_keeps_readers_and_drops_the_body() {
    let (folder, storage) = empty().await;
    store(&storage, "a", b"body").await;
    let (_, reader) = storage.get_with_body(ENVIRONMENT, &path("a")).await.unwrap().unwrap();
    assert!(storage.remove(ENVIRONMENT, &path("a")).await.unwrap());
    assert!(!storage.remove(ENVIRONMENT, &path("a")).await.unwrap());
    assert_eq!(read_to_end(reader).await, b"body");
    assert_eq!(body(&storage, "a").await, None);
    check_tidy(&folder, 0);
}

#[tokio::test]
async fn a_copy_lives_its_own_life() {
    let (folder, storage) = empty().await;
    let mut upload = storage.receive().await.unwrap();
    upload.write(b"body").await.unwrap();
    let original = upload.finish(ENVIRONMENT, &path("a.txt"), Some("x/y"), Some("openid-1")).await.unwrap();
    let copy = storage.copy(ENVIRONMENT, &path("a.txt"), &path("b.png"), false, false).await.unwrap();
    assert_eq!((copy.path.as_str(), copy.size, &copy.etag), ("b.png", 4, &original.etag));
    assert_eq!((copy.content_type.as_str(), copy.owner.as_deref()), ("x/y", Some("openid-1")));
    check_tidy(&folder, 2);
    store(&storage, "a.txt", b"other").await;
    assert_eq!(body(&storage, "b.png").await.unwrap(), b"body");
    storage.remove(ENVIRONMENT, &path("a.txt")).await.unwrap();
    assert_eq!(body(&storage, "b.png").await.unwrap(), b"body");
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn a_copy_overwrites_only_when_told() {
    let (folder, storage) = empty().await;
    store(&storage, "a", b"a").await;
    store(&storage, "b", b"b").await;
    for remove_original in [false, true] {
        let refused = storage.copy(ENVIRONMENT, &path("a"), &path("b"), false, remove_original).await;
        assert!(matches!(refused, Err(StorageError::Exists)));
        assert_eq!(names(&storage, ENVIRONMENT).await, ["a", "b"]);
        assert_eq!(body(&storage, "b").await.unwrap(), b"b");
    }
    storage.copy(ENVIRONMENT, &path("a"), &path("b"), true, false).await.unwrap();
    assert_eq!(body(&storage, "b").await.unwrap(), b"a");
    check_tidy(&folder, 2);
}

#[tokio::test]
async fn a_move_leaves_nothing_at_the_old_path() {
    let (folder, storage) = empty().await;
    store(&storage, "a", b"a").await;
    storage.copy(ENVIRONMENT, &path("a"), &path("b"), false, true).await.unwrap();
    assert_eq!(names(&storage, ENVIRONMENT).await, ["b"]);
    assert_eq!(body(&storage, "b").await.unwrap(), b"a");
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn a_file_copied_onto_itself_stays() {
    let (folder, storage) = empty().await;
    let stored = store(&storage, "a", b"a").await;
    for remove_original in [false, true] {
        let copy = storage.copy(ENVIRONMENT, &path("a"), &path("a"), true, remove_original).await.unwrap();
        assert_eq!(copy, stored);
        let refused = storage.copy(ENVIRONMENT, &path("a"), &path("a"), false, remove_original).await;
        assert!(matches!(refused, Err(StorageError::Exists)));
    }
    assert_eq!(body(&storage, "a").await.unwrap(), b"a");
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn an_unfinished_upload_leaves_nothing() {
    let (folder, storage) = empty().await;
    let mut upload = storage.receive().await.unwrap();
    upload.write(&[0; 100_000]).await.unwrap();
    assert_eq!(count(&folder, "incoming"), 1);
    drop(upload);
    check_tidy(&folder, 0);
    assert!(storage.list(ENVIRONMENT).await.unwrap().is_empty());
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let (folder, storage) = empty().await;
    let stored = store(&storage, "a", b"body").await;
    let signature = storage.sign("text");
    drop(storage);
    let storage = open(&folder).await;
    assert_eq!(storage.get(ENVIRONMENT, &path("a")).await.unwrap(), Some(stored));
    assert_eq!(body(&storage, "a").await.unwrap(), b"body");
    assert!(storage.verify("text", &signature));
    assert!(!storage.verify("other", &signature));
}

#[tokio::test]
async fn open_removes_what_was_half_received() {
    let (folder, storage) = empty().await;
    store(&storage, "a", b"body").await;
    drop(storage);
    fs::write(folder.path().join("incoming/.tmpXYZ"), b"half").unwrap();
    let storage = open(&folder).await;
    check_tidy(&folder, 1);
    assert_eq!(body(&storage, "a").await.unwrap(), b"body");
}

/// What `notes/` holds while `path` changes from one body to another.
fn leave_note(folder: &TempDir, name: &str, bodies: &[&bodies::BodyName]) {
    let note = serde_json::json!({ "environment": ENVIRONMENT, "path": name, "bodies": bodies });
    fs::write(folder.path().join("notes/left"), note.to_string()).unwrap();
}

fn leave_body(folder: &TempDir) -> bodies::BodyName {
    let name = bodies::BodyName::random();
    fs::write(folder.path().join("bodies").join(String::from(name.clone())), b"orphan").unwrap();
    name
}

#[tokio::test]
async fn a_process_that_died_before_the_change_leaves_the_old_file() {
    let (folder, storage) = empty().await;
    let old = store(&storage, "a", b"old").await;
    drop(storage);
    leave_note(&folder, "a", &[&old.body, &leave_body(&folder)]);
    let storage = open(&folder).await;
    assert_eq!(body(&storage, "a").await.unwrap(), b"old");
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn a_process_that_died_after_the_change_leaves_the_new_file() {
    let (folder, storage) = empty().await;
    let new = store(&storage, "a", b"new").await;
    drop(storage);
    leave_note(&folder, "a", &[&leave_body(&folder), &new.body]);
    let storage = open(&folder).await;
    assert_eq!(body(&storage, "a").await.unwrap(), b"new");
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn a_process_that_died_removing_or_first_storing_leaves_no_file() {
    let (folder, storage) = empty().await;
    drop(storage);
    leave_note(&folder, "a", &[&leave_body(&folder)]);
    let storage = open(&folder).await;
    assert_eq!(body(&storage, "a").await, None);
    check_tidy(&folder, 0);
}

#[tokio::test]
async fn a_note_half_written_is_dropped() {
    let (folder, storage) = empty().await;
    store(&storage, "a", b"body").await;
    drop(storage);
    fs::write(folder.path().join("notes/left"), b"{\"environment\":\"te").unwrap();
    let storage = open(&folder).await;
    assert_eq!(body(&storage, "a").await.unwrap(), b"body");
    check_tidy(&folder, 1);
}

#[tokio::test]
async fn a_damaged_entry_counts_as_absent_until_it_is_stored_again() {
    let (folder, storage) = empty().await;
    store(&storage, "a", b"old").await;
    fs::write(entry_on_disk(&folder), b"").unwrap();
    assert_eq!(body(&storage, "a").await, None);
    assert!(storage.list(ENVIRONMENT).await.unwrap().is_empty());
    store(&storage, "a", b"new").await;
    assert_eq!(body(&storage, "a").await.unwrap(), b"new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_uploads_to_one_path_at_once_one_wins_whole() {
    let (folder, storage) = empty().await;
    for _ in 0..10 {
        let writers = (0..16u8).map(|number| tokio::spawn(upload_slowly(storage.clone(), number)));
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let winner = body(&storage, "a").await.unwrap();
        assert_eq!(winner.len(), 10_000);
        assert!(winner.iter().all(|byte| Some(byte) == winner.first()));
        check_tidy(&folder, 1);
    }
}

async fn upload_slowly(storage: Storage, number: u8) {
    let mut upload = storage.receive().await.unwrap();
    for _ in 0..10 {
        upload.write(&[number; 1_000]).await.unwrap();
    }
    upload.finish(ENVIRONMENT, &path("a"), None, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_beside_writers_always_finds_a_whole_file() {
    let (_folder, storage) = empty().await;
    store(&storage, "a", &[0; 10_000]).await;
    let writers: Vec<_> = (1..64u8).map(|number| tokio::spawn(upload_slowly(storage.clone(), number))).collect();
    for _ in 0..100 {
        let (file, body) = storage.get_with_body(ENVIRONMENT, &path("a")).await.unwrap().unwrap();
        let body = read_to_end(body).await;
        assert_eq!((file.size, body.len()), (10_000, 10_000));
        assert!(body.iter().all(|byte| Some(byte) == body.first()));
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn opening_does_not_read_the_catalogue() {
    let (folder, storage) = empty().await;
    store(&storage, "a", b"body").await;
    drop(storage);
    let unreadable = entry_on_disk(&folder);
    fs::remove_file(&unreadable).unwrap();
    fs::create_dir(&unreadable).unwrap();
    let storage = open(&folder).await;
    assert!(matches!(storage.get(ENVIRONMENT, &path("a")).await, Err(StorageError::Io(_))));
}
