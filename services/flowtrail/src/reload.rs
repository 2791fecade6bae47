//! Settings that are read again while the servers run, at SIGHUP: from the file, with the environment and flags as they were at
//! the start counting more.
//!
//! Invariant: a setting that cannot be used changes nothing, neither itself nor another.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use clap::CommandFactory;
use gateway::{Adjustable, Tls};
use runtime::settings::ServerSettings;
use runtime::telemetry::{LogFilter, ReadFilter, chain};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::cli::{Cli, Command};
use crate::config;
use crate::config_file::{self, Parsed};
use crate::gateway_settings;

const LOG: &str = "FLOWTRAIL_LOG";
/// What holds at once. Certificates are read again from the files that they came from.
const AT_ONCE: [&str; 13] = [
    LOG,
    "FLOWTRAIL_CORS_ORIGINS",
    "FLOWTRAIL_TRUSTED_PROXIES",
    "FLOWTRAIL_RATE_READS",
    "FLOWTRAIL_RATE_WRITES",
    "FLOWTRAIL_RATE_ADDRESS",
    "FLOWTRAIL_RATE_UNKNOWN",
    "FLOWTRAIL_RATE_SIGN_INS",
    "FLOWTRAIL_RATE_SIGN_INS_NAME",
    "FLOWTRAIL_CONNECTIONS",
    "FLOWTRAIL_CONNECTIONS_ADDRESS",
    "FLOWTRAIL_TAILS",
    "FLOWTRAIL_EXPORTS",
];

/// Every setting by its name; those that are not set are not there.
type Values = BTreeMap<String, String>;

/// Waits for the operator's word. From when it is made, SIGHUP does not end the process.
pub(crate) struct Reload {
    hangups: Signal,
    /// What every setting was at the start.
    started_with: Values,
    /// What those are that hold at once.
    now: Values,
    log: LogFilter,
    adjustable: watch::Sender<Adjustable>,
    tls: Option<Tls>,
}

/// What was read again.
struct Again {
    values: Values,
    log: ReadFilter,
    adjustable: Adjustable,
}

impl Reload {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the signal cannot be listened to, or a setting cannot be used.
    pub(crate) fn new(parsed: &Parsed, server: &ServerSettings, log: LogFilter) -> anyhow::Result<Self> {
        let hangups = signal(SignalKind::hangup()).context("listen to SIGHUP")?;
        let (adjustable, _) = watch::channel(gateway_settings::adjustable(server)?);
        let started_with = values(parsed);
        Ok(Self { hangups, now: started_with.clone(), started_with, log, adjustable, tls: None })
    }

    /// What a gateway is to go by.
    pub(crate) fn adjustable(&self) -> watch::Receiver<Adjustable> {
        self.adjustable.subscribe()
    }

    /// Reads this certificate again, too.
    pub(crate) fn certificate(&mut self, tls: Tls) {
        self.tls = Some(tls);
    }

    /// Reads the settings again whenever the operator says so, until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = self.hangups.recv() => {}
            }
            match read() {
                Ok(again) => self.take_over(again),
                Err(failure) => error!(error = format!("{failure:#}"), "the settings stay as they were"),
            }
            let Some(tls) = &self.tls else { continue };
            match tls.reload().await {
                Ok(()) => info!("new connections are shown the certificate that was read now"),
                Err(failure) => error!(error = %chain(&failure), "the certificate stays the one from before"),
            }
        }
    }

    fn take_over(&mut self, again: Again) {
        let Again { values, log, adjustable } = again;
        if changed(&self.now, &values).any(|setting| setting == LOG)
            && let Err(failure) = self.log.set(log)
        {
            error!(error = format!("{failure:#}"), "the log filter stays the one from before");
        }
        for setting in changed(&self.now, &values).filter(|setting| AT_ONCE.contains(setting)) {
            info!("{setting}: holds from now on");
        }
        for setting in changed(&self.started_with, &values).filter(|setting| !AT_ONCE.contains(setting)) {
            warn!("{setting}: takes effect at the next start");
        }
        self.adjustable.send_replace(adjustable);
        self.now = values;
        info!("the settings were read again");
    }
}

/// Reads the command line, the environment and the file as they are now.
fn read() -> anyhow::Result<Again> {
    let parsed = config_file::parse(std::env::args_os())?;
    if let Some(file) = &parsed.file {
        file.warn_of_unknown();
    }
    let server = match &parsed.cli.command {
        Command::Up(up) => &up.server,
        Command::Run(run) => &run.server,
        _ => bail!("only servers read their settings again"),
    };
    let (log, adjustable) = (parsed.cli.settings.log.parse()?, gateway_settings::adjustable(server)?);
    Ok(Again { values: values(&parsed), log, adjustable })
}

fn values(parsed: &Parsed) -> Values {
    let Some((name, matches)) = parsed.matches.subcommand() else { return Values::new() };
    let command = Cli::command();
    config::settings(&command, name)
        .filter_map(|(setting, id)| Some((setting.to_owned(), config::value(matches, id)?)))
        .collect()
}

/// The settings that are different.
fn changed<'a>(before: &'a Values, now: &'a Values) -> impl Iterator<Item = &'a str> {
    let gone = before.keys().filter(|setting| !now.contains_key(*setting));
    let other = now.iter().filter(|(setting, value)| before.get(*setting) != Some(*value)).map(|(setting, _)| setting);
    gone.chain(other).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_at_once_are_settings() {
        let command = Cli::command();
        let known: Vec<&str> = config::settings(&command, "up").map(|(setting, _)| setting).collect();
        assert!(AT_ONCE.iter().all(|setting| known.contains(setting)), "{known:?}");
    }

    #[test]
    fn what_is_set_unset_or_another_has_changed() {
        let values = |pairs: &[(&str, &str)]| -> Values {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let (before, now) =
            (values(&[("A", "1"), ("B", "1"), ("C", "1")]), values(&[("B", "1"), ("C", "2"), ("D", "1")]));
        assert_eq!(changed(&before, &now).collect::<Vec<_>>(), ["A", "C", "D"]);
    }
}
