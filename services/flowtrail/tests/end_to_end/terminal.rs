//! What people see: commands whose output, or all of it, is a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Wide enough for any table.
const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };

/// Runs a command to its end with a terminal for its output; gives how it ended and all that the terminal was sent.
pub(crate) fn on_terminal(mut command: Command) -> (ExitStatus, String) {
    let (mut ours, theirs) = terminal();
    command.env("TERM", "xterm-256color").env_remove("NO_COLOR").stdin(Stdio::null());
    command.stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let reading = thread::spawn(move || seen_until(&mut ours, None));
    let mut child = command.spawn().unwrap();
    // It holds the terminal too.
    drop(command);
    let status = child.wait().unwrap();
    (status, reading.join().unwrap())
}

/// Runs a command to its end at a terminal, where somebody types a line once the terminal shows `question`; gives how it
/// ended and all that the terminal was sent.
pub(crate) fn answering_on_terminal(command: &Command, question: &str, line: &str) -> (ExitStatus, String) {
    let (mut ours, theirs) = terminal();
    // A program that asks opens the terminal that it is controlled by, which one has only in a session of its own.
    let mut session = Command::new("setsid");
    session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => session.env(name, value),
            None => session.env_remove(name),
        };
    }
    session.stdin(theirs.try_clone().unwrap()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let mut child = session.spawn().unwrap();
    drop(session);
    let mut seen = seen_until(&mut ours, Some(question));
    assert!(seen.ends_with(question), "{seen}");
    writeln!(ours, "{line}").unwrap();
    seen += &seen_until(&mut ours, None);
    (child.wait().unwrap(), seen)
}

/// Both sides of a new terminal: ours, and that of the program.
fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = OpenOptions::new().read(true).write(true).open(name).unwrap();
    tcsetwinsize(&theirs, SIZE).unwrap();
    (File::from(ours), theirs)
}

/// What a terminal is sent: up to a text, or all of it.
fn seen_until(ours: &mut File, end: Option<&str>) -> String {
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    // At the end it is an error, as nobody has the other side any more.
    while let Ok(count @ 1..) = ours.read(&mut piece) {
        seen.extend_from_slice(&piece[..count]);
        if end.is_some_and(|end| seen.ends_with(end.as_bytes())) {
            break;
        }
    }
    String::from_utf8(seen).unwrap()
}
