//! Settings: each is a flag `--<name>`, an environment variable `FLOWTRAIL_<NAME>`, and a name in a file; the first that says
//! something counts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum, value_parser};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What every subcommand takes.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// A file of settings, in TOML, by the names of their flags, such as listen = "127.0.0.1:8080". The environment and flags
    /// count more.
    #[arg(long, global = true, env = "FLOWTRAIL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where views, keys and the own nats-server's streams are kept.
    #[arg(long, global = true, env = "FLOWTRAIL_DATA_DIR", default_value = "./data", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// The NATS server to use. Unset: `up` starts and supervises one of its own, other commands take the one that
    /// <data-dir>/nats.url names.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: Option<String>,

    /// A NATS credentials file (user JWT and key).
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_CREDS", value_name = "FILE")]
    pub nats_creds: Option<PathBuf>,

    /// A file with the seed of an nkey (SU...), where the NATS server knows the user by that.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_NKEY", value_name = "FILE")]
    pub nats_nkey: Option<PathBuf>,

    /// The certificates, in PEM, that alone are trusted to have issued the NATS server's. Unset: those that the system trusts.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_CA", value_name = "FILE")]
    pub nats_ca: Option<PathBuf>,

    /// The certificate that the NATS server is shown, in PEM.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_CERTIFICATE", value_name = "FILE")]
    pub nats_certificate: Option<PathBuf>,

    /// The private key of that certificate, in PEM.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_KEY", value_name = "FILE")]
    pub nats_key: Option<PathBuf>,

    /// The JetStream domain that the log is in, where it is another one than that of the NATS server, as behind a leaf node.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_DOMAIN", value_name = "DOMAIN")]
    pub nats_domain: Option<String>,

    /// The port of the own nats-server, on loopback.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_PORT", default_value_t = 4222, value_name = "PORT")]
    pub nats_port: u16,

    /// The own nats-server's program; version 2.14 or newer.
    #[arg(long, global = true, env = "FLOWTRAIL_NATS_SERVER", default_value = "nats-server", value_name = "FILE")]
    pub nats_server: PathBuf,

    /// The key that wraps the keys of integration secrets; made on first start. Default: <data-dir>/master.key
    #[arg(long, global = true, env = "FLOWTRAIL_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,

    /// What to log, as a tracing filter: info, debug, flowtrail=debug,info ...
    #[arg(long, global = true, env = "FLOWTRAIL_LOG", default_value = "info,async_nats=warn", value_name = "FILTER")]
    pub log: String,

    /// How log lines look.
    #[arg(long, global = true, env = "FLOWTRAIL_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// What the servers, `up` and `run`, take in addition.
#[derive(Clone, Debug, Args)]
pub struct ServerSettings {
    /// Where the gateway listens; port 0 takes any free one, and :8080 is that port of every address.
    #[arg(long, env = "FLOWTRAIL_LISTEN", default_value = "127.0.0.1:8080", value_parser = address, value_name = "ADDRESS")]
    pub listen: SocketAddr,

    /// The certificate that clients are shown, with those of its issuers behind it, in PEM: with it the gateway speaks TLS,
    /// and nothing else. SIGHUP reads it again, and its key.
    #[arg(long, env = "FLOWTRAIL_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,

    /// The private key of the certificate, in PEM.
    #[arg(long, env = "FLOWTRAIL_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// How long the gateway, told to end, says at /readyz that it leaves, and answers on, before it takes nobody in any more: as long
    /// as those in front of it take to notice, such as 10s.
    #[arg(long, env = "FLOWTRAIL_LEAVES_FOR", default_value = "1s", value_parser = humantime::parse_duration)]
    pub leaves_for: Duration,

    /// Proxies in front of the gateway that are believed about the addresses of clients: CIDRs, separated by commas.
    #[arg(long, env = "FLOWTRAIL_TRUSTED_PROXIES", default_value = "", value_name = "CIDR,...")]
    pub trusted_proxies: String,

