//! One watched query: its documents, who watches it, and what a commit changes for them. Computed once for all of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use document::{DocumentRef, RawDocumentBuf};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::plan::{Plan, Source, present};
use crate::read::{self, View};
use crate::record::Record;
use crate::store::{CollectionId, EntryKey};
use crate::writer::guarded;
use crate::{Change, ChangeKind, CollectionName, DatabaseError, FindRequest};

use super::window::{Put, Window};
use super::{DataType, QUEUE, QueueType, WatchError, WatchEvent, WatchEvents, WatchRequest};

/// Numbers the queries of a thread.
pub(super) type QueryId = u64;

/// One watch of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WatchId {
    pub(super) query: QueryId,
    pub(super) number: u64,
}

/// What is watched.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) key: QuestionKey,
    /// Whose limit is the window's, not the watch's.
    pub(super) find: FindRequest,
}

/// Questions with one key have one answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct QuestionKey {
    pub(super) namespace: Arc<str>,
    pub(super) collection: CollectionName,
    filter: Arc<[u8]>,
    sort: Vec<(String, bool)>,
    limit: Option<usize>,
}

/// A watched query.
#[derive(Debug)]
pub(super) struct Live {
    question: Arc<Question>,
    collection: CollectionId,
    window: Window,
    watchers: Vec<Watcher>,
    next_watcher: u64,
    /// Why the query ended, for those who find no more events.
    ending: Arc<OnceLock<WatchError>>,
}

#[derive(Debug)]
struct Watcher {
    number: u64,
    events: Sender<Arc<WatchEvents>>,
    /// What it was sent last, from the moment its queue was full until it has made room.
    behind: Option<Known>,
}

/// The documents a watcher knows, by their records; `false`: it knows an older content.
type Known = HashMap<u64, (Arc<RawDocumentBuf>, bool)>;

/// The watcher's end of a new watch.
pub(super) struct Joined {
    pub(super) number: u64,
    pub(super) initial: Vec<Arc<RawDocumentBuf>>,
    pub(super) events: Receiver<Arc<WatchEvents>>,
    pub(super) ending: Arc<OnceLock<WatchError>>,
}

impl Question {
    pub(super) fn new(namespace: Arc<str>, request: WatchRequest) -> Question {
        let WatchRequest { collection, filter, sort, limit } = request;
        let fields = sort.iter().flat_map(|sort| sort.fields());
        let key = QuestionKey {
            namespace,
            collection: collection.clone(),
            filter: filter.identity().clone(),
            sort: fields.map(|(path, descending)| (path.as_str().to_owned(), descending)).collect(),
            limit,
        };
        let capacity = Some(Window::capacity(limit) as u64);
        Question { key, find: FindRequest { collection, filter, sort, skip: 0, limit: capacity, projection: None } }
    }

    /// How a window is filled, as the store is at `view`.
    pub(super) fn plan(&self, view: &View, collection: CollectionId) -> Result<Plan, WatchError> {
        Ok(view.plan(collection, self.find.question())?)
    }

    /// The documents a window is filled with.
    pub(super) fn load(&self, view: &View, collection: CollectionId, plan: &Plan) -> Result<Vec<Record>, WatchError> {
        Ok(guarded(|| read::page(view, collection, plan, &self.find))?)
    }
}

impl Live {
    /// Of a question whose first documents are there.
    pub(super) fn new(
        question: Arc<Question>,
        collection: CollectionId,
        records: &[Record],
    ) -> Result<Live, WatchError> {
        let window = Window::new(question.find.sort.clone(), question.key.limit);
        let ending = Arc::new(OnceLock::new());
        let mut live = Live { question, collection, window, watchers: Vec::new(), next_watcher: 0, ending };
        live.fill(records)?;
        Ok(live)
    }

    /// Adds a watcher, who begins with what there is now.
    pub(super) fn join(&mut self) -> Joined {
        let (sender, events) = channel(QUEUE);
        let number = self.next_watcher;
        self.next_watcher += 1;
        self.watchers.push(Watcher { number, events: sender, behind: None });
        let initial = self.window.visible().map(|(_, document)| document.clone()).collect();
        Joined { number, initial, events, ending: self.ending.clone() }
    }

    /// Forgets a watcher.
    pub(super) fn leave(&mut self, number: u64) {
        self.watchers.retain(|watcher| watcher.number != number);
    }

