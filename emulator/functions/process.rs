//! One worker process, seen from the emulator: starting it, one call at a time, what it prints, its end.
//! Which call goes to which worker is decided in `pool.rs`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{Semaphore, watch};

use crate::folder::{FunctionFolder, Stamps};
use crate::frames::{Boot, FromWorker, Invoke, ToWorker, receive_frame, send_frame};
use crate::starter::Starter;
use crate::{Completion, FunctionsOptions, Invocation, InvocationError, Level, Output};

/// A worker that has not booted after this long never will.
const BOOT_TIME_MAX: Duration = Duration::from_secs(30);
/// How long to wait for the last words of a call on the standard error.
const LAST_WORDS_TIME_MAX: Duration = Duration::from_millis(200);
/// How long a worker may go on after its call was answered, before it must stand still.
const IDLE_TIME_MAX: Duration = Duration::from_secs(1);
/// How often the memory of a worker is looked at during a call.
const MEMORY_CHECK_PERIOD: Duration = Duration::from_millis(25);
/// What the engine may take besides what the function was promised.
const MEMORY_BYTES_EXTRA: u64 = 64 << 20;
/// A line without an end is passed on in pieces of this length.
const LINE_BYTES_MAX: usize = 64 << 10;
/// Variables of the emulator's own environment that a worker process needs itself; user code sees none of them.
const INHERITED_VARIABLES: &[&str] =
    &["HOME", "PATH", "RUST_BACKTRACE", "SSL_CERT_DIR", "SSL_CERT_FILE", "SystemRoot", "TEMP", "windir"];
/// The time zone of the cloud's containers (semantics FN-09).
const TIME_ZONE_DEFAULT: &str = "UTC";

/// How the names of workers' private folders begin.
const PRIVATE_PREFIX: &str = "worker-";

/// Starts workers; what all of them have in common.
pub(crate) struct WorkerFactory {
    pub(crate) options: Arc<FunctionsOptions>,
    pub(crate) root: PathBuf,
    pub(crate) output: Arc<dyn Output>,
    pub(crate) starter: Starter,
    /// Read-locked while a worker's folders are made, which nothing can interrupt: closing waits for the write lock.
    pub(crate) preparing: Arc<RwLock<()>>,
    /// A turn for each worker that may boot at one time.
    pub(crate) booting: Semaphore,
}

/// A booted worker without a call.
pub(crate) struct WorkerProcess {
    child: Child,
    input: ChildStdin,
    frames: BufReader<ChildStdout>,
    printer: Arc<Printer>,
    marks: watch::Receiver<u64>,
    /// How many calls were answered; as many marks end their texts.
    answered: u64,
    memory_bytes_booted: Option<u64>,
    /// The time zone it was started with: the engine reads that once.
    time_zone: String,
    stamps: Stamps,
    /// The private folder, removed with the worker.
    _private: tempfile::TempDir,
}

/// What becomes of a worker after a call.
pub(crate) enum After {
    /// It may serve further calls once it stands still.
    Reusable,
    /// It is at its end.
    Finished,
}

impl WorkerFactory {
    /// Starts a worker and waits until it has booted.
    ///
    /// # Errors
    /// [`InvocationError::Worker`] when it cannot be started or does not boot.
    pub(crate) async fn start(&self, time_zone: &str, preload: bool) -> Result<WorkerProcess, InvocationError> {
        // Many at once would only slow each other down, until none has booted in time.
        let _turn = self.booting.acquire().await.map_err(|_| InvocationError::Closed)?;
        let mut worker = self.spawn(time_zone, preload).await.map_err(|error| worker_error(&error))?;
        match tokio::time::timeout(BOOT_TIME_MAX, worker.until_booted()).await {
            Ok(Ok(())) => Ok(worker),
            Ok(Err(error)) => Err(worker_error(&error)),
            Err(_) => Err(InvocationError::Worker("it did not boot in time".to_owned())),
        }
    }

