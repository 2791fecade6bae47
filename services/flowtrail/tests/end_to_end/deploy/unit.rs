//! The unit of systemd, in a root folder with the units that it names. Nothing here is started: that takes a machine that
//! systemd runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{has, printed, root, run};

const UNIT: &str = "flowtrail.service";
/// Of 10: what it may do that it could be denied. It needs the network, and its own kind of /proc.
const MOST_EXPOSED: f64 = 1.5;

#[test]
fn systemd_takes_the_unit() {
    if !has("systemd-analyze") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("usr/bin/flowtrail");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::write(&program, "").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let units = place.path().join("usr/lib/systemd/system");
    fs::create_dir_all(&units).unwrap();
    let unit = fs::read_to_string(root("deploy/systemd").join(UNIT)).unwrap();
    fs::write(units.join(UNIT), &unit).unwrap();
    assert_eq!(complaints(place.path()), "");
    // It is this unit that is looked at.
    fs::write(units.join(UNIT), unit.replace("ProtectHome=", "ProtectHom=")).unwrap();
    assert!(complaints(place.path()).contains("Unknown key 'ProtectHom'"));
}

/// What systemd says of the unit in a root folder that has its program.
pub(super) fn complaints(place: &Path) -> String {
    let systems = Path::new("/usr/lib/systemd/system");
    let targets = fs::read_dir(systems).unwrap().map(|entry| entry.unwrap().path());
    for target in targets.filter(|path| path.extension().is_some_and(|extension| extension == "target")) {
        // Of a link, what it leads to.
        let copy = place.join("usr/lib/systemd/system").join(target.file_name().unwrap());
        fs::copy(&target, copy).unwrap();
    }
    // What tells it to read its settings again is every system's.
    let shell = place.join("bin/sh");
    fs::create_dir_all(place.join("bin")).unwrap();
    fs::write(&shell, "").unwrap();
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("systemd-analyze");
    // Whether its manual page is there is another question, and this system's.
    let output = run(command.args(["verify", "--man=no"]).arg(format!("--root={}", place.display())).arg(UNIT), "");
    fs::remove_file(shell).unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || !told.is_empty(), "{}", output.status);
    told
}

#[test]
fn the_unit_may_do_little_that_it_does_not_need() {
    if !has("systemd-analyze") {
        return;
    }
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--no-pager"]).arg(root("deploy/systemd").join(UNIT));
    let told = printed(&mut command, "");
    let exposure = told.lines().find_map(|line| line.split_once("Overall exposure level for flowtrail.service: "));
    let exposure = exposure.and_then(|(_, rest)| rest.split(' ').next()).unwrap_or_else(|| panic!("{told}"));
    assert!(exposure.parse::<f64>().unwrap() <= MOST_EXPOSED, "{told}");
}
