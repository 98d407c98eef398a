//! Tidiness as tests: the manifests keep to the import table of `emulator/ARCHITECTURE.md`, every source file says what it is,
//! and nothing new stands at the top.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which of our crates a crate may import, and what it must never see. The table of ARCHITECTURE.md.
const IMPORTS: &[(&str, &[&str], &[&str])] = &[
    ("emulator", &["gateway", "environment"], &["sled", "deno_core", "deno_runtime"]),
    ("gateway", &["environment"], &["sled", "deno_core", "deno_runtime", "bson"]),
    (
        "environment",
        &["database", "storage", "functions", "query", "document"],
        &["hyper", "tokio-tungstenite", "sled"],
    ),
    ("functions", &[], &["sled"]),
    ("storage", &[], &["hyper", "sled"]),
    ("database", &["query", "document"], &["hyper", "serde_json"]),
    ("query", &["document"], &["tokio", "rand", "sled"]),
    ("document", &[], &["tokio", "rand", "sled"]),
];

const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "README.zh-CN.md",
    "emulator",
    "fixtures",
    "scripts",
    "target",
    "tests",
];

#[test]
fn manifests_keep_to_the_import_table() {
    let ours: BTreeSet<&str> = IMPORTS.iter().map(|(name, ..)| *name).collect();
    for (name, allowed, forbidden) in IMPORTS {
        let dependencies = dependencies(name);
        for dependency in &dependencies {
            let dependency = dependency.as_str();
            assert!(!ours.contains(dependency) || allowed.contains(&dependency), "{name} must not import {dependency}");
            assert!(!forbidden.contains(&dependency), "{name} must never see {dependency}");
        }
    }
}

#[test]
fn only_the_store_names_sled() {
    let names_sled = |path: &PathBuf| path.starts_with(root().join("emulator")) && code_of(path).contains("sled::");
    let strangers: Vec<PathBuf> = rust_files()
        .into_iter()
        .filter(names_sled)
        .filter(|path| !path.starts_with(root().join("emulator/database/store")))
        .collect();
    assert_eq!(strangers, Vec::<PathBuf>::new());
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let silent: Vec<PathBuf> = rust_files().into_iter().filter(|path| !read(path).starts_with("//!")).collect();
    assert_eq!(silent, Vec::<PathBuf>::new());
}

#[test]
fn nothing_new_stands_at_the_top() {
    let known: BTreeSet<&str> = TOP.iter().copied().collect();
    let names = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strangers: Vec<String> =
        names.filter(|name| !name.starts_with('.') && !known.contains(name.as_str())).collect();
    assert_eq!(strangers, Vec::<String>::new());
}

#[test]
fn both_readmes_exist_and_name_the_two_commands() {
    for name in ["README.md", "README.zh-CN.md"] {
        let text = read(&root().join(name));
        assert!(text.contains("scripts/run") && text.contains("scripts/test"), "{name}");
    }
}

fn dependencies(crate_name: &str) -> Vec<String> {
    let manifest = match crate_name {
        "emulator" => root().join("Cargo.toml"),
        name => root().join("emulator").join(name).join("Cargo.toml"),
    };
    let manifest: toml::Table = read(&manifest).parse().unwrap();
    manifest["dependencies"].as_table().unwrap().keys().cloned().collect()
}

fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("emulator"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().unwrap() != "node_modules" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The file without its comments, where other crates may well be spoken of.
fn code_of(path: &Path) -> String {
    read(path).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
