//! A built emulator, running on a folder of its own until dropped.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{Connection, Response, request};

/// No start takes longer, on the slowest machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The line it says when every door answers; programs wait for it.
const READY: &str = "emulator ready at http://127.0.0.1:";

/// A running emulator.
pub(crate) struct Emulator {
    child: Child,
    port: u16,
    folder: TempDir,
    /// What it was started with, so that it can be started again.
    arguments: Vec<String>,
    /// What it has said so far.
    said: Arc<Mutex<String>>,
    /// What it has logged so far.
    logged: Arc<Mutex<String>>,
}

impl Emulator {
    /// Starts one on an empty folder and a free port, with more `arguments`, and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Emulator {
        Emulator::start_with(&[], arguments)
    }

    /// The same, with environment `variables`.
    pub(crate) fn start_with(variables: &[(&str, &str)], arguments: &[&str]) -> Emulator {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        Emulator::launch(folder, variables, [&["--data", &data], arguments].concat())
    }

    /// One without a data folder.
    pub(crate) fn start_ephemeral(arguments: &[&str]) -> Emulator {
        Emulator::launch(tempfile::tempdir().unwrap(), &[], [&["--ephemeral"], arguments].concat())
    }

    /// Starts another one on the data of this one, which has ended.
    pub(crate) fn restart(mut self) -> Emulator {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let arguments = std::mem::take(&mut self.arguments);
        Emulator::launch(folder, &[], arguments.iter().map(String::as_str).collect())
    }

    fn launch(folder: TempDir, variables: &[(&str, &str)], arguments: Vec<&str>) -> Emulator {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("EMULATOR_") {
                command.env_remove(name);
            }
        }
        command.args(["start", "--port", "0"]).args(&arguments).envs(variables.iter().copied());
        let mut child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, logged) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(String::new())));
        keep_log(&mut child, &logged);
        let port = ready_port(&mut child, &said);
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Emulator { child, port, folder, arguments, said, logged }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder with its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The token of `/_emulator/*`.
    pub(crate) fn token(&self) -> String {
        let holder: Value = serde_json::from_slice(&std::fs::read(self.data().join("emulator.json")).unwrap()).unwrap();
        holder["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.port)
    }

    /// The answer to `bytes` on a connection of its own.
    pub(crate) fn exchange(&self, bytes: &[u8]) -> Response {
        let mut connection = self.connect();
        connection.send(bytes);
        connection.read()
    }

    /// What an action answers; asserts that it comes as the SDKs need it.
    pub(crate) fn admin(&self, body: &Value) -> Value {
        let response = self.exchange(&request("POST", "/admin", &[], body.to_string().as_bytes()));
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
        response.json()
    }

    /// The `data` of an action that must succeed.
    pub(crate) fn data_of(&self, body: &Value) -> Value {
        let mut reply = self.admin(body);
        assert_eq!(reply.get("code"), None, "{reply}");
        reply["data"].take()
    }

    /// What it said on standard output, up to now.
    pub(crate) fn screen(&self) -> String {
        // The lines under the ready line come after it.
        thread::sleep(Duration::from_millis(100));
        self.said.lock().unwrap().clone()
    }

    /// Its log on standard error, up to now; waits until `part` stands in it.
    pub(crate) fn log_with(&self, part: &str) -> String {
        let is_there = || self.logged.lock().unwrap().contains(part);
        let since = Instant::now();
        while !is_there() && since.elapsed() < START_TIMEOUT {
            thread::sleep(Duration::from_millis(10));
        }
        let log = self.logged.lock().unwrap().clone();
        assert!(log.contains(part), "`{part}` is not in the log:\n{log}");
        log
    }

    /// What `GET /_emulator/status` answers.
    pub(crate) fn status(&self) -> Value {
        self.emulator_door("GET", "/_emulator/status", b"")
    }

    /// Calls a function as nobody.
    pub(crate) fn call(&self, function: &str, data: Value) -> Value {
        self.emulator_door(
            "POST",
            "/_emulator/call",
            json!({"function": function, "data": data}).to_string().as_bytes(),
        )
    }

    /// Calls a function as a user of the mini program.
    pub(crate) fn call_as(&self, function: &str, data: Value, openid: &str) -> Value {
        let body = json!({"function": function, "data": data, "openid": openid}).to_string();
        self.emulator_door("POST", "/_emulator/call", body.as_bytes())
    }

    fn emulator_door(&self, method: &str, path: &str, body: &[u8]) -> Value {
        let authorization = format!("Bearer {}", self.token());
        let response = self.exchange(&request(method, path, &[("Authorization", &authorization)], body));
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    /// How many documents a collection has.
    pub(crate) fn count(&self, collection: &str) -> u64 {
        let body = json!({"action": "database.calculateDocument", "collectionName": collection, "queryType": "WHERE"});
        self.data_of(&body)["total"].as_u64().unwrap()
    }

    /// Whether it still runs and answers.
    pub(crate) fn is_well(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none() && self.exchange(&request("GET", "/readyz", &[], b"")).status == 200
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as a supervisor does, and waits.
    #[cfg(unix)]
    pub(crate) fn terminate(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.signal("-TERM", patience)
    }

    /// Asks it to end, as Ctrl-C does, and waits.
    #[cfg(unix)]
    pub(crate) fn interrupt(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.signal("-INT", patience)
    }

    #[cfg(unix)]
    fn signal(&mut self, signal: &str, patience: Duration) -> Option<ExitStatus> {
        let sent = Command::new("kill").args([signal, &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps what `child` logs, and shows it.
fn keep_log(child: &mut Child, logged: &Arc<Mutex<String>>) {
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let logged = Arc::clone(logged);
    thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            eprintln!("{line}");
            logged.lock().unwrap().push_str(&format!("{line}\n"));
        }
    });
}

/// Reads what `child` says until it is ready; what it says later is read too, so that it never waits for a reader.
fn ready_port(child: &mut Child, said: &Arc<Mutex<String>>) -> u16 {
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            said.lock().unwrap().push_str(&format!("{line}\n"));
            if let Some(port) = line.strip_prefix(READY) {
                // The receiver is gone once the port is known.
                let _ = sender.send(port.trim().parse::<u16>().unwrap());
            }
        }
    });
    receiver.recv_timeout(START_TIMEOUT).unwrap_or_else(|_| {
        let _ = child.kill();
        panic!("the emulator did not say `{READY}PORT`")
    })
}
