//! The rules of bodies, checked through the public face; and what `open` makes of a folder whose process died.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use super::*;

async fn open(folder: &TempDir) -> Storage {
    Storage::open(folder.path()).await.unwrap()
}

async fn empty() -> (TempDir, Storage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(&folder).await;
    (folder, storage)
}

async fn receive(storage: &Storage, body: &[u8]) -> (NewBody, Received) {
    let mut upload = storage.receive().await.unwrap();
    for chunk in body.chunks(1 << 16) {
        upload.write(chunk).await.unwrap();
    }
    upload.finish().await.unwrap()
}

async fn store(storage: &Storage, body: &[u8]) -> BodyName {
    let (new, _) = receive(storage, body).await;
    let name = new.name().clone();
    new.keep();
    name
}

async fn read(storage: &Storage, name: &BodyName) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    match storage.open_body(name).await {
        Ok(mut file) => file.read_to_end(&mut body).await.map(|_| Some(body)).unwrap(),
        Err(StorageError::Missing) => None,
        Err(error) => panic!("{error}"),
    }
}

/// How many files lie in a sub-folder of the storage folder.
fn count(folder: &TempDir, sub_folder: &str) -> usize {
    fs::read_dir(folder.path().join(sub_folder)).unwrap().count()
}

#[tokio::test]
async fn an_empty_and_a_large_body_are_kept_whole() {
    let (folder, storage) = empty().await;
    for length in [0, 1, 3_000_001] {
        let body: Vec<u8> = (0..length).map(|position| (position % 251) as u8).collect();
        let (new, received) = receive(&storage, &body).await;
        assert_eq!(received.size, length as u64);
        assert_eq!((received.etag.len(), received.etag.starts_with('"')), (66, true));
        let name = new.name().clone();
        new.keep();
        assert!(read(&storage, &name).await.is_some_and(|read| read == body), "{length} bytes");
    }
    assert_eq!((count(&folder, "incoming"), count(&folder, "bodies")), (0, 3));
}

#[tokio::test]
async fn a_body_that_nobody_keeps_is_gone() {
    let (folder, storage) = empty().await;
    let mut upload = storage.receive().await.unwrap();
    upload.write(b"half").await.unwrap();
    drop(upload);
    drop(receive(&storage, b"whole").await);
    assert_eq!((count(&folder, "incoming"), count(&folder, "bodies")), (0, 0));
}

#[tokio::test]
async fn readers_of_a_discarded_body_read_it_to_its_end() {
    let (_folder, storage) = empty().await;
    let name = store(&storage, b"hello").await;
    let mut reader = storage.open_body(&name).await.unwrap();
    storage.discard(&name).unwrap();
    storage.discard(&name).unwrap();
    let mut body = Vec::new();
    reader.read_to_end(&mut body).await.unwrap();
    assert_eq!((body.as_slice(), read(&storage, &name).await), (b"hello".as_slice(), None));
}

#[tokio::test]
async fn a_second_name_lives_its_own_life() {
    let (_folder, storage) = empty().await;
    let first = store(&storage, b"hello").await;
    let second = storage.duplicate(&first).await.unwrap();
    let name = second.name().clone();
    second.keep();
    storage.discard(&first).unwrap();
    assert_eq!(read(&storage, &name).await.as_deref(), Some(b"hello".as_slice()));
    assert_eq!(storage.bodies().unwrap(), [name]);
    assert!(matches!(storage.duplicate(&first).await, Err(StorageError::Missing)));
}

#[tokio::test]
async fn everything_is_there_after_reopening_but_what_was_half_received() {
    let (folder, storage) = empty().await;
    let name = store(&storage, b"hello").await;
    let signature = storage.sign("text");
    fs::write(folder.path().join("incoming/half"), "x").unwrap();
    let storage = open(&folder).await;
    assert_eq!(read(&storage, &name).await.as_deref(), Some(b"hello".as_slice()));
    assert!(storage.verify("text", &signature) && !storage.verify("other", &signature));
    assert_eq!(count(&folder, "incoming"), 0);
}

#[test]
fn the_content_type_is_told_by_the_ending() {
    let check = |path: &str, expected: &str| assert_eq!(FilePath::parse(path).unwrap().content_type(), expected);
    check("a.png", "image/png");
    check("目录/a.TXT", "text/plain");
    check("a", "application/octet-stream");
}

#[tokio::test]
async fn an_earlier_catalogue_is_read_and_forgotten() {
    let (folder, storage) = empty().await;
    assert!(storage.earlier_files().unwrap().is_empty());
    let body = store(&storage, b"hello").await;
    let shelf = folder.path().join("catalogue/e");
    fs::create_dir_all(&shelf).unwrap();
    let entry = format!(
        r#"{{"environment":"cloud1","path":"a.txt","size":5,"content_type":"text/plain","etag":"\"x\"","owner":null,"modified_ms":7,"body":"{body}"}}"#
    );
    fs::write(shelf.join("1.json"), entry).unwrap();
    fs::write(shelf.join("2.json"), "{").unwrap();
    let files = storage.earlier_files().unwrap();
    assert_eq!(files.iter().map(|file| (file.path.as_str(), &file.body)).collect::<Vec<_>>(), [("a.txt", &body)]);
    storage.forget_earlier_files().unwrap();
    assert!(storage.earlier_files().unwrap().is_empty());
}