    async fn spawn(&self, time_zone: &str, preload: bool) -> io::Result<WorkerProcess> {
        let temporary = self.options.temporary.clone();
        let preparing = self.preparing.clone();
        let prepare = move || {
            let _preparing = preparing.read().unwrap_or_else(PoisonError::into_inner);
            prepare_folders(&temporary)
        };
        let (packed, private) = tokio::task::spawn_blocking(prepare).await.map_err(io::Error::other)??;
        let marker = format!("\u{1}{}\n", uuid::Uuid::new_v4().simple());
        let boot = ToWorker::Boot(Boot {
            root: self.root.clone(),
            packed,
            private: std::fs::canonicalize(private.path())?,
            preload,
            parent: std::process::id(),
            marker: marker.clone(),
        });
        let mut child = self.starter.start(self.command(time_zone)).await?;
        let missing = || io::Error::other("a standard stream is missing");
        let mut input = child.stdin.take().ok_or_else(missing)?;
        let frames = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let errors = child.stderr.take().ok_or_else(missing)?;
        send_frame(&mut input, &boot, b"").await?;
        let printer = Arc::new(Printer::new(self.output.clone()));
        let (mark, marks) = watch::channel(0);
        tokio::spawn(read_errors(errors, marker.into_bytes(), printer.clone(), mark));
        Ok(WorkerProcess {
            child,
            input,
            frames,
            printer,
            marks,
            answered: 0,
            memory_bytes_booted: None,
            time_zone: time_zone.to_owned(),
            stamps: Stamps::default(),
            _private: private,
        })
    }

