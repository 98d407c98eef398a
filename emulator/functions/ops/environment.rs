//! `process.env`: a map of the worker's own, replaced before each call. The real environment stays unseen and unchanged.

use std::collections::BTreeMap;

use deno_core::OpState;

/// What every call finds in `process.env`, as in the cloud's containers; a call's own variables win.
const BASE: &[(&str, &str)] = &[
    ("HOME", "/tmp"),
    ("LANG", "en_US.UTF-8"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("TMPDIR", "/tmp"),
    ("TZ", "UTC"),
];

/// The variables of the call under way; kept in the op state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The base set with `variables` laid over it.
    pub(crate) fn of_call(variables: BTreeMap<String, String>) -> Environment {
        let mut all: BTreeMap<String, String> =
            BASE.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.extend(variables);
        Environment(all)
    }
}

#[deno_core::op2]
#[string]
pub(super) fn op_function_get_env(state: &mut OpState, #[string] name: &str) -> Option<String> {
    state.borrow::<Environment>().0.get(name).cloned()
}

#[deno_core::op2(fast)]
pub(super) fn op_function_set_env(state: &mut OpState, #[string] name: &str, #[string] value: &str) {
    state.borrow_mut::<Environment>().0.insert(name.to_owned(), value.to_owned());
}

#[deno_core::op2(fast)]
pub(super) fn op_function_delete_env(state: &mut OpState, #[string] name: &str) {
    state.borrow_mut::<Environment>().0.remove(name);
}

#[deno_core::op2]
#[serde]
pub(super) fn op_function_env(state: &mut OpState) -> BTreeMap<String, String> {
    state.borrow::<Environment>().0.clone()
}
