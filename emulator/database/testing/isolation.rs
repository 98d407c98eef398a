//! Laws of transactions: whatever sixteen of them and plain writes do in whichever order, each is answered, and everybody sees,
//! what a plain model of snapshot isolation says.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bson::doc;
use document::Document;
use proptest::prelude::*;
use query::Filter;
use tokio::task::JoinSet;

use super::{Bench, filter, sort, with_id};
use crate::{
    CollectionName, Database, DatabaseError, Durability, FindRequest, RemoveRequest, Transaction, UpdateRequest,
};

const TRANSACTIONS: usize = 16;

/// What is done, by one of the transactions or (`None`) by a plain request.
#[derive(Debug, Clone)]
struct Step {
    who: Option<usize>,
    action: Action,
}

/// Ids and values are few, so that they meet.
#[derive(Debug, Clone, Copy)]
enum Action {
    Insert(i32),
    Update(i32, i32),
    Remove(i32),
    Find,
    Commit,
    Abort,
}

/// How a step is answered: how many documents it was about, or why it was refused.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Count(u64),
    Found(Content),
    Duplicate,
    Conflict,
}

/// Documents: `n` by `_id`.
type Content = BTreeMap<i32, i32>;

fn step() -> impl Strategy<Value = Step> {
    let (id, n) = (|| 0..6, || 0..4);
    let write = || {
        prop_oneof![
            2 => id().prop_map(Action::Insert),
            4 => (id(), n()).prop_map(|(id, n)| Action::Update(id, n)),
            2 => id().prop_map(Action::Remove),
        ]
    };
    let any = prop_oneof![
        8 => write(),
        3 => Just(Action::Find),
        3 => Just(Action::Commit),
        1 => Just(Action::Abort),
    ];
    prop_oneof![
        6 => (0..TRANSACTIONS, any).prop_map(|(who, action)| Step { who: Some(who), action }),
        1 => write().prop_map(|action| Step { who: None, action }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn transactions_are_isolated(steps in prop::collection::vec(step(), 1..150)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}

type Waiting = Pin<Box<dyn Future<Output = Answer>>>;

async fn run(steps: Vec<Step>) {
    let bench = Bench::new().await;
    let index = crate::IndexDefinition::parse(&doc! { "n": 1 }, None, false).unwrap();
    bench.database.create_index(&bench.collection, index).await.unwrap();
    let mut model = Model::default();
    let mut transactions: BTreeMap<usize, Transaction> = BTreeMap::new();
    let mut parked: Vec<(usize, Waiting)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let expected = model.take(number, step);
        let mut answer: Waiting = match step.who {
            None => Box::pin(plain(bench.database.clone(), bench.collection.clone(), step.action)),
            Some(who) => {
                let transaction = match transactions.remove(&who) {
                    Some(transaction) => transaction,
                    None => bench.database.begin(&format!("{who}-{number}")).await.unwrap(),
                };
                if model.open.contains_key(&who) {
                    transactions.insert(who, transaction.clone());
                }
                Box::pin(inside(transaction, bench.collection.clone(), step.action))
            }
        };
        match expected {
            Some(expected) => assert_eq!(answer.await, expected, "step {number}"),
            None => {
                assert!(poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_pending())).await);
                parked.push((number, answer));
            }
        }
        assert_eq!(all(&bench).await, model.committed, "after step {number}");
        for n in 0..4 {
            let request = FindRequest { filter: filter(doc! { "n": n }), ..bench.everything() };
            let found = content(bench.database.find(request).await.unwrap());
            let expected: Content = model.committed.iter().filter(|(_, m)| **m == n).map(|(id, m)| (*id, *m)).collect();
            assert_eq!(found, expected, "through the index, after step {number}");
        }
    }
    for who in model.open.keys().copied().collect::<Vec<_>>() {
        model.take(usize::MAX, &Step { who: Some(who), action: Action::Abort });
        transactions[&who].abort().await.unwrap();
    }
    for (number, answer) in parked {
        assert_eq!(answer.await, model.resumed[&number], "step {number}, parked");
    }
    assert_eq!(all(&bench).await, model.committed);
}