    fn command(&self, time_zone: &str) -> Command {
        let mut command = Command::new(&self.options.worker_program);
        let inherited: Vec<(&str, OsString)> =
            INHERITED_VARIABLES.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect();
        command
            .args(&self.options.worker_arguments)
            .env_clear()
            .envs(inherited)
            .env("TZ", time_zone)
            .env("V82JSC_BC_CACHE_DIR", self.options.temporary.join("bytecode"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// Removes the private folders that workers of an emulator that was killed have left behind.
pub(crate) fn remove_leftovers(temporary: &Path) {
    let Ok(entries) = std::fs::read_dir(temporary) else { return };
    let leftovers = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PRIVATE_PREFIX));
    for leftover in leftovers {
        // One that cannot be removed only takes up room.
        let _ = std::fs::remove_dir_all(leftover.path());
    }
}

fn prepare_folders(temporary: &Path) -> io::Result<(PathBuf, tempfile::TempDir)> {
    let packed = std::fs::canonicalize(crate::packed::folder(temporary)?)?;
    let private = tempfile::Builder::new().prefix(PRIVATE_PREFIX).tempdir_in(temporary)?;
    Ok((packed, private))
}

fn worker_error(error: &io::Error) -> InvocationError {
    InvocationError::Worker(error.to_string())
}

/// The time zone that a call asks for.
pub(crate) fn time_zone(call: &Invocation) -> &str {
    call.environment_variables.get("TZ").map_or(TIME_ZONE_DEFAULT, String::as_str)
}

/// How a call ended, in the worker's own words.
enum Answer {
    Returned(String),
    Failed(InvocationError),
    /// The channel ended first.
    Gone,
}

impl WorkerProcess {
    /// Whether a call of that time zone may have this worker, which has served the function before: it lives, and no file changed.
    pub(crate) fn is_fit(&mut self, function: &FunctionFolder, time_zone: &str) -> bool {
        self.time_zone == time_zone
            && matches!(self.child.try_wait(), Ok(None))
            && self.stamps.is_current(&function.folder)
    }

    /// Takes the stamps of the function's files, before any of them is loaded.
    pub(crate) fn assign(&mut self, function: &FunctionFolder) {
        self.stamps = Stamps::take(&function.folder, &[]);
    }

    /// Runs one call to its end. `closing` turns true when the emulator ends.
    pub(crate) async fn invoke(
        &mut self,
        function: &FunctionFolder,
        call: &Invocation,
        closing: &mut watch::Receiver<bool>,
    ) -> (Result<Completion, InvocationError>, After) {
        let start = Instant::now();
        self.printer.set_call(&call.function, &call.request_id);
        let memory_limit = self.memory_bytes_booted.map(|booted| booted + call.memory_bytes + MEMORY_BYTES_EXTRA);
        let process = self.child.id();
        let answer = tokio::select! {
            answer = self.exchange(function, call) => answer,
            () = tokio::time::sleep(call.timeout) => Answer::Failed(InvocationError::TimedOut(call.timeout)),
            () = memory_exceeds(process, memory_limit) => Answer::Failed(InvocationError::OutOfMemory),
            _ = closing.wait_for(|closing| *closing) => Answer::Failed(InvocationError::Closed),
        };
        self.finish(answer, start).await
    }

    async fn finish(&mut self, answer: Answer, start: Instant) -> (Result<Completion, InvocationError>, After) {
        let memory_bytes = self.child.id().and_then(resident_bytes);
        let result = match answer {
            Answer::Returned(result) => Ok(Completion { result, duration: start.elapsed(), memory_bytes }),
            Answer::Failed(error) => Err(error),
            Answer::Gone => Err(self.end_of_process().await),
        };
        let after = match &result {
            Ok(_)
            | Err(InvocationError::ResultTooLarge | InvocationError::BadResult | InvocationError::Failed { .. }) => {
                After::Reusable
            }
            Err(_) => After::Finished,
        };
        match after {
            After::Reusable => self.hear_last_words().await,
            After::Finished => self.kill().await,
        }
        self.printer.flush();
        (result, after)
    }

    async fn exchange(&mut self, function: &FunctionFolder, call: &Invocation) -> Answer {
        let invoke = ToWorker::Invoke(Box::new(Invoke {
            folder: function.folder.clone(),
            entry: function.entry.clone(),
            context: call.context.clone(),
            environment: call.environment_variables.clone(),
            clock: call.clock,
            memory_bytes: call.memory_bytes + MEMORY_BYTES_EXTRA,
        }));
        if send_frame(&mut self.input, &invoke, call.event.as_bytes()).await.is_err() {
            return Answer::Gone;
        }
        loop {
            match receive_frame::<FromWorker, _>(&mut self.frames).await {
                Ok(Some((header, body))) => {
                    if let Some(answer) = self.hear(header, body) {
                        return answer;
                    }
                }
                Ok(None) => return Answer::Gone,
                Err(error) => return Answer::Failed(worker_error(&error)),
            }
        }
    }

    /// Acts on one message; an answer if it ends the call.
    fn hear(&mut self, header: FromWorker, body: Vec<u8>) -> Option<Answer> {
        let text = || String::from_utf8_lossy(&body).into_owned();
        match header {
            FromWorker::Printed(level) => self.printer.print(level, &body),
            FromWorker::Loaded(paths) => self.stamps.extend(paths),
            FromWorker::Returned => return Some(Answer::Returned(text())),
            FromWorker::Failed => return Some(Answer::Failed(InvocationError::Failed { message: text() })),
            FromWorker::TooLarge => return Some(Answer::Failed(InvocationError::ResultTooLarge)),
            FromWorker::BadResult => {
                self.printer.print(Level::Error, &body);
                return Some(Answer::Failed(InvocationError::BadResult));
            }
            FromWorker::OutOfMemory => return Some(Answer::Failed(InvocationError::OutOfMemory)),
            FromWorker::Booted | FromWorker::Idle => {}
        }
        None
    }

    /// Waits for what the call wrote to the standard error before it ended.
    async fn hear_last_words(&mut self) {
        self.answered += 1;
        let answered = self.answered;
        let _ = tokio::time::timeout(LAST_WORDS_TIME_MAX, self.marks.wait_for(|marks| *marks >= answered)).await;
    }

    /// Waits until the worker stands still after a call; `false` if it does not, or ended.
    pub(crate) async fn until_idle(&mut self) -> bool {
        let idle = tokio::time::timeout(IDLE_TIME_MAX, async {
            while let Ok(Some((header, body))) = receive_frame::<FromWorker, _>(&mut self.frames).await {
                if matches!(header, FromWorker::Idle) {
                    return true;
                }
                let _ = self.hear(header, body);
            }
            false
        });
        let is_idle = idle.await.unwrap_or(false);
        self.printer.flush();
        is_idle
    }

    async fn until_booted(&mut self) -> io::Result<()> {
        while let Some((header, body)) = receive_frame::<FromWorker, _>(&mut self.frames).await? {
            if matches!(header, FromWorker::Booted) {
                self.memory_bytes_booted = self.child.id().and_then(resident_bytes);
                self.printer.flush();
                return Ok(());
            }
            let _ = self.hear(header, body);
        }
        let status = self.child.wait().await?;
        Err(io::Error::other(format!("it ended while it booted ({status})")))
    }

    /// Why a worker that closed its channel ended.
    async fn end_of_process(&mut self) -> InvocationError {
        match tokio::time::timeout(IDLE_TIME_MAX, self.child.wait()).await {
            Ok(Ok(status)) => exit_error(status),
            Ok(Err(error)) => worker_error(&error),
            Err(_) => InvocationError::Worker("it closed its channel and went on".to_owned()),
        }
    }

    /// Ends the process and waits for its end.
    pub(crate) async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }
}

fn exit_error(status: ExitStatus) -> InvocationError {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return InvocationError::Exited { code: 128 + signal };
    }
    InvocationError::Exited { code: status.code().unwrap_or(-1) }
}

