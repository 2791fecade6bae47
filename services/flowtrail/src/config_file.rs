//! Settings in a file: TOML with the names of their flags, in which `_` is as good as `-`. What a flag or the environment
//! says counts more.
//!
//! The file's values become the defaults of the command line's arguments, so that they are read and refused as all others.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};
use tracing::warn;

use crate::bad_setting::{BadSetting, COMMAND_LINE, ENVIRONMENT, Given, MASKED};
use crate::cli::Cli;
use crate::unknown_settings::{self, PREFIX};

/// The setting that names the file.
pub(crate) const CONFIG: &str = "config";
const CONFIG_SETTING: &str = "FLOWTRAIL_CONFIG";

/// What a file says.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    /// Values by the names of settings, such as `FLOWTRAIL_LISTEN`.
    values: BTreeMap<String, String>,
}

/// The command line with what the file and the environment say.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) cli: Cli,
    pub(crate) matches: ArgMatches,
    pub(crate) file: Option<ConfigFile>,
}

/// Reads the command line, the environment, and the file that they name. What clap has to say, such as help, is an error of
/// its type.
///
/// # Errors
/// When something of it cannot be used.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Parsed> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let file =
        named_by(&arguments).map(|path| ConfigFile::read(&path).context(BadSetting::of(CONFIG_SETTING))).transpose()?;
    let command = match &file {
        Some(file) => file.defaults_of(Cli::command()),
        None => Cli::command(),
    };
    let matches = command.try_get_matches_from(&arguments).map_err(|error| told(error, &arguments, file.as_ref()))?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok(Parsed { cli, matches, file })
}

/// The file that the command line or the environment names. What else is wrong with them is told later.
fn named_by(arguments: &[OsString]) -> Option<PathBuf> {
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    matches.get_one::<PathBuf>(CONFIG).cloned()
}

impl ConfigFile {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("read {}", path.display());
        let text = fs::read_to_string(path).with_context(failed)?;
        let table: Table =
            text.parse().map_err(|error: toml::de::Error| anyhow!(in_one_line(&text, &error))).with_context(failed)?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            let value = as_argument(&value).with_context(|| format!("read {name} in {}", path.display()))?;
            values.insert(setting(&name), value);
        }
        Ok(Self { path: path.to_owned(), values })
    }

    /// Whether the file says what a setting is.
    pub(crate) fn has(&self, setting: &str) -> bool {
        self.values.contains_key(setting)
    }

    /// Warns of each name that is none of a setting, with the one that may have been meant.
    pub(crate) fn warn_of_unknown(&self) {
        let known = unknown_settings::names(&Cli::command());
        for name in self.values.keys().filter(|name| !known.contains(*name)) {
            let (file, unknown) = (self.path.display(), in_file(name));
            match unknown_settings::nearest(name, &known) {
                Some(meant) => {
                    warn!("{unknown} in {file} is no setting and changes nothing: is {} meant?", in_file(meant));
                }
                None => warn!("{unknown} in {file} is no setting and changes nothing: see `flowtrail up --help`"),
            }
        }
    }

    /// A command whose arguments have the file's values as defaults.
    fn defaults_of(&self, command: Command) -> Command {
        let with_default = |argument: Arg| {
            let value = argument.get_env().and_then(|name| self.values.get(name.to_str()?)).cloned();
            match value {
                // Which file it is was read already.
                Some(value) if argument.get_id() != CONFIG => argument.default_value(value),
                _ => argument,
            }
        };
        command.mut_args(with_default).mut_subcommands(|command| self.defaults_of(command))
    }
}

/// An error about the value of a setting says whose it is; any other stays as it is.
fn told(error: clap::Error, arguments: &[OsString], file: Option<&ConfigFile>) -> anyhow::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let is_about_a_value = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    let (Some(argument), Some(value)) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue)) else {
        return error.into();
    };
    // `--cache-mb <MIB>`
    let flag = argument.split(' ').next().unwrap_or_default();
    let setting = setting(flag.trim_start_matches('-'));
    let Some(known) = argument_of(&Cli::command(), &setting).filter(|_| is_about_a_value) else { return error.into() };
    let is_flag = |given: &OsString| {
        given.to_str().is_some_and(|given| given == flag || given.split_once('=').is_some_and(|(name, _)| name == flag))
    };
    let origin = match file.filter(|file| file.has(&setting)) {
        _ if arguments.iter().any(is_flag) => COMMAND_LINE.to_owned(),
        _ if std::env::var_os(&setting).is_some() => ENVIRONMENT.to_owned(),
        Some(file) => file.path.display().to_string(),
        None => return error.into(),
    };
    let value = if known.is_hide_env_values_set() { MASKED } else { value }.to_owned();
    let reason = std::error::Error::source(&error).map(ToString::to_string);
    anyhow!(reason.unwrap_or_else(|| "it is none of its values".to_owned()) + &right(&known))
        .context(BadSetting { setting, given: Some(Given { value, origin }) })
}

