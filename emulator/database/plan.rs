//! Where the matches of a filter are looked for: among the documents of some ids, through an index, or everywhere. An index
//! never changes what is found nor its order (semantics DB-8.06), so candidates come in insertion order, or in the order asked for.

use std::sync::Arc;

use document::{Bson, ValueRef};
use query::{Condition, Filter, KeyKind, Near, QueryError, QueryErrorKind, Sort};

use crate::DatabaseError;
use crate::index::{Access, INDEX_IDS_NAME, Merge, Nearest, Order};
use crate::record::{Record, decode_number};
use crate::store::{CollectionId, Entries, EntryKey, Index, KeyRange, Version};

/// Above this many look-ups a request is no longer a matter of microseconds.
const LOOK_UPS_SHORT: usize = 32;

/// How many entries of an index are counted at most to see whether it is better than another.
const ENTRIES_COUNTED: u64 = 100;

/// What is asked of a collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) sort: Option<&'a Sort>,
    /// How many matches are wanted at most.
    pub(crate) most: Option<u64>,
}

/// Where the matches of a filter are to be looked for.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// From the nearest to a point outwards, through a geo index.
    Near { near: Box<Near>, index: Arc<Index>, conditions: Vec<Condition> },
    /// Among the documents with these ids.
    Ids(Vec<Bson>),
    /// Through an index. `short` says that there are few entries.
    Index { access: Box<Access>, short: bool },
    /// Through several, one for each branch of an `$or`.
    Union(Vec<Access>),
    /// Everywhere.
    Scan,
}

/// Where entries are read: at a snapshot, or in a commit being drafted.
pub(crate) trait Source {
    /// The version of an entry that is seen here, removals included.
    fn look(&self, key: &EntryKey) -> Result<Option<Version>, DatabaseError>;

    /// The documents of a collection, in insertion order.
    fn scan(&mut self, collection: CollectionId) -> Result<Records, DatabaseError>;

    /// The indexes of a collection that [`Source::entries`] can be asked about. Without any, every plan that is not
    /// [`Plan::Ids`] is [`Plan::Scan`].
    fn indexes(&self, collection: CollectionId) -> Vec<Arc<Index>>;

    /// The entries of a range of an index, in key order or against it.
    fn entries(&mut self, range: &KeyRange, backward: bool) -> Result<Entries, DatabaseError>;
}

/// Documents by their record numbers.
pub(crate) type Records = Box<dyn Iterator<Item = Result<(u64, Version), DatabaseError>>>;

/// The documents a plan names, each once.
pub(crate) struct Candidates<'s, S> {
    source: &'s mut S,
    collection: CollectionId,
    walk: Walk<'s>,
    examined: Examined,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Examined {
    /// Entries of indexes.
    pub(crate) keys: u64,
    pub(crate) documents: u64,
}

enum Walk<'p> {
    /// Found in rings.
    Near(Box<Nearest<'p>>),
    /// Looked up beforehand.
    Few(std::vec::IntoIter<Record>),
    /// Read on the way.
    All(Records),
    /// Known by number.
    Records(std::vec::IntoIter<u64>),
    /// Found through an index on the way.
    Merge(Box<Merge>),
}

impl<'a> Question<'a> {
    /// All matches of a filter, in insertion order.
    pub(crate) fn all(filter: &'a Filter) -> Question<'a> {
        Question { filter, sort: None, most: None }
    }
}

impl Plan {
    /// The cheapest plan. Among indexes that bound the filter, the one with the fewest entries, as far as they are counted;
    /// then one that has the order of a page that is asked for; then the one that bounds most fields.
    pub(crate) fn of(
        source: &mut impl Source,
        collection: CollectionId,
        question: Question<'_>,
    ) -> Result<Plan, DatabaseError> {
        if let Some(near) = question.filter.near() {
            return Plan::near(source, collection, question.filter, near);
        }
        if let Some(ids) = question.filter.equality("_id") {
            return Ok(Plan::Ids(ids));
        }
        let (indexes, conditions) = (source.indexes(collection), question.filter.conditions());
        let ways = ways(collection, &indexes, &conditions, question.sort);
        let (bounded, ordered): (Vec<Access>, Vec<Access>) = ways.into_iter().partition(|way| way.bounded > 0);
        if let Some((access, entries)) = best(source, bounded, question.most.is_some())? {
            return Ok(Plan::through(access, entries, question.most));
        }
        if let Some(union) = union(source, collection, &indexes, &conditions)? {
            return Ok(Plan::Union(union));
        }
        let ordered = ordered.into_iter().next().filter(|_| question.sort.is_some() && question.most.is_some());
        Ok(ordered.map_or(Plan::Scan, |access| Plan::through(access, u64::MAX, question.most)))
    }

