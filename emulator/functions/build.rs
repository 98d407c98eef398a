//! Packs `modules/node_modules` into one compressed file that the library embeds: a function that lacks the SDK gets this one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The one package whose folder holds all others: so none of its dependencies can be required by user code.
const TOP: &str = "wx-server-sdk";
/// Files no program reads while it runs.
const USELESS_ENDINGS: &[&str] = &[".d.ts", ".d.mts", ".d.cts", ".ts", ".map", ".md", ".flow"];
/// Packages that hold types only, or that no code of the SDK loads in Node.
const USELESS_PACKAGES: &[&str] = &["@types", "undici-types", "core-js-pure", ".bin", ".package-lock.json"];

fn main() -> io::Result<()> {
    let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("modules");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", folder.join("package-lock.json").display());
    println!("cargo:rerun-if-changed={}", folder.join("node_modules/.package-lock.json").display());
    let modules = folder.join("node_modules");
    if !modules.join(TOP).is_dir() {
        println!("cargo:error=emulator/functions/modules/node_modules is missing: run scripts/setup, then build again");
        return Ok(());
    }
    let mut files = Vec::new();
    collect(&modules, &mut files)?;
    files.sort();
    let output = File::create(PathBuf::from(variable("OUT_DIR")?).join("modules.deflate"))?;
    pack(&modules, &files, DeflateEncoder::new(output, Compression::new(6)))
}

fn variable(name: &str) -> io::Result<String> {
    std::env::var(name).map_err(io::Error::other)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if USELESS_PACKAGES.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else if !USELESS_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Each file: the length of its path, the path, its own length, its bytes; lengths are 32 bits, little endian.
fn pack(modules: &Path, files: &[PathBuf], mut output: impl Write) -> io::Result<()> {
    for file in files {
        let path = file.strip_prefix(modules).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        let path = if path.starts_with(&format!("{TOP}/")) { path } else { format!("{TOP}/node_modules/{path}") };
        for part in [path.as_bytes(), &fs::read(file)?] {
            let length = u32::try_from(part.len()).map_err(io::Error::other)?;
            output.write_all(&length.to_le_bytes())?;
            output.write_all(part)?;
        }
    }
    output.flush()
}
