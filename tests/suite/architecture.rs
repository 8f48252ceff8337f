//! The house rules that a compiler does not know: which module may use which, where a crate lives and who reads
//! the clock. The tables mirror the design; a new module or exception is added here
//! with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Module, and what it may use of ours. `*`: everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("telemetry", &[]),
    ("peer", &[]), // addresses, for the limits of server and http
    ("program", &[]),
    ("ics", &[]), // reads iCalendar for export, doctor and adopt
    ("xml", &[]), // reads and writes XML for export, doctor, adopt and http
    ("config", &["program", "peer"]),
    ("import", &["program"]),
    ("revision", &["program"]),
    ("feed", &["program", "revision"]),
    ("release", &["program", "revision", "feed"]),
    ("agenda", &["program", "revision", "feed", "release"]),
    ("export", &["program", "revision", "feed", "release", "agenda", "ics", "xml"]),
    ("doctor", &["program", "revision", "feed", "release", "agenda", "ics", "xml"]),
    ("adopt", &["program", "import", "export", "ics", "xml"]),
    ("exchange", &["program", "revision", "feed", "release", "agenda", "export", "ics"]),
    ("web", &["program", "revision", "feed", "release", "agenda", "exchange"]),
    ("store", &["program", "revision"]),
    ("freshness", &["program", "clock"]),
    (
        "publisher",
        &[
            "program", "config", "clock", "import", "revision", "feed", "release", "agenda", "export",
            "doctor", "web", "store",
        ],
    ),
    (
        "http",
        &[
            "program",
            "peer",
            "config",
            "clock",
            "telemetry",
            "import",
            "revision",
            "feed",
            "release",
            "agenda",
            "export",
            "exchange",
            "doctor",
            "web",
            "store",
            "freshness",
            "publisher",
            "ics", // CalDAV's filters
            "xml",
        ],
    ),
    ("retention", &["program", "revision", "store", "freshness", "publisher", "clock"]),
    ("server", &["peer"]),
    ("client", &[]),
    ("cli", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Crate, and the only modules that name it.
const LIVES_IN: &[(&str, &[&str])] = &[
    ("chrono_tz", &["program", "feed"]), // feed: rule inference
    ("toml", &["config"]),
    ("csv", &["import", "export"]), // export: the published program as CSV
    ("icalendar", &["feed"]),
    ("quick_xml", &["xml"]),
    ("sled", &["store"]),
    ("arc_swap", &["publisher", "feed", "web"]), // feed and web: codings are swapped in behind what is published
    ("matchit", &["http"]),
    ("http", &["http", "server", "client"]), // the types of server's respond function and of client's requests
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    ("ureq", &["client"]),
    ("ring", &["revision", "agenda", "program", "store", "cli", "http"]), // digests; store: those of checkpoints; HMAC; agenda: read tokens; cli: webhooks; http: signed cookies
    ("clap", &["cli", "main"]),
    ("tikv_jemallocator", &["main"]),
];

struct Source {
    /// Relative to `src`.
    path: PathBuf,
    module: String,
    /// Without comments and without what only tests see.
    code: String,
}

#[test]
fn arrows_point_the_right_way() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut wrong = BTreeSet::new();
    for source in sources() {
        let Some(may_use) = allowed.get(source.module.as_str()) else {
            wrong.insert(format!("{} is in no table: add it here and to the design", source.module));
            continue;
        };
        for used in ours(&source) {
            let own = used == source.module || may_use.contains(&"*");
            if !own && !may_use.contains(&used.as_str()) {
                wrong.insert(format!("{} may not use {used} ({})", source.module, source.path.display()));
            }
        }
        let climb = "super::".repeat(source.path.components().count());
        if source.module != "lib" && source.module != "main" && source.code.contains(&climb) {
            wrong.insert(format!("{} climbs to the crate's root by super", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_crate_lives_where_the_design_puts_it() {
    let mut wrong = BTreeSet::new();
    for source in sources() {
        for (name, homes) in LIVES_IN {
            if !homes.contains(&source.module.as_str()) && names_crate(&source.code, name) {
                wrong.insert(format!("{} names {name}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_clock_reads_the_wall_clock() {
    let readers: Vec<String> = sources()
        .into_iter()
        .filter(|s| ["Utc::now", "Local::now", "SystemTime::now"].iter().any(|call| s.code.contains(call)))
        .map(|source| source.module)
        .collect();
    assert_eq!(readers, ["clock"]);
}

#[test]
fn nothing_is_left_for_later() {
    for source in sources() {
        let text = fs::read_to_string(root().join(&source.path)).unwrap();
        for mark in ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!("] {
            // VTODO is a component of iCalendar.
            let marks = text.match_indices(mark).filter(|(at, _)| !text[..*at].ends_with(is_ident));
            assert_eq!(marks.count(), 0, "{} holds {mark}", source.path.display());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files.iter().map(|file| source(file)).collect()
}

fn source(file: &Path) -> Source {
    let text = fs::read_to_string(file).unwrap();
    let path = file.strip_prefix(root()).unwrap().to_owned();
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    let module = first.trim_end_matches(".rs").to_owned();
    Source { code: code(&text), module, path }
}

/// rustfmt ends an item at the first line as far in as its start that closes it.
fn code(text: &str) -> String {
    let mut out = String::new();
    let mut skipping: Option<&str> = None;
    for line in text.lines() {
        let closes = line.trim_start() == "}" || line.ends_with(';');
        match skipping {
            Some(start) if closes && indent(line) == start => skipping = None,
            Some(_) => {}
            None if line.trim() == "#[cfg(test)]" => skipping = Some(indent(line)),
            None if line.trim_start().starts_with("//") => {}
            None => {
                out.push_str(line.split_once(" // ").map_or(line, |(before, _)| before));
                out.push('\n');
            }
        }
    }
    out
}

fn indent(line: &str) -> &str {
    line.split_at(line.len() - line.trim_start().len()).0
}

/// The modules of ours that `crate::x`, `crate::{x, y}` and, in the binary, `callboard::x` name.
fn ours(source: &Source) -> BTreeSet<String> {
    let known: Vec<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    let mut used = BTreeSet::new();
    for prefix in ["crate::", "callboard::"] {
        for (at, _) in source.code.match_indices(prefix) {
            let path = &source.code[at + prefix.len()..];
            let first = |path: &str| path.trim().split(|c: char| !is_ident(c)).next().unwrap().to_owned();
            match path.strip_prefix('{') {
                Some(group) => used.extend(members(group).iter().map(|member| first(member))),
                None => _ = used.insert(first(path)),
            }
        }
    }
    used.retain(|name| known.contains(&name.as_str()));
    used
}

/// The members of a use group, to its closing brace; groups within stay whole.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut members) = (0, vec![String::new()]);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => members.push(String::new()),
            c => members.last_mut().unwrap().push(c),
        }
    }
    members
}

fn is_ident(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether code has a path that begins with the crate, so that `crate::http::x` is not the crate `http`.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = &code[..at];
        let inside = before.ends_with(is_ident)
            || before.strip_suffix("::").is_some_and(|before| before.ends_with(|c| is_ident(c) || c == '>'));
        !inside
    }) || code.contains(&format!("use {name};"))
        || code.contains(&format!("use {name} as"))
}

#[test]
fn the_reader_of_arrows_sees_groups_and_skips_tests() {
    let text = "use crate::{feed::{Feed, Options}, program::Text};\n// crate::web\nfn f() { crate::store::x() }\n\
                #[cfg(test)]\nmod tests {\n    use crate::import;\n}\nuse http::Uri;\n";
    let source = Source { path: "x.rs".into(), module: "x".into(), code: code(text) };
    assert_eq!(Vec::from_iter(ours(&source)), ["feed", "program", "store"]);
    assert!(names_crate(&source.code, "http"));
    assert!(!names_crate("use crate::http::Page; super::http::x()", "http"));
    assert!(names_crate("fn f(x: ::http::Uri)", "http"));
}