async fn all(bench: &Bench) -> Content {
    content(bench.database.find(bench.everything()).await.unwrap())
}

fn content(found: Vec<document::RawDocumentBuf>) -> Content {
    let decode = |raw: &document::RawDocumentBuf| Document::try_from(raw).unwrap();
    let pair = |document: Document| (document.get_i32("_id").unwrap(), document.get_i32("n").unwrap());
    found.iter().map(decode).map(pair).collect()
}

async fn plain(database: Database, collection: CollectionName, action: Action) -> Answer {
    answer(match action {
        Action::Insert(id) => database.insert(&collection, vec![doc! { "_id": id, "n": 0 }]).await.map(|_| 1),
        Action::Update(id, n) => database.update(update(collection, id, n)).await.map(|reply| reply.matched),
        Action::Remove(id) => database.remove(removal(collection, id)).await,
        Action::Find | Action::Commit | Action::Abort => Ok(0),
    })
}

async fn inside(transaction: Transaction, collection: CollectionName, action: Action) -> Answer {
    answer(match action {
        Action::Insert(id) => transaction.insert(&collection, vec![doc! { "_id": id, "n": 0 }]).await.map(|_| 1),
        Action::Update(id, n) => transaction.update(update(collection, id, n)).await.map(|reply| reply.matched),
        Action::Remove(id) => transaction.remove(removal(collection, id)).await,
        Action::Find => return Answer::Found(content(transaction.find(everything(collection)).await.unwrap())),
        Action::Commit => transaction.commit().await.map(|()| 0),
        Action::Abort => transaction.abort().await.map(|()| 0),
    })
}

fn answer(result: Result<u64, DatabaseError>) -> Answer {
    match result {
        Ok(count) => Answer::Count(count),
        Err(DatabaseError::DuplicateKey { .. }) => Answer::Duplicate,
        Err(DatabaseError::TransactionConflict) => Answer::Conflict,
        Err(error) => panic!("{error}"),
    }
}

fn everything(collection: CollectionName) -> FindRequest {
    FindRequest {
        collection,
        filter: Filter::all(),
        sort: sort(doc! { "n": 1 }),
        skip: 0,
        limit: None,
        projection: None,
    }
}

fn update(collection: CollectionName, id: i32, n: i32) -> UpdateRequest {
    let update = query::Update::parse(&doc! { "$set": { "n": n } }).unwrap();
    UpdateRequest { collection, filter: with_id(id), update, multi: false, upsert: None, return_document: false }
}

fn removal(collection: CollectionName, id: i32) -> RemoveRequest {
    RemoveRequest { collection, filter: with_id(id), multi: true }
}

/// Snapshot isolation, first writer wins, with copies of everything.
#[derive(Default)]
struct Model {
    committed: Content,
    /// Counts commits.
    time: usize,
    /// When a document, or which document has an id, last became different.
    document_changed: BTreeMap<i32, usize>,
    id_changed: BTreeMap<i32, usize>,
    open: BTreeMap<usize, Open>,
    /// Plain writes that wait, by step, in order.
    parked: Vec<(usize, Action)>,
    /// How they were answered.
    resumed: BTreeMap<usize, Answer>,
}

#[derive(Default)]
struct Open {
    time: usize,
    sees: Content,
    /// What is held, and written unless it is as it was.
    documents: BTreeSet<i32>,
    ids: BTreeSet<i32>,
    written: BTreeSet<i32>,
}

impl Model {
    /// The answer to a step; `None` if it is parked.
    fn take(&mut self, number: usize, step: &Step) -> Option<Answer> {
        let Some(who) = step.who else {
            let answer = self.plain(step.action);
            if answer.is_none() {
                self.parked.push((number, step.action));
            }
            return answer;
        };
        let (time, sees) = (self.time, &self.committed);
        self.open.entry(who).or_insert_with(|| Open { time, sees: sees.clone(), ..Open::default() });
        let answer = self.inside(who, step.action);
        if matches!(answer, Answer::Duplicate | Answer::Conflict) {
            self.open.remove(&who);
        }
        self.resume();
        Some(answer)
    }

