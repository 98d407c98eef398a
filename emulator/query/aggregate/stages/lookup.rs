//! `$lookup`: documents of another collection, put into each document as an array: those with an equal value, or the results of a
//! pipeline that sees variables.

use document::{Bson, Document, DocumentRef, ValueRef, to_shell_text};

use super::parser::type_name;
use super::{Context, Flow, Parser, Stage, Stages, read};
use crate::aggregate::Front;
use crate::aggregate::expressions::{Expression, Scope, check_variable_name};
use crate::aggregate::fields::Path;
use crate::aggregate::item::Item;
use crate::aggregate::library::Library;
use crate::aggregate::memory::DOCUMENT_BYTES_MAX;
use crate::filter::{Arrays, WalkPath, walk};
use crate::{Filter, QueryError};

/// Which collection, what of it, and where it is put.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    from: Box<str>,
    field: Path,
    join: Join,
}

/// What belongs to a document.
#[derive(Debug, Clone)]
enum Join {
    /// The documents with an equal value.
    Equality { local: WalkPath, foreign: Box<str> },
    /// The results of a pipeline.
    Pipeline { variables: Vec<(Box<str>, Expression)>, front: Box<Front>, stages: Stages },
}

/// What a `$lookup` says, before it is made sense of.
#[derive(Default)]
struct Options<'a> {
    from: Option<&'a str>,
    field: Option<&'a str>,
    local: Option<&'a str>,
    foreign: Option<&'a str>,
    variables: Option<&'a Document>,
    pipeline: Option<&'a [Bson]>,
}

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(whole) = specification else {
        let found = type_name(specification);
        return Err(QueryError::bad_query(format!("the $lookup stage specification must be an object, found {found}")));
    };
    let mut options = Options::default();
    whole.iter().try_for_each(|(name, value)| options.read(name, value))?;
    let Some(from) = options.from else {
        let whole = to_shell_text(whole.into());
        return Err(QueryError::bad_query(format!("missing 'from' option to $lookup stage specification: {whole}")));
    };
    let field = options.field.ok_or_else(|| QueryError::bad_query("must specify 'as' field for a $lookup"))?;
    let (field, join) = (Path::parse(field)?, options.join(parser)?);
    Ok(vec![Stage::Lookup(Box::new(Lookup { from: from.into(), field, join }))])
}

impl<'a> Options<'a> {
    fn read(&mut self, name: &str, value: &'a Bson) -> Result<(), QueryError> {
        match (name, value) {
            ("pipeline", Bson::Array(pipeline)) => self.pipeline = Some(pipeline),
            ("pipeline", _) => return Err(QueryError::bad_query("'pipeline' option must be specified as an array")),
            ("let", Bson::Document(variables)) => self.variables = Some(variables),
            ("let", other) => return Err(wrong_type("let", "an object", other)),
            ("from", Bson::String(text)) => self.from = Some(text),
            ("as", Bson::String(text)) => self.field = Some(text),
            ("localField", Bson::String(text)) => self.local = Some(text),
            ("foreignField", Bson::String(text)) => self.foreign = Some(text),
            ("from" | "as" | "localField" | "foreignField", other) => return Err(wrong_type(name, "a string", other)),
            _ => return Err(QueryError::bad_query(format!("unknown argument to $lookup: {name}"))),
        }
        Ok(())
    }

    fn join(&self, parser: &mut Parser) -> Result<Join, QueryError> {
        match (self.pipeline, self.local, self.foreign) {
            (Some(pipeline), None, None) => self.pipeline(parser, pipeline),
            (Some(_), _, _) => {
                Err(QueryError::bad_query("$lookup with 'pipeline' may not specify 'localField' or 'foreignField'"))
            }
            (None, Some(_), Some(_)) if self.variables.is_some() => {
                Err(QueryError::bad_query("$lookup with a 'let' argument must also specify 'pipeline'"))
            }
            (None, Some(local), Some(foreign)) => {
                Path::parse(local)?;
                Path::parse(foreign)?;
                Ok(Join::Equality { local: WalkPath::parse(local), foreign: foreign.into() })
            }
            (None, _, _) => Err(QueryError::bad_query(
                "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
            )),
        }
    }

    fn pipeline(&self, parser: &mut Parser, pipeline: &[Bson]) -> Result<Join, QueryError> {
        let mut variables = Vec::new();
        let mut names = parser.names().clone();
        for (name, expression) in self.variables.into_iter().flatten() {
            check_variable_name(name)?;
            variables.push((name.as_str().into(), parser.expression(expression)?));
            names = names.with(name);
        }
        let mut stages = parser.lookup(pipeline, names)?;
        let front = Box::new(Front::take(&mut stages));
        Ok(Join::Pipeline { variables, front, stages })
    }
}

