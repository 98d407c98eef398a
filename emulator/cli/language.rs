//! The language of what this program says: the texts of `locales/`, English or Chinese. Chosen once, before the command line is
//! read, since it decides how the help reads. What the cloud says, and every error code, is the same in both.

use clap::ValueEnum;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast::Pattern;
use std::ffi::OsString;
use std::sync::{LazyLock, OnceLock};

const VARIABLE: &str = "EMULATOR_LANG";
const FLAG: &str = "--lang";
/// What follows it belongs to another program.
const FLAGS_END: &str = "--";
/// How the system calls Chinese: `zh`, `zh-CN`, `zh-Hans-CN`, …
const LOCALE_CHINESE: &str = "zh";

/// Chosen at the start, and never again: a process speaks one language.
static CHOSEN: OnceLock<Language> = OnceLock::new();
/// Read at the first text.
static TEXTS: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| Language::chosen().texts());

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum Language {
    /// Of the help in `arguments.rs` too.
    #[default]
    #[value(name = "en")]
    English,
    #[value(name = "zh")]
    Chinese,
}

impl Language {
    /// The one that the command line `arguments` asks for, else the variable, else the system. A word that is no language is left
    /// to the reading of the command line, which refuses it.
    pub(crate) fn choose(arguments: impl IntoIterator<Item = OsString>) -> Language {
        let variable = || std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
        let chosen = match flag(arguments) {
            Some(name) => Language::from_str(&name, true).unwrap_or_default(),
            None => of_locale(&variable().or_else(sys_locale::get_locale).unwrap_or_default()),
        };
        *CHOSEN.get_or_init(|| chosen)
    }

    /// The one chosen; English before that.
    pub(crate) fn chosen() -> Language {
        CHOSEN.get().copied().unwrap_or_default()
    }

    /// What the program says while it works.
    fn texts(self) -> FluentBundle<FluentResource> {
        match self {
            Language::English => bundle("en", include_str!("locales/en.ftl")),
            Language::Chinese => bundle("zh", include_str!("locales/zh.ftl")),
        }
    }

    /// What stands in place of the help in `arguments.rs`, if something does.
    pub(crate) fn help(self) -> Option<FluentBundle<FluentResource>> {
        match self {
            Language::English => None,
            Language::Chinese => Some(bundle("zh", include_str!("locales/help.zh.ftl"))),
        }
    }
}

/// The text `id` of the language chosen, with `arguments` in their places. Tests hold that every text is there in every language.
pub(crate) fn look_up(id: &str, arguments: &FluentArgs<'_>) -> String {
    find(&TEXTS, id, arguments).unwrap_or_else(|| id.to_owned())
}

/// The text `id` of the language chosen: `text!("ready", address = address)`.
macro_rules! text {
    ($id:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        #[allow(unused_mut)]
        let mut arguments = fluent_bundle::FluentArgs::new();
        $(arguments.set(stringify!($name), $value);)*
        $crate::language::look_up($id, &arguments)
    }};
}
pub(crate) use text;

fn find(texts: &FluentBundle<FluentResource>, id: &str, arguments: &FluentArgs<'_>) -> Option<String> {
    let pattern = texts.get_message(id)?.value()?;
    Some(format(texts, pattern, Some(arguments)))
}

/// A text with `arguments` in their places.
pub(crate) fn format(
    texts: &FluentBundle<FluentResource>,
    pattern: &Pattern<&str>,
    arguments: Option<&FluentArgs<'_>>,
) -> String {
    texts.format_pattern(pattern, arguments, &mut Vec::new()).into_owned()
}

/// The texts of a file. A line that is none is left out, and a test finds it.
pub(crate) fn bundle(locale: &str, source: &str) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(locale.parse().into_iter().collect());
    // The marks are for right-to-left scripts, and would be seen by programs that read the output.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(FluentResource::try_new(source.to_owned()).unwrap_or_else(|(texts, _)| texts));
    bundle
}

