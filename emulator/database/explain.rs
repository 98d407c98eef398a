//! How a query is answered: which index, how much is looked at, and what would make it faster. Measured by running it.

use std::time::{Duration, Instant};

use query::{Filter, Sort};

use crate::index::Shape;
use crate::plan::{Examined, Plan};
use crate::read::{self, View};
use crate::store::CollectionId;
use crate::{CollectionName, DatabaseError, FindRequest};

/// From how long on a query is logged as slow.
const SLOW: Duration = Duration::from_millis(100);

/// How a query is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The index that is used; several, joined by commas, for the branches of an `$or`; `COLLSCAN` for none.
    pub index: String,
    /// How many entries of indexes were looked at.
    pub keys_examined: u64,
    /// How many documents were looked at.
    pub documents_examined: u64,
    /// How many documents were found.
    pub returned: u64,
    /// Whether the documents had to be put in order after they were found.
    pub sorted_in_memory: bool,
    /// Which index would have helped.
    pub advice: Option<String>,
}

/// Answers a query and tells how.
pub(crate) fn explain(
    view: &View,
    collection: CollectionId,
    plan: &Plan,
    request: &FindRequest,
) -> Result<Explanation, DatabaseError> {
    let (page, examined) = read::page_examined(view, collection, plan, request)?;
    let Examined { keys, documents } = examined;
    let shape = Shape::of(&request.filter, request.sort.as_ref(), request.limit.is_some());
    Ok(Explanation {
        index: plan.index_name(),
        keys_examined: keys,
        documents_examined: documents,
        returned: page.len() as u64,
        sorted_in_memory: !plan.keeps_order(request.sort.as_ref()),
        advice: shape.advice(plan),
    })
}

/// A query while it runs: if that takes long, it is logged, with advice.
pub(crate) struct Stopwatch {
    begin: Instant,
    collection: CollectionName,
}

impl Stopwatch {
    pub(crate) fn start(collection: &CollectionName) -> Stopwatch {
        Stopwatch { begin: Instant::now(), collection: collection.clone() }
    }

    pub(crate) fn stop(self, plan: &Plan, filter: &Filter, sort: Option<&Sort>, paged: bool) {
        let elapsed = self.begin.elapsed();
        if elapsed < SLOW {
            return;
        }
        let (shape, index) = (Shape::of(filter, sort, paged), plan.index_name());
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let advice = shape.advice(plan).unwrap_or_default();
        tracing::warn!(collection = %self.collection, filter = %shape, index, milliseconds, advice, "slow query");
    }
}
