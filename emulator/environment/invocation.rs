//! One call of a cloud function: the environment variables, event and context it sees (protocol §7, semantics §11), the
//! lines it prints, and its end in the cloud's words.

use crate::calls::EndedCall;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::forks;
use crate::identity::{Identity, Session};
use crate::settings::FunctionSettings;
use functions::{Invocation, InvocationError, Level};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The cloud's defaults (semantics FN-33).
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);
const MEMORY_MB_DEFAULT: u64 = 256;
/// Where the cloud says that it runs functions.
const REGION: &str = "ap-shanghai";
/// How many printed lines of a call are kept; all of them go to the terminal.
const LINES_MAX: usize = 10_000;

/// One call of a function.
pub(crate) struct Call {
    pub(crate) function: String,
    pub(crate) event: Value,
    pub(crate) identity: Identity,
    pub(crate) trigger: Trigger,
}

/// What made the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A server SDK, or a function.
    Server,
    /// A mini program's page: the event gains `userInfo` (semantics FN-02).
    MiniProgram,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Invoked {
    /// What the function returned, or the error as an SDK would see it.
    pub result: Result<Value, ActionError>,
    /// What it printed, in order.
    pub logs: Vec<LogLine>,
    /// From the request to its answer.
    pub duration: Duration,
    /// As in the terminal.
    pub request_id: String,
}

/// A line that a function printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// Without its line end.
    pub text: String,
}

/// How a call ended, before anything is made of its text.
pub(crate) struct Ended {
    /// The function's return value as JSON text.
    pub(crate) result: Result<String, ActionError>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) duration: Duration,
    pub(crate) request_id: String,
}

/// Where the lines go that running functions print: to the terminal, and to whoever waits for those of a request.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    /// One entry for each request, from its start to its end.
    wanted: Mutex<HashMap<String, Vec<LogLine>>>,
}

/// The lines of one request, which are collected for as long as this lives.
struct Listening<'a> {
    logs: &'a Logs,
    request_id: &'a str,
}

impl Environment {
    /// Calls a function as the command line does: on behalf of `openid`, as a mini program would, or of nobody. Keeps what it prints.
    pub async fn invoke(&self, function: &str, data: Value, openid: Option<&str>) -> Invoked {
        let (identity, trigger) = match openid {
            Some(openid) => (Identity::user(openid), Trigger::MiniProgram),
            None => (Identity::server(), Trigger::Server),
        };
        let call = Call { function: function.to_owned(), event: data, identity, trigger };
        let ended = self.run(call).await;
        let result = ended.result.and_then(|text| parse_result(&text));
        Invoked { result, logs: ended.logs, duration: ended.duration, request_id: ended.request_id }
    }

    /// Runs one call to its end, and keeps it for whoever asks what was called.
    pub(crate) async fn run(&self, call: Call) -> Ended {
        let (request_id, at_ms, started) = (new_request_id(), self.shared.clock.now_ms(), Instant::now());
        let (function, event, identity) = (call.function.clone(), call.event.to_string(), call.identity.clone());
        let lines = self.shared.logs.listen(&request_id);
        let result = self.run_as(call, &request_id).await;
        let (logs, duration) = (lines.take(), started.elapsed());
        let ended = Ended { result, logs, duration, request_id };
        let kept = EndedCall {
            function,
            event,
            openid: identity.openid,
            source: identity.source,
            result: ended.result.clone(),
            logs: ended.logs.clone(),
            duration,
            request_id: ended.request_id.clone(),
            at_ms,
        };
        if !forks::is_fork(&self.name) || self.shared.store.has_namespace(&self.name) {
            self.shared.calls.keep(&self.name, kept);
        }
        ended
    }

