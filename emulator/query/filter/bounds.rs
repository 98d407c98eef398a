//! What a filter says about the keys of indexes: between which bounds the keys of every match lie. How keys are made is
//! `query/index.rs`'s; which index is used is `database`'s.

use document::{ValueRef, encode_key};

use super::array::ElementCondition;
use super::predicate::Predicate;
use super::{Filter, Node};
use crate::geo::Covering;
use crate::sort::Placed;

/// What every match of a filter meets.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Of the keys of an ascending index on `path`, one at least lies within the bounds. Two conditions on one path may be met
    /// by two keys, where a document has several.
    Field {
        /// The path.
        path: String,
        /// Where the key lies.
        bounds: Bounds,
    },
    /// Of the cells a geo index on `path` has, one at least lies within the bounds.
    Geo {
        /// The path.
        path: String,
        /// Where the cell lies.
        bounds: Bounds,
    },
    /// All conditions of one of these branches are met.
    Any(Vec<Vec<Condition>>),
    /// Something that bounds no keys.
    Other,
}

/// Intervals of keys of an ascending index on one field, in order, without overlaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    intervals: Vec<Interval>,
    exact: bool,
}

/// The keys from `low`, included, to `high`, excluded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The beginning of the first key, or a whole key.
    pub low: Vec<u8>,
    /// Greater than the last key.
    pub high: Vec<u8>,
    /// Whether it is the one key `low`, which is a whole one.
    pub point: bool,
}

impl Filter {
    /// What every match meets: all of it. Where each of them is a [`Condition::Field`] with exact bounds, a document of one key
    /// for each path that meets them all is a match.
    pub fn conditions(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        of_node(&self.root, &mut conditions);
        conditions
    }
}

impl Bounds {
    /// The intervals, in order.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// Whether a single key within them is a match.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether they are single keys.
    pub fn are_points(&self) -> bool {
        self.intervals.iter().all(|interval| interval.point)
    }

    /// Whether they leave out keys of the types they hold: an index that bounds nothing within a type is not worth reading.
    pub fn is_narrow(&self) -> bool {
        const TYPE: usize = 2;
        self.intervals.is_empty()
            || self.intervals.iter().any(|one| one.low.len() > TYPE || one.high.len() > TYPE || one.point)
    }

    /// The keys that are in both.
    #[must_use]
    pub fn and(&self, other: &Bounds) -> Bounds {
        let mut intervals = Vec::new();
        for left in &self.intervals {
            intervals.extend(other.intervals.iter().filter_map(|right| left.and(right)));
        }
        Bounds::new(intervals, self.exact && other.exact)
    }

    pub(super) fn new(mut intervals: Vec<Interval>, exact: bool) -> Bounds {
        intervals.sort();
        let mut joined: Vec<Interval> = Vec::with_capacity(intervals.len());
        for interval in intervals {
            match joined.last_mut() {
                Some(last) if interval.low < last.high => {
                    last.point &= interval.high <= last.high;
                    last.high = last.high.clone().max(interval.high);
                }
                Some(_) | None => joined.push(interval),
            }
        }
        Bounds { intervals: joined, exact }
    }

    /// The cells in which an index has all that a region may hold.
    pub fn of_cells(covering: &Covering) -> Bounds {
        let bytes = |cell: &u64| cell.to_be_bytes().to_vec();
        let range =
            |low: &u64, high: &u64| Interval { low: bytes(low), high: successor(bytes(high)), point: low == high };
        let ranges = covering.ranges.iter().map(|cells| range(cells.start(), cells.end()));
        Bounds::new(ranges.chain(covering.ancestors.iter().map(|cell| range(cell, cell))).collect(), false)
    }

    /// The bounds of null: a missing field has its key, and an `undefined` the one of an empty array.
    pub(super) fn of_null() -> Bounds {
        Bounds::new(vec![Interval::place(Placed::EmptyArray), Interval::point(ValueRef::Null)], false)
    }
}

impl Interval {
    /// One value.
    pub(super) fn point(value: ValueRef<'_>) -> Interval {
        Interval::place(Placed::of(value))
    }

    /// The values of one type: the class of a type's keys, then the type's rank.
    pub(super) fn of_type(value: ValueRef<'_>) -> Interval {
        Interval::beginning(vec![Placed::CLASS_OF_VALUES, value.type_order()])
    }

    /// The keys that begin with `low`.
    pub(super) fn beginning(low: Vec<u8>) -> Interval {
        let high = successor(low.clone());
        Interval { low, high, point: false }
    }

    /// The texts that begin with `text`, which has no NUL.
    pub(super) fn of_prefix(text: &str) -> Interval {
        let mut low = vec![Placed::CLASS_OF_VALUES];
        encode_key(ValueRef::String(text), &mut low);
        low.truncate(low.len() - document::key::TEXT_END.len());
        Interval::beginning(low)
    }

