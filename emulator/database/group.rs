//! The drafted commits that reach the tree together. The drafts after a finished one see it at once; readers see it
//! only when the writer publishes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::draft::Finished;
use crate::store::{
    Catalogue, CollectionId, Engine, Entries, EntryKey, Flattened, Flattening, Garbage, Ground, KeyRange, Layers,
    Opened, Scan, State, Value, Version, Writes,
};
use crate::{Commit, DatabaseError, Sequence};

/// How much garbage goes along with the commits of a group at least: as many versions as these write, or this many.
const GARBAGE_ALONG: usize = 64;
const SWEEP_ALONG: usize = 64;

/// How much garbage is collected in one go while nothing else is to be done.
const GARBAGE_IDLE: usize = 1_000;
const SWEEP_IDLE: usize = 2_000;

/// How long closing may take longer for the sake of the next opening.
const TIDYING_AT_CLOSE: Duration = Duration::from_millis(200);

/// The commits drafted since the tree was last written.
pub(crate) struct Group {
    engine: Arc<Engine>,
    /// As the tree has it.
    applied: State,
    /// As it will be with the drafted commits.
    drafted: State,
    catalogue: Arc<Catalogue>,
    /// The newest versions that are not in the tree yet.
    pending: BTreeMap<EntryKey, Version>,
    writes: Writes,
    garbage: Garbage,
    flattening: Flattening,
    /// The last commit that was published.
    published: Sequence,
    /// What the drafted commits changed, for those who asked to be told; emptied when they are told.
    commits: Vec<Arc<Commit>>,
    /// Why the tree may be only half of what it should be: nothing may be written after that.
    failure: Option<DatabaseError>,
}

impl Group {
    pub(crate) fn new(opened: Opened) -> Group {
        Group {
            flattening: Flattening::of(&opened.catalogue),
            engine: Arc::new(opened.engine),
            applied: opened.state,
            drafted: opened.state,
            catalogue: Arc::new(opened.catalogue),
            pending: BTreeMap::new(),
            writes: Writes::default(),
            garbage: opened.garbage,
            published: opened.state.sequence,
            commits: Vec::new(),
            failure: None,
        }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The state with all drafted commits.
    pub(crate) fn state(&self) -> State {
        self.drafted
    }

    /// Whether there are commits that are not published yet.
    pub(crate) fn has_drafts(&self) -> bool {
        self.drafted.sequence != self.published
    }

    /// Notes that everything drafted so far was published.
    pub(crate) fn published(&mut self) {
        self.published = self.drafted.sequence;
    }

    /// Notes that the records before `next` have their numbers, though a transaction may not have finished writing them.
    pub(crate) fn use_records(&mut self, next: u64) {
        self.drafted.next_record = next;
    }

    /// The newest version of an entry.
    pub(crate) fn newest(&self, key: &EntryKey) -> Result<Option<Version>, DatabaseError> {
        match self.pending.get(key) {
            Some(version) => Ok(Some(version.clone())),
            None => self.engine.version_in(self.layers(), key, Sequence::MAX),
        }
    }

    /// What lies over what, with all drafted commits.
    pub(crate) fn layers(&self) -> &Layers {
        self.catalogue.layers()
    }

    /// The newest documents of a collection. Writes the finished drafts to the tree first, because that is what is walked.
    pub(crate) fn scan(&mut self, collection: CollectionId) -> Result<Scan, DatabaseError> {
        self.apply()?;
        Ok(self.engine.scan(self.layers(), collection, Sequence::MAX))
    }

    /// The newest entries of a range; as [`Group::scan`] does, writes the finished drafts to the tree first.
    pub(crate) fn entries(&mut self, range: &KeyRange, backward: bool) -> Result<Entries, DatabaseError> {
        self.apply()?;
        Ok(self.engine.entries(self.layers(), range, Sequence::MAX, backward))
    }

    /// The keys of the newest entries of a range, as all drafts leave them, without writing anything. `later` are versions
    /// that are not drafted yet.
    pub(crate) fn keys<'a>(
        &'a self,
        range: &'a KeyRange,
        later: impl Iterator<Item = (&'a EntryKey, bool)>,
    ) -> Result<BTreeSet<Vec<u8>>, DatabaseError> {
        let tree = self.engine.entries(self.layers(), range, Sequence::MAX, false);
        let mut keys: BTreeSet<Vec<u8>> =
            tree.map(|entry| entry.map(|entry| entry.key().to_vec())).collect::<Result<_, _>>()?;
        let pending = self.pending.range::<EntryKey, _>(range.bounds());
        let pending = pending.map(|(key, version)| (key, version.value.is_removal()));
        for (key, is_removal) in pending.chain(later) {
            match is_removal {
                true => keys.remove(key.in_index()),
                false => keys.insert(key.in_index().to_vec()),
            };
        }
        Ok(keys)
    }

    /// Takes in what a draft wrote, unless the tree can no longer be written.
    pub(crate) fn accept(&mut self, finished: Finished) -> Result<(), DatabaseError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let sequence = finished.state.sequence;
        for (key, write) in finished.writes {
            self.supersede(&key, sequence, &write.value, write.replaces)?;
            let version = Version { sequence, value: write.value };
            self.writes.version(&key, version.clone());
            self.pending.insert(key, version);
        }
        self.writes.catalogue(finished.catalogue_entries);
        if let Some(catalogue) = finished.catalogue {
            self.catalogue = Arc::new(catalogue);
        }
        for (collection, number) in finished.dropped_indexes {
            self.garbage.drop_index(collection, number, sequence);
        }
        for collection in finished.laid {
            self.catalogue.layers().base(collection).into_iter().for_each(|base| self.garbage.pin(base));
            self.flattening.consider(&self.catalogue, collection);
        }
        for collection in finished.dropped_collections {
            self.garbage.drop_collection(collection, sequence);
        }
        self.commits.extend(finished.commit.map(Arc::new));
        self.drafted = finished.state;
        Ok(())
    }

