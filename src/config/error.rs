//! Errors of a config: the key, what is wrong, and what to write instead.

/// A config that cannot be used (exit code 78).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of another type. The text names line, key and remedy.
    #[error("{0}")]
    Syntax(String),
    /// A value of the right type that is not allowed.
    #[error("{key}: {problem}")]
    Value {
        /// The key, with its table.
        key: String,
        /// What is wrong, and what to write.
        problem: String,
    },
    /// Neither config nor flags name a zone.
    #[error(
        "the conference's time zone is not set: write `zone = \"America/Los_Angeles\"` under [conference] in \
         the config, or pass --zone America/Los_Angeles (there is no default, since a wrong one moves every session)"
    )]
    NoZone,
}

impl ConfigError {
    pub(super) fn value(key: &str, problem: impl ToString) -> Self {
        Self::Value { key: key.to_owned(), problem: problem.to_string() }
    }
}

impl ConfigError {
    /// Converts the parser's error: adds the line and, for an unknown key, the nearest known key.
    pub(super) fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let line =
            error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let message = error.message();
        let hint =
            nearest_known(message).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        Self::Syntax(format!("{place}{message}{hint}"))
    }
}

/// The nearest expected key in serde's message "unknown field `x`, expected one of `a`, `b`".
fn nearest_known(message: &str) -> Option<&str> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown ").then(|| quoted.next())??;
    quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
