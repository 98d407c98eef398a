//! Reads pipelines: which stages there are, and which may stand where.

use document::{Bson, Document, ValueRef};

use super::{STAGES, STAGES_NEWER, STAGES_UNSUPPORTED, Stage, Stages};
use crate::QueryError;
use crate::aggregate::accumulators::{ACCUMULATORS, Accumulation};
use crate::aggregate::expressions::{Expression, Names};

/// What is known while a pipeline is read.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The variables of a `$lookup` around it.
    names: Names,
    within: Within,
    /// How many `$lookup`s it is within.
    lookups: usize,
    /// How many stages there are so far, those of pipelines within among them.
    stages: usize,
    warnings: Vec<String>,
}

/// How many stages a pipeline may have, with those of pipelines within: each takes room on the stack when documents are asked for.
const STAGES_MAX: usize = 500;

/// How many `$lookup`s may be within each other.
const LOOKUPS_MAX: usize = 20;

/// What a pipeline stands in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    Facet,
}

impl Parser {
    /// Reads a pipeline.
    pub(in crate::aggregate) fn stages(&mut self, pipeline: &[Bson]) -> Result<Stages, QueryError> {
        self.stages = self.stages.saturating_add(pipeline.len());
        if self.stages > STAGES_MAX {
            let mistake = format!("Pipeline length must be no longer than {STAGES_MAX} stages.");
            return Err(QueryError::bad_query(mistake));
        }
        let mut stages = Vec::with_capacity(pipeline.len());
        for (place, stage) in pipeline.iter().enumerate() {
            stages.extend(self.stage(place, stage)?);
        }
        Ok(Stages::new(stages))
    }

    pub(in crate::aggregate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// Reads an expression in the scope of the pipeline.
    pub(super) fn expression(&mut self, expression: &Bson) -> Result<Expression, QueryError> {
        let names = self.names.clone();
        self.expression_with(expression, &names)
    }

    /// Reads an expression that sees other variables.
    pub(super) fn expression_with(&mut self, expression: &Bson, names: &Names) -> Result<Expression, QueryError> {
        let expression = Expression::parse(expression, names)?;
        for operator in expression.newer_operators() {
            self.warn(operator);
        }
        Ok(expression)
    }

    /// Reads a pipeline within a `$facet`.
    pub(super) fn facet(&mut self, pipeline: &[Bson]) -> Result<Stages, QueryError> {
        let outer = std::mem::replace(&mut self.within, Within::Facet);
        let stages = self.stages(pipeline);
        self.within = outer;
        stages
    }

    /// Reads a pipeline within a `$lookup`, which sees `names`.
    pub(super) fn lookup(&mut self, pipeline: &[Bson], names: Names) -> Result<Stages, QueryError> {
        if self.lookups == LOOKUPS_MAX {
            let mistake = format!("Maximum number of nested $lookup sub-pipelines exceeded. Limit is {LOOKUPS_MAX}");
            return Err(QueryError::bad_query(mistake));
        }
        let names = std::mem::replace(&mut self.names, names);
        let within = std::mem::take(&mut self.within);
        self.lookups += 1;
        let stages = self.stages(pipeline);
        self.lookups -= 1;
        (self.names, self.within) = (names, within);
        stages
    }

    /// Reads `{name: {$sum: …}}`.
    pub(super) fn accumulation(&mut self, name: &str, specification: &Bson) -> Result<Accumulation, QueryError> {
        let Bson::Document(accumulator) = specification else {
            return Err(QueryError::bad_query(format!("The field '{name}' must be an accumulator object")));
        };
        if name.contains('.') {
            return Err(QueryError::bad_query(format!("The field name '{name}' cannot contain '.'")));
        }
        if name.starts_with('$') {
            return Err(QueryError::bad_query(format!("The field name '{name}' cannot be an operator name")));
        }
        let Some((operator, argument)) = only_field(accumulator) else {
            return Err(QueryError::bad_query(format!("The field '{name}' must specify one accumulator")));
        };
        if matches!(argument, Bson::Array(_)) {
            return Err(QueryError::bad_query(format!("The {operator} accumulator is a unary operator")));
        }
        let Some((_, begin)) = ACCUMULATORS.iter().find(|(known, _)| known == operator) else {
            return Err(QueryError::bad_query(format!("unknown group operator '{operator}'")));
        };
        Ok(Accumulation { name: name.into(), begin: *begin, argument: self.expression(argument)? })
    }

    fn stage(&mut self, place: usize, stage: &Bson) -> Result<Vec<Stage>, QueryError> {
        let Bson::Document(stage) = stage else {
            return Err(QueryError::bad_query("Each element of the 'pipeline' array must be an object"));
        };
        let Some((name, specification)) = only_field(stage) else {
            return Err(QueryError::bad_query("A pipeline stage specification object must contain exactly one field."));
        };
        if STAGES_UNSUPPORTED.binary_search(&name.as_str()).is_ok() {
            return Err(QueryError::unsupported(name));
        }
        let Some((name, parse)) = STAGES.iter().find(|(known, _)| known == name) else {
            return Err(QueryError::bad_query(format!("Unrecognized pipeline stage name: '{name}'")));
        };
        self.check_place(name, place)?;
        if STAGES_NEWER.contains(name) {
            self.warn(name);
        }
        parse(self, specification)
    }

    fn check_place(&self, name: &str, place: usize) -> Result<(), QueryError> {
        if self.within == Within::Facet && matches!(name, "$facet" | "$geoNear") {
            return Err(QueryError::bad_query(format!("{name} is not allowed to be used within a $facet stage")));
        }
        if name == "$geoNear" && place > 0 {
            return Err(QueryError::bad_query("$geoNear is only valid as the first stage in a pipeline."));
        }
        Ok(())
    }

    fn warn(&mut self, name: &str) {
        let warning = format!("{name} is newer than MongoDB 4.0: the cloud may refuse it");
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// The field of a document that has just one.
pub(super) fn only_field(document: &Document) -> Option<(&String, &Bson)> {
    let mut fields = document.iter();
    fields.next().filter(|_| document.len() == 1)
}

/// A number cut to 64 bits, as MongoDB reads counts: 2.7 is 2, NaN is 0. `None` for what is no number.
pub(super) fn whole_number(value: &Bson) -> Option<i64> {
    let number = ValueRef::from(value).as_number()?;
    Some(number.as_i64().unwrap_or(number.as_f64() as i64))
}

/// The type's name.
pub(super) fn type_name(value: &Bson) -> &'static str {
    ValueRef::from(value).type_name()
}

/// Whether `value` is an expression for sure: `'$a'` or `{$add: …}`.
pub(super) fn is_expression(value: &Bson) -> bool {
    match value {
        Bson::String(text) => text.len() > 1 && text.starts_with('$'),
        Bson::Document(document) => document.keys().next().is_some_and(|name| name.starts_with('$')),
        _ => false,
    }
}
