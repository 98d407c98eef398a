//! `emulator doctor` on projects that were broken on purpose, each by one thing: it names the fault and the cure, in both languages,
//! and finds nothing else. And on one that is well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
}

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use support::process::Emulator;
use tempfile::TempDir;

const CLIENT: &str = include_str!("../emulator/miniprogram/wx-cloud.js");
const APP: &str = "try { require('./wx-cloud.js') } catch (e) {}\nApp({ onLaunch() { wx.cloud.init() } })\n";
/// Variables of the machine that tests run on, which must not decide.
const FOREIGN_VARIABLES: &[&str] =
    &["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "all_proxy", "http_proxy", "https_proxy", "no_proxy"];

// What is well.

#[test]
fn a_healthy_project_has_no_fault() {
    let project = Project::healthy();
    for (language, lines) in [
        (
            "en",
            [
                "✓ project    ",
                "✓ data       ",
                "✓ functions  1 can be called: hello",
                "✓ engine     a function was called in ",
            ],
        ),
        (
            "zh",
            [
                "✓ 项目        ",
                "✓ 数据        ",
                "✓ 云函数      1 个可以调用：hello",
                "✓ 引擎        调用一个云函数用了 ",
            ],
        ),
    ] {
        let output = project.doctor(language, &["--port", "0"], &[]);
        let text = text_of(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(!text.contains(['✗', '!', '\u{1b}']), "{text}");
        for line in lines {
            assert!(text.lines().any(|found| found.starts_with(line)), "`{line}` is not in\n{text}");
        }
    }
    assert!(!project.path(".emulator").exists(), "looking makes nothing");
}

#[test]
fn programs_read_the_findings_as_json() {
    let project = Project::healthy();
    std::fs::write(project.path("cloudfunctions/hello/package.json"), "{").unwrap();
    let output = project.doctor("en", &["--json", "--port", "0"], &[]);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let of = |id: &str| findings.iter().find(|finding| finding["id"] == id).unwrap();
    assert_eq!(of("engine.runs")["severity"], "ok");
    assert_eq!(of("engine.runs")["cure"], Value::Null);
    let fault = of("functions.package-broken");
    assert_eq!(fault["severity"], "fault");
    assert!(["what", "cause", "cure"].iter().all(|part| fault[part].is_string()), "{fault}");
    assert_eq!(findings.iter().filter(|finding| finding["severity"] == "fault").count(), 1, "{found}");
}

// What is broken.

#[test]
fn a_port_taken_by_another_program() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let pid = std::process::id();
    Project::healthy().check(
        &["--port", &port],
        &[],
        &Case {
            symbol: "✗",
            english: (&format!("ports      {port}: taken by "), &format!("`kill {pid}`")),
            chinese: (&format!("端口        {port}：被 "), &format!("`kill {pid}`")),
        },
    );
}

#[test]
fn a_data_folder_in_use() {
    let emulator = Emulator::start(&[]);
    let (pid, port, data) = (emulator.pid(), emulator.port(), emulator.data().display().to_string());
    let cure = format!("`kill {pid}`");
    let project = Project::healthy();
    // That an emulator runs is no fault.
    project.check(
        &["--data", &data],
        &[],
        &Case {
            symbol: "✓",
            english: (&format!("the running emulator works on it (process {pid}, port {port})"), &cure),
            chinese: (&format!("正在运行的模拟器在使用（进程 {pid}，端口 {port}）"), &cure),
        },
    );
}

#[cfg(unix)]
#[test]
fn a_data_folder_held_by_an_emulator_that_hangs() {
    let emulator = Emulator::start(&[]);
    let (pid, data) = (emulator.pid(), emulator.data().display().to_string());
    assert!(Command::new("kill").args(["-STOP", &pid.to_string()]).status().unwrap().success());
    Project::healthy().check(
        &["--data", &data],
        &[],
        &Case {
            symbol: "✗",
            english: (&format!("held by process {pid}, which does not answer"), &format!("`kill {pid}`")),
            chinese: (&format!("被进程 {pid} 占用，而它在端口"), &format!("`kill {pid}`")),
        },
    );
}

#[test]
fn a_data_folder_whose_emulator_was_killed() {
    let mut emulator = Emulator::start(&[]);
    let (pid, data) = (emulator.pid(), emulator.data().display().to_string());
    emulator.kill();
    Project::healthy().check(
        &["--data", &data],
        &[],
        &Case {
            symbol: "!",
            english: (&format!("emulator.json was left behind by process {pid}"), "`emulator start` replaces the file"),
            chinese: (&format!("emulator.json 是已结束的进程 {pid} 留下的"), "`emulator start` 会替换这个文件"),
        },
    );
}

#[test]
fn a_data_folder_that_is_a_file() {
    let project = Project::healthy();
    let data = project.path(".emulator");
    std::fs::write(&data, "").unwrap();
    let cure = format!("`mv {path} {path}.old`", path = data.display());
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("is a file where a folder must be", &cure),
            chinese: ("是文件，这里应当是目录", &cure),
        },
    );
}

