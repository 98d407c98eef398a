//! The command line, as `--help` teaches it. What a flag leaves out comes from its environment variable, then from
//! `emulator.toml`, then from the defaults in `settings.rs`.

use crate::language::Language;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::PathBuf;

/// A local emulator for mini-program cloud development (WeChat cloud, CloudBase): database, files and cloud functions behind
/// the official SDKs, offline, without an account.
#[derive(Debug, Parser)]
#[command(name = "emulator", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The language of what this program says: en (English) or zh (Chinese)
    ///
    /// Default: what the variable EMULATOR_LANG says, else the system's. Error codes, and what the cloud itself says, are the same in both.
    #[arg(long = "lang", value_name = "LANGUAGE", global = true, hide_possible_values = true)]
    pub(crate) language: Option<Language>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a cloud on this machine and serve it until Ctrl-C
    Start(StartArguments),
    /// Run a command beside a cloud of its own, and end with its exit status
    Exec(ExecArguments),
    /// Call a cloud function and print its result, what it logged and how long it took
    Call(CallArguments),
    /// Look at the database, and change it
    Db {
        #[command(subcommand)]
        command: DbCommand,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Add the data of a folder to a cloud; a mistake in it changes nothing
    Seed(SeedArguments),
    /// Remove every document, file, user, permission mode and rule; collections stay, empty
    Reset(PlaceArguments),
    /// Put a file of documents into a collection, as the cloud's console exports them: all of it or nothing
    ///
    /// A missing collection is created. A mistake names the file, the line and the field, and changes nothing.
    Import(ImportArguments),
    /// Write a whole environment as a fixture folder, or one collection as the cloud's console does
    ///
    /// Everything is of one moment, however much is written meanwhile, and `emulator seed` takes the folder back unchanged.
    Export(ExportArguments),
    /// Make an environment of its own with everything that this one holds, at once and whatever its size
    ///
    /// Prints its name, such as `cloud1--3f9a2c71`. What happens in one is not seen in the other.
    Fork {
        /// What its name ends in: `a` makes `cloud1--a`
        ///
        /// Default: eight random characters.
        name: Option<String>,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Remove a fork with everything in it
    Drop {
        /// The fork, such as `cloud1--a`
        #[arg(value_name = "ENV")]
        fork: String,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// List the forks of an environment
    Forks(PlaceArguments),
    /// Remember everything an environment holds now, under a name; one of the same name is replaced
    Snapshot {
        /// What `emulator restore` calls it
        name: String,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Go back to a snapshot, all at once; it stays and can be gone back to again
    Restore {
        /// The name given to `emulator snapshot`
        name: String,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// The snapshots of an environment; lists them when nothing else is said
    Snapshots {
        #[command(subcommand)]
        command: Option<SnapshotsCommand>,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// The clock of a running emulator: what it calls now, for server dates, tokens, addresses of files and transactions
    ///
    /// It shows the time when nothing else is said. There is one clock for all environments, and a new start sets it right.
    Clock {
        #[command(subcommand)]
        command: Option<ClockCommand>,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Security rules: who may do what, by conditions
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// The users of the mini program: who signs in, and with which openid
    Users {
        #[command(subcommand)]
        command: UsersCommand,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Print what a running emulator would have sent by e-mail and text message: codes that users sign in with
    Outbox(PlaceArguments),
    /// Look at everything an emulator on this project depends on; say of each fault what is wrong, why, and what to do
    Doctor(DoctorArguments),
    /// Let the mini program of this project use the emulator in DevTools
    Init(InitArguments),
    /// Print what teaches a shell to complete the commands and flags of this program
    ///
    /// For bash, in `~/.bashrc`: `eval "$(emulator completion bash)"`; for zsh, in `~/.zshrc`: `eval "$(emulator completion zsh)"`;
    /// for fish: `emulator completion fish > ~/.config/fish/completions/emulator.fish`; for PowerShell, in `$PROFILE`:
    /// `emulator completion powershell | Out-String | Invoke-Expression`.
    Completion {
        /// bash, elvish, fish, powershell or zsh
        #[arg(hide_possible_values = true)]
        shell: Shell,
    },
}

/// What says which cloud is meant; the same for every command.
#[derive(Debug, Default, Args)]
pub(crate) struct CloudArguments {
    /// The mini-program project: the folder with project.config.json, whose `appid` and `cloudfunctionRoot` are used
    ///
    /// Default: the nearest folder with a project.config.json, from here upwards; without one, this folder, and the cloud has no functions.
    #[arg(long, value_name = "DIR", env = "EMULATOR_PROJECT", global = true)]
    pub(crate) project: Option<PathBuf>,

    /// Serve this environment only; requests that name another get the cloud's error
    ///
    /// Default: any environment is created at its first use, and requests that name none mean `cloud1`.
    #[arg(long = "env", value_name = "ID", env = "EMULATOR_ENV", global = true)]
    pub(crate) environment: Option<String>,

    /// How the log is written, to standard error
    ///
    /// Default: text.
    #[arg(long, value_name = "FORMAT", env = "EMULATOR_LOG_FORMAT", global = true)]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    #[command(flatten)]
    pub(crate) cloud: CloudArguments,

    /// Where the data is kept
    ///
    /// Default: `.emulator` in the project. It is kept out of git.
    #[arg(long, value_name = "DIR", env = "EMULATOR_DATA")]
    pub(crate) data: Option<PathBuf>,

    /// The port to listen on, on 127.0.0.1 only unless --lan is given
    ///
    /// Default: the first free one of 7357 to 7366.
    #[arg(long, value_name = "N", env = "EMULATOR_PORT")]
    pub(crate) port: Option<u16>,

    /// Let in the local network, for a mini program on a phone: pages only, and only with the token that is printed
    ///
    /// Whoever has the token can sign in as any user. Administration, server SDKs and the rest stay with this machine.
    #[arg(long)]
    pub(crate) lan: bool,

    /// Let in pages of this origin too, such as `https://dev.example.com:8443`; may be given several times
    ///
    /// Pages of localhost, 127.0.0.1 and `[::1]` are always let in, on any port, and mini programs.
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,

    /// Keep the data in a temporary folder that is removed at the end, whatever --data says
    #[arg(long, env = "EMULATOR_EPHEMERAL")]
    pub(crate) ephemeral: bool,

    /// Fill an empty cloud from this folder: `database/NAME.jsonl`, `storage/`, `users.json`, `permissions.json`, `rules.json`
    ///
    /// A cloud that has data already is left as it is, and the output says so.
    #[arg(long, value_name = "DIR", env = "EMULATOR_FIXTURES")]
    pub(crate) fixtures: Option<PathBuf>,

    /// Put the fixtures in place of everything the cloud holds whenever a file of theirs changes
    ///
    /// A mistake in them is printed, and the data stays as it is.
    #[arg(long)]
    pub(crate) watch: bool,

    /// For test kits: say with one line of JSON on standard output that the emulator is ready, and stop in order at the end of
    /// standard input
    #[arg(long, hide = true)]
    pub(crate) handshake: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExecArguments {
    #[command(flatten)]
    pub(crate) cloud: CloudArguments,

    /// Where the data is kept
    ///
    /// Default: `.emulator` in the project. It is kept out of git.
    #[arg(long, value_name = "DIR", env = "EMULATOR_DATA")]
    pub(crate) data: Option<PathBuf>,

    /// Keep the data in a temporary folder that is removed at the end
    #[arg(long, conflicts_with = "data")]
    pub(crate) ephemeral: bool,

    /// Fill an empty cloud from this folder, as `start --fixtures`
    #[arg(long, value_name = "DIR", env = "EMULATOR_FIXTURES")]
    pub(crate) fixtures: Option<PathBuf>,

    /// The command and its arguments. It finds the cloud by the variables of the server SDKs, and by EMULATOR_URL, EMULATOR_TOKEN and EMULATOR_ENV
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// What says which cloud is meant, for commands that work beside a running emulator or without one.
#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// Where the cloud's data is kept, as `start --data`
    ///
    /// An emulator that runs on it is asked; when none does, this command opens the folder itself.
    #[arg(long, value_name = "DIR", env = "EMULATOR_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) cloud: CloudArguments,
}

#[derive(Debug, Args)]
pub(crate) struct SeedArguments {
    /// The folder: `database/NAME.jsonl`, `storage/`, `users.json`, `permissions.json`, `rules.json`
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,

    /// Put it in place of everything the cloud holds
    #[arg(long)]
    pub(crate) reset: bool,

    /// Do it as with --reset, now and whenever a file in the folder changes, until Ctrl-C
    ///
    /// A mistake in the folder is printed, and the data stays as it is.
    #[arg(long)]
    pub(crate) watch: bool,

    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// JSON Lines, as the console exports them, or CSV with the fields' names in its first line
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The collection that the documents go into
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: String,

    /// What becomes of documents with the same _id, and of all others
    ///
    /// Default: insert.
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<ImportMode>,

    /// What the file is
    ///
    /// Default: told from its name and its content.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<FileFormat>,

    /// How its text is encoded, such as `utf-8` or `gbk`
    ///
    /// Default: told from its content.
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,

    #[command(flatten)]
    pub(crate) anonymise: AnonymiseArguments,

    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The folder that becomes the fixtures; with --collection, the file
    #[arg(value_name = "PATH")]
    pub(crate) target: PathBuf,

    /// This collection alone
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,

    /// What the file becomes
    ///
    /// Default: csv for a file called so, else json.
    #[arg(long, value_name = "FORMAT", requires = "collection")]
    pub(crate) format: Option<FileFormat>,

    /// The columns of a CSV file, in their order, or the fields that JSON is to have beside `_id`: `_id,title,author.name`
    #[arg(long = "fields", value_name = "FIELD", value_delimiter = ',', requires = "collection")]
    pub(crate) columns: Vec<String>,

    /// Put it in place of what is there already
    #[arg(long)]
    pub(crate) overwrite: bool,

    #[command(flatten)]
    pub(crate) anonymise: AnonymiseArguments,

    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

/// Which fields are masked, and with which key.
#[derive(Debug, Args)]
pub(crate) struct AnonymiseArguments {
    /// Mask these fields, in every document: `phone,profile.name`; may be given several times
    ///
    /// With the same key, the same value is masked the same way each time, in any file: what belonged together still does.
    #[arg(long = "anonymise", value_name = "FIELD", value_delimiter = ',')]
    pub(crate) masked: Vec<String>,

    /// The key of the masking; without it, masked values cannot be traced back by trying
    ///
    /// Default: one of the data folder's own, made at random. Name one to share with a team, or for --ephemeral.
    #[arg(long = "anonymise-key", value_name = "TEXT", env = "EMULATOR_ANONYMISE_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
}

/// What an import does with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportMode {
    /// Every document is a new one; an _id that is there already is a mistake
    Insert,
    /// A document takes the place of the one with its _id; all others stay
    Upsert,
    /// The file takes the place of the whole collection
    Replace,
}

/// What a file of documents is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// JSON Lines, a document a line
    Json,
    /// Comma-separated values
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotsCommand {
    /// List them
    List,
    /// Forget one; the data stays as it is
    Remove {
        /// The name given to `emulator snapshot`
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// Print what time it is, and how far that is from this machine's
    Show,
    /// Set the time; it goes on from there
    Set {
        /// Such as 2030-01-01T00:00:00Z, or milliseconds since 1970
        #[arg(value_name = "WHEN", allow_negative_numbers = true)]
        when: String,
    },
    /// Let time pass at once
    Advance {
        /// Such as 1h30m, 2d or 45s, or milliseconds
        #[arg(value_name = "DURATION", allow_negative_numbers = true)]
        duration: String,
    },
    /// Let the time stand still
    Freeze,
    /// Let a frozen clock go on from where it stands
    Resume,
    /// Go back to this machine's time
    Reset,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// List the collections: name, permission mode, number of documents
    Collections,
    /// Create a collection
    Create {
        collection: String,
        /// Who may read and write: READONLY, PRIVATE, ADMINWRITE or ADMINONLY
        ///
        /// Default: PRIVATE, as in the cloud.
        #[arg(long, value_name = "MODE")]
        mode: Option<String>,
    },
    /// Print documents, one a line
    Find {
        collection: String,
        /// As in `where`, with the operators of the wire: '{"age": {"$gt": 18}}'
        #[arg(value_name = "QUERY", default_value = "{}")]
        query: String,
        /// By which fields: '{"age": -1}'
        #[arg(long, value_name = "JSON")]
        order: Option<String>,
        /// Which fields: '{"name": 1}'
        #[arg(long, value_name = "JSON")]
        fields: Option<String>,
        /// How many to leave out
        #[arg(long, value_name = "N", default_value_t = 0)]
        skip: u64,
        /// How many at most, up to 1000
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u64,
    },
    /// Print how many documents there are
    Count {
        collection: String,
        /// As for `find`
        #[arg(value_name = "QUERY", default_value = "{}")]
        query: String,
    },
    /// Insert documents as a server would, all or none, and print their ids
    Insert {
        collection: String,
        /// JSON objects one after the other or in an array; @FILE reads a file, - standard input
        #[arg(value_name = "JSON", allow_hyphen_values = true)]
        documents: String,
    },
    /// Tell how a query is answered: which index, how much is looked at, and which index would help
    Explain {
        collection: String,
        /// As for `find`
        #[arg(value_name = "QUERY", default_value = "{}")]
        query: String,
        /// By which fields: '{"age": -1}'
        #[arg(long, value_name = "JSON")]
        order: Option<String>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u64,
    },
    /// The indexes of a collection; fixtures bring theirs in `indexes.json`
    Index {
        #[command(subcommand)]
        command: IndexCommand,
    },
    /// Set who may read and write a collection
    Mode {
        collection: String,
        /// READONLY, PRIVATE, ADMINWRITE or ADMINONLY
        mode: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// List them: name, fields, and whether they are unique
    List { collection: String },
    /// Create one, beside reads and writes
    Create {
        collection: String,
        /// The fields, the weightiest first: 1 ascending, -1 descending, "2dsphere" for places: '{"list": 1, "at": -1}'
        #[arg(value_name = "JSON")]
        keys: String,
        /// Let no two documents share a key; a missing field counts as null
        #[arg(long)]
        unique: bool,
        /// Default: made from the fields, such as `list_1_at_-1`
        #[arg(long)]
        name: Option<String>,
    },
    /// Drop one by its name
    Drop { collection: String, name: String },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Print the rules that are set, as a rules.json
    Show,
    /// Set rules; they hold at once. `emulator db mode` puts a mode in their place
    Set {
        /// A rules.json: {"collections": {"todos": {"read": "doc._openid == auth.openid"}}, "files": {}, "functions": {}}
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        of: RulesOfArguments,
    },
    /// Say what is wrong with the rules in a file, with line and column; fails where they cannot be set
    Check {
        /// As for `set`
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        of: RulesOfArguments,
    },
    /// Try the cases in DIR/rules.test.json on the rules in DIR/rules.json, and say which conditions no case tried
    Test {
        /// Default: the fixtures that emulator.toml names, else this folder.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// What the rules in a file are for, when it is no rules.json.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct RulesOfArguments {
    /// The file has the rules of this collection alone, as the cloud's console has them: {"read": true, "write": false}
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// The file has the rules of the files alone
    #[arg(long)]
    pub(crate) files: bool,
    /// The file has the rules of the functions alone
    #[arg(long)]
    pub(crate) functions: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List them: name and openid
    List,
    /// Add one; a `wx.login` code equal to the name signs them in
    Add {
        name: String,
        /// Default: one made from the name, such as oALICE0000000000000000000001
        #[arg(long)]
        openid: Option<String>,
        /// What they sign in with, beside their name or an address of theirs
        #[arg(long)]
        password: Option<String>,
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// With the country, or one of China: '+86 13800000000'
        #[arg(long, value_name = "NUMBER")]
        phone: Option<String>,
    },
    /// Remove one; their documents stay
    Remove { name: String },
    /// Let a sign-in that names no user mean this one; a simulator that has signed in stays who it is
    Use { name: String },
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Remove what an earlier `emulator init` wrote
    #[arg(long)]
    pub(crate) undo: bool,

    #[command(flatten)]
    pub(crate) cloud: CloudArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Run `npm install` in the folders of functions that lack packages, after asking
    #[arg(long)]
    pub(crate) fix: bool,

    /// Do not ask before installing
    #[arg(long, requires = "fix")]
    pub(crate) yes: bool,

    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The port that `start` is given
    #[arg(long, value_name = "N", env = "EMULATOR_PORT")]
    pub(crate) port: Option<u16>,

    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// The function's name
    pub(crate) name: String,

    /// The data it is called with: JSON, or @FILE to read it from a file
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) data: String,

    /// Call as this mini-program user: the OPENID that the function sees
    #[arg(long = "as", value_name = "OPENID")]
    pub(crate) openid: Option<String>,

    /// Where the cloud's data is kept, as `start --data`
    ///
    /// An emulator that runs on it is asked; when none does, this command opens the folder itself.
    #[arg(long, value_name = "DIR", env = "EMULATOR_DATA")]
    pub(crate) data_folder: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) cloud: CloudArguments,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// The source of `after` in `locales/help.zh.ftl`.
const AFTER_HELP: &str = "\
Examples:
  emulator start                             in a mini-program project: its functions, and the data kept in .emulator
  emulator start --ephemeral --fixtures DIR  for a test: a cloud with known data, gone afterwards
  emulator exec --ephemeral --fixtures DIR -- npm test
  emulator seed DIR --reset                  known data again, beside a running emulator or without one
  emulator fork                              a copy of everything in an environment of its own, at once; `emulator drop` ends it
  emulator call addTodo --data '{\"title\":\"milk\"}' --as alice

Flags come first, then environment variables (EMULATOR_PORT, EMULATOR_ENV, ...), then emulator.toml in the project.";
