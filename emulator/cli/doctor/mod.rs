//! `emulator doctor`: looks at everything an emulator on this project depends on, and says of each fault what is wrong, why, and
//! what to do. Changes nothing, but for `--fix`, which installs the packages that functions lack.

mod clock;
mod commands;
mod data_folder;
mod devtools;
mod engine;
mod finding;
mod function_folders;
mod hello;
mod install;
mod node;
mod place;
mod ports;
mod print;
mod project_files;
mod proxy;
mod texts;

use crate::arguments::DoctorArguments;
use crate::project::ProjectError;
use finding::{Finding, Severity};
use place::Place;
use std::process::ExitCode;

/// Why nothing can be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DoctorError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("{}", texts::text("install-unasked", &[("error", .0.to_string())]))]
    Question(std::io::Error),
}

/// Looks, installs what is missing when that was asked for, and prints what was found. Fails where there is a fault.
pub(crate) async fn run(arguments: DoctorArguments) -> Result<ExitCode, DoctorError> {
    let place = Place::of(&arguments)?;
    if arguments.fix {
        install::missing_packages(&place, arguments.yes).await.map_err(DoctorError::Question)?;
    }
    let findings = examine(&place).await;
    if arguments.json {
        print::json(&findings)
    } else {
        print::text(&findings)
    }
    let is_ill = findings.iter().any(|finding| finding.severity == Severity::Fault);
    Ok(if is_ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Every check, in the order in which a start would stumble.
async fn examine(place: &Place) -> Vec<Finding> {
    let occupant = data_folder::Occupant::of(&place.data).await;
    let mut findings = project_files::check(place);
    findings.extend(ports::check(place, &occupant).await);
    findings.extend(data_folder::check(&place.data, occupant));
    findings.extend(clock::check(&place.data));
    findings.extend(node::check().await);
    findings.extend(function_folders::check(place));
    findings.extend(engine::check().await);
    findings.extend(devtools::check(place));
    findings.extend(proxy::check(|name| std::env::var(name).ok()));
    findings
}
