//! The front of a pipeline: the stages that a collection can answer by itself, as it answers a find, with its indexes.

use super::stages::{GeoNear, Page, Stages};
use crate::{Filter, Sort};

/// What a collection is asked for before the first stage runs. Everything in it is optional: [`Front::all`] asks for all.
#[derive(Debug, Clone)]
pub struct Front {
    /// The documents near a point, the nearest first; of them, those that match `filter`.
    pub near: Option<GeoNear>,
    /// Which documents.
    pub filter: Filter,
    /// In which order; `None` is insertion order. There only together with a limit: a whole collection is sorted by the pipeline,
    /// which watches its memory.
    pub sort: Option<Sort>,
    /// How many of them to leave out at the front.
    pub skip: u64,
    /// How many at most; `Some(0)` is none at all.
    pub limit: Option<u64>,
}

impl Front {
    /// Every document.
    pub fn all() -> Front {
        Front { near: None, filter: Filter::all(), sort: None, skip: 0, limit: None }
    }

    /// The documents that `filter` matches.
    pub fn matching(filter: Filter) -> Front {
        Front { filter, ..Front::all() }
    }

    /// Takes the stages that can be answered so from the beginning of `stages`: `$geoNear` alone, which has a limit of its own; or
    /// `$match`, then `$sort`, `$skip` and `$limit`. A `$match` behind a `$sort` goes before it: neither changes documents, and the order of the rest stays.
    pub(super) fn take(stages: &mut Stages) -> Front {
        let mut front = Front::all();
        if let Some(near) = stages.take_near() {
            return Front { filter: near.query.clone(), near: Some(near), ..front };
        }
        if let Some(matches) = stages.take_leading_matches() {
            front.filter = matches;
        }
        front.take_page(stages);
        front
    }

    /// The same, with the limit that was put at the end of `stages` taken in where only a page of the collection stands before it.
    pub(super) fn limited_by(mut self, stages: &mut Stages) -> Front {
        let is_whole = self.sort.is_none() && self.skip == 0 && self.limit.is_none();
        if self.near.is_none() && (is_whole || stages.is_only_a_limit()) {
            self.take_page(stages);
        }
        self
    }

    fn take_page(&mut self, stages: &mut Stages) {
        if let Some(sort) = stages.take_limited_sort() {
            self.sort = Some(sort);
        }
        while let Some(page) = stages.take_page() {
            match page {
                Page::Limit(limit) => self.limit = Some(self.limit.map_or(limit, |known| known.min(limit))),
                Page::Skip(skip) => {
                    self.skip = self.skip.saturating_add(skip);
                    self.limit = self.limit.map(|limit| limit.saturating_sub(skip));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{Bson, DateTime, decode_value_text};

    use crate::Filter;
    use crate::aggregate::Pipeline;

    /// What is handed over, as `filtered sort skip limit`, and how many stages stay.
    #[test]
    fn what_a_collection_answers() {
        check("[]", "all - 0 -", 0);
        check(r#"[{"$match": {"a": 1}}, {"$match": {"b": 1}}]"#, "some - 0 -", 0);
        check(r#"[{"$skip": 2}, {"$skip": 1}, {"$limit": 5}, {"$skip": 1}, {"$limit": 9}]"#, "all - 4 4", 0);
        check(r#"[{"$limit": 2}, {"$skip": 5}]"#, "all - 5 0", 0);
        check(r#"[{"$sort": {"a": 1}}]"#, "all - 0 -", 1);
        check(r#"[{"$sort": {"a": 1}}, {"$skip": 2}]"#, "all - 0 -", 2);
        check(r#"[{"$sort": {"a": 1, "b": -1}}, {"$skip": 2}, {"$limit": 3}]"#, "all a,-b 2 3", 0);
        check(r#"[{"$sort": {"a": 1}}, {"$match": {"b": 1}}, {"$limit": 3}]"#, "some a 0 3", 0);
        check(r#"[{"$limit": 3}, {"$match": {"b": 1}}]"#, "all - 0 3", 1);
        check(r#"[{"$limit": 3}, {"$sort": {"a": 1}}, {"$limit": 1}]"#, "all - 0 3", 2);
        check(r#"[{"$unwind": "$a"}, {"$match": {"b": 1}}, {"$limit": 3}]"#, "all - 0 -", 3);
        check(
            r#"[{"$geoNear": {"near": [0, 0], "distanceField": "d", "query": {"a": 1}}}, {"$limit": 3}]"#,
            "some - 0 -",
            1,
        );
        check(r#"[{"$geoNear": {"near": [0, 0], "distanceField": "d"}}, {"$match": {"d": 0}}]"#, "all - 0 -", 1);
    }

    #[test]
    fn limits_from_outside() {
        let limited = |text: &str| shown(&parse(text).limited(20));
        assert_eq!(limited("[]"), ("all - 0 20".to_owned(), 0));
        assert_eq!(limited(r#"[{"$sort": {"a": -1}}]"#), ("all -a 0 20".to_owned(), 0));
        assert_eq!(limited(r#"[{"$skip": 5}]"#), ("all - 5 20".to_owned(), 0));
        assert_eq!(limited(r#"[{"$limit": 30}]"#), ("all - 0 20".to_owned(), 0));
        assert_eq!(limited(r#"[{"$unwind": "$a"}]"#), ("all - 0 -".to_owned(), 2));
        assert_eq!(limited(r#"[{"$limit": 30}, {"$sort": {"a": 1}}]"#), ("all - 0 30".to_owned(), 2));
        let is_limited = |text: &str| parse(text).is_limited();
        assert!(
            is_limited(r#"[{"$limit": 30}]"#) && is_limited(r#"[{"$unwind": "$a"}, {"$limit": 30}, {"$skip": 1}]"#)
        );
        assert!(!is_limited(r#"[{"$skip": 30}, {"$lookup": {"from": "x", "pipeline": [{"$limit": 1}], "as": "y"}}]"#));
    }

    #[test]
    fn collections_that_are_read_besides() {
        let lookup = r#"{"$lookup": {"from": "b", "pipeline": [{"$lookup": {"from": "c", "localField": "x", "foreignField": "y", "as": "z"}}], "as": "w"}}"#;
        let pipeline = parse(&format!(r#"[{lookup}, {{"$facet": {{"f": [{lookup}]}}}}]"#));
        assert_eq!(pipeline.collections(), ["b", "c", "b", "c"]);
    }

    fn check(text: &str, front: &str, stages: usize) {
        assert_eq!(shown(&parse(text)), (front.to_owned(), stages), "{text}");
    }

    fn shown(pipeline: &Pipeline) -> (String, usize) {
        let front = pipeline.front();
        let filter = if front.filter.identity() == Filter::all().identity() { "all" } else { "some" };
        let field =
            |(path, descending): (&document::FieldPath, bool)| format!("{}{path}", if descending { "-" } else { "" });
        let sort =
            front.sort.as_ref().map_or("-".to_owned(), |sort| sort.fields().map(field).collect::<Vec<_>>().join(","));
        let limit = front.limit.map_or("-".to_owned(), |limit| limit.to_string());
        (format!("{filter} {sort} {} {limit}", front.skip), pipeline.stages.len())
    }

    fn parse(text: &str) -> Pipeline {
        match decode_value_text(text, DateTime::from_millis(0)).unwrap() {
            Bson::Array(stages) => Pipeline::parse(&stages).unwrap(),
            _ => Pipeline::parse(&[]).unwrap(),
        }
    }
}
