//! `emulator rules`: security rules, set and shown, and their files looked at without a cloud.

use crate::arguments::{CloudArguments, PlaceArguments, RulesCommand, RulesOfArguments};
use crate::ask::{AskError, Asked};
use crate::language::text;
use crate::output::say;
use crate::settings::{Settings, SettingsError};
use environment::{RulesOf, check_rules, test_rules};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const RULES_FILE: &str = "rules.json";
const CASES_FILE: &str = "rules.test.json";

/// Why rules could not be set, shown or tested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    #[error("{}", text!("unreadable", path = .path.display().to_string(), reason = .source.to_string()))]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {reason}", .path.display())]
    Cases { path: PathBuf, reason: String },
    #[error("{}", text!("rules-unusable"))]
    Unusable,
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// `emulator rules …`.
pub(crate) async fn run(command: RulesCommand, place: PlaceArguments) -> Result<ExitCode, RulesError> {
    match command {
        RulesCommand::Check { file, of } => Ok(status(is_usable(&file, &read(&file)?, &of, true))),
        RulesCommand::Set { file, of } => set(&file, of, place).await,
        RulesCommand::Show => show(place).await,
        RulesCommand::Test { folder } => test(&place.cloud, folder),
    }
}

async fn set(file: &Path, of: RulesOfArguments, place: PlaceArguments) -> Result<ExitCode, RulesError> {
    let text = read(file)?;
    if !is_usable(file, &text, &of, false) {
        return Err(RulesError::Unusable);
    }
    let service = if of.files { Some("files") } else { of.functions.then_some("functions") };
    let request = json!({ "rules": text, "collection": of.collection, "service": service });
    Asked::new(&place.cloud, place.data)?.ask("rules/set", request).await?;
    Ok(ExitCode::SUCCESS)
}

async fn show(place: PlaceArguments) -> Result<ExitCode, RulesError> {
    let answer = Asked::new(&place.cloud, place.data)?.ask("rules/show", json!({})).await?;
    say(answer["rules"].as_str().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

fn test(cloud: &CloudArguments, folder: Option<PathBuf>) -> Result<ExitCode, RulesError> {
    let folder = match folder {
        Some(folder) => folder,
        None => Settings::settle(cloud)?.fixtures(None).unwrap_or_else(|| PathBuf::from(".")),
    };
    let (rules, path) = (folder.join(RULES_FILE), folder.join(CASES_FILE));
    let rules = if rules.is_file() { Some(read(&rules)?) } else { None };
    let tested = test_rules(rules.as_deref(), &read(&path)?);
    let tested = tested.map_err(|reason| RulesError::Cases { path, reason })?;
    tested.lines.iter().for_each(say);
    Ok(status(tested.passed))
}

/// Says what is wrong with rules, a line for each mistake; with `always`, also that nothing is.
fn is_usable(file: &Path, text: &str, of: &RulesOfArguments, always: bool) -> bool {
    let of = match (&of.collection, of.files, of.functions) {
        (Some(_), ..) => RulesOf::Collection,
        (None, true, _) => RulesOf::Files,
        (None, false, true) => RulesOf::Functions,
        (None, false, false) => RulesOf::Environment,
    };
    let checked = check_rules(text, of);
    checked.problems.iter().for_each(|problem| say(format_args!("{}:{problem}", file.display())));
    if always && checked.problems.is_empty() {
        say(&text!("rules-fine", path = file.display().to_string()));
    }
    checked.usable
}

fn read(path: &Path) -> Result<String, RulesError> {
    let text = std::fs::read_to_string(path).map_err(|source| RulesError::Read { path: path.to_path_buf(), source })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn status(is_well: bool) -> ExitCode {
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
