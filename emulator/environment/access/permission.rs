//! What the cloud's console sets for a collection, for the files or for the functions: a simple mode, or CUSTOM with the
//! rules as they were written.

use super::mode::Mode;
use super::rules::{CollectionRules, FileRules, FunctionRules, Problem};
use std::sync::Arc;

/// How the cloud's interface spells the mode of what has rules.
pub(crate) const CUSTOM: &str = "CUSTOM";

/// Who may do what with a collection, or with the files. A cheap handle.
#[derive(Clone, Debug)]
pub(crate) enum Permission<R> {
    Mode(Mode),
    /// CUSTOM.
    Rules(Written<R>),
}

/// Security rules, and the text they were read from. A cheap handle; equal where the texts are.
#[derive(Clone, Debug)]
pub(crate) struct Written<R> {
    text: Arc<str>,
    rules: Arc<R>,
}

impl<R> Permission<R> {
    /// The mode as the cloud's interface spells it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Permission::Mode(mode) => mode.name(),
            Permission::Rules(_) => CUSTOM,
        }
    }
}

impl<R> Written<R> {
    /// Keeps `text` beside what `read` makes of it.
    fn read(text: &str, read: impl FnOnce(&str) -> Result<R, Vec<Problem>>) -> Result<Written<R>, Vec<Problem>> {
        Ok(Written { rules: Arc::new(read(text)?), text: text.into() })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn rules(&self) -> &R {
        &self.rules
    }
}

impl Written<CollectionRules> {
    /// Reads the rules of a collection. Every mistake in them comes back with its place.
    pub(crate) fn of_collection(text: &str) -> Result<Self, Vec<Problem>> {
        Written::read(text, CollectionRules::parse)
    }
}

impl Written<FileRules> {
    /// Reads the rules of files.
    pub(crate) fn of_files(text: &str) -> Result<Self, Vec<Problem>> {
        Written::read(text, FileRules::parse)
    }
}

impl Written<FunctionRules> {
    /// Reads the rules of functions.
    pub(crate) fn of_functions(text: &str) -> Result<Self, Vec<Problem>> {
        Written::read(text, FunctionRules::parse)
    }
}

impl<R> PartialEq for Permission<R> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Permission::Mode(mode), Permission::Mode(other)) => mode == other,
            (Permission::Rules(rules), Permission::Rules(other)) => rules == other,
            (Permission::Mode(_), Permission::Rules(_)) | (Permission::Rules(_), Permission::Mode(_)) => false,
        }
    }
}

impl<R> PartialEq for Written<R> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
