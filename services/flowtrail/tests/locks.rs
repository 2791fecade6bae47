//! The locks of `.ci/tools` hold, whatever is released after they were made.

use std::process::Command;

/// `just locks` does the same with the real locks, with an old pip and the newest; this one needs no network.
#[test]
fn a_lock_holds_while_a_newer_release_is_in_reach() {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs a Python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.ci/check-locks");
    let output = Command::new(python).args([script, "--made-up"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
