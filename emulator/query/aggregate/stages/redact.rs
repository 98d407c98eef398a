//! `$redact`: each document, and each within it, is kept, left out, or looked into.
//!
//! ## Differences from the cloud
//! - Within an embedded document, `$$ROOT` is that document, as `$$CURRENT` is.

use document::{Bson, Document, DocumentRef, ValueRef};

use super::{Context, Flow, Parser, Stage};
use crate::QueryError;
use crate::aggregate::expressions::{Expression, Scope};
use crate::aggregate::item::Item;
use crate::aggregate::library::Library;
use crate::aggregate::text;

/// What decides.
#[derive(Debug, Clone)]
pub(super) struct Redact {
    decision: Expression,
}

/// The variables that a decision names, and the values MongoDB gives them.
const DECISIONS: &[(&str, &str)] = &[("DESCEND", "descend"), ("KEEP", "keep"), ("PRUNE", "prune")];

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let names = DECISIONS.iter().fold(parser.names().clone(), |names, (name, _)| names.with(name));
    Ok(vec![Stage::Redact(Redact { decision: parser.expression_with(specification, &names)? })])
}

impl Redact {
    pub(super) fn run<'a, L: Library>(
        &'a self,
        input: Flow<'a, L::Error>,
        context: Context<'a, L>,
    ) -> Flow<'a, L::Error> {
        Box::new(input.filter_map(move |item| self.item(item, &context).transpose()))
    }

    fn item<L: Library>(
        &self,
        item: Result<Item, L::Error>,
        context: &Context<'_, L>,
    ) -> Result<Option<Item>, L::Error> {
        let item = item?;
        let scope = DECISIONS.iter().fold(context.at(item.view()), |scope, (name, value)| {
            scope.with(name, Some(Bson::String((*value).to_owned())))
        });
        Ok(self.document(item.view(), &scope)?.map(Item::Made))
    }

    fn document(&self, document: DocumentRef<'_>, scope: &Scope<'_>) -> Result<Option<Document>, QueryError> {
        let decision = self.decision.evaluate(&scope.at(document))?;
        match decision.as_ref().and_then(Bson::as_str) {
            Some("keep") => Ok(Some(document.to_document())),
            Some("prune") => Ok(None),
            Some("descend") => self.fields(document, scope).map(Some),
            _ => Err(QueryError::bad_query(format!(
                "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, \
                 but returned {}",
                text::of_value(decision.as_ref())
            ))),
        }
    }

    fn fields(&self, document: DocumentRef<'_>, scope: &Scope<'_>) -> Result<Document, QueryError> {
        let mut kept = Document::new();
        for (name, value) in document.iter() {
            if let Some(value) = self.value(value, scope)? {
                kept.insert(name, value);
            }
        }
        Ok(kept)
    }

    fn value(&self, value: ValueRef<'_>, scope: &Scope<'_>) -> Result<Option<Bson>, QueryError> {
        match value {
            ValueRef::Document(document) => Ok(self.document(document, scope)?.map(Bson::Document)),
            ValueRef::Array(array) => {
                let mut kept = Vec::new();
                for element in array.iter() {
                    kept.extend(self.value(element, scope)?);
                }
                Ok(Some(Bson::Array(kept)))
            }
            value => Ok(Some(value.to_bson())),
        }
    }
}
