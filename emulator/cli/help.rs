//! The help in another language than that of `arguments.rs`: texts of `locales/help.*.ftl` in place of the doc comments, found by
//! the path of the command and the name of the argument, and with them every word that `clap` adds.

use crate::arguments::Arguments;
use crate::fold::fold;
use crate::language::{self, Language};
use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory};
use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;

/// The command that `clap` adds; what stands under it describes the commands beside it.
const HELP_COMMAND: &str = "help";
/// What `clap` says beside the texts of `arguments.rs`.
const WORDS: &str = "words";
/// The texts of arguments that several commands have.
const SHARED: &str = "shared";
/// The attribute with what comes after the arguments.
const AFTER: &str = "after";
/// How far `clap` indents the help of an argument, at most.
const INDENTATION: usize = 10;
/// As `clap` has it, where the width of the terminal cannot be told.
const WIDTH_DEFAULT: usize = 100;

/// The texts that stand in place of the doc comments.
struct Help {
    texts: FluentBundle<FluentResource>,
    /// How many columns there are.
    width: usize,
}

/// The command line, with its help in `language`.
pub(crate) fn command(language: Language) -> Command {
    let command = Arguments::command();
    match language.help() {
        Some(texts) => {
            let width = terminal_size::terminal_size().map_or(WIDTH_DEFAULT, |(width, _)| usize::from(width.0));
            Help { texts, width }.translate(command.bin_name("emulator"))
        }
        None => command,
    }
}

impl Help {
    fn translate(&self, mut command: Command) -> Command {
        // `clap` adds its own commands and flags first, so that they are translated too.
        command.build();
        let name = command.get_name().to_owned();
        self.command(command, &name, "")
    }

    /// `path`: the names from under the program's to this command's, joined; that of the program alone for itself.
    fn command(&self, mut command: Command, path: &str, under: &str) -> Command {
        let usage = self.usage(&mut command);
        let header = *command.get_styles().get_header();
        let template = format!(
            "{{before-help}}{{about-with-newline}}\n{header}{}{header:#} {{usage}}\n\n{{all-args}}{{after-help}}",
            self.word("usage")
        );
        if let Some(about) = self.find(path, None) {
            command = command.about(summary(&about)).long_about(fold(&about, self.width));
        }
        if let Some(after) = self.find(path, Some(AFTER)) {
            command = command.after_help(after);
        }
        let command = command
            .override_usage(usage)
            .help_template(template)
            .subcommand_help_heading(lasting(self.word("commands")))
            .subcommand_value_name(lasting(self.word("command")))
            .mut_args(|argument| self.argument(argument, path));
        command.mut_subcommands(|command| {
            let name = command.get_name().to_owned();
            // What stands under `help` is called as it would be beside it.
            let (path, under) = match name.as_str() {
                HELP_COMMAND => (name, under.to_owned()),
                _ => (join(under, &name), join(under, &name)),
            };
            self.command(command, &path, &under)
        })
    }

    /// The line after `Usage:`.
    fn usage(&self, command: &mut Command) -> StyledStr {
        let usage = command.render_usage().ansi().to_string();
        let (_, usage) = usage.split_once("Usage:").unwrap_or_default();
        // The style of the heading ends after it.
        let usage = usage.trim_start_matches(|first| first != ' ').trim_start();
        usage
            .replace("[OPTIONS]", &self.word("any-options"))
            .replace("COMMAND>", &format!("{}>", self.word("command")))
            .into()
    }

    fn argument(&self, argument: Arg, path: &str) -> Arg {
        let heading = if argument.is_positional() { self.word("arguments") } else { self.word("options") };
        let argument = argument.help_heading(lasting(heading));
        let Some(whole) = self.argument_text(path, argument.get_id().as_str()) else { return argument };
        let (short, long) = (self.notes(&argument, false), self.notes(&argument, true));
        let whole = if long.is_empty() { whole } else { format!("{whole}\n\n{long}") };
        let line = [summary(&whole), short].join(" ");
        let argument = argument.hide_env(true).hide_default_value(true).hide_possible_values(true);
        argument.help(line.trim_end().to_owned()).long_help(fold(&whole, self.width.saturating_sub(INDENTATION)))
    }

    fn argument_text(&self, path: &str, id: &str) -> Option<String> {
        self.find(path, Some(id)).or_else(|| self.find(SHARED, Some(id)))
    }

    /// What `clap` says beside a help text: values, default, variable.
    fn notes(&self, argument: &Arg, long: bool) -> String {
        let mut notes = Vec::new();
        if !argument.is_hide_env_set()
            && let Some(variable) = argument.get_env()
        {
            notes.push(format!("[{}: {}]", self.word("variable"), variable.to_string_lossy()));
        }
        if takes_value(argument) && !argument.is_hide_default_value_set() && !argument.get_default_values().is_empty() {
            let values = argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
            notes.push(format!("[{}: {}]", self.word("default"), values.collect::<Vec<_>>().join(" ")));
        }
        if takes_value(argument) && !argument.is_hide_possible_values_set() {
            notes.extend(self.values(argument, long));
        }
        notes.join(if long { "\n\n" } else { " " })
    }

    fn values(&self, argument: &Arg, long: bool) -> Option<String> {
        let values = argument.get_possible_values();
        let names = values.iter().filter(|value| !value.is_hide_set()).map(|value| value.get_name());
        if values.is_empty() {
            return None;
        }
        if !long {
            return Some(format!("[{}: {}]", self.word("values"), names.collect::<Vec<_>>().join(", ")));
        }
        let lines = names.map(|name| match self.find(SHARED, Some(&value_id(argument, name))) {
            Some(help) => format!("- {name}: {help}"),
            None => format!("- {name}"),
        });
        Some(format!("{}:\n{}", self.word("values"), lines.collect::<Vec<_>>().join("\n")))
    }

