//! The program that the tests start as a worker.

fn main() -> std::process::ExitCode {
    functions::run_worker()
}
