//! What a client was sent: the last events as they were, and of many more which documents came and went, so that a client
//! that missed more than is kept is told the difference instead. Both are bounded.

use database::{DataType, QueueType, WatchEvent, WatchEvents};
use document::RawDocumentBuf;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// How much is kept whole: so many commits, and about so many bytes of documents.
const COMMITS_MAX: usize = if cfg!(test) { 4 } else { 1_000 };
const BYTES_MAX: usize = 4 << 20;

/// Of how many single events it is known what they did to the list.
const STEPS_MAX: usize = if cfg!(test) { 16 } else { 50_000 };

/// The id that a client has after INIT_EVENT.
const FIRST: u64 = 1;

/// What was sent, in order.
#[derive(Debug)]
pub(super) struct History {
    current: u64,
    whole: VecDeque<(u64, Arc<WatchEvents>)>,
    /// Of the documents in `whole`.
    bytes: usize,
    steps: VecDeque<Step>,
    /// Every step after this event is in `steps`.
    known_after: u64,
    /// The documents that `steps` speak of, as the client knows them if it has seen everything.
    documents: HashMap<u64, Latest>,
}

/// What one event did.
#[derive(Debug)]
struct Step {
    id: u64,
    record: u64,
    queue: QueueType,
}

#[derive(Debug)]
struct Latest {
    document: Arc<RawDocumentBuf>,
    /// Whether the client has it, and why it was told last.
    queue: QueueType,
    data: DataType,
    /// How many steps speak of it.
    steps: usize,
}

/// Events, each commit's with its id.
pub(super) type Numbered = Vec<(u64, Arc<WatchEvents>)>;

impl Default for History {
    fn default() -> History {
        History {
            current: FIRST,
            whole: VecDeque::new(),
            bytes: 0,
            steps: VecDeque::new(),
            known_after: FIRST,
            documents: HashMap::new(),
        }
    }
}

impl History {
    /// The id of the last event.
    pub(super) fn current(&self) -> u64 {
        self.current
    }

    /// Adds what is sent next, and returns its id.
    pub(super) fn add(&mut self, events: Arc<WatchEvents>) -> u64 {
        self.current += 1;
        for event in events.events() {
            self.add_step(event);
        }
        self.bytes += weight(&events);
        self.whole.push_back((self.current, events));
        self.trim();
        self.current
    }

    /// Everything after the event `seen`; `None` if that is not known. What is given counts as sent: if it is a difference,
    /// the numbers go on from it.
    pub(super) fn after(&mut self, seen: u64) -> Option<Numbered> {
        if seen > self.current || seen < FIRST {
            return None;
        }
        let is_whole = self.whole.front().map_or(seen == self.current, |(first, _)| *first <= seen + 1);
        if is_whole {
            return Some(self.whole.iter().filter(|(id, _)| *id > seen).cloned().collect());
        }
        if seen < self.known_after {
            return None;
        }
        let difference = self.difference(seen);
        *self = History { current: seen, known_after: seen, ..History::default() };
        if !difference.is_empty() {
            self.add(WatchEvents::new(difference));
        }
        Some(self.whole.iter().cloned().collect())
    }

    fn add_step(&mut self, event: &WatchEvent) {
        self.steps.push_back(Step { id: self.current, record: event.record, queue: event.queue });
        let steps = self.documents.get(&event.record).map_or(0, |latest| latest.steps) + 1;
        let latest = Latest { document: event.document.clone(), queue: event.queue, data: event.data, steps };
        self.documents.insert(event.record, latest);
    }

    fn trim(&mut self) {
        while self.whole.len() > COMMITS_MAX || (self.bytes > BYTES_MAX && self.whole.len() > 1) {
            let Some((_, events)) = self.whole.pop_front() else { break };
            self.bytes -= weight(&events);
        }
        if self.steps.len() > STEPS_MAX {
            self.forget_steps();
        }
    }