    fn inside(&mut self, who: usize, action: Action) -> Answer {
        match action {
            Action::Find => Answer::Found(self.open[&who].sees.clone()),
            Action::Insert(id) => {
                if !self.claim(who, id, true) {
                    return Answer::Conflict;
                }
                let open = self.open.get_mut(&who).unwrap();
                if open.sees.contains_key(&id) {
                    return Answer::Duplicate;
                }
                open.documents.insert(id);
                open.written.insert(id);
                open.sees.insert(id, 0);
                Answer::Count(1)
            }
            Action::Update(id, n) => match self.open[&who].sees.contains_key(&id) {
                false => Answer::Count(0),
                true if !self.claim(who, id, false) => Answer::Conflict,
                true => {
                    let open = self.open.get_mut(&who).unwrap();
                    if open.sees.insert(id, n) != Some(n) {
                        open.written.insert(id);
                    }
                    Answer::Count(1)
                }
            },
            Action::Remove(id) => match self.open[&who].sees.contains_key(&id) {
                false => Answer::Count(0),
                true if !self.claim(who, id, false) || !self.claim(who, id, true) => Answer::Conflict,
                true => {
                    let open = self.open.get_mut(&who).unwrap();
                    open.sees.remove(&id);
                    open.written.insert(id);
                    Answer::Count(1)
                }
            },
            Action::Commit => {
                let open = self.open.remove(&who).unwrap();
                self.commit(&open);
                Answer::Count(0)
            }
            Action::Abort => {
                self.open.remove(&who);
                Answer::Count(0)
            }
        }
    }

    /// Takes the document of an id, or the id itself. Returns whether nobody else was first.
    fn claim(&mut self, who: usize, id: i32, of_id: bool) -> bool {
        let held = |open: &Open| if of_id { open.ids.contains(&id) } else { open.documents.contains(&id) };
        let changed = if of_id { &self.id_changed } else { &self.document_changed };
        let own = held(&self.open[&who]);
        let others = self.open.iter().any(|(other, open)| *other != who && held(open));
        if others || (!own && changed.get(&id).is_some_and(|time| *time > self.open[&who].time)) {
            return false;
        }
        let open = self.open.get_mut(&who).unwrap();
        if of_id {
            open.ids.insert(id)
        } else {
            open.documents.insert(id)
        };
        true
    }

    fn commit(&mut self, open: &Open) {
        self.time += 1;
        for id in &open.written {
            let (before, after) = (self.committed.get(id).copied(), open.sees.get(id).copied());
            if before.is_none() && after.is_none() {
                continue;
            }
            self.document_changed.insert(*id, self.time);
            if open.ids.contains(id) {
                self.id_changed.insert(*id, self.time);
            }
            match after {
                Some(n) => self.committed.insert(*id, n),
                None => self.committed.remove(id),
            };
        }
    }

    /// `None` if a transaction holds what is to be written.
    fn plain(&mut self, action: Action) -> Option<Answer> {
        let (id, after) = match action {
            Action::Insert(id) if self.open.values().any(|open| open.ids.contains(&id)) => return None,
            Action::Insert(id) if self.committed.contains_key(&id) => return Some(Answer::Duplicate),
            Action::Insert(id) => (id, Some(0)),
            Action::Update(id, _) | Action::Remove(id) if !self.committed.contains_key(&id) => {
                return Some(Answer::Count(0));
            }
            Action::Update(id, _) | Action::Remove(id)
                if self.open.values().any(|open| open.documents.contains(&id)) =>
            {
                return None;
            }
            Action::Remove(id) if self.open.values().any(|open| open.ids.contains(&id)) => return None,
            Action::Update(id, n) => (id, Some(n)),
            Action::Remove(id) => (id, None),
            Action::Find | Action::Commit | Action::Abort => return Some(Answer::Count(0)),
        };
        if self.committed.get(&id).copied() != after {
            let was = self.committed.contains_key(&id);
            let mut open = Open { written: [id].into(), ..Open::default() };
            open.sees.extend(after.map(|n| (id, n)));
            open.ids.extend((was != after.is_some()).then_some(id));
            self.commit(&open);
        }
        Some(Answer::Count(1))
    }

