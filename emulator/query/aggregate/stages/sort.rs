//! `$sort`: all documents in order, ties as they came; or the first of them, where a `$limit` follows.

use std::collections::BinaryHeap;

use document::{Bson, Document};

use super::parser::whole_number;
use super::{Flow, Parser, Stage, lazily, size};
use crate::QueryError;
use crate::aggregate::fields::Path;
use crate::aggregate::item::Item;
use crate::aggregate::memory::Budget;
use crate::sort::{Sort, SortKey};

/// The text of a stage that sorts too much.
pub(super) const EXCEEDED: &str = "Sort exceeded memory limit of 104857600 bytes, but did not opt in to external sorting. \
                        Aborting operation. Pass allowDiskUse:true to opt in.";

/// An order, and of how many documents the first are wanted.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) sort: Sort,
    /// Set by the stages behind it; `None` is all.
    pub(super) limit: Option<u64>,
}

pub(super) fn parse(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(fields) = specification else {
        return Err(QueryError::bad_query("the $sort key specification must be an object"));
    };
    let fields: Document = fields.iter().map(|(path, direction)| field(path, direction)).collect::<Result<_, _>>()?;
    if fields.is_empty() {
        return Err(QueryError::bad_query("$sort stage must have at least one sort key"));
    }
    Ok(vec![Stage::Sort(Order { sort: Sort::parse(&fields)?, limit: None })])
}

fn field(path: &str, direction: &Bson) -> Result<(String, Bson), QueryError> {
    if let Bson::Document(meta) = direction {
        return Err(match meta.keys().next() {
            Some(name) if name == "$meta" => QueryError::unsupported("$meta"),
            _ => QueryError::bad_query("$meta is the only expression supported by $sort right now"),
        });
    }
    let direction = match whole_number(direction) {
        Some(direction @ (1 | -1)) => Bson::Int64(direction),
        Some(_) => {
            return Err(QueryError::bad_query("$sort key ordering must be 1 (for ascending) or -1 (for descending)"));
        }
        None => {
            return Err(QueryError::bad_query(
                "$sort key ordering must be specified using a number or {$meta: 'textScore'}",
            ));
        }
    };
    Path::parse(path)?;
    Ok((path.to_owned(), direction))
}

impl Order {
    /// By one field, least or greatest first.
    pub(super) fn by(path: &str, direction: i32) -> Result<Order, QueryError> {
        let sort = Sort::parse(&Document::from_iter([(path.to_owned(), Bson::Int32(direction))]))?;
        Ok(Order { sort, limit: None })
    }

    pub(super) fn run<'a, E: From<QueryError> + 'a>(&'a self, input: Flow<'a, E>) -> Flow<'a, E> {
        lazily(move || {
            let mut first = First::new(self.limit);
            for (number, item) in input.enumerate() {
                let item = item?;
                first.offer(Ranked { key: self.sort.key(item.view()), number, item })?;
            }
            Ok(Box::new(first.into_sorted().map(Ok)) as Flow<'a, E>)
        })
    }
}

/// The first documents of those seen, the last of them ready to go.
struct First {
    wanted: usize,
    kept: BinaryHeap<Ranked>,
    budget: Budget,
}

impl First {
    fn new(limit: Option<u64>) -> First {
        First { wanted: limit.map_or(usize::MAX, size), kept: BinaryHeap::new(), budget: Budget::of_stage(EXCEEDED) }
    }

    fn offer(&mut self, ranked: Ranked) -> Result<(), QueryError> {
        if self.kept.len() >= self.wanted {
            if self.kept.peek().is_none_or(|last| ranked >= *last) {
                return Ok(());
            }
            if let Some(last) = self.kept.pop() {
                self.budget.give_back(last.size()?);
            }
        }
        self.budget.take(ranked.size()?)?;
        self.kept.push(ranked);
        Ok(())
    }

    fn into_sorted(self) -> impl Iterator<Item = Item> {
        self.kept.into_sorted_vec().into_iter().map(|ranked| ranked.item)
    }
}

/// A document with its place. Ties are broken by the order they came in (semantics DB-2.25).
struct Ranked {
    key: SortKey,
    number: usize,
    item: Item,
}

impl Ranked {
    fn size(&self) -> Result<usize, QueryError> {
        self.item.size()
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Ranked) -> std::cmp::Ordering {
        self.key.cmp(&other.key).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Ranked) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Ranked) -> bool {
        self.cmp(other) == std::cmp::Ordering::Equal
    }
}

impl Eq for Ranked {}