fn wrong_type(name: &str, expected: &str, found: &Bson) -> QueryError {
    let found = type_name(found);
    QueryError::bad_query(format!("$lookup argument '{name}' must be {expected}, is type {found}"))
}

impl Lookup {
    /// The collection it reads, and those its pipeline reads.
    pub(super) fn collections(&self) -> Vec<&str> {
        let mut names = vec![&*self.from];
        if let Join::Pipeline { stages, .. } = &self.join {
            names.extend(stages.collections());
        }
        names
    }

    pub(super) fn run<'a, L: Library>(
        &'a self,
        input: Flow<'a, L::Error>,
        context: Context<'a, L>,
    ) -> Flow<'a, L::Error> {
        // What a pipeline without variables of its own gives is the same for every document.
        let mut known: Option<Vec<Bson>> = None;
        Box::new(input.map(move |item| {
            let item = item?;
            let found = match (&known, &self.join) {
                (Some(known), _) => known.clone(),
                (None, Join::Equality { local, foreign }) => self.equal(local, foreign, item.view(), &context)?,
                (None, Join::Pipeline { variables, front, stages }) => {
                    let found = self.results(variables, front, stages, item.view(), &context)?;
                    if variables.is_empty() {
                        known = Some(found.clone());
                    }
                    found
                }
            };
            let mut document = item.into_document();
            self.field.set(&mut document, Bson::Array(found));
            Ok(Item::made(document)?)
        }))
    }

    /// The documents with one of the document's values, or an array with one of them; a missing value is null.
    fn equal<L: Library>(
        &self,
        local: &WalkPath,
        foreign: &str,
        document: DocumentRef<'_>,
        context: &Context<'_, L>,
    ) -> Result<Vec<Bson>, L::Error> {
        let front = Front::matching(equality(foreign, values_at(document, local)?)?);
        let documents = context.library.documents(&self.from, front)?;
        self.collect(documents.map(|document| document.map(Item::Stored)))
    }

    fn results<L: Library>(
        &self,
        variables: &[(Box<str>, Expression)],
        front: &Front,
        stages: &Stages,
        document: DocumentRef<'_>,
        context: &Context<'_, L>,
    ) -> Result<Vec<Bson>, L::Error> {
        let outer = context.at(document);
        let mut scope: Scope<'_> = outer.clone();
        for (name, expression) in variables {
            scope = scope.with(name, expression.evaluate(&outer)?);
        }
        let context = Context { library: context.library, scope: Some(scope) };
        self.collect(read(context.library, &self.from, front.clone(), stages, context)?)
    }

    fn collect<E: From<QueryError>>(&self, items: impl Iterator<Item = Result<Item, E>>) -> Result<Vec<Bson>, E> {
        let mut found = Vec::new();
        let mut bytes = 0;
        for item in items {
            let item = item?;
            bytes += item.size()?;
            if bytes > DOCUMENT_BYTES_MAX {
                let mistake = format!(
                    "Total size of documents in {} matching pipeline's $lookup stage exceeds {DOCUMENT_BYTES_MAX} bytes",
                    self.from
                );
                return Err(QueryError::bad_query(mistake).into());
            }
            found.push(Bson::Document(item.into_document()));
        }
        Ok(found)
    }
}

/// The values at a path, those in arrays one by one; null where there is none.
fn values_at(document: DocumentRef<'_>, path: &WalkPath) -> Result<Vec<Bson>, QueryError> {
    let mut values = Vec::new();
    walk(document.into(), path.segments(), Arrays::Keys, &mut |value, _| {
        values.extend(value.filter(|value| !matches!(value, ValueRef::Undefined)).map(ValueRef::to_bson));
        Ok(false)
    })?;
    if values.is_empty() {
        values.push(Bson::Null);
    }
    Ok(values)
}

/// The filter for one of `values` at `path`. A regular expression is a value like others here.
fn equality(path: &str, values: Vec<Bson>) -> Result<Filter, QueryError> {
    let one = |name: &str, value: Bson| Document::from_iter([(name.to_owned(), value)]);
    let is_plain = !values.iter().any(|value| matches!(value, Bson::RegularExpression(_)));
    let mut values = values;
    match values.pop() {
        Some(only) if values.is_empty() => Filter::parse(&one(path, one("$eq", only).into())),
        last if is_plain => {
            values.extend(last);
            Filter::parse(&one(path, one("$in", Bson::Array(values)).into()))
        }
        last => {
            values.extend(last);
            let branches = values.into_iter().map(|value| one(path, one("$eq", value).into()).into());
            Filter::parse(&one("$or", Bson::Array(branches.collect())))
        }
    }
}