    /// Where this process's metrics are, for the operator: of all accounts and without a token. Unset: nowhere.
    #[arg(long, env = "FLOWTRAIL_METRICS_LISTEN", value_parser = address, value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// The memory that the views' storage may use as a cache, in MiB.
    #[arg(long, env = "FLOWTRAIL_CACHE_MB", default_value_t = 512, value_name = "MIB")]
    pub cache_mb: u64,

    /// Whether reads of the log are recorded in it, as audit events: one for each query.
    #[arg(long, env = "FLOWTRAIL_AUDIT_READS", default_value_t = true, action = ArgAction::Set, value_name = "true|false")]
    pub audit_reads: bool,

    /// The origins whose pages may ask from a browser, such as https://dash.example.com, separated by commas; * is all of
    /// them, nothing is none. They need a token: cookies are never accepted.
    #[arg(long, env = "FLOWTRAIL_CORS_ORIGINS", default_value = "*", value_name = "ORIGIN,...")]
    pub cors_origins: String,

    /// Addresses that integrations may reach though they are not public, and without TLS: CIDRs, separated by commas.
    #[arg(long, env = "FLOWTRAIL_EGRESS_ALLOW", default_value = "", value_name = "CIDR,...")]
    pub egress_allow: String,

    /// How long a receiver may fail before its integration is suspended, such as 12h or 3days.
    #[arg(long, env = "FLOWTRAIL_SUSPEND_AFTER", default_value = "3days", value_parser = humantime::parse_duration)]
    pub suspend_after: Duration,

    /// The OpenID provider whose tokens are accepted like Flowtrail's own, as it writes itself into `iss`.
    #[arg(long, env = "FLOWTRAIL_OIDC_ISSUER", value_name = "ISSUER")]
    pub oidc_issuer: Option<String>,

    /// One of these must be in the `aud` of the provider's tokens.
    #[arg(long, env = "FLOWTRAIL_OIDC_AUDIENCE", value_delimiter = ',', value_name = "AUDIENCE,...")]
    pub oidc_audience: Vec<String>,

    /// Where the provider's keys (JWKS) are fetched.
    #[arg(long, env = "FLOWTRAIL_OIDC_JWKS_URL", value_name = "URL")]
    pub oidc_jwks_url: Option<String>,

    /// The file that holds the provider's keys (JWKS).
    #[arg(long, env = "FLOWTRAIL_OIDC_JWKS_FILE", value_name = "FILE")]
    pub oidc_jwks_file: Option<PathBuf>,

    /// The claim that names the account: a name, or a JSON pointer when it starts with a slash.
    #[arg(long, env = "FLOWTRAIL_OIDC_ACCOUNT_CLAIM", default_value = "flowtrail_account", value_name = "CLAIM")]
    pub oidc_account_claim: String,

    /// The claim that names the scopes: a name, or a JSON pointer when it starts with a slash.
    #[arg(long, env = "FLOWTRAIL_OIDC_SCOPE_CLAIM", default_value = "scope", value_name = "CLAIM")]
    pub oidc_scope_claim: String,

    /// How far the provider's clock may be off, in seconds.
    #[arg(long, env = "FLOWTRAIL_OIDC_LEEWAY_SECONDS", default_value_t = 30, value_parser = value_parser!(u64).range(..=600), value_name = "SECONDS")]
    pub oidc_leeway_seconds: u64,

    /// The first admin token, on an empty log. Unset: one is made. Either way it stands in <data-dir>/admin.token.
    #[arg(long, env = "FLOWTRAIL_BOOTSTRAP_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub bootstrap_token: Option<String>,

    /// The password of admin@local, on an empty log. Unset: one is made. Either way it stands in
    /// <data-dir>/admin.password.
    #[arg(long, env = "FLOWTRAIL_BOOTSTRAP_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub bootstrap_password: Option<String>,

    /// How many requests are answered, over how many connections.
    #[command(flatten)]
    pub limits: LimitSettings,
}

/// How many requests are answered in a while, and how many connections there may be.
#[derive(Clone, Copy, Debug, Args)]
pub struct LimitSettings {
    /// Requests a second that read, for each token; twice as many at once. 0: any number.
    #[arg(long, env = "FLOWTRAIL_RATE_READS", default_value_t = 2000, value_name = "NUMBER")]
    pub rate_reads: u32,

