//! The language of what this program says, English or Chinese. Chosen once, before the command line is read.

use clap::ValueEnum;
use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;
use std::ffi::OsString;
use std::sync::OnceLock;

const VARIABLE: &str = "EMULATOR_LANG";
/// How the system calls Chinese: `zh`, `zh-CN`, `zh-Hans-CN`, …
const LOCALE_CHINESE: &str = "zh";

/// Chosen at the start, and never again: a process speaks one language.
static CHOSEN: OnceLock<Language> = OnceLock::new();

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum Language {
    #[default]
    #[value(name = "en")]
    English,
    #[value(name = "zh")]
    Chinese,
}

impl Language {
    /// The one that the variable asks for, else the system's.
    pub(crate) fn choose(_arguments: impl IntoIterator<Item = OsString>) -> Language {
        let named = |name: String| Language::from_str(&name, true).ok();
        let variable = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
        let chosen = variable.map_or_else(
            || of_locale(&sys_locale::get_locale().unwrap_or_default()),
            |name| named(name).unwrap_or_default(),
        );
        *CHOSEN.get_or_init(|| chosen)
    }

    /// The one chosen; English before that.
    pub(crate) fn chosen() -> Language {
        CHOSEN.get().copied().unwrap_or_default()
    }
}

/// The texts of a file. A line that is none is left out, and a test finds it.
pub(crate) fn bundle(locale: &str, source: &str) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(locale.parse().into_iter().collect());
    // The marks are for right-to-left scripts, and would be seen by programs that read the output.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(FluentResource::try_new(source.to_owned()).unwrap_or_else(|(texts, _)| texts));
    bundle
}

fn of_locale(locale: &str) -> Language {
    let language = locale.split(['-', '_', '.', '@']).next().unwrap_or_default();
    if language.eq_ignore_ascii_case(LOCALE_CHINESE) { Language::Chinese } else { Language::English }
}
