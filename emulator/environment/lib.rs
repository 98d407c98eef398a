//! One emulator's cloud: its environments, who may do what in them, and the action vocabulary that every door speaks.
//! The waist of the architecture: doors above it only open and seal envelopes, services below it know nothing of callers.

mod access;
mod accounts;
mod actions;
mod caller;
mod calls;
mod clock;
mod cloud;
mod data_folder;
mod error;
mod exchange;
mod files;
mod forks;
mod identity;
mod incoming;
mod indexes;
mod invocation;
mod management;
mod outbox;
mod register;
mod rule_files;
mod seed;
mod settings;
mod tokens;
mod watches;

pub use caller::{Caller, Door};
pub use cloud::{Cloud, Environment, OpenError, Reply};
pub use data_folder::{DataFolder, DataFolderError, Holder, Occupancy};
pub use error::{ActionError, codes};
pub use files::{FileReceipt, IncomingFile, OutgoingFile};
pub use invocation::{Invoked, LogLine};
pub use register::User;
pub use rule_files::{CheckedRules, RulesOf, TestedRules, check_rules, test_rules};
pub use seed::{FIXTURE_ENTRIES, SeedError, Seeded};
pub use settings::{CloudSettings, FunctionSettings, WorkerCommand};
pub use watches::{EventsText, HeldWatch, Watched};

/// The functions in a folder.
pub use functions::names_in as function_names;
/// What the binary's hidden command calls: the process becomes a function worker.
pub use functions::run_worker;