/// What `--lang` says.
fn flag(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    let mut ours = arguments.by_ref().take_while(|argument| argument != FLAGS_END);
    while let Some(argument) = ours.next() {
        match argument.strip_prefix(FLAG) {
            Some("") => return ours.next(),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
            Some(_) | None => {}
        }
    }
    None
}

fn of_locale(locale: &str) -> Language {
    let language = locale.split(['-', '_', '.', '@']).next().unwrap_or_default();
    if language.eq_ignore_ascii_case(LOCALE_CHINESE) { Language::Chinese } else { Language::English }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_flag_is_found_where_the_command_line_would() {
        for (line, expected) in [
            ("emulator --lang zh", Some("zh")),
            ("emulator start --lang=zh --help", Some("zh")),
            ("emulator db find c --lang en", Some("en")),
            ("emulator exec --lang zh -- npm --lang en", Some("zh")),
            ("emulator exec -- npm --lang zh", None),
            ("emulator --language zh", None),
            ("emulator --lang", None),
        ] {
            let arguments = line.split(' ').map(OsString::from);
            assert_eq!(flag(arguments).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn chinese_is_the_system_s_by_its_first_word() {
        for locale in ["zh", "zh-CN", "zh_TW.UTF-8", "zh-Hans-CN", "ZH"] {
            assert_eq!(of_locale(locale), Language::Chinese, "{locale}");
        }
        for locale in ["", "C", "C.UTF-8", "POSIX", "en-US", "de_DE", "zha"] {
            assert_eq!(of_locale(locale), Language::English, "{locale}");
        }
    }

    #[test]
    fn every_text_is_there_in_both_languages_and_takes_the_same_arguments() {
        let (english, chinese) = (messages("en.ftl"), messages("zh.ftl"));
        assert_eq!(english, chinese);
        let known: BTreeSet<&str> = english.iter().map(|(id, _)| id.as_str()).collect();
        let asked = asked_for();
        assert_eq!(asked.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn a_text_takes_its_arguments_without_marks_around_them() {
        let mut arguments = FluentArgs::new();
        for name in ["documents", "collections", "files", "users"] {
            arguments.set(name, 12_345_u64);
        }
        let seeded = |language: Language| find(&language.texts(), "seeded", &arguments).unwrap();
        let expected = "added 12345 documents in 12345 collections, 12345 files and 12345 users";
        assert_eq!(seeded(Language::English), expected);
        assert!(seeded(Language::Chinese).contains(" 12345 "));
    }

    /// The texts of a file, each with the names of its arguments; asserts that every line of the file is understood.
    fn messages(file: &str) -> BTreeSet<(String, BTreeSet<String>)> {
        let source = std::fs::read_to_string(folder().join("locales").join(file)).unwrap();
        FluentResource::try_new(source.clone()).map_err(|(_, errors)| errors).unwrap();
        let (mut messages, mut current) = (BTreeSet::new(), None::<(String, BTreeSet<String>)>);
        for line in source.lines() {
            if let Some((id, _)) =
                line.split_once(" =").filter(|_| line.starts_with(|first: char| first.is_ascii_lowercase()))
            {
                messages.extend(current.replace((id.to_owned(), BTreeSet::new())));
            }
            for part in line.split('$').skip(1) {
                let name = part.split(|other: char| !other.is_ascii_alphanumeric() && other != '_').next().unwrap();
                current.as_mut().unwrap().1.insert(name.to_owned());
            }
        }
        messages.extend(current);
        messages
    }

    /// The ids that the sources ask for.
    fn asked_for() -> BTreeSet<String> {
        let mut asked = BTreeSet::new();
        let mark = concat!("text", "!(");
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("language.rs") {
                let source = std::fs::read_to_string(path).unwrap();
                let asks = source.split(mark).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                asked.extend(asks.map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
        asked
    }

    fn folder() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator/cli")
    }
}
