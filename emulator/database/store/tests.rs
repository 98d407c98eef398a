//! Tests of the engine by itself: what a reader at a commit sees, and what an interrupted commit leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::catalogue::STATE_KEY;
use super::*;

const COLLECTION: CollectionId = CollectionId { namespace: 1, collection: 1 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each commit writes some of few records, or removes them (`None`); then each is read at.
    #[test]
    fn a_read_at_a_commit_sees_that_commit(
        commits in prop::collection::vec(prop::collection::btree_map(0_u64..6, prop::option::of(1_u8..=255), 1..4), 1..24)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let opened = Engine::open(folder.path(), &options()).unwrap();
        let mut state = opened.state;
        let mut model: Vec<BTreeMap<u64, u8>> = vec![BTreeMap::new()];
        for commit in &commits {
            let mut after = model.last().unwrap().clone();
            state = write(&opened.engine, state, commit);
            for (record, value) in commit {
                match value {
                    Some(value) => after.insert(*record, *value),
                    None => after.remove(record),
                };
            }
            model.push(after);
            check(&opened.engine, &model);
        }
    }
}

fn write(engine: &Engine, before: State, commit: &BTreeMap<u64, Option<u8>>) -> State {
    let after = State { sequence: before.sequence + 1, ..before };
    let mut writes = Writes::default();
    for (record, value) in commit {
        let value = value.map_or_else(Value::removal, |value| Value::from(&[value][..]));
        writes.version(&EntryKey::record(COLLECTION, *record), Version { sequence: after.sequence, value });
    }
    engine.apply(writes, &before, &after).unwrap();
    after
}

fn check(engine: &Engine, model: &[BTreeMap<u64, u8>]) {
    for (sequence, expected) in model.iter().enumerate() {
        let sequence = sequence as u64;
        let scanned: BTreeMap<u64, u8> = engine
            .scan(&Layers::default(), COLLECTION, sequence)
            .map(|found| found.map(|(record, version)| (record, version.value[0])).unwrap())
            .collect();
        assert_eq!(&scanned, expected);
        for record in 0..6 {
            let version = engine.version(&EntryKey::record(COLLECTION, record), sequence).unwrap();
            let value = version.filter(|version| !version.value.is_removal()).map(|version| version.value[0]);
            assert_eq!(value, expected.get(&record).copied());
        }
    }
}

#[test]
fn what_an_interrupted_commit_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Engine::open(folder.path(), &options()).unwrap();
    let before = write(&opened.engine, opened.state, &BTreeMap::from([(1, Some(1)), (2, Some(2))]));
    let interrupted = State { unfinished: true, ..before };
    write(&opened.engine, interrupted, &(0..2_500).map(|record| (record, Some(9))).collect());
    opened.engine.tree.insert(STATE_KEY, interrupted.encode()).unwrap();
    drop(opened);

    let opened = Engine::open(folder.path(), &options()).unwrap();
    assert_eq!(opened.state, before);
    assert_eq!(opened.engine.versions(), 2);
    check(&opened.engine, &[BTreeMap::new(), BTreeMap::from([(1, 1), (2, 2)])]);
}

#[test]
fn a_commit_in_parts_is_whole_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Engine::open(folder.path(), &options()).unwrap();
    let state = write(&opened.engine, opened.state, &(0..2_500).map(|record| (record, Some(9))).collect());
    drop(opened);
    let opened = Engine::open(folder.path(), &options()).unwrap();
    assert_eq!((opened.state, opened.engine.scan(&Layers::default(), COLLECTION, 1).count()), (state, 2_500));
}

#[test]
fn another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Engine::open(folder.path(), &options()).unwrap();
    let mut state = State::default().encode();
    state[3] = 7;
    opened.engine.tree.insert(STATE_KEY, state).unwrap();
    drop(opened);
    let error = Engine::open(folder.path(), &options()).unwrap_err();
    assert_eq!(error, DatabaseError::UnknownFormat { found: 7, known: 1 });
}

#[test]
fn the_journal_brings_back_what_the_tree_lost_and_undoes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Engine::open(folder.path(), &options()).unwrap();
    let commits = [1, 2, 3].map(|value| BTreeMap::from([(1, Some(value)), (u64::from(value) + 10, Some(value))]));
    let mut state = write(&opened.engine, opened.state, &commits[0]);
    opened.engine.flush().unwrap();
    let behind = copy(folder.path());
    state = write(&opened.engine, state, &commits[1]);
    opened.engine.keep().unwrap();
    let journal = |copied: &Path| fs::copy(folder.path().join("journal"), copied.join("journal")).unwrap();
    let with_one = tempfile::tempdir().unwrap();
    assert!(journal(with_one.path()) > 0, "the commit is in the journal alone");
    state = write(&opened.engine, state, &commits[2]);
    opened.engine.keep().unwrap();
    journal(behind.path());
    opened.engine.flush().unwrap();
    let ahead = copy(folder.path());
    assert_eq!(fs::metadata(ahead.path().join("journal")).unwrap().len(), 0);
    fs::copy(with_one.path().join("journal"), ahead.path().join("journal")).unwrap();
    for copied in [behind, ahead] {
        for _ in 0..2 {
            let opened = Engine::open(copied.path(), &options()).unwrap();
            assert_eq!(opened.state, state);
            assert_eq!(opened.engine.scan(&Layers::default(), COLLECTION, 3).count(), 4);
            assert_eq!(opened.engine.scan(&Layers::default(), COLLECTION, 2).count(), 3);
        }
    }
}

fn options() -> StoreOptions {
    StoreOptions { cache_bytes: 1 << 20, ..StoreOptions::default() }
}

/// The files of a store as a process finds them that starts after this one was killed.
fn copy(folder: &Path) -> tempfile::TempDir {
    let copied = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), copied.path().join(entry.file_name())).unwrap();
        }
    }
    copied
}
