//! The thread that watches: takes commits in order, finds the queries each can touch, and lets them tell their watchers.
//! What a commit means to a query is `live.rs`'s. First documents that take long to find are looked for elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::read::View;
use crate::record::Record;
use crate::store::{Catalogue, CollectionId};
use crate::{CollectionName, Commit, DatabaseError};

use super::inbox::{Answer, Batch, Inbox, Join, Message, Told};
use super::index::{Entry, Index};
use super::live::{Joined, Live, QueryId, Question, QuestionKey, WatchId};
use super::{Watch, WatchError};

/// How often it is seen whether a watcher that was behind has made room.
const PATIENCE_WITH_THOSE_BEHIND: Duration = Duration::from_millis(20);

/// The thread's own things.
pub(super) struct Hub {
    inbox: Arc<Inbox>,
    /// The store as it is after the last commit taken in.
    view: Arc<View>,
    /// Where first documents are looked for.
    elsewhere: Handle,
    queries: HashMap<QueryId, Query>,
    by_question: HashMap<QuestionKey, QueryId>,
    indexes: HashMap<Place, Index>,
    /// The queries with a watcher that was behind when it was last seen.
    left_behind: BTreeSet<QueryId>,
    next_query: QueryId,
}

/// A collection of a namespace.
type Place = (Arc<str>, CollectionName);

/// A query, from the first who watches it to the last.
struct Query {
    question: Arc<Question>,
    collection: CollectionId,
    entry: Entry,
    state: State,
}

enum State {
    /// Until its first documents are there.
    Loading {
        waiting: Vec<Answer>,
        /// The commits after the one it is loaded at.
        backlog: Vec<Arc<Told>>,
        /// Whether commits were lost meanwhile.
        lost: bool,
    },
    Live(Box<Live>),
}

impl Hub {
    pub(super) fn new(inbox: Arc<Inbox>, view: Arc<View>, elsewhere: Handle) -> Hub {
        Hub {
            inbox,
            view,
            elsewhere,
            queries: HashMap::new(),
            by_question: HashMap::new(),
            indexes: HashMap::new(),
            left_behind: BTreeSet::new(),
            next_query: 0,
        }
    }

    /// Until the store is closed or nobody watches any more.
    pub(super) fn run(mut self) {
        while let Some(batch) = self.inbox.take(self.patience()) {
            self.work(batch);
            self.catch_up();
            if self.queries.is_empty() && self.inbox.close_if_idle() {
                return;
            }
        }
    }

    fn patience(&self) -> Option<Duration> {
        (!self.left_behind.is_empty()).then_some(PATIENCE_WITH_THOSE_BEHIND)
    }

    fn work(&mut self, batch: Batch) {
        if let Some(view) = batch.lost {
            self.start_over(view);
        }
        for told in batch.commits {
            self.take_in(Arc::new(told));
        }
        for message in batch.messages {
            match message {
                Message::Join(join) => self.join(*join),
                Message::Leave(watch) => self.leave(watch),
                Message::Loaded(query, Ok(records)) => self.loaded(query, &records),
                Message::Loaded(query, Err(error)) => self.end(query, error),
            }
        }
    }

    fn take_in(&mut self, told: Arc<Told>) {
        self.view = told.view.clone();
        if let Some(catalogue) = &told.commit.replaced {
            self.ask_again(self.queries_of(&told.commit.namespace), catalogue);
        }
        for (id, positions) in self.touched(&told.commit) {
            match self.queries.get_mut(&id).map(|query| &mut query.state) {
                None => {}
                Some(State::Loading { backlog, .. }) => backlog.push(told.clone()),
                Some(State::Live(live)) => {
                    let changes = positions.iter().filter_map(|position| told.commit.changes.get(*position));
                    let taken_in = live.take_in(changes, &told.view);
                    self.settle(id, taken_in);
                }
            }
        }
    }

