//! The tree of a rule's expression. Reading it is `parser.rs`'s, asking it is `evaluate.rs`'s and `prove.rs`'s.

use std::ops::Range;

use document::Bson;
use query::Filter;

/// An expression. Within a rule each has a number of its own, counted from 0.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    pub(super) number: usize,
    /// Where it stands in the rule's text, in bytes.
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Literal(Bson),
    Array(Vec<Expression>),
    Variable(Variable),
    /// `base.name`.
    Member(Box<Expression>, String),
    /// `base[index]`.
    Index(Box<Expression>, Box<Expression>),
    /// A template string, or texts joined by `+`.
    Join(Vec<Expression>),
    Not(Box<Expression>),
    /// `&&`.
    All(Vec<Expression>),
    /// `||`.
    Any(Vec<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// `left in right`.
    In(Box<Expression>, Box<Expression>),
    /// `get(reference)`.
    Get(Box<Expression>),
    /// `/pattern/.test(value)`.
    Test(Pattern, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Auth,
    Doc,
    Now,
    /// `request.data`.
    Data,
    Resource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// What holds where this does not.
    pub(super) fn negated(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
        }
    }

    /// The same with its sides exchanged.
    pub(super) fn mirrored(self) -> Comparison {
        match self {
            Comparison::Equal | Comparison::NotEqual => self,
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        }
    }

    /// The query operator of the same meaning.
    pub(super) fn query_operator(self) -> &'static str {
        match self {
            Comparison::Equal => "$eq",
            Comparison::NotEqual => "$ne",
            Comparison::Less => "$lt",
            Comparison::LessOrEqual => "$lte",
            Comparison::Greater => "$gt",
            Comparison::GreaterOrEqual => "$gte",
        }
    }
}

/// A regular expression, asked through a filter: so it is the queries' own.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// Matches a document that has a matching text under [`Pattern::FIELD`].
    pub(super) filter: Filter,
}

impl Pattern {
    pub(super) const FIELD: &str = "text";
}

impl Expression {
    /// The dotted path that the expression names below `doc`; empty for `doc` itself. `None` for everything else.
    pub(super) fn doc_path(&self) -> Option<String> {
        self.path_below(Variable::Doc)
    }

    /// The dotted path that the expression names below `root`.
    pub(super) fn path_below(&self, root: Variable) -> Option<String> {
        let join = |base: String, name: &str| if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") };
        match &self.kind {
            Kind::Variable(variable) if *variable == root => Some(String::new()),
            Kind::Member(base, name) => Some(join(base.path_below(root)?, name)),
            Kind::Index(base, index) => match &index.kind {
                Kind::Literal(Bson::String(name)) if !name.is_empty() => Some(join(base.path_below(root)?, name)),
                Kind::Literal(Bson::Int32(index)) => Some(join(base.path_below(root)?, &index.to_string())),
                _ => None,
            },
            _ => None,
        }
    }

    /// Every path below `doc` that the expression speaks of, each once.
    pub(super) fn doc_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_doc_paths(&mut paths);
        paths
    }

    fn collect_doc_paths(&self, paths: &mut Vec<String>) {
        if let Some(path) = self.doc_path() {
            if !paths.contains(&path) {
                paths.push(path);
            }
            return;
        }
        self.children().into_iter().for_each(|child| child.collect_doc_paths(paths));
    }

    /// The paths below `doc` that decide which documents `get()` reads.
    pub(super) fn lookup_paths(&self) -> Vec<String> {
        match &self.kind {
            Kind::Get(reference) => reference.doc_paths(),
            _ => self.children().into_iter().flat_map(Expression::lookup_paths).collect(),
        }
    }

    /// Whether `get()` is called in it.
    pub(super) fn looks_up(&self) -> bool {
        self.all().iter().any(|expression| matches!(expression.kind, Kind::Get(_)))
    }

    /// The expression and every one in it, in the order they stand.
    pub(super) fn all(&self) -> Vec<&Expression> {
        let below = self.children().into_iter().flat_map(Expression::all);
        [self].into_iter().chain(below).collect()
    }

    /// The expressions it is made of, in the order they stand.
    pub(super) fn children(&self) -> Vec<&Expression> {
        match &self.kind {
            Kind::Literal(_) | Kind::Variable(_) => Vec::new(),
            Kind::Array(parts) | Kind::Join(parts) | Kind::All(parts) | Kind::Any(parts) => parts.iter().collect(),
            Kind::Member(base, _) => vec![base],
            Kind::Not(inner) | Kind::Get(inner) | Kind::Test(_, inner) => vec![inner],
            Kind::Index(left, right) | Kind::Compare(_, left, right) | Kind::In(left, right) => vec![left, right],
        }
    }

    /// The conditions that `&&`, `||` and `!` join: what a rule's coverage counts.
    pub(super) fn conditions(&self) -> Vec<&Expression> {
        match &self.kind {
            Kind::All(_) | Kind::Any(_) | Kind::Not(_) => {
                self.children().into_iter().flat_map(Expression::conditions).collect()
            }
            _ => vec![self],
        }
    }
}