    fn place(place: Placed<'_>) -> Interval {
        let mut low = Vec::new();
        place.encode(false, &mut low);
        Interval { point: true, ..Interval::beginning(low) }
    }

    fn and(&self, other: &Interval) -> Option<Interval> {
        let (low, high) = (self.low.clone().max(other.low.clone()), self.high.clone().min(other.high.clone()));
        (low < high).then_some(Interval { low, high, point: self.point || other.point })
    }
}

/// The least bytes that are greater than all that begin with `bytes`. A key's first byte is never the greatest there is.
fn successor(mut bytes: Vec<u8>) -> Vec<u8> {
    while let Some(last) = bytes.pop() {
        if let Some(next) = last.checked_add(1) {
            bytes.push(next);
            break;
        }
    }
    bytes
}

fn of_node(node: &Node, conditions: &mut Vec<Condition>) {
    match node {
        Node::All(nodes) => nodes.iter().for_each(|node| of_node(node, conditions)),
        Node::Any(nodes) => conditions.push(Condition::Any(nodes.iter().map(of_branch).collect())),
        Node::None(_) | Node::Near(_) | Node::Expression(_) => conditions.push(Condition::Other),
        Node::Field(path, predicate) => of_predicate(path.as_str(), predicate, conditions),
    }
}

fn of_branch(node: &Node) -> Vec<Condition> {
    let mut conditions = Vec::new();
    of_node(node, &mut conditions);
    conditions
}

fn of_predicate(path: &str, predicate: &Predicate, conditions: &mut Vec<Condition>) {
    match predicate {
        Predicate::All(parts) => parts.iter().for_each(|part| of_predicate(path, part, conditions)),
        Predicate::Element(condition) => of_element(path, condition, conditions),
        Predicate::Geo(region) => conditions.push(match region.covering() {
            Some(covering) => Condition::Geo { path: path.to_owned(), bounds: Bounds::of_cells(&covering) },
            None => Condition::Other,
        }),
        leaf => conditions.push(match of_leaf(leaf) {
            Some(bounds) => Condition::Field { path: path.to_owned(), bounds },
            None => Condition::Other,
        }),
    }
}

/// One element meets everything, so the bounds of what is asked of the element itself can be joined.
fn of_element(path: &str, condition: &ElementCondition, conditions: &mut Vec<Condition>) {
    conditions.push(Condition::Other);
    match condition {
        ElementCondition::Operators(predicates) => {
            let bounds = predicates.iter().filter_map(of_leaf).reduce(|all, one| all.and(&one));
            conditions.extend(bounds.map(|bounds| Condition::Field { path: path.to_owned(), bounds }));
        }
        ElementCondition::Query(node) => {
            let inner = of_branch(node).into_iter().filter_map(|condition| match condition {
                Condition::Field { path: inner, bounds } => {
                    Some(Condition::Field { path: format!("{path}.{inner}"), bounds })
                }
                Condition::Geo { .. } | Condition::Any(_) | Condition::Other => None,
            });
            conditions.extend(inner);
        }
    }
}

fn of_leaf(predicate: &Predicate) -> Option<Bounds> {
    match predicate {
        Predicate::Compare(comparison) => comparison.bounds(),
        Predicate::In(candidates) => candidates.bounds(),
        Predicate::Regex(regex) => Some(Bounds::new(regex.intervals(), false)),
        Predicate::Never => Some(Bounds::new(Vec::new(), false)),
        Predicate::Not(parts) => match parts.as_slice() {
            [Predicate::Exists] => Some(Bounds::new(vec![Interval::point(ValueRef::Null)], false)),
            _ => None,
        },
        Predicate::All(_)
        | Predicate::Exists
        | Predicate::Type(_)
        | Predicate::Remainder(_)
        | Predicate::Geo(_)
        | Predicate::Size(_)
        | Predicate::Element(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successors() {
        assert_eq!(successor(vec![2, 30]), [2, 31]);
        assert_eq!(successor(vec![2, 0xff, 0xff]), [3]);
    }

    #[test]
    fn intervals_join() {
        let interval = |low: u8, high: u8| Interval { low: vec![low], high: vec![high], point: false };
        let bounds = Bounds::new(vec![interval(5, 7), interval(1, 3), interval(2, 4)], true);
        assert_eq!(bounds.intervals(), [interval(1, 4), interval(5, 7)]);
        let both = bounds.and(&Bounds::new(vec![interval(3, 6)], true));
        assert_eq!(both.intervals(), [interval(3, 4), interval(5, 6)]);
    }
}
