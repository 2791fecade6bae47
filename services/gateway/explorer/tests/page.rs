//! The page's types hold, and it is small. Both are of the page alone; that it works is seen in a browser, by the tests of
//! the whole program.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

/// All of it, as it is sent to a browser that knows gzip.
const MOST_BYTES: usize = 150_000;

/// Where what the page is built with is installed, if it is.
fn node_modules() -> Option<PathBuf> {
    let installed = env::var_os("FLOWTRAIL_EXPLORER_NODE_MODULES").filter(|modules| !modules.is_empty());
    if installed.is_none() {
        not_run("FLOWTRAIL_EXPLORER_NODE_MODULES names no node_modules; .ci/install-explorer says why");
    }
    installed.map(PathBuf::from)
}

#[expect(clippy::print_stderr, reason = "the log of the tests must say which were not run")]
fn not_run(why: &str) {
    eprintln!("NOT RUN: {why}");
}

#[test]
fn the_types_of_its_sources_hold() {
    let Some(modules) = node_modules() else { return };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What is imported is not beside the sources.
    let config = json!({
        "extends": sources.join("tsconfig.json"),
        "compilerOptions": { "paths": { "*": [modules.join("*")] } },
        "include": [sources.join("app")],
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tsconfig.json");
    fs::write(&file, config.to_string()).unwrap();
    let tsc = modules.join("typescript/bin/tsc");
    let run = Command::new("node").arg(tsc).arg("--project").arg(&file).output().unwrap();
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
}

#[test]
fn all_of_it_is_small() {
    if node_modules().is_none() {
        return;
    }
    assert!(explorer::FILES.len() >= 3, "a page, a script and a style sheet: {:?}", explorer::FILES.len());
    let sizes = explorer::FILES.iter().map(|file| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(file.bytes).unwrap();
        encoder.finish().unwrap().len()
    });
    let all: usize = sizes.sum();
    assert!(all < MOST_BYTES, "{all} bytes");
}
