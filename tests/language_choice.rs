//! Two languages, from outside: which one is spoken, that help and ready screen are in it, and that programs read the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
}

use std::process::{Command, Output, Stdio};
use support::process::Emulator;

/// What the system's language is told by, and the emulator's own.
const VARIABLES: &[&str] = &["EMULATOR_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"];
/// Stands in the help in that language alone.
const ENGLISH: &str = "Start a cloud on this machine";
const CHINESE: &str = "在本机启动云环境";

#[test]
fn the_help_is_in_the_language_asked_for() {
    for (variables, arguments, expected) in [
        (&[][..], &["--help"][..], ENGLISH),
        (&[("LANG", "C")], &["--help"], ENGLISH),
        (&[("LC_ALL", "en_US.UTF-8"), ("LANG", "zh_CN.UTF-8")], &["--help"], ENGLISH),
        (&[("LC_ALL", "fr_FR.UTF-8")], &["start", "-h"], ENGLISH),
        (&[("LC_ALL", "zh_CN.UTF-8")], &["--help"], CHINESE),
        (&[("LANG", "zh_TW.UTF-8")], &["help", "start"], CHINESE),
        (&[("LC_ALL", "zh_CN.UTF-8"), ("EMULATOR_LANG", "en")], &["--help"], ENGLISH),
        (&[("EMULATOR_LANG", "zh")], &["-h"], CHINESE),
        (&[("EMULATOR_LANG", "zh")], &["--lang", "en", "--help"], ENGLISH),
        (&[], &["--lang", "zh", "--help"], CHINESE),
        (&[], &["start", "--help", "--lang=zh"], CHINESE),
        (&[("EMULATOR_LANG", "en")], &["start", "-h", "--lang", "zh"], CHINESE),
        (&[("EMULATOR_LANG", "zh")], &[], CHINESE),
        (&[("EMULATOR_LANG", ""), ("LC_ALL", "zh_CN.UTF-8")], &["--help"], CHINESE),
        (&[("EMULATOR_LANG", ""), ("LC_ALL", "C")], &["start", "-h"], ENGLISH),
        (&[("EMULATOR_LANG", "zh_CN.UTF-8")], &["--help"], CHINESE),
        (&[("EMULATOR_LANG", "en_US"), ("LC_ALL", "zh_CN.UTF-8")], &["--help"], ENGLISH),
    ] {
        let output = run(variables, arguments);
        let help = if arguments.is_empty() { &output.stderr } else { &output.stdout };
        let help = String::from_utf8_lossy(help);
        assert!(help.contains(expected), "{variables:?} {arguments:?}: {help}");
        assert_eq!(help.contains("Usage:"), expected == ENGLISH, "{help}");
        assert_eq!(help.contains("用法:"), expected == CHINESE, "{help}");
    }
}

#[test]
fn the_chinese_help_names_what_the_english_one_does() {
    let help = |language| says(&run(&[], &["import", "--help", "--lang", language]));
    let (english, chinese) = (help("en"), help("zh"));
    for name in [
        "--collection <NAME>",
        "--mode <MODE>",
        "--anonymise-key <TEXT>",
        "EMULATOR_ANONYMISE_KEY",
        "upsert",
        "gbk",
        "emulator import",
    ] {
        assert!(english.contains(name) && chinese.contains(name), "{name} in\n{english}\n{chinese}");
    }
    assert!(chinese.contains("用法: emulator import [选项] --collection <NAME> <FILE>"), "{chinese}");
    let indented = chinese.lines().filter(|line| line.contains('默')).all(|line| line.starts_with(' '));
    assert!(indented, "{chinese}");
}