    async fn run_as(&self, call: Call, request_id: &str) -> Result<String, ActionError> {
        let settings = self.shared.settings.function_settings.get(&call.function).cloned().unwrap_or_default();
        let session = self.shared.sessions.start(call.identity.clone(), self.name.clone());
        let timeout = settings.timeout.unwrap_or(TIMEOUT_DEFAULT);
        let memory_bytes = settings.memory_bytes.unwrap_or(MEMORY_MB_DEFAULT << 20);
        let function = call.function.clone();
        let invocation = Invocation {
            environment: self.name.to_string(),
            event: self.event(&call).to_string(),
            context: self.context(&function, request_id, timeout, memory_bytes),
            environment_variables: self.environment_variables(&call, &settings, &session, request_id),
            clock: self.shared.clock.of_call(),
            function: call.function,
            request_id: request_id.to_owned(),
            timeout,
            memory_bytes,
        };
        let result = self.shared.functions.invoke(invocation).await;
        if let Err(error) = &result {
            tracing::warn!(target: "function", function, request_id, "{}", describe(error));
        }
        result.map(|completion| completion.result).map_err(|error| self.invocation_error(&function, &error))
    }

    fn event(&self, call: &Call) -> Value {
        match (&call.event, call.trigger, &call.identity.openid) {
            (Value::Object(data), Trigger::MiniProgram, Some(openid)) => {
                let mut event = data.clone();
                event.insert("userInfo".into(), json!({ "appId": self.shared.settings.appid, "openId": openid }));
                Value::Object(event)
            }
            (Value::Null, ..) => Value::Object(Map::new()),
            (event, ..) => event.clone(),
        }
    }

    /// The second argument of `main` (semantics FN-03).
    fn context(&self, function: &str, request_id: &str, timeout: Duration, memory_bytes: u64) -> Value {
        json!({
            "callbackWaitsForEmptyEventLoop": false,
            "memory_limit_in_mb": memory_bytes >> 20,
            "time_limit_in_ms": u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            "request_id": request_id,
            "function_name": function,
            "function_version": "$LATEST",
            "namespace": &*self.name,
            "tencentcloud_region": REGION,
            "tencentcloud_appid": "",
            "tencentcloud_uin": "",
        })
    }

    /// `process.env` of the call: the developer's own, then the platform's, which win.
    fn environment_variables(
        &self,
        call: &Call,
        settings: &FunctionSettings,
        session: &Session,
        request_id: &str,
    ) -> BTreeMap<String, String> {
        let mut variables = settings.environment_variables.clone();
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        for (name, value) in CONSTANT_VARIABLES {
            set(name, value);
        }
        set(
            "TCB_CONTEXT_CNFG",
            &json!({ "URL": format!("{}/admin", self.shared.loopback_url()), "TCB_SDK_GRAY_0": true }).to_string(),
        );
        set("TCB_ENV", &self.name);
        set("SCF_NAMESPACE", &self.name);
        set("SCF_FUNCTIONNAME", &call.function);
        set("TCB_SEQID", request_id);
        set("TCB_SESSIONTOKEN", &session.token);
        set("WX_API_TOKEN", &session.token);
        set("TCB_SOURCE", &call.identity.source);
        set("TRIGGER_SRC", if call.trigger == Trigger::MiniProgram { "wx_client" } else { "tcb" });
        set("WX_APPID", &self.shared.settings.appid);
        if let Some(openid) = &call.identity.openid {
            set("WX_OPENID", openid);
            set("WX_CONTEXT_KEYS", "WX_CLIENTIP,WX_CLIENTIPV6,WX_APPID,WX_OPENID,WX_API_TOKEN");
        } else {
            set("WX_CONTEXT_KEYS", "WX_CLIENTIP,WX_CLIENTIPV6,WX_APPID,WX_API_TOKEN");
        }
        variables
    }

    fn invocation_error(&self, function: &str, error: &InvocationError) -> ActionError {
        match error {
            InvocationError::NotFound => ActionError::new(codes::FUNCTION_NOT_FOUND, self.not_found(function)),
            InvocationError::TimedOut(_) => ActionError::new(codes::FUNCTIONS_TIME_LIMIT_EXCEEDED, describe(error)),
            InvocationError::OutOfMemory => ActionError::new(codes::FUNCTIONS_MEMORY_LIMIT_EXCEEDED, describe(error)),
            InvocationError::Failed { .. }
            | InvocationError::Exited { .. }
            | InvocationError::ResultTooLarge
            | InvocationError::BadResult => ActionError::new(codes::FUNCTIONS_EXECUTE_FAIL, describe(error)),
            InvocationError::Closed | InvocationError::Worker(_) => ActionError::new(codes::SYS_ERR, describe(error)),
        }
    }