    /// Writes the drafted commits to the tree. After a failure every later call fails as the first did.
    pub(crate) fn apply(&mut self) -> Result<(), DatabaseError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.writes.is_empty() && self.drafted == self.applied {
            return Ok(());
        }
        self.drafted.tidy = false;
        let applied = self.engine.apply(std::mem::take(&mut self.writes), &self.applied, &self.drafted);
        self.pending.clear();
        match applied {
            Ok(()) => self.applied = self.drafted,
            Err(error) => self.fail(error),
        }
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Refuses everything from now on.
    pub(crate) fn fail(&mut self, error: DatabaseError) {
        self.failure.get_or_insert(error);
    }

    /// Lets some garbage go along with the drafted commits.
    pub(crate) fn collect_along(&mut self, horizon: Sequence) -> Result<(), DatabaseError> {
        let along = GARBAGE_ALONG.max(self.writes.versions());
        self.collect(horizon, along, SWEEP_ALONG)
    }

    /// Collects some garbage for its own sake. Returns whether there is more that could be collected at once.
    pub(crate) fn collect_idle(&mut self, horizon: Sequence) -> Result<bool, DatabaseError> {
        self.collect(horizon, GARBAGE_IDLE, SWEEP_IDLE)?;
        self.collect_dropped_index(horizon)?;
        self.flatten(horizon)?;
        let found = !self.writes.is_empty();
        self.apply()?;
        Ok(self.has_garbage() && (found || self.garbage.is_sweeping() || !self.flattening.is_empty()))
    }

    /// Removes some superseded versions, some that a sweep finds, and some of dropped collections.
    fn collect(&mut self, horizon: Sequence, limit: usize, sweep_limit: usize) -> Result<(), DatabaseError> {
        let ground = Ground { engine: &self.engine, layers: self.catalogue.layers(), horizon };
        self.garbage.collect(ground, limit, &mut self.writes)?;
        self.garbage.sweep(ground, sweep_limit, &mut self.writes)?;
        for collection in self.garbage.collect_dropped_collections(ground, limit, &mut self.writes)? {
            let base = self.layers().base(collection);
            let entry = Arc::make_mut(&mut self.catalogue).forget_layer(collection);
            self.writes.catalogue(vec![entry]);
            self.garbage.release(collection, base);
        }
        Ok(())
    }

    /// Removes some entries of a dropped index, and with the last of them the index.
    fn collect_dropped_index(&mut self, horizon: Sequence) -> Result<(), DatabaseError> {
        let ground = Ground { engine: &self.engine, layers: self.catalogue.layers(), horizon };
        let gone = self.garbage.collect_dropped_index(ground, GARBAGE_IDLE, &mut self.writes)?;
        if let Some((collection, number)) = gone {
            let entry = Arc::make_mut(&mut self.catalogue).forget_index(collection, number);
            self.writes.catalogue(vec![entry]);
        }
        Ok(())
    }

    /// Copies some of what a collection inherits that lies over too many others, and with the last of it lays it on its own.
    fn flatten(&mut self, horizon: Sequence) -> Result<(), DatabaseError> {
        let ground = Ground { engine: &self.engine, layers: self.catalogue.layers(), horizon };
        let done = self.flattening.step(ground, &self.catalogue, GARBAGE_IDLE, &mut self.writes)?;
        if let Some(Flattened { collection, layer, base }) = done {
            let entry = Arc::make_mut(&mut self.catalogue).put_layer(collection, layer);
            self.writes.catalogue(vec![entry]);
            self.garbage.flattened(collection, base, self.drafted.sequence + 1); // whose readers know of it
        }
        Ok(())
    }

    /// Whether there is garbage, or may be, that can still be removed.
    pub(crate) fn has_garbage(&self) -> bool {
        self.failure.is_none() && !(self.garbage.is_empty() && self.flattening.is_empty())
    }

    /// Writes everything, removes garbage for a moment, and if none is left says so to the next process.
    pub(crate) fn finish(&mut self, horizon: Sequence) -> Result<(), DatabaseError> {
        self.apply()?;
        let begin = Instant::now();
        while begin.elapsed() < TIDYING_AT_CLOSE && self.collect_idle(horizon)? {}
        if self.garbage.is_tidy() && !self.applied.tidy {
            let tidy = State { tidy: true, ..self.applied };
            self.engine.apply(Writes::default(), &self.applied, &tidy)?;
            (self.applied, self.drafted) = (tidy, tidy);
        }
        Ok(())
    }

    /// The commits to tell of, in order.
    pub(crate) fn take_commits(&mut self) -> Vec<Arc<Commit>> {
        std::mem::take(&mut self.commits)
    }

    /// Remembers which versions a new one makes superfluous. Until the tree is swept an entry may have more of them than
    /// the one that was read, and a removal must not be collected before any of them.
    fn supersede(
        &mut self,
        key: &EntryKey,
        by: Sequence,
        value: &Value,
        replaces: Option<Sequence>,
    ) -> Result<(), DatabaseError> {
        let mut old: Vec<Sequence> = replaces.into_iter().collect();
        if self.garbage.is_unknown()
            && let Some(newest) = replaces
        {
            old.extend(self.engine.versions_before(key, newest)?);
        }
        self.garbage.supersede(key, by, value.is_removal(), old);
        Ok(())
    }
}