    pub(super) fn is_watched(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// Whether a watcher's queue was full, and it has not been told what it missed.
    pub(super) fn is_left_behind(&self) -> bool {
        self.watchers.iter().any(|watcher| watcher.behind.is_some())
    }

    /// Lets every watcher find `error` after the events it was sent.
    pub(super) fn end(self, error: WatchError) {
        // Whoever set it first knows the cause.
        let _ = self.ending.set(error);
    }

    /// Takes in what a commit changed, as it is at `view`, and tells the watchers.
    pub(super) fn take_in<'a>(
        &mut self,
        changes: impl Iterator<Item = &'a Change>,
        view: &View,
    ) -> Result<(), WatchError> {
        let before = self.edge();
        let mut moves = Vec::new();
        for change in changes {
            let after = self.matching(change)?;
            let put = self.window.put(change.record, after.clone());
            if put.was || put.is {
                moves.push(Move { change, after, put });
            }
        }
        if moves.is_empty() {
            return Ok(());
        }
        if self.window.needs_filling() {
            self.refill(view)?;
        }
        if self.window.is_overfull() {
            return Err(WatchError::TooMany);
        }
        let events = match before {
            None => moves.iter().filter_map(Move::event).collect(),
            Some(before) => self.events_at_edge(&moves, &before),
        };
        self.tell(in_order(events));
        Ok(())
    }

    /// Looks again at everything, after commits were lost or another collection has taken the place of the one watched.
    pub(super) fn start_over(&mut self, collection: CollectionId, view: &View) -> Result<(), WatchError> {
        self.collection = collection;
        let before = self.known();
        self.refill(view)?;
        let events = self.difference(&before, view)?;
        self.tell(events);
        Ok(())
    }

    /// Tells the watchers that were behind and have made room what they missed, as one difference.
    pub(super) fn catch_up(&mut self, view: &View) -> Result<(), WatchError> {
        for index in 0..self.watchers.len() {
            let Some(watcher) = self.watchers.get_mut(index) else { break };
            if watcher.behind.is_none() || watcher.events.capacity() < QUEUE / 2 {
                continue;
            }
            let Some(known) = watcher.behind.take() else { continue };
            let sender = watcher.events.clone();
            let events = self.difference(&known, view)?;
            if !events.is_empty() {
                // Half of the queue is free; a watcher that is gone is found out at the next event.
                let _ = sender.try_send(WatchEvents::new(events));
            }
        }
        Ok(())
    }

    fn matching(&self, change: &Change) -> Result<Option<Arc<RawDocumentBuf>>, WatchError> {
        let Some(after) = &change.after else { return Ok(None) };
        let filter = &self.question.find.filter;
        let matches = guarded(|| Ok(filter.matches(DocumentRef::from(&**after))?))?;
        Ok(matches.then(|| after.clone()))
    }

    fn refill(&mut self, view: &View) -> Result<(), WatchError> {
        let plan = self.question.plan(view, self.collection)?;
        let records = self.question.load(view, self.collection, &plan)?;
        self.fill(&records)
    }

    fn fill(&mut self, records: &[Record]) -> Result<(), WatchError> {
        let documents: Vec<_> = records
            .iter()
            .map(|record| Ok((record.number, Arc::new(record.to_raw()?))))
            .collect::<Result<_, DatabaseError>>()?;
        self.window.fill(documents.into_iter());
        if self.window.is_overfull() { Err(WatchError::TooMany) } else { Ok(()) }
    }

    /// Under a limit: the documents within it.
    fn edge(&self) -> Option<Vec<(u64, Arc<RawDocumentBuf>)>> {
        let visible = || self.window.visible().map(|(record, document)| (record, document.clone())).collect();
        self.window.is_limited().then(visible)
    }