    fn word(&self, name: &str) -> String {
        self.find(WORDS, Some(name)).unwrap_or_default()
    }

    /// A text: of the command at `path`, or of an attribute of it.
    fn find(&self, path: &str, attribute: Option<&str>) -> Option<String> {
        let message = self.texts.get_message(path)?;
        let pattern = match attribute {
            Some(name) => message.get_attribute(name)?.value(),
            None => message.value()?,
        };
        Some(language::format(&self.texts, pattern, None))
    }
}

/// `clap` keeps some words for as long as the program runs, which ends with showing them.
fn lasting(word: String) -> &'static str {
    word.leak()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}-{name}") }
}

/// Its first paragraph.
fn summary(whole: &str) -> String {
    whole.split("\n\n").next().unwrap_or_default().to_owned()
}

/// The attribute that describes a value of an argument.
fn value_id(argument: &Arg, value: &str) -> String {
    format!("{}-{value}", argument.get_id())
}

fn takes_value(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Says something in another language.
    fn is_chinese(text: &str) -> bool {
        text.chars().any(|char| ('\u{4e00}'..='\u{9fff}').contains(&char))
    }

    fn help() -> Help {
        Help { texts: Language::Chinese.help().unwrap(), width: WIDTH_DEFAULT }
    }

    /// Calls `visit` with every command that `--help` shows, and its path.
    fn visit(command: &Command, path: &str, under: &str, visitor: &mut impl FnMut(&Command, &str)) {
        visitor(command, path);
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            let path = if name == HELP_COMMAND { name.to_owned() } else { join(under, name) };
            let under = if name == HELP_COMMAND { under.to_owned() } else { path.clone() };
            visit(command, &path, &under, visitor);
        }
    }

    fn visit_english(visitor: &mut impl FnMut(&Command, &str)) {
        let mut command = Arguments::command();
        command.build();
        visit(&command, "emulator", "", visitor);
    }

    #[test]
    fn every_text_of_the_help_is_translated() {
        let (help, mut missing) = (help(), BTreeSet::new());
        visit_english(&mut |command, path| {
            let is_there = |text: Option<String>| text.is_some_and(|text| is_chinese(&text));
            if !is_there(help.find(path, None)) {
                missing.insert(path.to_owned());
            }
            if command.get_after_help().is_some() && !is_there(help.find(path, Some(AFTER))) {
                missing.insert(format!("{path}.{AFTER}"));
            }
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let id = argument.get_id().as_str();
                if argument.get_help().is_some() && !is_there(help.argument_text(path, id)) {
                    missing.insert(format!("{path}.{id}"));
                }
                let values = argument.get_possible_values();
                let described = values.iter().filter(|value| value.get_help().is_some());
                for value in described.filter(|_| !argument.is_hide_possible_values_set()) {
                    let id = value_id(argument, value.get_name());
                    if !is_there(help.find(SHARED, Some(&id))) {
                        missing.insert(format!("{SHARED}.{id}"));
                    }
                }
            }
        });
        assert_eq!(missing, BTreeSet::new());
    }

    #[test]
    fn a_shared_text_stands_for_one_english_text() {
        let (help, mut english) = (help(), BTreeMap::<String, BTreeSet<String>>::new());
        visit_english(&mut |command, path| {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                let long = argument.get_long_help().or(argument.get_help());
                if let (Some(text), None) = (long.filter(|_| id != HELP_COMMAND), help.find(path, Some(id))) {
                    english.entry(id.to_owned()).or_default().insert(text.to_string());
                }
            }
        });
        let ambiguous: Vec<_> = english.into_iter().filter(|(_, texts)| texts.len() > 1).collect();
        assert_eq!(ambiguous, Vec::new());
    }

    #[test]
    fn nothing_is_translated_that_is_not_there() {
        let mut known = BTreeSet::from([SHARED.to_owned(), WORDS.to_owned()]);
        visit_english(&mut |_, path| {
            known.insert(path.to_owned());
        });
        let source = include_str!("locales/help.zh.ftl");
        let ids = source.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
        let strangers: Vec<&str> =
            ids.filter_map(|line| line.split(' ').next()).filter(|id| !known.contains(*id)).collect();
        assert_eq!(strangers, Vec::<&str>::new());
    }

    #[test]
    fn the_file_is_understood_to_its_last_line() {
        let source = include_str!("locales/help.zh.ftl").to_owned();
        FluentResource::try_new(source).map_err(|(_, errors)| errors).unwrap();
    }

    #[test]
    fn the_command_line_means_the_same_in_both_languages() {
        for line in
            ["emulator db find todos {} --limit 3", "emulator exec --ephemeral -- npm test", "emulator clock set 5"]
        {
            let [english, chinese] = [Arguments::command(), help().translate(Arguments::command())]
                .map(|command| format!("{:?}", command.try_get_matches_from(line.split(' ')).unwrap()));
            assert_eq!(english, chinese, "{line}");
        }
    }

    #[test]
    fn the_words_of_clap_are_translated_too() {
        visit(&help().translate(Arguments::command()), "emulator", "", &mut |command, path| {
            let help = command.clone().render_long_help().to_string();
            for word in [
                "Usage",
                "Options:",
                "Commands:",
                "Arguments:",
                "[OPTIONS]",
                "Print",
                "[default",
                "[env",
                "ossible values",
            ] {
                assert!(!help.contains(word), "{path}: {word} in\n{help}");
            }
        });
    }
}
