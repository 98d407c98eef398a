//! The packed npm packages: what `modules/` pins, carried in the binary and laid out in a folder when first needed.
//! Knows nothing of resolution: `loader.rs` decides who may have them.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::DeflateDecoder;

/// Made by `build.rs`.
const ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/modules.deflate"));

/// The folder below `temporary` that holds `node_modules` with the packed packages; laid out if it is not there yet.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn folder(temporary: &Path) -> io::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    ARCHIVE.hash(&mut hasher);
    let folder = temporary.join(format!("modules-{:016x}", hasher.finish()));
    if folder.is_dir() {
        return Ok(folder);
    }
    let unfinished = tempfile::Builder::new().prefix("modules-unfinished-").tempdir_in(temporary)?;
    unpack(DeflateDecoder::new(ARCHIVE), &unfinished.path().join("node_modules"))?;
    match fs::rename(unfinished.path(), &folder) {
        Ok(()) => {
            // The folder now lives under its final name.
            let _ = unfinished.keep();
            Ok(folder)
        }
        Err(_) if folder.is_dir() => Ok(folder),
        Err(error) => Err(error),
    }
}

fn unpack(mut archive: impl Read, folder: &Path) -> io::Result<()> {
    let mut last_parent = PathBuf::new();
    while let Some(path) = read_part(&mut archive)? {
        let path = String::from_utf8(path).map_err(io::Error::other)?;
        let path = folder.join(inside(Path::new(&path))?);
        let bytes = read_part(&mut archive)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if let Some(parent) = path.parent().filter(|parent| *parent != last_parent) {
            fs::create_dir_all(parent)?;
            last_parent = parent.to_path_buf();
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

fn inside(path: &Path) -> io::Result<&Path> {
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_inside { Ok(path) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn read_part(archive: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0u8; 4];
    match archive.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut part = vec![0; u32::from_le_bytes(length) as usize];
    archive.read_exact(&mut part)?;
    Ok(Some(part))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_sdk_is_laid_out_once_and_hides_its_dependencies() {
        let temporary = tempfile::tempdir().unwrap();
        let first = folder(temporary.path()).unwrap();
        assert_eq!(folder(temporary.path()).unwrap(), first);
        let sdk = first.join("node_modules/wx-server-sdk");
        let package: serde_json::Value = serde_json::from_slice(&fs::read(sdk.join("package.json")).unwrap()).unwrap();
        assert_eq!(package["version"], "4.0.2");
        assert!(sdk.join("node_modules/axios/package.json").is_file());
        assert_eq!(fs::read_dir(first.join("node_modules")).unwrap().count(), 1);
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    }

    #[test]
    fn paths_stay_inside() {
        assert!(inside(Path::new("a/b.js")).is_ok());
        for path in ["../a", "/a", "a/../../b"] {
            assert!(inside(Path::new(path)).is_err(), "{path}");
        }
    }
}