    /// Asks queries again, of the collections that have the names now.
    fn ask_again(&mut self, queries: Vec<QueryId>, catalogue: &Catalogue) {
        for id in queries {
            let Some(query) = self.queries.get_mut(&id) else { continue };
            let key = &query.question.key;
            query.collection = match catalogue.collection(&key.namespace, &key.collection) {
                Ok(collection) => collection,
                Err(error) => {
                    self.end(id, error.into());
                    continue;
                }
            };
            match &mut query.state {
                State::Loading { backlog, lost, .. } => {
                    backlog.clear();
                    *lost = true;
                }
                State::Live(live) => {
                    let started_over = live.start_over(query.collection, &self.view);
                    self.settle(id, started_over);
                }
            }
        }
    }

    fn queries_of(&self, namespace: &Arc<str>) -> Vec<QueryId> {
        let is_there = |(_, query): &(&QueryId, &Query)| query.question.key.namespace == *namespace;
        self.queries.iter().filter(is_there).map(|(id, _)| *id).collect()
    }

    /// The queries that a commit can touch, and the places of the changes that can.
    fn touched(&self, commit: &Commit) -> BTreeMap<QueryId, Vec<usize>> {
        let mut touched: BTreeMap<QueryId, Vec<usize>> = BTreeMap::new();
        let mut current: Option<(&CollectionName, Option<&Index>)> = None;
        for (position, change) in commit.changes.iter().enumerate() {
            let index = match current {
                Some((collection, index)) if *collection == change.collection => index,
                Some(_) | None => self.indexes.get(&(commit.namespace.clone(), change.collection.clone())),
            };
            current = Some((&change.collection, index));
            let Some(index) = index else { continue };
            index.touched(change, |query| {
                let positions = touched.entry(query).or_default();
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
            });
        }
        touched
    }

    fn join(&mut self, join: Join) {
        let known = self.by_question.get(&join.question.key).copied();
        let Some((id, query)) = known.and_then(|id| Some((id, self.queries.get_mut(&id)?))) else {
            return self.open(join);
        };
        match &mut query.state {
            State::Loading { waiting, .. } => waiting.push(join.answer),
            State::Live(live) => answer(&self.inbox, id, join.answer, live.join()),
        }
    }

    /// Begins with a question that nobody has asked yet.
    fn open(&mut self, join: Join) {
        let Join { question, answer } = join;
        let key = question.key.clone();
        let collection = match self.view.catalogue.collection(&key.namespace, &key.collection) {
            Ok(collection) => collection,
            Err(error) => return drop(answer.send(Err(error.into()))),
        };
        let id = self.next_query;
        self.next_query += 1;
        let place = (key.namespace.clone(), key.collection.clone());
        let entry = self.indexes.entry(place).or_default().add(id, &question.find.filter);
        let question = Arc::new(question);
        let state = State::Loading { waiting: vec![answer], backlog: Vec::new(), lost: false };
        self.queries.insert(id, Query { question: question.clone(), collection, entry, state });
        self.by_question.insert(key, id);
        self.load(id, question, collection);
    }

    fn load(&mut self, id: QueryId, question: Arc<Question>, collection: CollectionId) {
        let plan = match question.plan(&self.view, collection) {
            Ok(plan) => plan,
            Err(error) => return self.end(id, error),
        };
        if plan.is_short() {
            return match question.load(&self.view, collection, &plan) {
                Ok(records) => self.loaded(id, &records),
                Err(error) => self.end(id, error),
            };
        }
        let loading = Loading { id, inbox: self.inbox.clone(), done: false };
        let view = self.view.clone();
        self.elsewhere.spawn_blocking(move || loading.finish(question.load(&view, collection, &plan)));
    }

