//! The ops between a worker's JavaScript (`js/`) and its channel: the next call, its end, what it prints, its variables.
//! JavaScript shapes; what is allowed and what goes over the channel is decided here.

pub(crate) mod environment;
mod invocation;

pub(crate) use environment::Environment;
pub(crate) use invocation::{Channel, ChannelState, describe_fatal};

use deno_error::JsErrorBox;

use environment::{op_function_delete_env, op_function_env, op_function_get_env, op_function_set_env};
use invocation::{
    op_function_bad_result, op_function_booted, op_function_failed, op_function_idle, op_function_next,
    op_function_out_of_memory, op_function_print, op_function_returned,
};

/// Stands in for what a function may not have: threads of its own.
#[deno_core::op2(fast)]
fn op_function_not_supported() -> Result<(), JsErrorBox> {
    Err(JsErrorBox::generic("worker threads are not supported by the emulator"))
}

deno_core::extension!(
    functions,
    ops = [
        op_function_next,
        op_function_booted,
        op_function_returned,
        op_function_failed,
        op_function_bad_result,
        op_function_out_of_memory,
        op_function_idle,
        op_function_print,
        op_function_get_env,
        op_function_set_env,
        op_function_delete_env,
        op_function_env,
        op_function_not_supported,
    ],
    esm_entry_point = "ext:functions/90_invocation.js",
    esm = [dir "js", "10_errors.js", "20_console.js", "30_node.js", "40_locale.js", "50_clock.js", "90_invocation.js"],
    options = { channel: ChannelState, environment: Environment },
    middleware = |op| match op.name {
        "op_get_env" | "op_get_env_no_permission_check" => op.with_implementation_from(&op_function_get_env()),
        "op_set_env" => op.with_implementation_from(&op_function_set_env()),
        "op_delete_env" => op.with_implementation_from(&op_function_delete_env()),
        "op_env" => op.with_implementation_from(&op_function_env()),
        "op_create_worker" => op.with_implementation_from(&op_function_not_supported()),
        _ => op,
    },
    state = |state, options| {
        state.put(options.channel);
        state.put(options.environment);
    },
);