#[test]
fn a_language_that_is_not_there_is_refused_by_name() {
    let output = run(&[], &["forks", "--lang", "fr"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("'fr'"), "{output:?}");
}

#[test]
fn a_variable_like_the_system_s_or_an_empty_one_stops_no_command() {
    for language in ["", "zh_CN.UTF-8", "en_US"] {
        assert!(run(&[("EMULATOR_LANG", language)], &["completion", "bash"]).status.success(), "{language}");
    }
}

#[test]
fn a_mistake_on_the_command_line_is_explained_in_the_language_too() {
    let output = run(&[], &["start", "--prot", "5", "--lang", "zh"]);
    let mistake = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    for part in ["错误：无法识别的参数 '--prot'", "'--port'", "用法: emulator start [选项]"] {
        assert!(mistake.contains(part.trim_matches('\'')), "{part} in\n{mistake}");
    }
    let output = run(&[], &["start", "--port", "--lang", "zh"]);
    let mistake = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(mistake.contains("需要一个值") && !mistake.contains("可选值"), "{mistake}");
    let output = run(&[], &["exec", "--ephemeral=x", "--lang", "zh", "--", "npm"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("参数 '--ephemeral' 不带值"), "{output:?}");
    let output = run(&[], &["start", "--prot", "5"]);
    assert!(
        String::from_utf8_lossy(&output.stderr).starts_with("error: unexpected argument '--prot' found"),
        "{output:?}"
    );
}

#[test]
fn the_ready_screen_is_in_the_language_asked_for_and_its_first_line_is_not() {
    for (variables, arguments, expected) in [
        (&[("LANGUAGE", ""), ("LC_ALL", "C")][..], &[][..], "environment: cloud1 when"),
        (&[("LANGUAGE", ""), ("LC_ALL", "zh_CN.UTF-8")], &[], "数据目录："),
        (&[("EMULATOR_LANG", "zh")], &[], "云函数：  无"),
        (&[], &["--lang", "zh"], "云环境：  cloud1"),
    ] {
        // The line that the emulator's port is read from is in either.
        let emulator = Emulator::start_with(variables, arguments);
        let screen = emulator.screen();
        assert!(screen.starts_with(&format!("emulator ready at http://127.0.0.1:{}\n", emulator.port())), "{screen}");
        assert!(screen.contains(expected), "{screen}");
        assert!(screen.contains("    export TENCENTCLOUD_RUNENV='SCF'"), "{screen}");
    }
}

#[test]
fn what_a_command_says_is_in_the_language_too_and_what_the_cloud_says_is_not() {
    let data = tempfile::tempdir().unwrap();
    let place = data.path().display().to_string();
    let run = |arguments: &[&str]| run(&[], &[arguments, &["--data", &place, "--lang", "zh"]].concat());
    assert_eq!(says(&run(&["db", "create", "todos"])), "");
    assert_eq!(says(&run(&["db", "collections"])), "todos  PRIVATE     0 个文档\n");
    let refused = run(&["db", "find", "nowhere"]);
    let refusal = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refusal.starts_with("错误：") && refusal.contains("Db or Table not exist: nowhere"), "{refusal}");
    let refused = run(&["clock"]);
    let refusal = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refusal.contains("没有正在运行的模拟器") && refusal.contains("emulator start"), "{refusal}");
}

#[test]
fn a_clock_is_that_of_a_running_emulator() {
    let data = tempfile::tempdir().unwrap();
    let output = run(&[], &["clock", "advance", "1h", "--data", &data.path().display().to_string()]);
    let refusal = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(refusal.starts_with("error: no emulator runs on ") && refusal.contains("`emulator start`"), "{refusal}");
}

#[test]
fn shells_learn_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = says(&run(&[], &["completion", shell]));
        for word in ["snapshot", "restore", "completion", "anonymise", "lang"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("function-worker"), "{shell}");
    }
    for shell in ["zsh", "fish", "powershell"] {
        assert!(says(&run(&[], &["completion", shell, "--lang", "zh"])).contains(CHINESE), "{shell}");
    }
    assert!(!run(&[], &["completion", "cmd"]).status.success());
}

fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("EMULATOR_") || VARIABLES.iter().any(|variable| name == *variable) {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(variables.iter().copied()).current_dir(std::env::temp_dir());
    command.stdin(Stdio::null()).output().unwrap()
}

fn says(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
