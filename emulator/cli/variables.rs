//! The environment variables by which SDKs and commands find an emulator, without a change to their code.

use environment::Cloud;
use serde_json::json;
use std::ffi::OsString;
use std::path::Path;

/// What points server SDKs at `port` (protocol §1.1, §1.3), with `environment` as the one a program runs in.
pub(crate) fn of_servers(port: u16, environment: &str) -> Vec<(&'static str, OsString)> {
    let admin = format!("http://127.0.0.1:{port}/admin");
    // wx-server-sdk 2.0 would hand its database to an older SDK without the second entry.
    let context = json!({ "URL": admin, "TCB_SDK_GRAY_0": true }).to_string();
    vec![
        ("TCB_CONTEXT_CNFG", context.into()),
        ("TCB_CONTEXT_KEYS", "TCB_ENV,TCB_CONTEXT_CNFG".into()),
        ("TCB_ENV", environment.into()),
        ("SCF_NAMESPACE", environment.into()),
        ("TENCENTCLOUD_RUNENV", "SCF".into()),
        ("TENCENTCLOUD_REGION", "ap-shanghai".into()),
        ("TENCENTCLOUD_SECRETID", "emulator".into()),
        ("TENCENTCLOUD_SECRETKEY", "emulator".into()),
        ("TENCENTCLOUD_SESSIONTOKEN", "emulator".into()),
    ]
}

/// What tells programs without a variable of their own where the emulator is, such as js-sdk or a test kit, and lets the commands
/// of the emulator itself (`emulator db find …`) mean this one.
pub(crate) fn of_commands(cloud: &Cloud, project: &Path, data: &Path) -> Vec<(&'static str, OsString)> {
    let holder = cloud.holder();
    vec![
        ("EMULATOR_URL", format!("http://127.0.0.1:{}", holder.port).into()),
        ("EMULATOR_TOKEN", holder.token.clone().into()),
        ("EMULATOR_ENV", cloud.default_name().into()),
        ("EMULATOR_PROJECT", project.into()),
        ("EMULATOR_DATA", data.into()),
    ]
}
