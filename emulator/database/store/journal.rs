//! The journal: what was written to the tree since the journal was last cleared, after a flush of the tree. Handing it to the
//! operating system is one short call, where a flush waits for the disk; so an answered write survives `kill -9` at a fraction
//! of the price. Opening a store writes to the tree what the tree did not keep itself.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use sled::{Batch, IVec};

/// How many bytes there may be before the tree is flushed and the journal cleared: opening takes some hundredths of a second
/// for as many.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What an entry comes to in the tree's log beside its key and value, about.
const ENTRY_BYTES: usize = 64;

/// Length and checksum of the content of a record, each four bytes.
const HEAD: usize = 8;

/// Where the tree has the number of the last record that was written to it.
pub(super) const NUMBER_KEY: [u8; 5] = [0, 0, 0, 0, 0xff];

/// In place of a value's length: the entry is removed.
const REMOVED: u32 = u32::MAX;

/// The journal of one data folder, at its end.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    length: u64,
    /// Records that are not in the file yet.
    noted: Vec<u8>,
    /// The number of the last record, in this file or an earlier one.
    last: u64,
    /// Whether something was written to the tree that is not noted.
    is_partial: bool,
}

/// Changes of the tree that belong together.
#[derive(Debug, Default)]
pub(super) struct Changes {
    entries: Vec<(IVec, Option<IVec>)>,
}

impl Changes {
    pub(super) fn insert(&mut self, key: impl Into<IVec>, value: impl Into<IVec>) {
        self.entries.push((key.into(), Some(value.into())));
    }

    pub(super) fn remove(&mut self, key: impl Into<IVec>) {
        self.entries.push((key.into(), None));
    }

    /// About how many bytes they come to.
    pub(super) fn bytes(&self) -> usize {
        let value_bytes = |value: &Option<IVec>| value.as_ref().map_or(0, |value| value.len());
        self.entries.iter().map(|(key, value)| ENTRY_BYTES + key.len() + value_bytes(value)).sum()
    }

    /// The same for the tree. Of two changes of an entry the later counts.
    pub(super) fn into_batch(self) -> Batch {
        let mut batch = Batch::default();
        for (key, value) in self.entries {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        batch
    }
}

impl Journal {
    /// Opens the journal of a folder, making an empty one where there is none, and returns it with what it holds: records by
    /// their numbers, in order. One that was being written when its process died counts as none. `kept` is the number of the
    /// last record that the tree has.
    pub(super) fn open(folder: &Path, kept: u64) -> io::Result<(Journal, Vec<(u64, Changes)>)> {
        let path = folder.join("journal");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut rest = bytes.as_slice();
        let records: Vec<_> = std::iter::from_fn(|| read_record(&mut rest)).collect();
        let last = records.last().map_or(kept, |(number, _)| kept.max(*number));
        Ok((Journal { file, length: bytes.len() as u64, noted: Vec::new(), last, is_partial: false }, records))
    }

    /// Notes changes that are written to the tree next, as one record, whose number goes into the tree with them.
    pub(super) fn note(&mut self, changes: &mut Changes) {
        self.last += 1;
        changes.insert(NUMBER_KEY.as_slice(), self.last.to_be_bytes().as_slice());
        let begin = self.noted.len();
        self.noted.extend([0; HEAD]);
        self.noted.extend(self.last.to_le_bytes());
        for (key, value) in &changes.entries {
            write_bytes(&mut self.noted, key);
            match value {
                Some(value) => write_bytes(&mut self.noted, value),
                None => self.noted.extend(REMOVED.to_le_bytes()),
            }
        }
        let Some((head, content)) = self.noted.get_mut(begin..).and_then(|record| record.split_at_mut_checked(HEAD))
        else {
            return;
        };
        let (length, checksum) = (length_of(content), crc32fast::hash(content));
        head.copy_from_slice(&[length.to_le_bytes(), checksum.to_le_bytes()].concat());
    }