#[test]
fn a_function_without_its_packages() {
    let project = Project::healthy();
    let package = json!({ "dependencies": { "wx-server-sdk": "latest", "dayjs": "^1", "@scope/name": "1" } });
    std::fs::write(project.path("cloudfunctions/hello/package.json"), package.to_string()).unwrap();
    let cure = format!("`cd {} && npm install`", project.path("cloudfunctions/hello").display());
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("functions  hello: packages are not installed: @scope/name, dayjs", &cure),
            chinese: ("云函数      hello：没有安装的包：@scope/name, dayjs", &cure),
        },
    );
}

#[test]
fn a_function_with_a_broken_package_json() {
    let project = Project::healthy();
    let path = project.path("cloudfunctions/hello/package.json");
    std::fs::write(&path, "{\n  \"dependencies\": {\n").unwrap();
    let path = path.display().to_string();
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("functions  hello: package.json cannot be read: EOF while parsing", &path),
            chinese: ("云函数      hello：package.json 无法读取：EOF while parsing", &path),
        },
    );
}

#[test]
fn a_function_with_a_native_addon() {
    let project = Project::healthy();
    project.write("cloudfunctions/hello/node_modules/bcrypt/lib/binding/bcrypt_lib.node", "\u{7f}ELF");
    let cure = "npm uninstall bcrypt && npm install bcryptjs`";
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("functions  hello: the package bcrypt brings native code", cure),
            chinese: ("云函数      hello：包 bcrypt 含有原生代码", cure),
        },
    );
}

#[test]
fn a_folder_of_a_function_without_code() {
    let project = Project::healthy();
    project.write("cloudfunctions/empty/package.json", "{}");
    let cure = project.path("cloudfunctions/empty/index.js").display().to_string();
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("functions  empty: there is no index.js", &cure),
            chinese: ("云函数      empty：没有 index.js", &cure),
        },
    );
}

#[test]
fn a_project_config_that_is_no_json() {
    let project = Project::healthy();
    std::fs::write(project.path("project.config.json"), "{\n  \"appid\": \"wx1\",\n}").unwrap();
    // What stands in the file is unknown now: where the functions and the pages are, and urlCheck.
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: (
                "project.config.json cannot be read: trailing comma at line 3 column 1",
                "`git diff project.config.json`",
            ),
            chinese: (
                "project.config.json 无法读取：trailing comma at line 3 column 1",
                "`git diff project.config.json`",
            ),
        },
    );
}

#[test]
fn a_functions_folder_that_is_not_there() {
    let project = Project::healthy();
    project.change("project.config.json", |config| config["cloudfunctionRoot"] = json!("functions/"));
    let cure = format!("`mkdir -p {}`", project.path("functions/").display());
    project.check(
        &[],
        &[],
        &Case { symbol: "✗", english: ("the functions' folder ", &cure), chinese: ("云函数目录 ", &cure) },
    );
}

#[test]
fn an_emulator_toml_with_a_mistake() {
    let project = Project::healthy();
    project.write("emulator.toml", "prot = 7357\n");
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("emulator.toml cannot be used: ", "`emulator start --help` lists the settings"),
            chinese: ("emulator.toml 无法使用：", "`emulator start --help` 列出了所有设置"),
        },
    );
    let output = project.doctor("en", &[], &[]);
    assert!(text_of(&output).contains("unknown field `prot`"), "{output:?}");
}

#[test]
fn url_check_that_is_on() {
    let project = Project::healthy();
    project.write("project.private.config.json", "{\"setting\": {\"urlCheck\": true}}");
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("project.private.config.json has `urlCheck` on", "`emulator init`"),
            chinese: ("project.private.config.json 中 `urlCheck` 是打开的", "`emulator init`"),
        },
    );
}

#[test]
fn a_client_of_another_version() {
    let project = Project::healthy();
    project.write("miniprogram/wx-cloud.js", &CLIENT.replacen("'use strict'", "'use strict' /* older */", 1));
    project.check(
        &[],
        &[],
        &Case {
            symbol: "!",
            english: ("wx-cloud.js is not the one that comes with this emulator", "`emulator init`"),
            chinese: ("wx-cloud.js 与本模拟器自带的不同", "`emulator init`"),
        },
    );
}

#[test]
fn an_app_without_the_line() {
    let project = Project::healthy();
    project.write("miniprogram/app.js", "App({})\n");
    project.check(
        &[],
        &[],
        &Case {
            symbol: "✗",
            english: ("app.js does not load wx-cloud.js", "`emulator init`"),
            chinese: ("app.js 没有加载 wx-cloud.js", "`emulator init`"),
        },
    );
}

#[test]
fn a_proxy_that_swallows_loopback() {
    let variables = [("http_proxy", "http://me:secret@proxy.example.com:8080"), ("no_proxy", "example.com")];
    let cure = "`export no_proxy=example.com,127.0.0.1,localhost; export NO_PROXY=example.com,127.0.0.1,localhost`";
    Project::healthy().check(
        &[],
        &variables,
        &Case {
            symbol: "✗",
            english: (
                "http_proxy is set (http://proxy.example.com:8080), and requests to 127.0.0.1 go there too",
                cure,
            ),
            chinese: ("设置了 http_proxy（http://proxy.example.com:8080），对 127.0.0.1 的请求也会发到那里", cure),
        },
    );
}

