//! Builds the page with Node where `FLOWTRAIL_EXPLORER_NODE_MODULES` names what `.ci/install-explorer` installed, and writes
//! the list of its files that the crate includes. Where it names nothing the list is empty: no Rust build needs Node.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "cargo tells a build script by the environment, and shows what it prints"
)]

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

const NODE_MODULES: &str = "FLOWTRAIL_EXPLORER_NODE_MODULES";
/// Everything that the page is made of.
const SOURCES: [&str; 5] = ["app", "build.mjs", "package.json", "package-lock.json", "tsconfig.json"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={NODE_MODULES}");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut list = "&[".to_owned();
    if env::var(NODE_MODULES).is_ok_and(|modules| !modules.is_empty()) {
        let page = out.join("page");
        build(&page)?;
        for (name, file) in files(&page)? {
            write!(list, "File {{ name: {name:?}, bytes: include_bytes!({file:?}) }},")?;
        }
    }
    list.push(']');
    fs::write(out.join("files.rs"), list)?;
    Ok(())
}

fn build(page: &Path) -> Result<(), Box<dyn Error>> {
    // What an earlier build left would be embedded too.
    if page.exists() {
        fs::remove_dir_all(page)?;
    }
    let run = Command::new("node").arg("build.mjs").arg(page).output();
    let run = run.map_err(|error| format!("{NODE_MODULES} is set, and node cannot be started: {error}"))?;
    if run.status.success() {
        return Ok(());
    }
    Err(format!("the page cannot be built:\n{}", String::from_utf8_lossy(&run.stderr)).into())
}

/// The files below a folder, each with its path in it, in the order of these.
fn files(page: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let (mut files, mut folders) = (Vec::new(), vec![page.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(page)?.to_str().ok_or("a file's name is no text")?;
                files.push((name.to_owned(), path));
            }
        }
    }
    files.sort();
    Ok(files)
}