    fn not_found(&self, function: &str) -> String {
        let place = match &self.shared.settings.functions {
            Some(folder) => format!("no folder `{function}` with a function in {}", folder.display()),
            None => {
                "this emulator was started without a folder of functions: start it in the project, or with --project"
                    .into()
            }
        };
        format!(
            "FunctionName parameter could not be found. 更多错误信息请访问：\
             https://docs.cloudbase.net/error-code/basic/FUNCTION_NOT_FOUND ({place})"
        )
    }
}

impl Logs {
    fn listen<'a>(&'a self, request_id: &'a str) -> Listening<'a> {
        self.lock().insert(request_id.to_owned(), Vec::new());
        Listening { logs: self, request_id }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<LogLine>>> {
        // The map is whole after every operation, so a panic elsewhere cannot have left it half changed.
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening<'_> {
    fn take(self) -> Vec<LogLine> {
        self.logs.lock().remove(self.request_id).unwrap_or_default()
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.logs.lock().remove(self.request_id);
    }
}

impl functions::Output for Logs {
    fn line(&self, function: &str, request_id: &str, level: Level, text: &str) {
        let name = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        match level {
            Level::Debug | Level::Info => tracing::info!(target: "function", function, request_id, "{text}"),
            Level::Warn => tracing::warn!(target: "function", function, request_id, "{text}"),
            Level::Error => tracing::error!(target: "function", function, request_id, "{text}"),
        }
        if let Some(lines) = self.lock().get_mut(request_id).filter(|lines| lines.len() < LINES_MAX) {
            lines.push(LogLine { level: name, text: text.to_owned() });
        }
    }
}

/// The same for every call.
const CONSTANT_VARIABLES: &[(&str, &str)] = &[
    ("TCB_CONTEXT_KEYS", "TCB_ENV,TCB_SEQID,TRIGGER_SRC,TCB_SESSIONTOKEN,TCB_SOURCE,TCB_CONTEXT_CNFG"),
    ("TENCENTCLOUD_REGION", REGION),
    ("TENCENTCLOUD_RUNENV", "SCF"),
    ("TENCENTCLOUD_SECRETID", "emulator"),
    ("TENCENTCLOUD_SECRETKEY", "emulator"),
    ("TENCENTCLOUD_SESSIONTOKEN", "emulator"),
    ("TZ", "UTC"),
    ("USER_CODE_ROOT", "/var/user/"),
    ("WX_CLIENTIP", "127.0.0.1"),
    ("WX_CLIENTIPV6", "::ffff:127.0.0.1"),
];

/// The end of a call in the cloud's words (semantics §9.4).
fn describe(error: &InvocationError) -> String {
    match error {
        InvocationError::NotFound => "FunctionName parameter could not be found.".into(),
        InvocationError::Failed { message } => message.clone(),
        InvocationError::TimedOut(limit) => format!("Invoking task timed out after {} seconds", limit.as_secs()),
        InvocationError::Exited { code } => format!("{code} code exit unexpected"),
        InvocationError::OutOfMemory => "Memory limit exceeded: the function used more memory than it may".into(),
        InvocationError::ResultTooLarge => "the function's result exceeds 6 MB".into(),
        InvocationError::BadResult => "the function's result cannot be written as JSON".into(),
        InvocationError::Closed => "the emulator is stopping".into(),
        InvocationError::Worker(reason) => format!("the function's worker process failed: {reason}"),
    }
}

fn parse_result(text: &str) -> Result<Value, ActionError> {
    serde_json::from_str(text)
        .map_err(|error| ActionError::new(codes::SYS_ERR, format!("the function's result is not JSON: {error}")))
}

fn new_request_id() -> String {
    Uuid::new_v4().to_string()
}