/// Ends when the process holds more memory than `limit`; never where the platform does not tell.
async fn memory_exceeds(process: Option<u32>, limit: Option<u64>) {
    let (Some(process), Some(limit)) = (process, limit) else { return std::future::pending().await };
    loop {
        tokio::time::sleep(MEMORY_CHECK_PERIOD).await;
        if resident_bytes(process).is_some_and(|bytes| bytes > limit) {
            return;
        }
    }
}

/// The memory a process holds, where the platform tells (Linux).
fn resident_bytes(process: u32) -> Option<u64> {
    const PAGE_BYTES: u64 = 4096;
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

/// Cuts what a worker prints into lines and names the call that printed them.
struct Printer {
    output: Arc<dyn Output>,
    state: Mutex<PrinterState>,
}

#[derive(Default)]
struct PrinterState {
    function: String,
    request_id: String,
    /// The beginning of a line, for each level.
    started: [(Option<Level>, Vec<u8>); 5],
}

/// The standard error has a line of its own, besides one for each level.
const STANDARD_ERROR: usize = 4;

impl Printer {
    fn new(output: Arc<dyn Output>) -> Printer {
        Printer { output, state: Mutex::default() }
    }

    fn set_call(&self, function: &str, request_id: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.function = function.to_owned();
        state.request_id = request_id.to_owned();
    }

    fn print(&self, level: Level, text: &[u8]) {
        self.print_to(level as usize, level, text);
    }

    fn print_to(&self, slot: usize, level: Level, text: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let PrinterState { function, request_id, started } = &mut *state;
        let Some((started_level, started)) = started.get_mut(slot) else { return };
        *started_level = Some(level);
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            started.extend_from_slice(piece);
            if piece.ends_with(b"\n") || started.len() > LINE_BYTES_MAX {
                let line = String::from_utf8_lossy(started);
                self.output.line(function, request_id, level, line.trim_end_matches(['\n', '\r']));
                started.clear();
            }
        }
    }

    /// Passes on the lines that were begun and will not be ended.
    fn flush(&self) {
        for slot in 0..=STANDARD_ERROR {
            let begun = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.started.get_mut(slot).and_then(|(level, started)| Some((*level)?).filter(|_| !started.is_empty()))
            };
            if let Some(level) = begun {
                self.print_to(slot, level, b"\n");
            }
        }
    }
}

/// Passes on what a worker writes to its standard error; its marks are counted instead.
async fn read_errors(mut errors: ChildStderr, marker: Vec<u8>, printer: Arc<Printer>, mark: watch::Sender<u64>) {
    let mut pending = Vec::new();
    let mut chunk = vec![0; 8 << 10];
    while let Ok(length @ 1..) = errors.read(&mut chunk).await {
        pending.extend_from_slice(chunk.get(..length).unwrap_or_default());
        while let Some(at) = pending.windows(marker.len()).position(|window| window == marker) {
            printer.print_to(STANDARD_ERROR, Level::Error, pending.get(..at).unwrap_or_default());
            pending.drain(..at + marker.len());
            mark.send_modify(|marks| *marks += 1);
        }
        // Keep back what may be the beginning of a mark.
        let keep = (1..marker.len().min(pending.len() + 1))
            .rev()
            .find(|length| pending.ends_with(marker.get(..*length).unwrap_or_default()));
        let ready = pending.len() - keep.unwrap_or(0);
        printer.print_to(STANDARD_ERROR, Level::Error, pending.get(..ready).unwrap_or_default());
        pending.drain(..ready);
    }
    printer.print_to(STANDARD_ERROR, Level::Error, &pending);
}
