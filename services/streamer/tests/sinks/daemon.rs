//! A server of others, which runs for one test on loopback and without rights.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// It ends with its owner. What it writes stands in its directory.
pub(crate) struct Daemon {
    name: &'static str,
    directory: TempDir,
    child: Child,
}

impl Daemon {
    /// Starts it with `configuration`, in which `DIRECTORY` stands for its directory; the file that holds it is the last of
    /// the arguments.
    pub(crate) fn start(name: &'static str, mut command: Command, directory: TempDir, configuration: &str) -> Self {
        let path = directory.path();
        let configuration = configuration.replace("DIRECTORY", path.to_str().unwrap());
        std::fs::write(path.join("configuration"), configuration).unwrap();
        let said = std::fs::File::create(path.join("said")).unwrap();
        command.arg(path.join("configuration")).stdin(Stdio::null());
        let child = command.stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap();
        Self { name, directory, child }
    }

    /// A file of its directory; nothing when it is not there (yet).
    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(file)).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            say(&format!("{} said: {}", self.name, self.read("said")));
        }
    }
}

/// The program that a variable names. None: it cannot be had on this machine, which is said where people see it.
pub(crate) fn program(name: &str, variable: &str, version: &str) -> Option<PathBuf> {
    let Some(program) = std::env::var_os(variable).filter(|program| !program.is_empty()) else {
        say(&format!("NOT RUN: {variable} names no {name}; .ci/install-debian-program {name} says why there is none"));
        return None;
    };
    let said = Command::new(&program).arg(version).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let is_version = |word: &&str| word.trim_start_matches('(').starts_with(|first: char| first.is_ascii_digit());
    let version = said.split_whitespace().filter(is_version).max_by_key(|word| word.matches('.').count()).unwrap();
    say(&format!("judged by {name} {version}"));
    Some(Path::new(&program).to_owned())
}

/// To the terminal itself: what is printed by a test that passed is not shown.
pub(crate) fn say(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}
