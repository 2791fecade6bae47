//! The comparison with other stores keeps its workload, and judges as it says.

use std::process::Command;

#[test]
fn the_comparison_passes_its_own_tests() {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs a Python");
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/bench");
    let mut command = Command::new(python);
    command.args(["-m", "unittest", "-q", "test_bench"]).current_dir(directory).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