    /// Nearest first through the geo index on the path of a near, without which there is none (semantics DB-2.43).
    pub(crate) fn near(
        source: &mut impl Source,
        collection: CollectionId,
        filter: &Filter,
        near: &Near,
    ) -> Result<Plan, DatabaseError> {
        let usable = |index: &Arc<Index>| {
            let first = index.definition.keys.first();
            first.is_some_and(|(path, kind)| *kind == KeyKind::Geo2dsphere && path.as_str() == near.path())
        };
        match source.indexes(collection).into_iter().find(usable) {
            Some(index) => Ok(Plan::Near { near: Box::new(near.clone()), index, conditions: filter.conditions() }),
            None => {
                let message = "error processing query: planner returned error: unable to find index for $geoNear query";
                Err(QueryError { kind: QueryErrorKind::BadQuery, message: message.to_owned() }.into())
            }
        }
    }

    fn through(access: Access, entries: u64, most: Option<u64>) -> Plan {
        let in_order = access.exact && access.order != Order::None && access.keeps_ties();
        let read = if in_order { entries.min(most.unwrap_or(u64::MAX)) } else { entries };
        Plan::Index { access: Box::new(access), short: read <= LOOK_UPS_SHORT as u64 }
    }

    /// Whether it is carried out so fast that it need not leave the async threads.
    pub(crate) fn is_short(&self) -> bool {
        match self {
            Plan::Ids(ids) => ids.len() <= LOOK_UPS_SHORT,
            Plan::Index { short, .. } => *short,
            Plan::Near { .. } | Plan::Union(_) | Plan::Scan => false,
        }
    }

    /// The index that is used, for people.
    pub(crate) fn index_name(&self) -> String {
        match self {
            Plan::Ids(_) => INDEX_IDS_NAME.to_owned(),
            Plan::Near { index, .. } => index.definition.name.clone(),
            Plan::Index { access, .. } => access.index.definition.name.clone(),
            Plan::Union(ways) => {
                ways.iter().map(|way| way.index.definition.name.as_str()).collect::<Vec<_>>().join(", ")
            }
            Plan::Scan => "COLLSCAN".to_owned(),
        }
    }

    /// Whether candidates come in the order that was asked for when the plan was made.
    pub(crate) fn keeps_order(&self, sort: Option<&Sort>) -> bool {
        match self {
            Plan::Index { access, .. } if access.order != Order::None => true,
            Plan::Near { .. } | Plan::Ids(_) | Plan::Index { .. } | Plan::Union(_) | Plan::Scan => sort.is_none(),
        }
    }

    /// The documents in which matches are to be looked for: in the order asked for, or in insertion order.
    pub(crate) fn candidates<'s, S: Source>(
        &'s self,
        source: &'s mut S,
        collection: CollectionId,
    ) -> Result<Candidates<'s, S>, DatabaseError> {
        let mut keys = 0;
        let walk = match self {
            Plan::Near { near, index, conditions } => Walk::Near(Box::new(Nearest::new(near, index, conditions))),
            Plan::Ids(ids) => {
                let records = records_by_id(source, collection, ids)?;
                keys = records.len() as u64;
                Walk::Few(records.into_iter())
            }
            Plan::Index { access, .. } if access.order != Order::None => {
                Walk::Merge(Box::new(Merge::new(access, source)?))
            }
            Plan::Index { access, .. } => {
                let (records, count) = access.collect(source)?;
                keys = count;
                Walk::Records(records.into_iter())
            }
            Plan::Union(ways) => {
                let (records, count) = collect_union(source, ways)?;
                keys = count;
                Walk::Records(records.into_iter())
            }
            Plan::Scan => Walk::All(source.scan(collection)?),
        };
        Ok(Candidates { source, collection, walk, examined: Examined { keys, documents: 0 } })
    }
}

impl<S> Candidates<'_, S> {
    /// How much was looked at so far.
    pub(crate) fn examined(&self) -> Examined {
        match &self.walk {
            Walk::Near(nearest) => nearest.examined(),
            Walk::Merge(merge) => Examined { keys: merge.keys(), ..self.examined },
            Walk::Few(_) | Walk::All(_) | Walk::Records(_) => self.examined,
        }
    }
}

