//! What the tests of functions share: a project in a temporary folder, and the lines that its functions printed.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use functions::{CallClock, Completion, Functions, FunctionsOptions, Invocation, InvocationError, Level, Output};

/// A printed line: function, request id, level, text.
pub(crate) type Line = (String, String, Level, String);

#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<Line>>);

impl Output for Lines {
    fn line(&self, function: &str, request_id: &str, level: Level, text: &str) {
        self.0.lock().unwrap().push((function.to_owned(), request_id.to_owned(), level, text.to_owned()));
    }
}

/// A project: a folder of functions, opened. All gone when dropped.
pub(crate) struct Project {
    pub(crate) functions: Functions,
    pub(crate) lines: Arc<Lines>,
    pub(crate) root: PathBuf,
    folder: tempfile::TempDir,
}

/// Settings that few tests change.
pub(crate) struct Settings {
    pub(crate) spare_worker: bool,
    pub(crate) workers_per_function: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { spare_worker: false, workers_per_function: 8 }
    }
}

impl Project {
    /// Writes `files` (path below the functions folder, text) and opens the functions.
    pub(crate) fn new(files: &[(&str, &str)]) -> Project {
        Project::with(Settings::default(), files)
    }

    pub(crate) fn with(settings: Settings, files: &[(&str, &str)]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("functions");
        fs::create_dir_all(&root).unwrap();
        for (path, text) in files {
            write(&root.join(path), text);
        }
        let lines = Arc::new(Lines::default());
        let options = FunctionsOptions {
            root: Some(root.clone()),
            worker_program: PathBuf::from(env!("CARGO_BIN_EXE_function-worker")),
            worker_arguments: Vec::new(),
            workers_per_function: settings.workers_per_function,
            spare_worker: settings.spare_worker,
            temporary: folder.path().join("temporary"),
        };
        let functions = Functions::open(options, lines.clone()).unwrap();
        Project { functions, lines, root, folder }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.root.join(path), text);
    }

    /// What the workers that there are see as their `/tmp`.
    pub(crate) fn private_folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("temporary")).into_iter().flatten();
        let folders = entries.map(|entry| entry.unwrap().path());
        folders.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("worker-")).collect()
    }

    pub(crate) async fn call(&self, function: &str, event: &str) -> Result<Completion, InvocationError> {
        self.functions.invoke(invocation(function, event)).await
    }

    /// The result of a call that must succeed.
    pub(crate) async fn result(&self, function: &str, event: &str) -> serde_json::Value {
        match self.call(function, event).await {
            Ok(completion) => serde_json::from_str(&completion.result).unwrap(),
            Err(error) => panic!("{function}: {error}\n{:#?}", self.lines.0.lock().unwrap()),
        }
    }

    /// The message of a call that must fail by its own code.
    pub(crate) async fn failure(&self, function: &str, event: &str) -> String {
        match self.call(function, event).await {
            Err(InvocationError::Failed { message }) => message,
            other => panic!("{function}: {other:?}\n{:#?}", self.lines.0.lock().unwrap()),
        }
    }

    pub(crate) fn printed(&self) -> Vec<Line> {
        self.lines.0.lock().unwrap().clone()
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn invocation(function: &str, event: &str) -> Invocation {
    Invocation {
        environment: "test".to_owned(),
        function: function.to_owned(),
        event: event.to_owned(),
        context: serde_json::json!({ "request_id": "r-1", "function_name": function }),
        environment_variables: BTreeMap::new(),
        clock: CallClock::Running { offset_ms: 0 },
        request_id: "r-1".to_owned(),
        timeout: Duration::from_secs(20),
        memory_bytes: 256 << 20,
    }
}
