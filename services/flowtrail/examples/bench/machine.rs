//! The machine that is measured on, since figures of two machines cannot be compared.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Machine {
    cores: usize,
    memory_mib: u64,
    processor: String,
    system: String,
    /// Of the directory that the data is in.
    file_system: String,
    /// How many processes were busy in the last minute, before this began.
    load: String,
}

impl Machine {
    pub(crate) fn this(data: &Path) -> Self {
        let memory = value_of("/proc/meminfo", "MemTotal", ':');
        let memory_kib = memory.split(' ').next().and_then(|text| text.parse::<u64>().ok());
        let kernel = text_of("/proc/sys/kernel/osrelease");
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory_kib.unwrap_or_default() >> 10,
            processor: value_of("/proc/cpuinfo", "model name", ':'),
            system: format!("{}, Linux {}", value_of("/etc/os-release", "PRETTY_NAME", '='), kernel.trim()),
            file_system: file_system_of(data).unwrap_or_else(unknown),
            load: text_of("/proc/loadavg").split(' ').next().map_or_else(unknown, str::to_owned),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "Machine: {} cores, {} MiB of memory, {}", self.cores, self.memory_mib, self.processor)?;
        writeln!(formatter, "         {}; data on {}; load before: {}", self.system, self.file_system, self.load)
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn text_of(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// The value behind the first line that starts with `name`.
fn value_of(file: &str, name: &str, separator: char) -> String {
    let text = text_of(file);
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(separator)).map(|(_, value)| value.trim().trim_matches('"'));
    value.map_or_else(unknown, str::to_owned)
}

/// The type and device of the file system that holds `path`.
fn file_system_of(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = text_of("/proc/mounts");
    let mounts = mounts.lines().filter_map(|line| {
        let mut parts = line.split(' ');
        Some((parts.next()?, Path::new(parts.next()?), parts.next()?))
    });
    let holding = mounts.filter(|(_, point, _)| path.starts_with(point));
    let (device, _, kind) = holding.max_by_key(|(_, point, _)| point.components().count())?;
    Some(format!("{kind} ({device})"))
}
