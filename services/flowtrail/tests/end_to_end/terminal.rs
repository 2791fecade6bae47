//! What people see: commands whose output is a terminal.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Wide enough for any table.
const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };

/// Runs a command to its end with a terminal for its output; gives how it ended and all that the terminal was sent.
pub(crate) fn on_terminal(mut command: Command) -> (ExitStatus, String) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = OpenOptions::new().read(true).write(true).open(name).unwrap();
    tcsetwinsize(&theirs, SIZE).unwrap();
    command.env("TERM", "xterm-256color").env_remove("NO_COLOR").stdin(Stdio::null());
    command.stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let reading = thread::spawn(move || {
        let mut ours = File::from(ours);
        let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
        // At the end it is an error, as nobody has the other side any more.
        while let Ok(count @ 1..) = ours.read(&mut piece) {
            seen.extend_from_slice(&piece[..count]);
        }
        String::from_utf8(seen).unwrap()
    });
    let mut child = command.spawn().unwrap();
    // It holds the terminal too.
    drop(command);
    let status = child.wait().unwrap();
    (status, reading.join().unwrap())
}