    /// Remembers that changes are written to the tree that are too large to be noted.
    pub(super) fn pass_over(&mut self) {
        self.is_partial = true;
    }

    /// Whether it is time to flush the tree instead of writing to the file.
    pub(super) fn is_full(&self) -> bool {
        self.is_partial || self.length + self.noted.len() as u64 > BYTES_MAX
    }

    /// Hands what was noted to the operating system.
    pub(super) fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.noted)?;
        self.length += self.noted.len() as u64;
        self.noted.clear();
        Ok(())
    }

    /// Forgets everything: the tree was flushed.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.noted.clear();
        self.is_partial = false;
        if self.length > 0 {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.length = 0;
        }
        Ok(())
    }
}

fn write_bytes(noted: &mut Vec<u8>, bytes: &[u8]) {
    noted.extend(length_of(bytes).to_le_bytes());
    noted.extend(bytes);
}

/// What is noted is far smaller than the largest length.
fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX - 1)
}

/// The next record; `None` after the last whole one.
fn read_record(rest: &mut &[u8]) -> Option<(u64, Changes)> {
    let (length, checksum) = (read_number(rest)?, read_number(rest)?);
    let (mut content, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    if crc32fast::hash(content) != checksum {
        return None;
    }
    *rest = after;
    let (number, entries) = content.split_first_chunk()?;
    content = entries;
    let mut changes = Changes::default();
    while !content.is_empty() {
        let key = read_bytes(&mut content)?;
        match content.split_first_chunk::<4>()? {
            (length, after) if u32::from_le_bytes(*length) == REMOVED => {
                content = after;
                changes.remove(key);
            }
            _ => changes.insert(key, read_bytes(&mut content)?),
        }
    }
    Some((u64::from_le_bytes(*number), changes))
}

fn read_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(read_number(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

fn read_number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_written_is_read_up_to_the_last_whole_record() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, records) = Journal::open(folder.path(), 0).unwrap();
        assert!(records.is_empty());
        for number in 1..4 {
            let mut changes = Changes::default();
            changes.insert(&b"key"[..], vec![7; number]);
            changes.remove(&b"other"[..]);
            journal.note(&mut changes);
            journal.write().unwrap();
        }
        let path = folder.path().join("journal");
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (_, records) = Journal::open(folder.path(), 0).unwrap();
            assert_eq!(records.len(), (1..4).filter(|count| record_end(*count) <= length).count());
            for (index, (number, changes)) in records.into_iter().enumerate() {
                assert_eq!(number, index as u64 + 1);
                let value = Some(IVec::from(vec![7; index + 1]));
                let own = (IVec::from(&NUMBER_KEY), Some(IVec::from(&number.to_be_bytes())));
                assert_eq!(changes.entries, [(IVec::from("key"), value), (IVec::from("other"), None), own]);
            }
        }
        std::fs::write(&path, [&whole[..20], &[whole[20] ^ 1], &whole[21..]].concat()).unwrap();
        assert!(Journal::open(folder.path(), 0).unwrap().1.is_empty());
    }

    /// Head, number, a key of three bytes with a value as long as the number says, a key of five without one, the number's own.
    fn record_end(count: usize) -> usize {
        (1..=count).map(|number| HEAD + 8 + 4 + 3 + 4 + number + 4 + 5 + 4 + 4 + 5 + 4 + 8).sum()
    }

    #[test]
    fn it_is_empty_once_the_tree_is_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), 0).unwrap();
        let mut changes = Changes::default();
        changes.insert(&b"key"[..], vec![0; BYTES_MAX as usize]);
        journal.note(&mut changes);
        assert!(journal.is_full());
        journal.write().unwrap();
        journal.clear().unwrap();
        journal.note(&mut Changes::default());
        journal.write().unwrap();
        let (_, records) = Journal::open(folder.path(), 0).unwrap();
        assert_eq!(records.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2]);
        journal.pass_over();
        assert!(journal.is_full());
    }
}