impl<S: Source> Candidates<'_, S> {
    /// The next record; an entry may lead to one that the source itself has just removed.
    fn next_record(&mut self) -> Result<Option<Record>, DatabaseError> {
        loop {
            let number = match &mut self.walk {
                Walk::Near(nearest) => return nearest.next(self.source, self.collection),
                Walk::Few(records) => return Ok(records.next()),
                Walk::All(scan) => {
                    return Ok(scan.next().transpose()?.map(|(number, version)| Record { number, version }));
                }
                Walk::Records(numbers) => numbers.next(),
                Walk::Merge(merge) => merge.next().transpose()?,
            };
            let Some(number) = number else { return Ok(None) };
            if let Some(version) = present(self.source.look(&EntryKey::record(self.collection, number))?) {
                return Ok(Some(Record { number, version }));
            }
        }
    }
}

impl<S: Source> Iterator for Candidates<'_, S> {
    type Item = Result<Record, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_record().transpose();
        self.examined.documents += u64::from(next.is_some());
        next
    }
}

/// Every index that is of use, and how.
fn ways(
    collection: CollectionId,
    indexes: &[Arc<Index>],
    conditions: &[Condition],
    sort: Option<&Sort>,
) -> Vec<Access> {
    indexes.iter().filter_map(|index| Access::of(collection, index, conditions, sort)).collect()
}

/// The best of several ways, and how many entries it has, as far as they were counted.
fn best(source: &mut impl Source, ways: Vec<Access>, page: bool) -> Result<Option<(Access, u64)>, DatabaseError> {
    let mut best: Option<((u64, bool, usize, bool), Access)> = None;
    let most = if ways.len() == 1 { LOOK_UPS_SHORT as u64 + 1 } else { ENTRIES_COUNTED };
    for way in ways {
        let entries = way.count(source, most)?;
        let unordered = way.order == Order::None;
        let rank = (entries, page && unordered, usize::MAX - way.bounded, unordered);
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            best = Some((rank, way));
        }
    }
    Ok(best.map(|((entries, ..), way)| (way, entries)))
}

/// A way for each branch of an `$or`, if there is one for all of them.
fn union(
    source: &mut impl Source,
    collection: CollectionId,
    indexes: &[Arc<Index>],
    conditions: &[Condition],
) -> Result<Option<Vec<Access>>, DatabaseError> {
    for condition in conditions {
        let Condition::Any(branches) = condition else { continue };
        let mut union = Vec::with_capacity(branches.len());
        for branch in branches {
            let bounded = ways(collection, indexes, branch, None).into_iter().filter(|way| way.bounded > 0).collect();
            union.extend(best(source, bounded, false)?.map(|(way, _)| way));
        }
        if union.len() == branches.len() {
            return Ok(Some(union));
        }
    }
    Ok(None)
}

fn collect_union(source: &mut impl Source, ways: &[Access]) -> Result<(Vec<u64>, u64), DatabaseError> {
    let (mut all, mut keys) = (Vec::new(), 0);
    for way in ways {
        let (records, count) = way.collect(source)?;
        all.extend(records);
        keys += count;
    }
    all.sort_unstable();
    all.dedup();
    Ok((all, keys))
}

fn records_by_id(source: &impl Source, collection: CollectionId, ids: &[Bson]) -> Result<Vec<Record>, DatabaseError> {
    let mut records = Vec::new();
    for id in ids {
        records.extend(record_by_id(source, collection, ValueRef::from(id))?);
    }
    records.sort_by_key(|record| record.number);
    records.dedup_by_key(|record| record.number);
    Ok(records)
}

/// The document with that `_id`.
pub(crate) fn record_by_id(
    source: &impl Source,
    collection: CollectionId,
    id: ValueRef<'_>,
) -> Result<Option<Record>, DatabaseError> {
    let Some(entry) = present(source.look(&EntryKey::id(collection, id))?) else { return Ok(None) };
    let number = decode_number(&entry.value)?;
    let version = present(source.look(&EntryKey::record(collection, number))?)
        .ok_or_else(|| DatabaseError::Corrupt(format!("record {number} is missing")))?;
    Ok(Some(Record { number, version }))
}

/// The version, unless it is a removal.
pub(crate) fn present(version: Option<Version>) -> Option<Version> {
    version.filter(|version| !version.value.is_removal())
}
