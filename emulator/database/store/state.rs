//! The one entry every commit rewrites: how far the store has come, and whether it was left tidy.

use crate::{DatabaseError, Sequence};

/// The layout of the tree this program reads and writes.
const FORMAT: u32 = 1;

const LENGTH: usize = 4 + 8 + 8 + 4 + 4 + 1 + 1;

/// How far the store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// The last commit. Versions with a later number belong to a commit that was never completed.
    pub(crate) sequence: Sequence,
    /// The number the next document gets, in whichever collection.
    pub(crate) next_record: u64,
    /// The number the next namespace gets.
    pub(crate) next_namespace: u32,
    /// The number the next collection gets, in whichever namespace.
    pub(crate) next_collection: u32,
    /// Set at the beginning of a commit written in several batches, unset by its last: there may be leftovers of it.
    pub(crate) unfinished: bool,
    /// Set when the store is closed without superseded versions left, unset by the next commit.
    pub(crate) tidy: bool,
}

impl Default for State {
    fn default() -> State {
        State { sequence: 0, next_record: 1, next_namespace: 1, next_collection: 1, unfinished: false, tidy: true }
    }
}

impl State {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.next_record.to_be_bytes());
        bytes.extend(self.next_namespace.to_be_bytes());
        bytes.extend(self.next_collection.to_be_bytes());
        bytes.extend([u8::from(self.unfinished), u8::from(self.tidy)]);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<State, DatabaseError> {
        let mut reader = Reader(bytes);
        let format = u32::from_be_bytes(reader.take()?);
        if format != FORMAT {
            return Err(DatabaseError::UnknownFormat { found: format, known: FORMAT });
        }
        Ok(State {
            sequence: u64::from_be_bytes(reader.take()?),
            next_record: u64::from_be_bytes(reader.take()?),
            next_namespace: u32::from_be_bytes(reader.take()?),
            next_collection: u32::from_be_bytes(reader.take()?),
            unfinished: reader.take::<1>()? != [0],
            tidy: reader.take::<1>()? != [0],
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DatabaseError> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or_else(|| DatabaseError::Corrupt("the state of the store is cut short".to_owned()))?;
        self.0 = rest;
        Ok(*head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let state =
            State { sequence: 7, next_record: 9, next_namespace: 3, next_collection: 4, unfinished: true, tidy: false };
        assert_eq!(State::decode(&state.encode()), Ok(state));
        assert_eq!(State::decode(&State::default().encode()), Ok(State::default()));
    }

    #[test]
    fn damage_and_other_formats_are_told_apart() {
        assert!(matches!(State::decode(&State::default().encode()[..10]), Err(DatabaseError::Corrupt(_))));
        let mut other = State::default().encode();
        other[3] = 99;
        assert_eq!(State::decode(&other), Err(DatabaseError::UnknownFormat { found: 99, known: FORMAT }));
    }
}
