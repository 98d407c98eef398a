//! The stages of a pipeline in order, and what of them a collection can answer by itself.

use super::{Context, Flow, GeoNear, Stage};
use crate::aggregate::library::Library;
use crate::{Filter, Sort};

/// Stages in order.
#[derive(Debug, Clone)]
pub(crate) struct Stages {
    stages: Vec<Stage>,
}

/// A stage that counts documents alone.
pub(crate) enum Page {
    Skip(u64),
    Limit(u64),
}

impl Stages {
    pub(super) fn new(mut stages: Vec<Stage>) -> Stages {
        bound_sorts(&mut stages);
        Stages { stages }
    }

    /// What comes out at the end when `input` goes in at the beginning.
    pub(super) fn run<'a, L: Library>(
        &'a self,
        input: Flow<'a, L::Error>,
        context: &Context<'a, L>,
    ) -> Flow<'a, L::Error> {
        self.stages.iter().fold(input, |input, stage| stage.run(input, context.clone()))
    }

    #[cfg(test)]
    pub(in crate::aggregate) fn len(&self) -> usize {
        self.stages.len()
    }

    pub(in crate::aggregate) fn collections(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for stage in &self.stages {
            match stage {
                Stage::Lookup(lookup) => names.extend(lookup.collections()),
                Stage::Facet(facet) => names.extend(facet.collections()),
                _ => {}
            }
        }
        names
    }

    pub(in crate::aggregate) fn is_limited(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage, Stage::Limit(_)))
    }

    pub(in crate::aggregate) fn push_limit(&mut self, count: u64) {
        self.stages.push(Stage::Limit(count));
        bound_sorts(&mut self.stages);
    }

    pub(in crate::aggregate) fn is_only_a_limit(&self) -> bool {
        matches!(self.stages.as_slice(), [Stage::Limit(_)])
    }

    /// Takes a `$geoNear`, which stands first.
    pub(in crate::aggregate) fn take_near(&mut self) -> Option<GeoNear> {
        match self.take_first_if(|stage| matches!(stage, Stage::GeoNear(_)))? {
            Stage::GeoNear(near) => Some(*near),
            _ => None,
        }
    }

    /// Takes each `$match` before which there are only `$match`es and `$sort`s.
    pub(in crate::aggregate) fn take_leading_matches(&mut self) -> Option<Filter> {
        let movable = |stage: &&Stage| {
            matches!(stage, Stage::Match(_)) || matches!(stage, Stage::Sort(sort) if sort.limit.is_none())
        };
        let leading = self.stages.iter().take_while(movable).count();
        let rest = self.stages.split_off(leading);
        let mut all: Option<Filter> = None;
        for stage in std::mem::replace(&mut self.stages, rest).into_iter().rev() {
            match stage {
                Stage::Match(filter) => {
                    all = Some(match all {
                        Some(later) => filter.and(later),
                        None => filter,
                    })
                }
                other => self.stages.insert(0, other),
            }
        }
        bound_sorts(&mut self.stages);
        all
    }

    /// Takes a leading `$sort` of which only the first documents are wanted.
    pub(in crate::aggregate) fn take_limited_sort(&mut self) -> Option<Sort> {
        match self.take_first_if(|stage| matches!(stage, Stage::Sort(order) if order.limit.is_some()))? {
            Stage::Sort(order) => Some(order.sort),
            _ => None,
        }
    }

    /// Takes a leading `$skip` or `$limit`.
    pub(in crate::aggregate) fn take_page(&mut self) -> Option<Page> {
        match self.take_first_if(|stage| matches!(stage, Stage::Skip(_) | Stage::Limit(_)))? {
            Stage::Skip(count) => Some(Page::Skip(count)),
            Stage::Limit(count) => Some(Page::Limit(count)),
            _ => None,
        }
    }

    fn take_first_if(&mut self, wanted: impl Fn(&Stage) -> bool) -> Option<Stage> {
        self.stages.first().is_some_and(wanted).then(|| self.stages.remove(0))
    }
}

/// Tells each `$sort` of how many documents the stages behind it want the first.
fn bound_sorts(stages: &mut [Stage]) {
    let mut wanted: Option<u64> = None;
    for stage in stages.iter_mut().rev() {
        match stage {
            Stage::Limit(limit) => wanted = Some(wanted.map_or(*limit, |known| known.min(*limit))),
            Stage::Skip(skip) => wanted = wanted.map(|known| known.saturating_add(*skip)),
            Stage::Sort(order) => order.limit = wanted.take(),
            _ => wanted = None,
        }
    }
}
