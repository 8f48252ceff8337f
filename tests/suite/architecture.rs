//! Rules that the compiler does not check: which module may use which, which files may import each other, which
//! crate belongs to which module, and who reads the clock. A new module or exception is added here with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the modules of this crate that it may use. `*`: all of them.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("logging", &[]),
    ("peer", &[]), // addresses, for the limits of server and http
    ("program", &[]),
    ("ics", &[]),                              // reads iCalendar for export, doctor and adopt
    ("xml", &[]),                              // reads and writes XML for export, doctor, adopt, web and http
    ("texts", &["program"]),                   // kinds of sessions
    ("config", &["program", "peer", "texts"]), // texts: whether a language has a catalogue
    ("import", &["program"]),
    ("revision", &["program"]),
    ("feed", &["program", "revision", "texts"]),
    ("release", &["program", "revision", "feed"]),
    ("fixtures", &["program", "revision", "release"]), // conferences for tests; no other module may use it
    ("agenda", &["program", "revision", "feed", "release"]),
    ("export", &["program", "texts", "revision", "feed", "release", "agenda", "ics", "xml"]),
    ("doctor", &["program", "revision", "feed", "release", "ics", "xml"]),
    ("adopt", &["program", "texts", "import", "export", "ics", "xml"]), // texts: the notes in our own calendars
    ("exchange", &["program", "texts", "revision", "feed", "release", "agenda", "export", "ics"]),
    ("web", &["program", "texts", "revision", "feed", "release", "agenda", "exchange", "xml"]),
    ("store", &["program", "revision"]),
    ("freshness", &["revision", "store"]),
    (
        "reach",
        &[
            "program", "config", "clock", "texts", "xml", "revision", "feed", "release", "agenda", "export",
            "store",
        ],
    ),
    (
        "publisher",
        &[
            "program", "config", "clock", "texts", "import", "revision", "feed", "release", "agenda",
            "export", "doctor", "adopt", "web", "store", "reach",
        ],
    ),
    (
        "http",
        &[
            "program",
            "peer",
            "config",
            "clock",
            "logging",
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
            "reach",
            "publisher",
            "texts",
            "ics", // CalDAV's filters
            "xml",
        ],
    ),
    ("retention", &["program", "revision", "store", "freshness", "publisher", "clock"]),
    ("server", &["peer"]),
    ("client", &[]),
    ("smtp", &["config"]), // the relay
    ("cli", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Crate, and the only modules that name it.
const LIVES_IN: &[(&str, &[&str])] = &[
    ("chrono_tz", &["program", "feed"]), // feed: rule inference
    ("toml", &["config"]),
    ("csv", &["import", "export", "adopt"]), // export: the published program; adopt: foreign spreadsheets
    ("encoding_rs", &["adopt"]),
    ("fluent_bundle", &["texts"]),
    ("fluent_syntax", &["texts"]),
    ("icalendar", &["feed"]),
    ("quick_xml", &["xml"]),
    ("sled", &["store"]),
    ("tokio_postgres", &["store"]),
    ("tokio_rustls", &["store"]), // TLS to the database; outgoing HTTP has its own in ureq
    ("arc_swap", &["publisher", "feed", "web"]), // feed and web: codings are swapped in behind what is published
    ("matchit", &["http"]),
    ("png", &["web"]),
    ("ab_glyph", &["web"]),
    ("http", &["http", "server", "client", "feed"]), // the types of server's respond function and of client's requests; feed: heads of responses, made once for each body
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    ("ureq", &["client"]),
    ("rustls", &["smtp"]),
    ("webpki_roots", &["smtp"]),
    ("ring", &["revision", "agenda", "program", "store", "reach", "cli", "http"]), // digests; store: those of checkpoints; HMAC; agenda: read tokens; reach: encryption and signatures; cli: webhooks; http: signed cookies
    ("clap", &["cli", "main"]),
    ("tikv_jemallocator", &["main"]),
];

struct Source {
    /// Relative to `src`.
    path: PathBuf,
    module: String,
    /// The text of the file without comments and without code for tests.
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
        for used in own_modules(&source) {
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

#[test]
fn every_crate_is_used_and_says_why() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = fs::read_dir(repository.join("tools")).unwrap().map(|tool| tool.unwrap().path());
    let mut wrong = Vec::new();
    for package in tools.chain([repository.to_owned()]) {
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        let read = |folders: &[&str]| -> String {
            let folders = folders.iter().map(|folder| package.join(folder)).filter(|folder| folder.exists());
            let files = folders.flat_map(|folder| rust_files(&folder));
            files.map(|file| code(&fs::read_to_string(file).unwrap())).collect()
        };
        let (product, all) = (read(&["src"]), read(&["src", "tests/suite"]));
        let (mut section, mut above) = ("", "");
        for line in manifest.lines() {
            if let (true, Some((name, _))) = (section.ends_with("dependencies]"), line.split_once(" = ")) {
                let code = if section == "[dependencies]" { &product } else { &all };
                if !names_crate(code, &name.replace('-', "_")) {
                    wrong.push(format!("{name} of {} is not used", package.display()));
                }
                if package == repository && !above.starts_with("# ") {
                    wrong.push(format!("{name} has no reason in the line above it"));
                }
            }
            section = if line.starts_with('[') { line } else { section };
            above = line;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = Imports::read(&sources()).circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn no_file_name_fits_everything() {
    for source in sources() {
        let name = source.path.file_stem().unwrap().to_string_lossy();
        let is_vague = ["util", "utils", "common", "helper", "helpers", "manager", "misc"].contains(&&*name);
        assert!(!is_vague, "{} does not say what is in it", source.path.display());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    rust_files(&root()).iter().map(|file| source(file)).collect()
}

/// All Rust files below a folder, in order.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
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
    files
}

fn source(file: &Path) -> Source {
    let text = fs::read_to_string(file).unwrap();
    let path = file.strip_prefix(root()).unwrap().to_owned();
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    let module = first.trim_end_matches(".rs").to_owned();
    Source { code: code(&text), module, path }
}

/// Code without comments and without items under `#[cfg(test)]`. In formatted code such an item ends at the first
/// closing line with the same indentation.
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

/// The top modules of this crate that `crate::x`, `crate::{x, y}` and, in the binary, `callboard::x` name.
fn own_modules(source: &Source) -> BTreeSet<String> {
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

/// Whether a path in the code begins with the crate. The path `crate::http::x` does not begin with the crate `http`.
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
    assert_eq!(Vec::from_iter(own_modules(&source)), ["feed", "program", "store"]);
    assert!(names_crate(&source.code, "http"));
    assert!(!names_crate("use crate::http::Page; super::http::x()", "http"));
    assert!(names_crate("fn f(x: ::http::Uri)", "http"));
}

/// A module's path below the crate: that of `src/http/api.rs` is `http`, `api`.
type Module = Vec<String>;

/// The files from which each file uses names.
#[derive(Default)]
struct Imports {
    /// The names that the use declarations of a file bring into scope, each with its path.
    uses: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
    arrows: BTreeMap<Module, BTreeSet<Module>>,
}

impl Imports {
    /// An arrow leads to the file that defines the name, not to files that re-export it. A name from a parent of the
    /// file makes no arrow, because a module and the file that declares it count as one.
    fn read(sources: &[Source]) -> Self {
        let mut imports = Self::default();
        let mut named = Vec::new();
        for source in sources.iter().filter(|source| source.module != "main") {
            let path = source.path.with_extension("");
            let mut module: Module = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            module.retain(|part| part != "lib");
            let (uses, paths) = names(&tokens(&source.code));
            imports.uses.insert(module.clone(), uses);
            named.push((module, paths));
        }
        for (module, paths) in named {
            let definers = paths.iter().filter_map(|path| imports.definer(path, &module, 0));
            let arrows = definers.filter(|to| !module.starts_with(to)).collect();
            imports.arrows.insert(module, arrows);
        }
        imports
    }

    /// The file of this crate that defines the item to which a path leads in `module`.
    fn definer(&self, path: &[String], module: &Module, depth: usize) -> Option<Module> {
        let is_file = |module: &[String]| self.uses.contains_key(module);
        let child = |at: &Module, name: &String| [at.as_slice(), std::slice::from_ref(name)].concat();
        let (first, _) = path.split_first()?;
        let mut rest = path;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => module.clone(),
            name if is_file(&child(module, &name.to_owned())) => module.clone(),
            name => {
                let behind = self.uses[module].get(name).filter(|behind| depth < 9 && *behind != path)?;
                return self.definer(&[behind, &path[1..]].concat(), module, depth + 1);
            }
        };
        while let Some((name, after)) = rest.split_first() {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => _ = at.pop(),
                _ if is_file(&child(&at, name)) => at = child(&at, name),
                _ => break,
            }
            rest = after;
        }
        let passed_on = rest.first().and_then(|name| self.uses.get(&at)?.get(name));
        match passed_on {
            Some(behind) if depth < 9 && at != *module => {
                self.definer(&[behind, &rest[1..]].concat(), &at, depth + 1)
            }
            _ => Some(at),
        }
    }

    /// The sets of files whose arrows form a circle, each sorted.
    fn circles(&self) -> Vec<Vec<String>> {
        let file =
            |module: &Module| if module.is_empty() { "lib.rs".to_owned() } else { module.join("/") + ".rs" };
        let reached: BTreeMap<&Module, BTreeSet<&Module>> = self
            .arrows
            .keys()
            .map(|from| {
                let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
                while let Some(at) = open.pop() {
                    open.extend(self.arrows.get(at).into_iter().flatten().filter(|to| reached.insert(*to)));
                }
                (from, reached)
            })
            .collect();
        let circles: BTreeSet<Vec<String>> = reached
            .iter()
            .filter(|(module, reached)| reached.contains(*module))
            .map(|(module, to)| {
                to.iter().filter(|other| reached[**other].contains(module)).map(|m| file(m)).collect()
            })
            .collect();
        circles.into_iter().collect()
    }
}

/// The use declarations of a file, and the paths that it uses. A path that is only re-exported (`pub use`) is not used.
fn names(tokens: &[&str]) -> (BTreeMap<String, Vec<String>>, Vec<Vec<String>>) {
    let (mut uses, mut paths) = (BTreeMap::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let before = if at == 0 { ";" } else { tokens[at - 1] };
        if tokens[at] == "use" && tokens.get(at + 1) != Some(&"<") {
            at += 1;
            let mut leaves = Vec::new();
            use_tree(tokens, &mut at, Vec::new(), &mut leaves);
            if !matches!(before, "pub" | ")") {
                paths.extend(leaves.iter().map(|(_, path)| path.clone()));
            }
            uses.extend(leaves);
        } else if tokens[at].starts_with(is_ident) && before != "::" {
            let mut path = vec![tokens[at].to_owned()];
            while tokens.get(at + 1) == Some(&"::")
                && tokens.get(at + 2).is_some_and(|t| t.starts_with(is_ident))
            {
                path.push(tokens[at + 2].to_owned());
                at += 2;
            }
            if path.len() > 1 {
                paths.push(path);
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    (uses, paths)
}

/// Reads one tree of a use declaration: each name that the tree brings into scope, with its path.
fn use_tree(tokens: &[&str], at: &mut usize, mut path: Vec<String>, leaves: &mut Vec<(String, Vec<String>)>) {
    let start = *at;
    while let Some(token) = tokens.get(*at) {
        match *token {
            "{" => {
                while tokens.get(*at).is_some_and(|token| *token != "}") {
                    *at += 1;
                    use_tree(tokens, at, path.clone(), leaves);
                }
                *at += 1;
                return;
            }
            "::" => {}
            "as" => {
                *at += 1;
                leaves.push((tokens[*at].to_owned(), path));
                *at += 1;
                return;
            }
            "self" if !path.is_empty() => {}
            name if name.starts_with(is_ident) || name == "*" => path.push(name.to_owned()),
            _ => break,
        }
        *at += 1;
    }
    // After a trailing comma there is no name.
    if *at > start {
        leaves.extend(path.last().cloned().map(|name| (name, path)));
    }
}

/// The identifiers, `::` and other characters of code, without the contents of strings.
fn tokens(code: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), code);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '\'' => char_length(rest),
            c if is_ident(c) => rest.find(|c| !is_ident(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !token.starts_with(['"', '\'']) && !first.is_whitespace() {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

/// The length of a character literal, or 1 for the mark of a lifetime.
fn char_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => rest[3..].find('\'').map_or(1, |end| end + 4),
        (_, Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// The length of the string literal that `rest` begins with. A raw string is taken to end at its first inner quote. Its
/// rest is then read as code, which does no harm.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    rest.len()
}

#[test]
fn the_reader_of_imports_finds_circles() {
    let source = |path: &str, code: &str| Source {
        path: path.into(),
        module: path.split(['/', '.']).next().unwrap().to_owned(),
        code: code.to_owned(),
    };
    let files = [
        source("lib.rs", "pub mod a; pub mod b;"),
        // This file only declares its children, so it is in no circle.
        source("a.rs", "mod one; mod two; pub use one::One; pub use two::{Two as Second, self};"),
        // Uses a name that its parent re-exports.
        source("a/one.rs", "use super::Second; fn f() -> &'static str { \"crate::b\" }"),
        source("a/two.rs", "use crate::{a::one::{One}, b}; impl One { fn g() { b::g() } }"),
        source("b.rs", "fn g() { super::c::h::<u8>() }"),
        source("c.rs", "struct Own; mod d; fn h() { d::i(); }"),
        source("c/d.rs", "use super::Own; fn i() {}"),
    ];
    let imports = Imports::read(&files);
    assert_eq!(imports.circles(), [["a/one.rs", "a/two.rs"]]);
    let to =
        |name: &str| imports.arrows[&vec![name.to_owned()]].iter().map(|to| to.join("/")).collect::<Vec<_>>();
    assert_eq!((to("a"), to("b"), to("c")), (vec![], vec!["c".to_owned()], vec!["c/d".to_owned()]));
}