    /// The older half, whole commits at a time.
    fn forget_steps(&mut self) {
        let Some(last) = self.steps.get(STEPS_MAX / 2).map(|step| step.id) else { return };
        self.known_after = last;
        while let Some(step) = self.steps.pop_front_if(|step| step.id <= last) {
            if let Some(latest) = self.documents.get_mut(&step.record) {
                latest.steps -= 1;
                if latest.steps == 0 {
                    self.documents.remove(&step.record);
                }
            }
        }
    }

    /// Whether the client had a document at `seen` is told by the first step after it, what it has now by the last.
    fn difference(&self, seen: u64) -> Vec<WatchEvent> {
        let mut first = BTreeMap::new();
        for step in self.steps.iter().filter(|step| step.id > seen) {
            first.entry(step.record).or_insert(step.queue);
        }
        let moved = first.into_iter().filter_map(|(record, queue)| {
            let latest = self.documents.get(&record)?;
            let (queue, data) = match (queue != QueueType::Enqueue, latest.queue != QueueType::Dequeue) {
                (false, false) => return None,
                (true, false) => (QueueType::Dequeue, latest.data),
                (false, true) => (QueueType::Enqueue, DataType::Add),
                (true, true) => (QueueType::Update, DataType::Replace),
            };
            Some(WatchEvent { queue, data, record, document: latest.document.clone(), changes: None })
        });
        let mut events: Vec<WatchEvent> = moved.collect();
        events.sort_by_key(|event| event.queue != QueueType::Dequeue);
        events
    }
}

fn weight(events: &WatchEvents) -> usize {
    events.events().iter().map(|event| event.document.as_bytes().len()).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::collections::BTreeSet;

    /// A client that stopped at any event and comes back has what one has that missed nothing; the numbers have no gap.
    #[test]
    fn who_comes_back_is_told_everything() {
        for seen in 1..=40 {
            let mut history = History::default();
            let mut list = BTreeSet::new();
            let mut then = BTreeSet::new();
            for number in 0..39 {
                if history.current() == seen {
                    then = list.clone();
                }
                let events = commit(number, &list);
                apply(&mut list, &events);
                assert_eq!(history.add(WatchEvents::new(events)), number + 2);
            }
            if history.current() == seen {
                then = list.clone();
            }
            let known_after = history.known_after;
            for _ in 0..2 {
                check(&mut history, seen, known_after, then.clone(), &list);
            }
        }
    }

    fn check(history: &mut History, seen: u64, known_after: u64, mut then: BTreeSet<u64>, now: &BTreeSet<u64>) {
        match history.after(seen) {
            None => assert!(seen < known_after),
            Some(missed) => {
                assert!(seen >= known_after);
                let ids: Vec<u64> = missed.iter().map(|(id, _)| *id).collect();
                assert_eq!(ids, (seen + 1..=history.current()).collect::<Vec<_>>());
                missed.iter().for_each(|(_, events)| apply(&mut then, events.events()));
                assert_eq!(then, *now, "after {seen}");
            }
        }
    }

    #[test]
    fn events_that_were_not_sent_are_unknown() {
        let mut history = History::default();
        assert!(history.after(0).is_none());
        assert_eq!(history.after(1).map(|missed| missed.len()), Some(0));
        assert!(history.after(2).is_none());
    }

    fn commit(number: u64, list: &BTreeSet<u64>) -> Vec<WatchEvent> {
        let records = BTreeSet::from([number * 7 % 5, number * 3 % 5]);
        let events = records.into_iter().map(|record| match (list.contains(&record), number % 3) {
            (true, 0) => event(record, QueueType::Dequeue, DataType::Remove),
            (true, _) => event(record, QueueType::Update, DataType::Update),
            (false, _) => event(record, QueueType::Enqueue, DataType::Add),
        });
        events.collect()
    }

    fn event(record: u64, queue: QueueType, data: DataType) -> WatchEvent {
        WatchEvent { queue, data, record, document: Arc::new(RawDocumentBuf::new()), changes: None }
    }

    fn apply(list: &mut BTreeSet<u64>, events: &[WatchEvent]) {
        for event in events {
            match event.queue {
                QueueType::Enqueue => assert!(list.insert(event.record)),
                QueueType::Dequeue => assert!(list.remove(&event.record)),
                QueueType::Update => assert!(list.contains(&event.record)),
            }
        }
    }
}