    fn resume(&mut self) {
        for (number, action) in std::mem::take(&mut self.parked) {
            match self.plain(action) {
                Some(answer) => drop(self.resumed.insert(number, answer)),
                None => self.parked.push((number, action)),
            }
        }
    }
}

const ACCOUNTS: i32 = 8;
const BALANCE: i32 = 100;

/// Sixteen move money about, reading first and then writing what they computed; others add to the same documents without a
/// transaction, and somebody looks at the whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn money_is_neither_lost_nor_made() {
    let bench = Bench::with(Durability::Process).await;
    bench.insert((0..ACCOUNTS).map(|id| doc! { "_id": id, "n": BALANCE, "visits": 0 }).collect()).await;
    let mut clients = JoinSet::new();
    for client in 0..TRANSACTIONS {
        let (database, collection) = (bench.database.clone(), bench.collection.clone());
        clients.spawn(async move { move_money(&database, &collection, client).await });
    }
    let mut visitors = JoinSet::new();
    for visitor in 0..4 {
        let (database, collection) = (bench.database.clone(), bench.collection.clone());
        visitors.spawn(async move { visit(&database, &collection, visitor).await });
    }
    while !clients.is_empty() {
        let seen = all(&bench).await;
        assert_eq!(seen.values().sum::<i32>(), ACCOUNTS * BALANCE, "{seen:?}");
        while let Some(done) = clients.try_join_next() {
            done.unwrap();
        }
    }
    let visits: i32 = visitors.join_all().await.into_iter().sum();
    let counted: i32 = bench.all().await.iter().map(|account| account.get_i32("visits").unwrap()).sum();
    assert_eq!(counted, visits);
    assert_eq!(all(&bench).await.values().sum::<i32>(), ACCOUNTS * BALANCE);
}

async fn move_money(database: &Database, collection: &CollectionName, client: usize) {
    for round in 0..15 {
        let from = (client * 7 + round * 3) as i32 % ACCOUNTS;
        let to = (from + 1 + (client + round) as i32 % (ACCOUNTS - 1)) % ACCOUNTS;
        for attempt in 0.. {
            let transaction = database.begin(&format!("{client}-{round}-{attempt}")).await.unwrap();
            match transfer(&transaction, collection, from, to).await {
                Ok(()) => break,
                Err(DatabaseError::TransactionConflict) => {
                    tokio::time::sleep(Duration::from_millis(client as u64)).await
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

async fn transfer(
    transaction: &Transaction,
    collection: &CollectionName,
    from: i32,
    to: i32,
) -> Result<(), DatabaseError> {
    let both = filter(doc! { "_id": { "$in": [from, to] } });
    let found = content(transaction.find(FindRequest { filter: both, ..everything(collection.clone()) }).await?);
    transaction.update(update(collection.clone(), from, found[&from] - 1)).await?;
    transaction.update(update(collection.clone(), to, found[&to] + 1)).await?;
    let seen = content(transaction.find(everything(collection.clone())).await?);
    assert_eq!(seen.values().sum::<i32>(), ACCOUNTS * BALANCE, "inside: {seen:?}");
    transaction.commit().await
}

/// Returns how many accounts it visited.
async fn visit(database: &Database, collection: &CollectionName, visitor: i32) -> i32 {
    let mut visits = 0;
    for round in 0..30 {
        let visited = if round % 5 == 0 { Filter::all() } else { with_id((visitor + round) % ACCOUNTS) };
        let update = query::Update::parse(&doc! { "$inc": { "visits": 1 } }).unwrap();
        let request = UpdateRequest { filter: visited, update, multi: true, ..update_nothing(collection) };
        match database.update(request).await {
            Ok(reply) => visits += reply.matched as i32,
            Err(error) => assert_eq!(error, DatabaseError::TransactionConflict), // it waited in vain
        }
    }
    visits
}

fn update_nothing(collection: &CollectionName) -> UpdateRequest {
    update(collection.clone(), -1, 0)
}