/// What would be right, as far as the setting says it by itself.
fn right(known: &Arg) -> String {
    let values = known.get_possible_values();
    let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
    let default = known.get_default_values().first().and_then(|value| value.to_str());
    match (values.as_slice(), default.filter(|default| !default.is_empty())) {
        ([], Some(default)) => format!("; such as {default} is right"),
        ([], None) => String::new(),
        (values, _) => format!("; {} are right", values.join(" and ")),
    }
}

/// The argument that is a setting, of a command or one below it.
fn argument_of(command: &Command, setting: &str) -> Option<Arg> {
    let is_it = |argument: &&Arg| argument.get_env().is_some_and(|name| name == setting);
    let own = command.get_arguments().find(is_it).cloned();
    own.or_else(|| command.get_subcommands().find_map(|command| argument_of(command, setting)))
}

/// The name of a setting, by its name in the file.
fn setting(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_").to_uppercase())
}

/// The name in the file, by that of the setting.
fn in_file(setting: &str) -> String {
    setting.trim_start_matches(PREFIX).to_lowercase()
}

/// A value as it would stand on the command line.
fn as_argument(value: &Value) -> anyhow::Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Boolean(is) => Ok(is.to_string()),
        Value::Array(values) => Ok(values.iter().map(as_argument).collect::<Result<Vec<_>, _>>()?.join(",")),
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => {
            bail!("it must be a text, a whole number, true or false, or a list of such")
        }
    }
}

/// What is wrong with the file, and where.
fn in_one_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.lines().count().max(1);
    format!("line {line}: {}", error.message().replace('\n', ", "))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;

    fn file(text: &str) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn parsed(text: &str, more: &[&str]) -> anyhow::Result<Parsed> {
        let file = file(text);
        let path = file.path().to_str().unwrap().to_owned();
        let words = ["flowtrail", "--config", path.as_str(), "up"].into_iter().chain(more.iter().copied());
        parse(words.map(OsString::from))
    }

    fn server(parsed: Parsed) -> runtime::settings::ServerSettings {
        let crate::cli::Command::Up(up) = parsed.cli.command else { panic!("it is `up`") };
        up.server
    }

    #[test]
    fn the_file_says_what_flags_do_not() {
        let text = "listen = \"127.0.0.1:1\"\ncache_mb = 64\naudit-reads = false\noidc_audience = [\"a\", \"b\"]\ndata_dir = \"/d\"\n";
        let all = parsed(text, &["--cache-mb", "65"]).unwrap();
        assert_eq!(all.cli.settings.data_dir, Path::new("/d"));
        let server = server(all);
        assert_eq!(server.listen.to_string(), "127.0.0.1:1");
        assert_eq!((server.cache_mb, server.audit_reads), (65, false), "a flag counts more");
        assert_eq!(server.oidc_audience, ["a", "b"]);
        assert_eq!(server.limits.rate_reads, 2000, "what nobody says is as it always is");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_one_line_that_says_where() {
        for (text, told) in [
            ("cache_mb = \"lots\"", "FLOWTRAIL_CACHE_MB = \"lots\" (/"),
            ("cache_mb = 1.5", "read cache_mb in "),
            ("log_format = \"xml\"", "it is none of its values; text and json are right"),
            ("a = 1\nb = = 2\n", "line 2: "),
            ("[listen]\nport = 1\n", "read listen in "),
        ] {
            let error = parsed(text, &[]).unwrap_err();
            assert!(error.is::<BadSetting>(), "{error:#}");
            let said = format!("{error:#}");
            assert!(said.contains(told) && !said.contains('\n'), "{said}");
        }
        let missing = ["flowtrail", "--config", "/nonexistent/flowtrail.toml", "status"].map(OsString::from);
        assert!(format!("{:#}", parse(missing).unwrap_err()).contains("/nonexistent/flowtrail.toml"));
        // A mistake on the command line is that and not the file's.
        let told = format!("{:#}", parsed("cache_mb = 64", &["--cache-mb", "lots"]).unwrap_err());
        assert!(told.starts_with("FLOWTRAIL_CACHE_MB = \"lots\" (the command line) cannot be used: "), "{told}");
    }
}
