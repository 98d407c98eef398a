//! Watches as their clients hold them: numbered events, a memory of what was sent, and a life of some minutes beyond the
//! client's connection, so that one that comes back is told everything it missed, once (protocol §4.4).
//! The words are `actions/watch.rs`'s, the differences `database`'s.

mod history;

use crate::access::{self, Asker, CollectionRules, Operation, Readable, Subject, Written};
use crate::actions::watch::{Asked, append_events, as_watch_told, initial_events, request, withhold};
use crate::caller::Caller;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::register::Entries;
use database::{CollectionName, Watch, WatchEvents};
use document::{Document, DocumentRef};
use history::History;
use query::Filter;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// How long a watch that nobody holds is kept.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// The watches of an emulator, held or kept. A cheap handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    sessions: Arc<Mutex<HashMap<String, Arc<Mutex<Session>>>>>,
}

/// A watch, held by one connection. Dropped, it is kept for some minutes, for [`Environment::resume_watch`].
pub struct HeldWatch {
    query_id: String,
    session: Arc<Mutex<Session>>,
    /// Equal to the session's as long as no other connection holds it.
    holding: u64,
    environment: Environment,
}

/// Events as clients read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsText {
    /// The id of the last event that was sent, these included.
    pub current: u64,
    /// A JSON array.
    pub events: String,
}

/// What a held watch yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// What one commit changed.
    Events(EventsText),
    /// It is over; nothing follows.
    Ended(ActionError),
    /// Another connection holds it now; nothing follows.
    Taken,
}

#[derive(Debug)]
struct Session {
    /// Whose it is: nobody else may resume it.
    environment: Arc<str>,
    caller: Caller,
    collection: CollectionName,
    /// What the caller could read of the collection at the beginning.
    readable: Readable,
    /// The permissions under which that was last found to be so still.
    checked: Arc<Entries>,
    /// What was asked for, as rules are asked about it, and as documents are compared with it.
    query: Document,
    filter: Filter,
    watch: Watch,
    /// Events that came, while the rules are asked about them; what comes out may be sent.
    asking: Option<JoinHandle<Result<Arc<WatchEvents>, ActionError>>>,
    history: History,
    holding: u64,
}

impl Environment {
    /// Begins a watch with the params of INIT_WATCH: the first documents, as the events of INIT_EVENT.
    pub async fn watch(
        &self,
        caller: &Caller,
        params: Map<String, Value>,
    ) -> Result<(HeldWatch, EventsText), ActionError> {
        let checked = self.register.entries();
        let Asked { request, query } = request(self, caller, params).await?;
        let (collection, filter) = (request.collection.clone(), request.filter.clone());
        let readable = access::readable(&checked, caller, &collection);
        let mut watch = self.database.watch(request).await?;
        let history = History::default();
        let first = EventsText { current: history.current(), events: initial_events(&watch.take_initial()) };
        let (environment, caller) = (self.name.clone(), caller.clone());
        let session = Session {
            environment,
            caller,
            collection,
            readable,
            checked,
            query,
            filter,
            watch,
            asking: None,
            history,
            holding: 0,
        };
        let (query_id, session) = self.shared.watches.add(session);
        Ok((HeldWatch { query_id, session, holding: 0, environment: self.clone() }, first))
    }

    /// Takes a watch up again: everything after the event `seen`, each thing once. Whoever held it loses it.
    pub fn resume_watch(
        &self,
        caller: &Caller,
        query_id: &str,
        seen: u64,
    ) -> Result<(HeldWatch, EventsText), ActionError> {
        let unknown = || {
            let message = format!("there is no watch `{query_id}` that can go on after event {seen}: watch again");
            ActionError::new(codes::QUERYID_INVALID_ERROR, message)
        };
        let session = self.shared.watches.find(query_id).ok_or_else(unknown)?;
        let mut open = lock(&session);
        if open.environment != self.name || open.caller.user != caller.user || open.caller.door != caller.door {
            return Err(unknown());
        }
        open.check_readable(self)?;
        open.receive_all()?;
        let missed = open.history.after(seen).ok_or_else(unknown)?;
        open.holding += 1;
        let (holding, current) = (open.holding, open.history.current());
        drop(open);
        let mut events = "[".to_owned();
        missed.iter().for_each(|(id, missed)| append_events(*id, missed, &mut events));
        events.push(']');
        let held = HeldWatch { query_id: query_id.to_owned(), session, holding, environment: self.clone() };
        Ok((held, EventsText { current, events }))
    }
}

impl HeldWatch {
    /// The name it can be resumed by.
    pub fn query_id(&self) -> &str {
        &self.query_id
    }

    /// The id of the last event that was sent; `None` if it was taken.
    pub fn current(&self) -> Option<u64> {
        let session = lock(&self.session);
        (session.holding == self.holding).then(|| session.history.current())
    }