#[test]
fn no_node_on_the_path() {
    let nowhere = tempfile::tempdir().unwrap();
    Project::healthy().check(
        &[],
        &[("PATH", nowhere.path().to_str().unwrap())],
        &Case {
            symbol: "!",
            english: ("there is no `node` on the PATH", "install Node 18 or later"),
            chinese: ("PATH 中没有 `node`", "安装 Node 18 或更新的版本"),
        },
    );
}

// What is mended.

#[test]
fn fix_installs_what_functions_lack() {
    let project = Project::healthy();
    project.write("packages/local/package.json", "{\"name\": \"local\", \"version\": \"1.0.0\"}");
    let package = json!({ "dependencies": { "local": "file:../../packages/local" } });
    project.write("cloudfunctions/hello/package.json", &package.to_string());
    assert_eq!(project.doctor("en", &["--port", "0"], &[]).status.code(), Some(1));
    let output = project.doctor("en", &["--port", "0", "--fix", "--yes", "--json"], &[("npm_config_offline", "true")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok(), "{output:?}");
    assert!(project.path("cloudfunctions/hello/node_modules/local/package.json").is_file());
}

/// What is found of a project that is broken by one thing.
struct Case<'a> {
    /// `✗` where that is a fault; then the command fails.
    symbol: &'a str,
    /// A part of the finding's line, and one of its cure.
    english: (&'a str, &'a str),
    chinese: (&'a str, &'a str),
}

/// A project that is well, until a test breaks it.
struct Project {
    folder: TempDir,
}

impl Project {
    fn healthy() -> Project {
        let project = Project { folder: tempfile::tempdir().unwrap() };
        let config = json!({
            "appid": "wx0123456789abcdef", "cloudfunctionRoot": "cloudfunctions/", "miniprogramRoot": "miniprogram/",
            "setting": { "urlCheck": false },
        });
        project.write("project.config.json", &config.to_string());
        project.write("miniprogram/app.js", APP);
        project.write("miniprogram/wx-cloud.js", CLIENT);
        project.write("cloudfunctions/hello/index.js", "exports.main = async () => 'hello'\n");
        project.write("cloudfunctions/hello/package.json", "{\"dependencies\": {\"wx-server-sdk\": \"~2.6.3\"}}");
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut value: Value = serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap();
        change(&mut value);
        self.write(name, &value.to_string());
    }

    fn doctor(&self, language: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("EMULATOR_") || FOREIGN_VARIABLES.contains(&name.as_str()) {
                command.env_remove(name);
            }
        }
        command.env("EMULATOR_LANG", language).envs(variables.iter().copied());
        command.arg("doctor").args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).output().unwrap()
    }

    /// Asserts that the case is found in both languages, with its cure, and that nothing else is a fault.
    fn check(&self, arguments: &[&str], variables: &[(&str, &str)], case: &Case<'_>) {
        // Other programs on this machine may hold the usual ports.
        let arguments =
            if arguments.contains(&"--port") { arguments.to_vec() } else { [arguments, &["--port", "0"]].concat() };
        for (language, label, (what, cure)) in [("en", "do: ", case.english), ("zh", "解决：", case.chinese)] {
            let output = self.doctor(language, &arguments, variables);
            let text = text_of(&output);
            let found: Vec<&str> =
                findings(&text).into_iter().filter(|finding| finding.starts_with(case.symbol)).collect();
            let finding = found.iter().find(|finding| first_line(finding).contains(what));
            let finding = finding.unwrap_or_else(|| panic!("`{what}` is not in\n{text}"));
            let is_cured = finding.split_once(label).is_some_and(|(_, told)| told.contains(cure));
            assert!(is_cured, "`{cure}` is not in\n{text}");
            let faults = findings(&text).iter().filter(|finding| finding.starts_with('✗')).count();
            assert_eq!(faults, usize::from(case.symbol == "✗"), "{text}");
            assert_eq!(output.status.code(), Some(i32::from(case.symbol == "✗")), "{text}");
        }
    }
}

/// Each finding with its cause and cure.
fn findings(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|(place, symbol)| "✓!✗".contains(*symbol) && (*place == 0 || text[..*place].ends_with('\n')))
        .map(|(place, _)| place)
        .collect();
    let ends = starts.iter().copied().skip(1).chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}

fn first_line(finding: &str) -> &str {
    finding.lines().next().unwrap_or_default()
}

fn text_of(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(!text.is_empty(), "{output:?}");
    text
}

#[test]
fn findings_are_told_apart() {
    let text = "✓ a  well\n✗ b  broken!\n     why: ✓\n     do: that\n\n1 faults\n";
    assert_eq!(findings(text).len(), 2);
}
