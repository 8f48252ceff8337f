//! The flags that commands share, and the config that results from them.

use super::exit::{Exit, Failure};
use super::identity;
use crate::config::{Config, Overrides};
use crate::program::Zone;
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The config file without `--config`, if it exists.
const DEFAULT_CONFIG: &str = "config/callboard.toml";

/// The default organizer secrets file, beside the config file.
const DEFAULT_SECRETS: &str = "organizer-secrets";

#[derive(Debug, Clone, Default, Args)]
pub(super) struct Settings {
    /// The config file [default: config/callboard.toml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The program file [default: program.csv]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// The data directory, with agendas and releases [default: data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free port and prints it [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The public origin, such as https://conf.example.org [default: the listen address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The conference's time zone, such as America/Los_Angeles
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
}

/// The flags of commands that start a server or check a start.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Serving {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// The organizer secrets file, made by `callboard secret add` [default: organizer-secrets beside the config
    /// file]
    #[arg(long, value_name = "FILE")]
    pub(super) organizer_secret_file: Option<PathBuf>,
    /// The address of /healthz, /readyz and /metrics; without it they are off
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) operator_listen: Option<SocketAddr>,
    /// The PostgreSQL database that several replicas share, postgresql://USER@HOST/NAME; without it the data directory is a
    /// store of its own
    #[arg(long, value_name = "URL", env = "CALLBOARD_DATABASE", hide_env_values = true)]
    pub(super) database: Option<String>,
    /// Start this conference in a data directory that holds another one
    #[arg(long)]
    pub(super) new_conference: bool,
}

impl Serving {
    /// The config: flags over file over defaults.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let mut config = self.settings.config()?;
        let beside = self.settings.config_file().and_then(Path::parent).unwrap_or(Path::new(""));
        identity::read_pictures(&mut config, beside)?;
        config.database.url = self.database.clone().filter(|url| !url.is_empty()).or(config.database.url);
        config.operator_listen = self.operator_listen.or(config.operator_listen);
        config.organizer_secret_file = self.organizer_secret_file.clone().or(config.organizer_secret_file);
        Ok(config)
    }
}

impl Settings {
    /// The settings of a command that has only these two flags.
    pub(super) fn of(config: Option<PathBuf>, zone: Option<String>) -> Self {
        Self { config, zone, ..Self::default() }
    }

    /// Sets the zone if neither a flag nor a config file can name one.
    pub(super) fn zone_or(&mut self, zone: Zone) {
        if self.config_file().is_none() {
            self.zone.get_or_insert_with(|| zone.name().to_owned());
        }
    }

    /// The config file, if there is one.
    pub(super) fn config_file(&self) -> Option<&Path> {
        match &self.config {
            Some(path) => Some(path.as_path()),
            None => Some(Path::new(DEFAULT_CONFIG)).filter(|path| path.exists()),
        }
    }

    /// The config of a command that reads only the data directory. Without a config file it needs no time zone.
    pub(super) fn config_without_zone(&self) -> Result<Config, Failure> {
        let mut settings = self.clone();
        if self.config_file().is_none() {
            settings.zone.get_or_insert_with(|| "UTC".to_owned());
        }
        settings.config()
    }

    /// The config: flags over file over defaults.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let path = self.config_file();
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| {
                Failure::text(
                    Exit::BadConfig,
                    format!("the config {} cannot be read: {error}", path.display()),
                )
            })
        };
        let text = path.map(read).transpose()?;
        let overrides = Overrides {
            listen: self.listen,
            program: self.program.clone(),
            data: self.data.clone(),
            public_url: self.public_url.clone(),
            zone: self.zone.clone(),
        };
        let mut config = Config::parse(text.as_deref(), overrides).map_err(|error| {
            let place = path.map(|path| format!("{}: ", path.display())).unwrap_or_default();
            Failure::text(Exit::BadConfig, format!("{place}{error}"))
        })?;
        let beside = path.and_then(Path::parent).unwrap_or(Path::new(""));
        config.organizer_secret_file.get_or_insert_with(|| beside.join(DEFAULT_SECRETS));
        Ok(config)
    }
}