    /// What happens next. What is yielded counts as sent.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Watched> {
        let mut session = lock(&self.session);
        if session.holding != self.holding {
            return Poll::Ready(Watched::Taken);
        }
        let Poll::Ready(received) = session.poll_allowed(&self.environment, context) else { return Poll::Pending };
        let checked = session.check_readable(&self.environment).and(received);
        match checked {
            Ok(events) => Poll::Ready(Watched::Events(session.number(events))),
            Err(error) => {
                session.holding += 1;
                drop(session);
                self.environment.shared.watches.remove(&self.query_id);
                Poll::Ready(Watched::Ended(error))
            }
        }
    }

    /// Ends it: it cannot be resumed.
    pub fn close(self) {
        let mut session = lock(&self.session);
        if session.holding == self.holding {
            session.holding += 1;
            drop(session);
            self.environment.shared.watches.remove(&self.query_id);
        }
    }
}

impl Drop for HeldWatch {
    fn drop(&mut self) {
        if self.current().is_some() {
            self.environment.shared.watches.keep(&self.query_id, self.holding);
        }
    }
}

impl Session {
    /// Permission is checked for every event: what the caller may read must be what it was at the beginning.
    fn check_readable(&mut self, environment: &Environment) -> Result<(), ActionError> {
        let entries = environment.register.entries();
        if Arc::ptr_eq(&entries, &self.checked) {
            return Ok(());
        }
        if access::readable(&entries, &self.caller, &self.collection) == self.readable {
            self.checked = entries;
            return Ok(());
        }
        let message = format!("the permissions of `{}` were changed: watch again", self.collection);
        Err(ActionError::new(codes::COLLECTION_PERMISSION_DENIED, message))
    }

    /// The next events, as far as the rules let the caller know of them.
    fn poll_allowed(
        &mut self,
        environment: &Environment,
        context: &mut Context<'_>,
    ) -> Poll<Result<Arc<WatchEvents>, ActionError>> {
        if self.asking.is_none() {
            let events = std::task::ready!(self.watch.poll_next(context))?;
            let Readable::Rules(rules) = &self.readable else { return Poll::Ready(Ok(events)) };
            let question = Question {
                environment: environment.clone(),
                caller: self.caller.clone(),
                collection: self.collection.clone(),
                rules: rules.clone(),
                query: self.query.clone(),
                filter: self.filter.clone(),
            };
            self.asking = Some(tokio::spawn(async move { question.allowed(events).await }));
        }
        let Some(asking) = &mut self.asking else { return Poll::Pending };
        let answer = std::task::ready!(Pin::new(asking).poll(context));
        self.asking = None;
        Poll::Ready(answer.unwrap_or_else(|error| Err(ActionError::new(codes::SYS_ERR, error.to_string()))))
    }

    /// Takes in everything that is there. Under rules it is left to be polled for, since they are asked about it first.
    fn receive_all(&mut self) -> Result<(), ActionError> {
        if matches!(self.readable, Readable::Rules(_)) {
            return Ok(());
        }
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(events) = self.watch.poll_next(&mut context) {
            self.history.add(events?);
        }
        Ok(())
    }

    fn number(&mut self, events: Arc<WatchEvents>) -> EventsText {
        let current = self.history.add(events.clone());
        let mut text = "[".to_owned();
        append_events(current, &events, &mut text);
        text.push(']');
        EventsText { current, events: text }
    }
}

impl Watches {
    fn add(&self, session: Session) -> (String, Arc<Mutex<Session>>) {
        let query_id = Uuid::new_v4().simple().to_string();
        let session = Arc::new(Mutex::new(session));
        lock(&self.sessions).insert(query_id.clone(), session.clone());
        (query_id, session)
    }

    fn find(&self, query_id: &str) -> Option<Arc<Mutex<Session>>> {
        lock(&self.sessions).get(query_id).cloned()
    }

    fn remove(&self, query_id: &str) {
        let removed = lock(&self.sessions).remove(query_id);
        drop(removed); // no longer under the lock
    }

    /// Lets a watch go that nobody holds any more, unless it is taken up again in time.
    fn keep(&self, query_id: &str, holding: u64) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return self.remove(query_id) };
        let (watches, query_id) = (self.clone(), query_id.to_owned());
        runtime.spawn(async move {
            tokio::time::sleep(KEPT).await;
            if watches.find(&query_id).is_some_and(|session| lock(&session).holding == holding) {
                watches.remove(&query_id);
            }
        });
    }
}

/// What the rules are asked before a user is told of events.
struct Question {
    environment: Environment,
    caller: Caller,
    collection: CollectionName,
    rules: Written<CollectionRules>,
    query: Document,
    filter: Filter,
}

impl Question {
    /// `events`, without the documents that have left the query and the rule with it. The query must lie inside the rule as it
    /// did at the beginning: what `get()` finds may have changed, and `now` has.
    async fn allowed(&self, events: Arc<WatchEvents>) -> Result<Arc<WatchEvents>, ActionError> {
        let now = self.environment.shared.clock.now();
        let asker = Asker::of(&self.environment, &self.caller, &self.collection, &self.rules, now);
        asker.check(Operation::Read, Subject::Query(&self.query), None).await.map_err(as_watch_told)?;
        let mut hidden = Vec::new();
        for (place, event) in events.events().iter().enumerate() {
            if !self.filter.matches(DocumentRef::Raw(&event.document))? && !asker.may_read(&event.document).await? {
                hidden.push(place);
            }
        }
        Ok(if hidden.is_empty() { events } else { withhold(&events, &hidden) })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole after every operation.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
