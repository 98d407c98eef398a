//! A rule: the expression of one operation, and the question whether it admits a subject.

use document::{Bson, Document};

use super::evaluate::{Evaluator, Fault, Scope};
use super::expression::{Expression, Kind};
use super::facts;
use super::parser;
use super::prove::Prover;
use super::refusal::Refusal;
use super::request::{Documents, Library, Reference, Request, Subject};
use super::text::{Mistake, Place};
use super::{Language, Verdict};

/// The rule for one operation.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(super) operation: &'static str,
    pub(super) text: String,
    pub(super) expression: Expression,
    /// Where each expression begins in the rules document, by its number.
    places: Vec<Place>,
}

/// What a look at a rule comes to.
#[derive(Debug)]
enum Decision {
    Settled(Verdict),
    /// These documents must be fetched first.
    Wanting(Vec<Reference>),
}

/// A query beyond the limits of `facts.rs` is not looked at.
const QUERY_LIMIT: &str = "the query has too many alternatives or conditions, or nests too deep, to be proved";

impl Rule {
    /// A rule that is `truth` whatever is asked.
    pub(super) fn constant(operation: &'static str, truth: bool, place: Place) -> Rule {
        let kind = Kind::Literal(Bson::Boolean(truth));
        let expression = Expression { number: 0, span: 0..truth.to_string().len(), kind };
        Rule { operation, text: truth.to_string(), expression, places: vec![place] }
    }

    /// Reads an expression; `place` tells where an offset in it stands.
    pub(super) fn parse(
        operation: &'static str,
        text: &str,
        language: Language,
        place: impl Fn(usize) -> Place,
    ) -> Result<Rule, Mistake> {
        let (expression, count) = parser::parse(text, language)?;
        let mut places = vec![place(0); count];
        for part in expression.all() {
            if let Some(slot) = places.get_mut(part.number) {
                *slot = place(part.span.start);
            }
        }
        Ok(Rule { operation, text: text.to_owned(), expression, places })
    }

    /// Whether the rule admits `subject`. What `get()` names is read from `documents`, at most three for each
    /// alternative of a query; whose errors come back as they are.
    pub(crate) async fn admits<D: Documents>(
        &self,
        subject: Subject<'_>,
        request: &Request<'_>,
        documents: &D,
    ) -> Result<Verdict, D::Error> {
        let mut library = Library::default();
        loop {
            match self.decide(subject, request, &mut library) {
                Decision::Settled(verdict) => return Ok(verdict),
                Decision::Wanting(references) => {
                    for reference in references {
                        let document = documents.document(&reference).await?;
                        library.put(reference, document);
                    }
                }
            }
        }
    }

    /// The same for rules without `get()`, as those of files and functions are; one with it refuses what depends on it.
    pub(crate) fn admits_at_once(&self, subject: Subject<'_>, request: &Request<'_>) -> Verdict {
        self.settle(subject, request, &mut Library::default(), |_| None)
    }

    /// The same with documents that are at hand.
    pub(super) fn settle(
        &self,
        subject: Subject<'_>,
        request: &Request<'_>,
        library: &mut Library,
        find: impl Fn(&Reference) -> Option<Document>,
    ) -> Verdict {
        loop {
            match self.decide(subject, request, library) {
                Decision::Settled(verdict) => return verdict,
                Decision::Wanting(references) => references.into_iter().for_each(|reference| {
                    let document = find(&reference);
                    library.put(reference, document);
                }),
            }
        }
    }