    /// Answers those who wait, then takes in what was committed meanwhile.
    fn loaded(&mut self, id: QueryId, records: &[Record]) {
        let Some(query) = self.queries.get_mut(&id) else { return };
        let mut live = match Live::new(query.question.clone(), query.collection, records) {
            Ok(live) => Box::new(live),
            Err(error) => return self.end(id, error),
        };
        let State::Loading { waiting, backlog, lost } = &mut query.state else { return };
        let (waiting, backlog, lost) = (std::mem::take(waiting), std::mem::take(backlog), *lost);
        for waiter in waiting {
            answer(&self.inbox, id, waiter, live.join());
        }
        let collection = &query.question.key.collection;
        let caught_up = if lost {
            live.start_over(query.collection, &self.view)
        } else {
            backlog.iter().try_for_each(|told| {
                let changes = told.commit.changes.iter().filter(|change| change.collection == *collection);
                live.take_in(changes, &told.view)
            })
        };
        query.state = State::Live(live);
        self.settle(id, caught_up);
    }

    /// After a query was worked on: ends it if that failed, and remembers it if it has left someone behind.
    fn settle(&mut self, id: QueryId, worked: Result<(), WatchError>) {
        match (worked, self.queries.get(&id).map(|query| &query.state)) {
            (Err(error), _) => self.end(id, error),
            (Ok(()), Some(State::Live(live))) if live.is_left_behind() => drop(self.left_behind.insert(id)),
            (Ok(()), _) => drop(self.left_behind.remove(&id)),
        }
    }

    fn leave(&mut self, watch: WatchId) {
        let Some(Query { state: State::Live(live), .. }) = self.queries.get_mut(&watch.query) else { return };
        live.leave(watch.number);
        if !live.is_watched() {
            self.forget(watch.query);
        }
    }

    fn end(&mut self, id: QueryId, error: WatchError) {
        match self.forget(id).map(|query| query.state) {
            None => {}
            Some(State::Live(live)) => live.end(error),
            Some(State::Loading { waiting, .. }) => {
                waiting.into_iter().for_each(|answer| drop(answer.send(Err(error.clone()))));
            }
        }
    }

    fn forget(&mut self, id: QueryId) -> Option<Query> {
        let query = self.queries.remove(&id)?;
        self.left_behind.remove(&id);
        let key = &query.question.key;
        self.by_question.remove(key);
        let place = (key.namespace.clone(), key.collection.clone());
        if self.indexes.get_mut(&place).is_some_and(|index| index.remove(id, &query.entry)) {
            self.indexes.remove(&place);
        }
        Some(query)
    }

    /// Goes on from `view`; the commits before it were lost.
    fn start_over(&mut self, view: Arc<View>) {
        tracing::warn!("watches were too far behind the writes: they are brought up to date at once");
        self.view = view.clone();
        self.ask_again(self.queries.keys().copied().collect(), &view.catalogue);
    }

    /// Sees to those that were behind.
    fn catch_up(&mut self) {
        for id in self.left_behind.iter().copied().collect::<Vec<_>>() {
            if let Some(State::Live(live)) = self.queries.get_mut(&id).map(|query| &mut query.state) {
                let caught_up = live.catch_up(&self.view);
                self.settle(id, caught_up);
            }
        }
    }
}

impl Drop for Hub {
    /// Also after a panic: whoever asks next starts another thread.
    fn drop(&mut self) {
        self.inbox.close();
    }
}

fn answer(inbox: &Arc<Inbox>, query: QueryId, answer: Answer, joined: Joined) {
    let Joined { number, initial, events, ending } = joined;
    let watch = Watch { initial, events, ending, inbox: inbox.clone(), id: WatchId { query, number } };
    // One that nobody waits for any more leaves again when it is dropped here.
    drop(answer.send(Ok(watch)));
}

/// First documents being looked for. Dropped unfinished, it says so.
struct Loading {
    id: QueryId,
    inbox: Arc<Inbox>,
    done: bool,
}

impl Loading {
    fn finish(mut self, records: Result<Vec<Record>, WatchError>) {
        self.done = true;
        // If the thread has ended, so have those who wait.
        let _ = self.inbox.ask(Message::Loaded(self.id, records));
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        if !self.done {
            let stopped = DatabaseError::Internal("looking for the first documents of a watch was stopped".to_owned());
            let _ = self.inbox.ask(Message::Loaded(self.id, Err(stopped.into())));
        }
    }
}
