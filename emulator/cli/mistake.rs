//! A mistake on the command line, said in another language than that of `clap`.

use crate::language::text;
use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What is wrong, what was probably meant, and how the command is used. `None`: a kind of mistake that `clap` alone can describe.
pub(crate) fn describe(error: &Error) -> Option<String> {
    let found = |kind| error.get(kind).map(shown);
    let (argument, value) = (found(ContextKind::InvalidArg), found(ContextKind::InvalidValue));
    let wrong = match (error.kind(), argument, value) {
        (ErrorKind::UnknownArgument, Some(argument), _) => text!("mistake-argument", argument = argument),
        (ErrorKind::InvalidSubcommand, ..) => text!("mistake-command", name = found(ContextKind::InvalidSubcommand)?),
        (ErrorKind::MissingSubcommand, ..) => text!("mistake-no-command"),
        (ErrorKind::InvalidValue, Some(argument), Some(value)) if value.is_empty() => {
            text!("mistake-no-value", argument = argument)
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(argument), Some(value)) => {
            text!("mistake-value", argument = argument, value = value)
        }
        (ErrorKind::TooManyValues, Some(argument), Some(value)) => {
            text!("mistake-value-unneeded", argument = argument, value = value)
        }
        (ErrorKind::MissingRequiredArgument, Some(argument), _) => text!("mistake-missing", argument = argument),
        (ErrorKind::ArgumentConflict, Some(argument), _) => {
            text!("mistake-conflict", argument = argument, other = found(ContextKind::PriorArg)?)
        }
        _ => return None,
    };
    let mut paragraphs = vec![text!("error", message = wrong)];
    // Empty for an argument that takes anything.
    let values = found(ContextKind::ValidValue).filter(|values| !values.is_empty());
    paragraphs.extend(values.map(|values| text!("mistake-values", values = values)));
    paragraphs.extend(suggestion(error).map(|suggested| text!("mistake-suggestion", suggested = suggested)));
    paragraphs.extend(found(ContextKind::Usage).map(|usage| usage.replace("Usage:", &text!("mistake-usage"))));
    paragraphs.push(text!("mistake-help"));
    Some(paragraphs.join("\n\n"))
}

fn suggestion(error: &Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    kinds.into_iter().find_map(|kind| error.get(kind).map(shown))
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(values) => values.join("、"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser;

    #[test]
    fn each_kind_of_mistake_names_what_is_wrong() {
        for (line, expected) in [
            ("emulator start --prot 5", "unexpected argument '--prot'"),
            ("emulator strat", "unknown command 'strat'"),
            ("emulator start --port", "'--port <N>' needs a value"),
            ("emulator start --port x", "'x' is no value for '--port <N>'"),
            ("emulator exec --ephemeral=x -- npm", "'--ephemeral' takes no value, and got 'x'"),
            ("emulator import a --collection c --mode x", "'x' is no value for '--mode <MODE>'"),
            ("emulator import a", "missing: --collection <NAME>"),
            ("emulator exec --ephemeral --data d -- npm", "'--ephemeral' and '--data <DIR>' exclude each other"),
        ] {
            let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
            let described = describe(&error).unwrap();
            assert!(described.starts_with(&format!("error: {expected}")), "{line}: {described}");
            assert!(described.ends_with("--help"), "{described}");
        }
        let error = Arguments::try_parse_from(["emulator", "start", "--prot", "5"]).unwrap_err();
        assert!(describe(&error).unwrap().contains("--port"));
        let error = Arguments::try_parse_from(["emulator", "start", "--port"]).unwrap_err();
        assert!(!describe(&error).unwrap().contains("possible values"));
    }
}
