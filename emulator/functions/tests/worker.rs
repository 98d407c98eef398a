//! The program that the tests start as a worker. With the arguments `emulator FOLDER TEMPORARY` it is a small emulator
//! instead, which calls the function `f` of that folder without end and prints what it prints: made to be killed.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use functions::{CallClock, Functions, FunctionsOptions, Invocation, Level, Output};

struct Standard;

impl Output for Standard {
    fn line(&self, _function: &str, _request_id: &str, _level: Level, text: &str) {
        println!("{text}");
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [mode, folder, temporary] if mode == "emulator" => emulator(folder.into(), temporary.into()),
        _ => functions::run_worker(),
    }
}

fn emulator(root: PathBuf, temporary: PathBuf) -> ExitCode {
    let (Ok(runtime), Ok(program)) = (tokio::runtime::Runtime::new(), std::env::current_exe()) else {
        return ExitCode::FAILURE;
    };
    let options = FunctionsOptions {
        root: Some(root),
        worker_program: program,
        worker_arguments: Vec::new(),
        workers_per_function: 1,
        spare_worker: true,
        temporary,
    };
    let call = Invocation {
        environment: "test".to_owned(),
        function: "f".to_owned(),
        event: "{}".to_owned(),
        context: serde_json::Value::Null,
        environment_variables: Default::default(),
        clock: CallClock::Running { offset_ms: 0 },
        request_id: "r".to_owned(),
        timeout: Duration::from_secs(60),
        memory_bytes: 256 << 20,
    };
    let result = runtime.block_on(async {
        Functions::open(options, Arc::new(Standard)).map(|functions| async move { functions.invoke(call).await })
    });
    match result {
        Ok(invocation) => match runtime.block_on(invocation) {
            Ok(_) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(_) => ExitCode::FAILURE,
    }
}
