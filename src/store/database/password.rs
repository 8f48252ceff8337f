//! The password of the database: from a file of its own, or from the password file of PostgreSQL's programs.

use super::DatabaseError;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The bits of a mode that let group or others read a file.
const READABLE_BY_OTHERS: u32 = 0o077;

/// The password in `file`; without a file, the one that PGPASSFILE has for the database, if it is set.
pub(super) fn find(config: &Config, file: Option<&Path>) -> Result<Option<String>, DatabaseError> {
    if let Some(file) = file {
        let text = read(file)?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(wrong(file, "it is empty; write the password into its first line"));
        }
        return Ok(Some(password.to_owned()));
    }
    let Some(file) = std::env::var_os("PGPASSFILE").map(PathBuf::from) else { return Ok(None) };
    // As in PostgreSQL's own programs (libpq, section "The Password File").
    let mode = fs::metadata(&file).map_err(|error| wrong(&file, &error.to_string()))?.mode();
    if mode & READABLE_BY_OTHERS != 0 {
        return Err(wrong(&file, "others may read it; chmod 600 it"));
    }
    let text = read(&file)?;
    let user = config.get_user().unwrap_or_default();
    let name = config.get_dbname().unwrap_or(user);
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| {
        let host = match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(_) => "localhost".to_owned(),
        };
        (host, ports.get(n).or(ports.first()).copied().unwrap_or(5432).to_string())
    });
    let found = hosts.into_iter().find_map(|(host, port)| lookup(&text, [&host, &port, name, user]));
    Ok(found)
}

fn read(file: &Path) -> Result<String, DatabaseError> {
    fs::read_to_string(file).map_err(|error| wrong(file, &error.to_string()))
}

fn wrong(file: &Path, cause: &str) -> DatabaseError {
    DatabaseError::File { file: file.to_owned(), cause: cause.to_owned() }
}

/// The password in the first line that fits host, port, database and user.
fn lookup(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line).into_iter();
        let fits =
            wanted.iter().all(|wanted| fields.next().is_some_and(|field| field == "*" || field == *wanted));
        fields.next().filter(|_| fits)
    })
}

/// The fields of a line, separated by colons; a backslash makes the next character part of its field.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut is_escaped) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            ':' if !is_escaped => fields.push(String::new()),
            c => fields.last_mut().into_iter().for_each(|field| field.push(c)),
        }
        is_escaped = false;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text = "# host:port:database:user:password\n\
                    db:5433:*:ann:wrong port\n\
                    db:5432:conf:ann:a\\:b\\\\c\n\
                    *:*:*:*:last\n";
        assert_eq!(lookup(text, ["db", "5432", "conf", "ann"]).as_deref(), Some("a:b\\c"));
        assert_eq!(lookup(text, ["db", "5432", "conf", "bob"]).as_deref(), Some("last"));
        assert_eq!(lookup("db:5432:conf\n", ["db", "5432", "conf", "ann"]), None);
    }

    #[test]
    fn an_empty_or_missing_file_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        let config = Config::new();
        let error = find(&config, Some(&file)).unwrap_err().to_string();
        assert!(error.contains("password cannot be used"), "{error}");
        fs::write(&file, "\n").unwrap();
        assert!(find(&config, Some(&file)).unwrap_err().to_string().contains("empty"));
        fs::write(&file, "hunter2\n").unwrap();
        assert_eq!(find(&config, Some(&file)).unwrap().as_deref(), Some("hunter2"));
    }
}
