//! The database that holds the journal of several replicas: where it is, and how to connect.
//!
//! Owns the connection settings, TLS, and every statement of SQL. The statements are plain (CREATE TABLE, INSERT,
//! SELECT, DELETE), so that databases which only speak PostgreSQL's protocol can be used too.
//!
//! ```text
//! callboard_log         one row for each part of an entry; the primary key decides which replica was first
//! callboard_checkpoint  the whole state at a sequence, for replicas without a copy
//! callboard_format      the version of this layout
//! ```

pub(super) mod link;
pub(super) mod log;
mod password;
mod tls;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};

/// The longest time of one statement. A connection that takes longer counts as lost: the other end may be gone without
/// a word.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// A database and this replica's name in it.
#[derive(Clone)]
pub struct Database {
    config: Config,
    tls: Option<Arc<tls::ClientSettings>>,
    replica: String,
    acknowledge_loss: bool,
}

/// What a config says about a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseOptions<'a> {
    /// `postgresql://USER@HOST:PORT/NAME`, with further hosts after commas and parameters after `?`.
    pub url: &'a str,
    /// The file with the password; none uses PGPASSFILE.
    pub password_file: Option<&'a Path>,
    /// This replica's name, for logs, metrics and the entries that it appends.
    pub replica: &'a str,
    /// Whether to start although the database may lose acknowledged entries in a failover.
    pub acknowledge_loss: bool,
}

/// Why the settings of a database cannot be used. No error quotes the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is not understood.
    #[error("`database` is no URL of a database: {0}; write postgresql://USER@HOST:5432/NAME")]
    Url(String),
    /// The URL holds a password, which process lists and logs would show.
    #[error(
        "`database` holds a password, which process lists and logs would show; write the password into a file and name \
         it with `database_password_file`, or use PGPASSFILE"
    )]
    PasswordInUrl,
    /// The mode of TLS is not offered.
    #[error(
        "sslmode={0} is not offered, since it does not prove whose database answers; write sslmode=verify-full, or \
         sslmode=disable for a database on a network that you trust"
    )]
    SslMode(String),
    /// A file with a password or certificates cannot be used.
    #[error("{} cannot be used: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
}

impl Database {
    /// Reads the settings, the password and the certificates. Does not connect.
    ///
    /// # Errors
    /// [`DatabaseError`], which names the remedy.
    pub fn new(options: &DatabaseOptions<'_>) -> Result<Self, DatabaseError> {
        let (base, query) = options.url.split_once('?').unwrap_or((options.url, ""));
        let (mut ssl_mode, mut roots, mut rest) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => ssl_mode = Some(mode.to_owned()),
                Some(("sslrootcert", file)) => roots = Some(PathBuf::from(decoded(file))),
                Some(("password", _)) => return Err(DatabaseError::PasswordInUrl),
                _ => rest.push(parameter),
            }
        }
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config: Config = match url.parse() {
            Ok(config) if url.contains("://") => config,
            Ok(_) => return Err(DatabaseError::Url("it does not begin with postgresql://".to_owned())),
            Err(error) => {
                let cause =
                    std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                return Err(DatabaseError::Url(cause));
            }
        };
        if config.get_password().is_some() {
            return Err(DatabaseError::PasswordInUrl);
        }
        if config.get_hosts().is_empty() {
            return Err(DatabaseError::Url("it names no host".to_owned()));
        }
        let tls = match ssl_mode.as_deref() {
            Some("verify-full") => Some(tls::ClientSettings::new(roots.as_deref())?),
            Some("disable") => None,
            Some(other) => return Err(DatabaseError::SslMode(other.to_owned())),
            None if config.get_hosts().iter().all(is_this_machine) => None,
            None => Some(tls::ClientSettings::new(roots.as_deref())?),
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        if let Some(password) = password::find(&config, options.password_file)? {
            config.password(password);
        }
        if config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
            config.load_balance_hosts(LoadBalanceHosts::Disable);
        }
        config
            .application_name(format!("callboard {}", options.replica))
            .connect_timeout(TIMEOUT)
            .tcp_user_timeout(TIMEOUT)
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(2);
        let (replica, acknowledge_loss) = (options.replica.to_owned(), options.acknowledge_loss);
        Ok(Self { config, tls: tls.map(Arc::new), replica, acknowledge_loss })
    }

    /// This replica's name.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// Whether to start although the database may lose acknowledged entries in a failover.
    pub(super) fn acknowledges_loss(&self) -> bool {
        self.acknowledge_loss
    }

    /// How many hosts are tried, one after the other.
    fn hosts(&self) -> u32 {
        u32::try_from(self.config.get_hosts().len()).unwrap_or(1)
    }

    /// Whether TLS proves whose database answers.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Hosts and name, without user and password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (n, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
            let comma = if n == 0 { "" } else { ", " };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
        }
        match self.config.get_dbname() {
            Some(name) => write!(f, "/{name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self}, replica {})", self.replica)
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Whether connections to a host never leave this machine.
fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Database, DatabaseError> {
        Database::new(&DatabaseOptions { url, password_file: None, replica: "a", acknowledge_loss: false })
    }

    #[test]
    fn tls_is_left_out_only_on_this_machine_or_if_somebody_says_so() {
        for (url, has_tls) in [
            ("postgresql://u@localhost/c", false),
            ("postgresql://u@127.0.0.1:5433/c", false),
            ("postgresql://u@%2Frun%2Fpostgresql/c", false),
            ("postgresql://u@db.example.org/c", true),
            ("postgresql://u@localhost,db.example.org/c", true),
            ("postgresql://u@localhost/c?sslmode=verify-full", true),
            ("postgresql://u@db.example.org/c?sslmode=disable", false),
        ] {
            assert_eq!(parse(url).unwrap().has_tls(), has_tls, "{url}");
        }
        for mode in ["require", "prefer", "verify-ca", "allow"] {
            let error = parse(&format!("postgresql://u@db.example.org/c?sslmode={mode}")).unwrap_err();
            assert!(matches!(error, DatabaseError::SslMode(_)), "{error}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_never_shown() {
        for url in ["postgresql://u:hunter2@localhost/c", "postgresql://u@localhost/c?password=hunter2"] {
            let error = parse(url).unwrap_err();
            assert!(matches!(error, DatabaseError::PasswordInUrl) && !error.to_string().contains("hunter2"));
        }
        let database = parse("postgresql://secret-user@a.example.org,b.example.org:5433/c").unwrap();
        assert_eq!(database.to_string(), "a.example.org:5432, b.example.org:5433/c");
        assert!(!format!("{database:?}").contains("secret-user"));
    }

    #[test]
    fn a_wrong_url_is_refused_with_its_cause() {
        for url in [
            "mysql://u@localhost/c",
            "host=localhost",
            "postgresql://u@localhost/c?pool=3",
            "postgresql:///c",
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains("write postgresql://USER@HOST:5432/NAME"), "{url}: {error}");
        }
    }
}
