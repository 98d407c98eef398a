//! Why a rule refused: its conditions asked once more, one by one, and what the query would have to say.

use document::{Bson, Document};

use super::evaluate::{Evaluator, Fault, Scope, Value};
use super::expression::{Expression, Kind};
use super::facts::{self, Fact};
use super::prove::Prover;
use super::refusal::{Failed, Operand, Reason, Refusal, fact_text, value_text, with_template};
use super::request::{Library, Request};
use super::rule::Rule;

impl Rule {
    pub(super) fn refuse_at(&self, scope: Scope<'_>, request: &Request<'_>, library: &mut Library) -> Refusal {
        let mut failed = Vec::new();
        blamed(&self.expression, true, &mut |condition, wanted| {
            let mut evaluator = Evaluator { request, scope, library };
            let outcome = evaluator.truth(condition);
            let holds = outcome == Ok(wanted);
            if !holds && is_condition(condition) {
                let operands = self.operands(condition, &mut evaluator);
                failed.push(self.failed(condition, reason(outcome), operands));
            }
            holds
        });
        library.take_wanted();
        Refusal { failed, ..self.refusal() }
    }

    pub(super) fn refuse_query(
        &self,
        query: &Document,
        facts: &[Fact<'_>],
        request: &Request<'_>,
        library: &mut Library,
    ) -> Refusal {
        let mut failed = Vec::new();
        blamed(&self.expression, true, &mut |condition, wanted| {
            let holds = Prover { facts, request, library }.proves(condition, wanted);
            if !holds && is_condition(condition) {
                failed.push(self.unproved(condition, wanted, facts, request, library));
            }
            holds
        });
        let advice = Prover { facts, request, library }.advice(&self.expression, true);
        let advice =
            advice.filter(|advice| !advice.pin.is_empty() || self.would_admit(query, &advice.add, request, library));
        library.take_wanted();
        let document_id = only_id(query);
        let Some(advice) = advice else { return Refusal { failed, document_id, ..self.refusal() } };
        let add = Some(with_template(request, advice.add)).filter(|add| !add.is_empty());
        Refusal { failed, add, add_looked_up: advice.looked_up, pin: advice.pin, document_id, ..self.refusal() }
    }

    /// Whether `query` with `add` besides lies inside the rule, in this alternative and the others.
    fn would_admit(&self, query: &Document, add: &Document, request: &Request<'_>, library: &mut Library) -> bool {
        let both = [query, add].map(|part| Bson::Document(part.clone())).to_vec();
        let query = Document::from_iter([("$and".to_owned(), Bson::Array(both))]);
        facts::alternatives(&query).is_ok_and(|alternatives| {
            alternatives.iter().all(|facts| Prover { facts, request, library }.proves(&self.expression, true))
        })
    }

    /// A condition that the facts do not make `wanted`.
    fn unproved(
        &self,
        condition: &Expression,
        wanted: bool,
        facts: &[Fact<'_>],
        request: &Request<'_>,
        library: &mut Library,
    ) -> Failed {
        let prover = Prover { facts, request, library };
        let paths = condition.doc_paths();
        let pins: Option<Vec<_>> = paths.iter().map(|path| Some((path.clone(), prover.single(path)?))).collect();
        let settled = pins.is_some();
        let pins = pins.unwrap_or_default();
        let mut evaluator = Evaluator { request, scope: Scope::Pins(&pins), library: prover.library };
        let operands = self.operands(condition, &mut evaluator);
        let outcome = evaluator.truth(condition);
        let about = facts.iter().filter(|fact| paths.iter().any(|path| overlap(path, fact.path)));
        match (settled, outcome) {
            (true, outcome) if outcome != Ok(wanted) => self.failed(condition, reason(outcome), operands),
            _ => self.failed(condition, Reason::Unproved(about.map(fact_text).collect()), operands),
        }
    }

    fn failed(&self, condition: &Expression, reason: Reason, operands: Vec<Operand>) -> Failed {
        Failed { condition: self.text_of(condition), place: self.place_of(condition), reason, operands }
    }

    /// The sides of a condition that have a value, but for literals.
    fn operands(&self, condition: &Expression, evaluator: &mut Evaluator<'_>) -> Vec<Operand> {
        let sides = match &condition.kind {
            Kind::Compare(..) | Kind::In(..) | Kind::Test(..) => condition.children(),
            _ => vec![condition],
        };
        let sides = sides.into_iter().filter(|side| !matches!(side.kind, Kind::Literal(_) | Kind::Array(_)));
        let operand = |side: &Expression| {
            let value = match evaluator.value(side).ok()? {
                Value::Here(value) => value_text(&value),
                Value::Missing => "missing".to_owned(),
            };
            Some(Operand { expression: self.text_of(side), value, looked_up: side.looks_up() })
        };
        sides.filter_map(operand).collect()
    }

    pub(super) fn refusal(&self) -> Refusal {
        Refusal {
            operation: self.operation,
            rule: self.text.clone(),
            failed: Vec::new(),
            alternative: None,
            add: None,
            add_looked_up: false,
            pin: Vec::new(),
            document_id: None,
            limit: None,
        }
    }
}

/// Shows `holds` the parts that keep `expression` from being `wanted`, down to the conditions.
fn blamed(expression: &Expression, wanted: bool, holds: &mut dyn FnMut(&Expression, bool) -> bool) {
    if holds(expression, wanted) {
        return;
    }
    match &expression.kind {
        Kind::All(parts) | Kind::Any(parts) => parts.iter().for_each(|part| blamed(part, wanted, holds)),
        Kind::Not(inner) => blamed(inner, !wanted, holds),
        _ => {}
    }
}

fn is_condition(expression: &Expression) -> bool {
    !matches!(expression.kind, Kind::All(_) | Kind::Any(_) | Kind::Not(_))
}

fn reason(outcome: Result<bool, Fault>) -> Reason {
    match outcome {
        Ok(true) => Reason::True,
        Ok(false) => Reason::False,
        Err(Fault::Wrong(reason)) => Reason::Fault(reason),
        Err(Fault::Wanted) => Reason::Fault("its get() was not needed to decide".to_owned()),
    }
}

/// Whether what is said of one path says something of the other.
fn overlap(left: &str, right: &str) -> bool {
    let below =
        |whole: &str, part: &str| part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    below(left, right) || below(right, left)
}

fn only_id(query: &Document) -> Option<Bson> {
    let id = query.get("_id").filter(|_| query.len() == 1)?;
    let id = match id {
        Bson::Document(operators) => operators.get("$eq").filter(|_| operators.len() == 1)?,
        id => id,
    };
    Some(id.clone())
}