    /// Under a limit a document's move is judged by whether it was and is within it, and others may have been moved over it.
    fn events_at_edge(&self, moves: &[Move<'_>], before: &[(u64, Arc<RawDocumentBuf>)]) -> Vec<WatchEvent> {
        let was: HashSet<u64> = before.iter().map(|(record, _)| *record).collect();
        let is: HashSet<u64> = self.window.visible().map(|(record, _)| record).collect();
        let moved: HashSet<u64> = moves.iter().map(|moved| moved.change.record).collect();
        let own = moves.iter().filter_map(|moved| {
            let record = moved.change.record;
            moved.event_of(Put { was: was.contains(&record), is: is.contains(&record) })
        });
        let pushed = |queue| {
            move |(record, document): (u64, &Arc<RawDocumentBuf>)| WatchEvent {
                queue,
                data: DataType::Limit,
                record,
                document: document.clone(),
                changes: None,
            }
        };
        let out = before.iter().map(|(record, document)| (*record, document));
        let out = out.filter(|(record, _)| !is.contains(record) && !moved.contains(record));
        let into = self.window.visible().filter(|(record, _)| !was.contains(record) && !moved.contains(record));
        own.chain(out.map(pushed(QueueType::Dequeue))).chain(into.map(pushed(QueueType::Enqueue))).collect()
    }

    /// What a watcher knows who is up to date.
    fn known(&self) -> Known {
        self.window.visible().map(|(record, document)| (record, (document.clone(), true))).collect()
    }

    /// What a watcher knows who has not been told of these last events.
    fn known_before(&self, events: &[WatchEvent]) -> Known {
        let mut known = self.known();
        for event in events {
            match event.queue {
                QueueType::Enqueue => drop(known.remove(&event.record)),
                QueueType::Dequeue | QueueType::Update => {
                    known.insert(event.record, (event.document.clone(), false));
                }
            }
        }
        known
    }

    /// What leads from what a watcher knows to what there is.
    fn difference(&self, known: &Known, view: &View) -> Result<Vec<WatchEvent>, WatchError> {
        let visible: HashSet<u64> = self.window.visible().map(|(record, _)| record).collect();
        let mut events = Vec::new();
        for (record, (document, _)) in known.iter().filter(|(record, _)| !visible.contains(record)) {
            events.push(self.departure(*record, document, view)?);
        }
        for (record, document) in self.window.visible() {
            let (queue, data) = match known.get(&record) {
                None => (QueueType::Enqueue, DataType::Add),
                Some((old, true)) if old.as_bytes() == document.as_bytes() => continue,
                Some(_) => (QueueType::Update, DataType::Replace),
            };
            events.push(WatchEvent { queue, data, record, document: document.clone(), changes: None });
        }
        Ok(in_order(events))
    }

    /// Why a document is no longer among those watched can be seen from what it is now.
    fn departure(&self, record: u64, last: &Arc<RawDocumentBuf>, view: &View) -> Result<WatchEvent, WatchError> {
        let now = present(view.look(&EntryKey::record(self.collection, record))?);
        let now = now.map(|version| Record { number: record, version }.to_raw()).transpose()?;
        let (data, document) = match now {
            None => (DataType::Remove, last.clone()),
            Some(now) => {
                let matches = guarded(|| Ok(self.question.find.filter.matches(DocumentRef::from(&now))?))?;
                (if matches { DataType::Limit } else { DataType::Update }, Arc::new(now))
            }
        };
        Ok(WatchEvent { queue: QueueType::Dequeue, data, record, document, changes: None })
    }

    fn tell(&mut self, events: Vec<WatchEvent>) {
        if events.is_empty() {
            return;
        }
        let mut watchers = std::mem::take(&mut self.watchers);
        let events = WatchEvents::new(events);
        watchers.retain_mut(|watcher| {
            if watcher.behind.is_some() {
                return !watcher.events.is_closed();
            }
            match watcher.events.try_send(events.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    watcher.behind = Some(self.known_before(events.events()));
                    true
                }
                Err(TrySendError::Closed(_)) => false,
            }
        });
        self.watchers = watchers;
    }
}

/// A document of a commit that is or was held.
struct Move<'a> {
    change: &'a Change,
    /// The document, if it matches.
    after: Option<Arc<RawDocumentBuf>>,
    put: Put,
}

impl Move<'_> {
    fn event(&self) -> Option<WatchEvent> {
        self.event_of(self.put)
    }

    fn event_of(&self, put: Put) -> Option<WatchEvent> {
        let queue = match (put.was, put.is) {
            (false, false) => return None,
            (false, true) => QueueType::Enqueue,
            (true, false) => QueueType::Dequeue,
            (true, true) => QueueType::Update,
        };
        let (data, changes) = match &self.change.kind {
            ChangeKind::Insert => (DataType::Add, None),
            ChangeKind::Update(changes) => (DataType::Update, Some(changes.clone())),
            ChangeKind::Replace => (DataType::Replace, None),
            ChangeKind::Remove => (DataType::Remove, None),
        };
        let document = self.after.as_ref().or(self.change.after.as_ref()).or(self.change.before.as_ref())?.clone();
        Some(WatchEvent { queue, data, record: self.change.record, document, changes })
    }
}

/// What leaves comes first.
fn in_order(mut events: Vec<WatchEvent>) -> Vec<WatchEvent> {
    events.sort_by_key(|event| match event.queue {
        QueueType::Dequeue => 0,
        QueueType::Update => 1,
        QueueType::Enqueue => 2,
    });
    events
}