    /// Whether the rule is true or false whatever is asked.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self.expression.kind, Kind::Literal(_))
    }

    fn decide(&self, subject: Subject<'_>, request: &Request<'_>, library: &mut Library) -> Decision {
        match subject {
            Subject::Query(query) => self.decide_query(query, request, library),
            Subject::Document(document) => self.decide_at(Scope::Document(document), request, library),
            Subject::File(file) => self.decide_at(Scope::File(file), request, library),
            Subject::Call => self.decide_at(Scope::Nothing, request, library),
        }
    }

    fn decide_query(&self, query: &Document, request: &Request<'_>, library: &mut Library) -> Decision {
        let Ok(alternatives) = facts::alternatives(query) else {
            return self.decide_without_facts(request, library);
        };
        for (index, facts) in alternatives.iter().enumerate() {
            let proved = Prover { facts, request, library }.proves(&self.expression, true);
            let wanted = library.take_wanted();
            if !proved && !wanted.is_empty() {
                return Decision::Wanting(wanted);
            }
            if !proved {
                let which = (alternatives.len() > 1).then_some((index + 1, alternatives.len()));
                let refusal = self.refuse_query(query, facts, request, library);
                return Decision::Settled(Err(Box::new(Refusal { alternative: which, ..refusal })));
            }
        }
        Decision::Settled(Ok(()))
    }

    /// A query beyond the limits is admitted by a rule that admits every query.
    fn decide_without_facts(&self, request: &Request<'_>, library: &mut Library) -> Decision {
        match self.decide_query(&Document::new(), request, library) {
            Decision::Settled(Err(_)) => {
                Decision::Settled(Err(Box::new(Refusal { limit: Some(QUERY_LIMIT), ..self.refusal() })))
            }
            decision => decision,
        }
    }

    fn decide_at(&self, scope: Scope<'_>, request: &Request<'_>, library: &mut Library) -> Decision {
        let outcome = Evaluator { request, scope, library }.truth(&self.expression);
        let wanted = library.take_wanted();
        match outcome {
            Ok(true) => Decision::Settled(Ok(())),
            Err(_) if !wanted.is_empty() => Decision::Wanting(wanted),
            Ok(false) | Err(_) => Decision::Settled(Err(Box::new(self.refuse_at(scope, request, library)))),
        }
    }

    /// The rule's conditions, for coverage: where each stands, and how it reads.
    pub(super) fn conditions(&self) -> Vec<(Place, String)> {
        let conditions = self.expression.conditions().into_iter();
        conditions.map(|condition| (self.place_of(condition), self.text_of(condition))).collect()
    }

    /// What each of [`Rule::conditions`] is for `subject`, by its index and in each alternative of a query; what does
    /// not follow is false, and what depends on a document that was not read is left out.
    pub(super) fn outcomes(
        &self,
        subject: Subject<'_>,
        request: &Request<'_>,
        library: &mut Library,
    ) -> Vec<(usize, bool)> {
        let outcomes = match subject {
            Subject::Query(query) => self.query_outcomes(query, request, library),
            Subject::Document(document) => self.outcomes_at(Scope::Document(document), request, library),
            Subject::File(file) => self.outcomes_at(Scope::File(file), request, library),
            Subject::Call => self.outcomes_at(Scope::Nothing, request, library),
        };
        library.take_wanted();
        outcomes
    }

    fn query_outcomes(&self, query: &Document, request: &Request<'_>, library: &mut Library) -> Vec<(usize, bool)> {
        let mut outcomes = Vec::new();
        for facts in facts::alternatives(query).unwrap_or_default() {
            let mut prover = Prover { facts: &facts, request, library };
            let conditions = self.expression.conditions().into_iter().enumerate();
            outcomes.extend(conditions.map(|(index, condition)| (index, prover.proves(condition, true))));
        }
        outcomes
    }

    fn outcomes_at(&self, scope: Scope<'_>, request: &Request<'_>, library: &mut Library) -> Vec<(usize, bool)> {
        let mut evaluator = Evaluator { request, scope, library };
        let outcome = |condition: &Expression| match evaluator.truth(condition) {
            Ok(truth) => Some(truth),
            Err(Fault::Wrong(_)) => Some(false),
            Err(Fault::Wanted) => None,
        };
        let outcomes = self.expression.conditions().into_iter().map(outcome).enumerate();
        outcomes.filter_map(|(index, outcome)| Some((index, outcome?))).collect()
    }

    pub(super) fn text_of(&self, expression: &Expression) -> String {
        self.text.get(expression.span.clone()).unwrap_or(&self.text).trim().to_owned()
    }

    pub(super) fn place_of(&self, expression: &Expression) -> Place {
        self.places.get(expression.number).copied().unwrap_or(Place { line: 1, column: 1 })
    }

    /// Where the texts stand that hold a `${` and are no templates.
    pub(super) fn plain_templates(&self) -> Vec<Place> {
        let is_plain_template = |expression: &&Expression| {
            matches!(&expression.kind, Kind::Literal(Bson::String(text)) if text.contains("${"))
                && self.text_of(expression).starts_with(['\'', '"'])
        };
        self.expression.all().into_iter().filter(is_plain_template).map(|text| self.place_of(text)).collect()
    }
}