    /// Requests a second that write, for each token; twice as many at once. 0: any number.
    #[arg(long, env = "FLOWTRAIL_RATE_WRITES", default_value_t = 500, value_name = "NUMBER")]
    pub rate_writes: u32,

    /// Requests a second that read, and as many that write, for each address; twice as many at once. 0: any number.
    #[arg(long, env = "FLOWTRAIL_RATE_ADDRESS", default_value_t = 4000, value_name = "NUMBER")]
    pub rate_address: u32,

    /// Requests a second without a valid token, for each address; twice as many at once. 0: any number.
    #[arg(long, env = "FLOWTRAIL_RATE_UNKNOWN", default_value_t = 50, value_name = "NUMBER")]
    pub rate_unknown: u32,

    /// Sign-ins a minute, for each address. 0: any number.
    #[arg(long, env = "FLOWTRAIL_RATE_SIGN_INS", default_value_t = 120, value_name = "NUMBER")]
    pub rate_sign_ins: u32,

    /// Sign-ins a minute, for each name, from wherever they come. 0: any number, and wrong passwords do not delay the next.
    #[arg(long, env = "FLOWTRAIL_RATE_SIGN_INS_NAME", default_value_t = 10, value_name = "NUMBER")]
    pub rate_sign_ins_name: u32,

    /// Connections at a time; more wait until one of them ends.
    #[arg(long, env = "FLOWTRAIL_CONNECTIONS", default_value_t = 4096, value_name = "NUMBER")]
    pub connections: usize,

    /// Connections at a time from one address; more are closed at once. 0: any number.
    #[arg(long, env = "FLOWTRAIL_CONNECTIONS_ADDRESS", default_value_t = 1024, value_name = "NUMBER")]
    pub connections_address: usize,

    /// Tails at a time of one account. 0: any number.
    #[arg(long, env = "FLOWTRAIL_TAILS", default_value_t = 256, value_name = "NUMBER")]
    pub tails: usize,

    /// Exports at a time of one account. 0: any number.
    #[arg(long, env = "FLOWTRAIL_EXPORTS", default_value_t = 8, value_name = "NUMBER")]
    pub exports: usize,

    /// The memory that events on their way in over HTTP may take, of all requests together, in MiB; of one account three
    /// quarters. Beyond it, requests are told to come again.
    #[arg(long, env = "FLOWTRAIL_INGEST_MB", default_value_t = 256, value_parser = value_parser!(u32).range(128..=1 << 20), value_name = "MIB")]
    pub ingest_mb: u32,
}

/// Where to listen. `localhost` is looked up nowhere, and no host is every one of this machine.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let host = match text.split_once(':') {
        Some(("localhost", _)) => Ipv4Addr::LOCALHOST,
        Some(("", _)) => Ipv4Addr::UNSPECIFIED,
        Some(_) | None => return Err("must be an IP address, localhost or nothing, and a port"),
    };
    let port = text.split_once(':').and_then(|(_, port)| port.parse().ok());
    port.map(|port| SocketAddr::from((host, port))).ok_or("must have a port from 0 to 65535")
}

impl LimitSettings {
    /// As many as there can be.
    pub const NONE: Self = Self {
        rate_reads: 0,
        rate_writes: 0,
        rate_address: 0,
        rate_unknown: 0,
        rate_sign_ins: 0,
        rate_sign_ins_name: 0,
        connections: usize::MAX,
        connections_address: 0,
        tails: 0,
        exports: 0,
        ingest_mb: 1 << 20,
    };
}

impl Settings {
    /// Where the master key is.
    #[must_use]
    pub fn master_key_file(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_may_leave_out_what_is_usual() {
        for (text, meant) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:1", "[::1]:1"),
            ("localhost:1", "127.0.0.1:1"),
            (":1", "0.0.0.0:1"),
        ] {
            assert_eq!(address(text), Ok(meant.parse().unwrap()), "{text}");
        }
        for text in ["localhost", "8080", ":", "localhost:70000", "example.com:80", "::1", ""] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
