//! Runs `tests/cases/transaction`: schedules of transactions and plain requests, one step after the other.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use document::{Bson, DateTime, decode_document};
use query::{Filter, Sort, Update};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::support::{self, Schedule, ScheduleAction, ScheduleStep};
use super::{Bench, name};
use crate::{CollectionName, DatabaseError, FindRequest, RemoveRequest, Transaction, UpdateRequest};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

/// Longer than any wait that is meant to end.
const STUCK: Duration = Duration::from_secs(20);

#[tokio::test]
async fn schedules() {
    let mut failures = Vec::new();
    let mut names = Vec::new();
    for page in support::schedule_pages(Path::new(CASES)) {
        for schedule in &page.cases {
            names.push(format!("{}: {}", page.name, schedule.name));
            for in_fork in [false, true] {
                if let Err(failure) = run(schedule, in_fork).await {
                    failures.push(format!("{}: {}, in a fork: {in_fork}: {failure}", page.name, schedule.name));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(names.len() >= 60, "{} schedules", names.len());
    names.sort();
    assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
}

/// What a step is answered: what it found, or the name of the error.
type Answer = Result<Value, String>;
type Waiting = Pin<Box<dyn Future<Output = Answer>>>;

/// In a collection of its own, or in one that lies over another one.
async fn run(schedule: &Schedule, in_fork: bool) -> Result<(), String> {
    let mut bench = Bench::new().await;
    bench.insert(schedule.documents.iter().map(document).collect()).await;
    if in_fork {
        bench.store.fork("env", "fork").await.unwrap();
        bench.database = bench.store.database("fork").unwrap();
    }
    let mut transactions = BTreeMap::new();
    let mut parked: Vec<(usize, Waiting)> = Vec::new();
    for (number, step) in schedule.steps.iter().enumerate() {
        let mut answer = begin(&bench, &mut transactions, step);
        if step.parked {
            if is_answered(&bench, &mut answer).await {
                return Err(format!("step {number} was not parked"));
            }
            parked.push((number, answer));
        } else {
            check(number, step, answer).await?;
        }
    }
    for (number, answer) in parked {
        check(number, &schedule.steps[number], answer).await?;
    }
    let after: Vec<_> = bench.all().await;
    let expected: Vec<_> = schedule.after.iter().map(document).collect();
    if after == expected { Ok(()) } else { Err(format!("afterwards {after:?}, expected {expected:?}")) }
}

/// Whether the writer has answered by the time it has answered what was asked after it.
async fn is_answered(bench: &Bench, answer: &mut Waiting) -> bool {
    let mut answered = false;
    for _ in 0..2 {
        answered |= poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_ready())).await;
        bench.store.shared.writer.run("env".into(), |_| Ok(())).await.unwrap();
    }
    answered
}

async fn check(number: usize, step: &ScheduleStep, answer: Waiting) -> Result<(), String> {
    let answer = timeout(STUCK, answer).await.map_err(|_| format!("step {number} was never answered"))?;
    let expected = match (&step.error, &step.expect) {
        (Some(error), _) => Err(error.clone()),
        (None, Some(value)) => Ok(value.clone()),
        (None, None) => Ok(answer.clone().unwrap_or_default()),
    };
    if answer == expected { Ok(()) } else { Err(format!("step {number}: {answer:?}, expected {expected:?}")) }
}

/// Asks for a step, once it is polled.
fn begin(bench: &Bench, transactions: &mut BTreeMap<String, Transaction>, step: &ScheduleStep) -> Waiting {
    let database = bench.database.clone();
    let step = step.clone();
    let Some(id) = step.transaction.clone() else {
        return Box::pin(async move { in_none(&database, &step).await.map_err(|error| name_of(&error)) });
    };
    let transaction = transactions.entry(id.clone()).or_insert_with(|| database.transaction(&id)).clone();
    Box::pin(async move {
        let answer = match step.action {
            ScheduleAction::Begin => database.begin(&id).await.map(|_| Value::Null),
            _ => inside(&transaction, &step).await,
        };
        answer.map_err(|error| name_of(&error))
    })
}

async fn in_none(database: &crate::Database, step: &ScheduleStep) -> Result<Value, DatabaseError> {
    match step.action {
        ScheduleAction::Get => database.find(find(step)).await.map(|found| json(found).first().cloned().into()),
        ScheduleAction::Find => database.find(find(step)).await.map(|found| json(found).into()),
        ScheduleAction::Count => database.count(&collection(step), filter(step)).await.map(Value::from),
        ScheduleAction::Insert => database.insert(&collection(step), documents(step)).await.map(|_| Value::Null),
        ScheduleAction::Update | ScheduleAction::Set => {
            database.update(update(step)).await.map(|reply| reply.matched.into())
        }
        ScheduleAction::Remove => database.remove(removal(step)).await.map(Value::from),
        ScheduleAction::Begin | ScheduleAction::Commit | ScheduleAction::Abort => panic!("{step:?} in no transaction"),
    }
}

async fn inside(transaction: &Transaction, step: &ScheduleStep) -> Result<Value, DatabaseError> {
    match step.action {
        ScheduleAction::Get => transaction.find(find(step)).await.map(|found| json(found).first().cloned().into()),
        ScheduleAction::Find => transaction.find(find(step)).await.map(|found| json(found).into()),
        ScheduleAction::Count => transaction.count(&collection(step), filter(step)).await.map(Value::from),
        ScheduleAction::Insert => transaction.insert(&collection(step), documents(step)).await.map(|_| Value::Null),
        ScheduleAction::Update | ScheduleAction::Set => {
            transaction.update(update(step)).await.map(|reply| reply.matched.into())
        }
        ScheduleAction::Remove => transaction.remove(removal(step)).await.map(Value::from),
        ScheduleAction::Commit => transaction.commit().await.map(|()| Value::Null),
        ScheduleAction::Abort => transaction.abort().await.map(|()| Value::Null),
        ScheduleAction::Begin => panic!("{step:?} in itself"),
    }
}

/// The variant's name, which is what the schedules know of an error.
fn name_of(error: &DatabaseError) -> String {
    let shown = format!("{error:?}");
    shown.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn find(step: &ScheduleStep) -> FindRequest {
    FindRequest {
        collection: collection(step),
        filter: filter(step),
        sort: step.sort.as_ref().map(|sort| Sort::parse(&document(sort)).unwrap()),
        skip: step.skip,
        limit: step.limit,
        projection: None,
    }
}

fn update(step: &ScheduleStep) -> UpdateRequest {
    let update = match &step.update {
        Some(update) => Update::parse(&document(update)).unwrap(),
        None => Update::replacement(documents(step).remove(0)).unwrap(),
    };
    UpdateRequest {
        collection: collection(step),
        filter: filter(step),
        update,
        multi: !step.first && step.action == ScheduleAction::Update,
        upsert: (step.action == ScheduleAction::Set).then_some(Bson::Null),
        return_document: false,
    }
}

fn removal(step: &ScheduleStep) -> RemoveRequest {
    RemoveRequest { collection: collection(step), filter: filter(step), multi: !step.first }
}

fn filter(step: &ScheduleStep) -> Filter {
    match &step.id {
        Some(id) => super::filter(document(&json!({ "_id": id }))),
        None => super::filter(document(&step.query)),
    }
}

fn collection(step: &ScheduleStep) -> CollectionName {
    name(step.collection.as_deref().unwrap_or("c"))
}

fn documents(step: &ScheduleStep) -> Vec<document::Document> {
    step.documents.iter().map(document).collect()
}

fn document(json: &Value) -> document::Document {
    decode_document(json, DateTime::from_millis(0)).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn json(found: Vec<document::RawDocumentBuf>) -> Vec<Value> {
    let decode = |raw: &document::RawDocumentBuf| document::Document::try_from(raw).unwrap();
    found.iter().map(|raw| Bson::Document(decode(raw)).into_relaxed_extjson()).collect()
}
