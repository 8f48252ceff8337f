//! The documentation: reference pages are generated from the code, links lead somewhere, the README stays short.
//!
//! `UPDATE_DOCS=1 cargo test --test suite docs` writes the generated parts again; review the diff.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const DESCRIPTIONS: [&str; 6] = ["program", "agendas", "subscriptions", "exchange", "feeds", "organizer"];

#[test]
fn the_reference_pages_are_those_of_the_code() {
    for (page, generated) in [("config", config_reference()), ("api", api_reference())] {
        let path = root().join(format!("docs/reference/{page}.md"));
        let text = fs::read_to_string(&path).unwrap();
        let (head, rest) = text.split_once("<!-- generated -->\n").unwrap();
        let expected = format!("{head}<!-- generated -->\n{generated}");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &expected).unwrap();
        } else {
            assert!(
                rest == generated,
                "{page}.md is out of date: run UPDATE_DOCS=1 cargo test --test suite docs"
            );
        }
    }
}

#[test]
fn the_page_of_the_program_file_has_every_column() {
    let page = fs::read_to_string(root().join("docs/reference/csv.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let described: BTreeMap<&str, bool> = rows
        .flat_map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            let names = cells[0].split('`').step_by(2).collect::<Vec<_>>();
            names
                .into_iter()
                .filter(|name| !name.is_empty())
                .map(move |name| (name, cells[1].trim() == "yes"))
                .collect::<Vec<_>>()
        })
        .collect();
    // The export writes all columns.
    let header =
        String::from_utf8(callboard::export::write_columns(callboard::program::Field::ALL, [])).unwrap();
    let columns: BTreeSet<&str> = header.trim().split(',').collect();
    assert_eq!(described.keys().copied().collect::<BTreeSet<_>>(), columns);
    let required: Vec<&str> =
        described.iter().filter(|(_, required)| **required).map(|(name, _)| *name).collect();
    assert_eq!(required, ["date", "end", "id", "kind", "start", "title"]);
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in links(&text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let found = path.exists()
                && (anchor.is_empty() || anchors(&fs::read_to_string(&path).unwrap()).contains(anchor));
            if !found {
                wrong.push(format!("{}: {target}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let mut reached = BTreeSet::new();
    let mut open = vec![root().join("README.md")];
    while let Some(page) = open.pop() {
        if !reached.insert(page.canonicalize().unwrap()) {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        let targets = links(&text).into_iter().filter(|target| !target.contains("://"));
        let files = targets.map(|target| page.parent().unwrap().join(target.split('#').next().unwrap()));
        open.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "md")));
    }
    let lost: Vec<PathBuf> = pages().into_iter().filter(|page| !reached.contains(page)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(root().join("README.md")).unwrap().lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
}

#[test]
fn every_command_runs_in_a_test_or_has_a_placeholder() {
    let tests =
        BTreeMap::from([("docs", "tests/clients/test_docs.py"), ("systemd", "tests/systemd/scenarios.py")]);
    let tests: BTreeMap<&str, String> = tests
        .into_iter()
        .map(|(suite, file)| (suite, fs::read_to_string(root().join(file)).unwrap()))
        .collect();
    let mut wrong = Vec::new();
    for page in
        pages().into_iter().chain(["CONTRIBUTING.md", "tests/README.md"].map(|page| root().join(page)))
    {
        let shown = page.strip_prefix(root()).unwrap().display().to_string();
        for block in console_blocks(&fs::read_to_string(&page).unwrap()) {
            match block {
                Runs::Marked(suite, name) => {
                    let is_run =
                        tests.get(suite.as_str()).is_some_and(|code| code.contains(&format!("(\"{name}\")")));
                    if !is_run {
                        wrong.push(format!("{shown}: tests/{suite} does not run {name}"));
                    }
                }
                Runs::Unmarked(commands) => {
                    // A script of the repository, such as `tests/run`, or cargo.
                    let runs_itself = |command: &str| {
                        let program = command.split(' ').find(|word| !word.contains('=')).unwrap();
                        program == "cargo" || root().join(program).is_file()
                    };
                    let idle = commands.into_iter().filter(|one| !runs_itself(one) && !has_placeholder(one));
                    wrong.extend(idle.map(|command| format!("{shown}: {command}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_page_names_the_compiler_of_the_manifest() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let oldest = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap();
    let oldest = oldest.trim_end_matches('"');
    let mut named = 0;
    for page in pages().into_iter().chain([root().join("CONTRIBUTING.md"), root().join("tests/run")]) {
        let text = fs::read_to_string(&page).unwrap();
        for (at, _) in text.match_indices("Rust 1.") {
            named += 1;
            let rest = &text[at + "Rust ".len()..];
            assert!(rest.starts_with(&format!("{oldest} ")), "{}: another version", page.display());
        }
    }
    assert!(named > 0, "the README names the oldest version of Rust");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap()
}

/// The README and everything in `docs`.
fn pages() -> Vec<PathBuf> {
    let (mut pages, mut folders) = (vec![root().join("README.md")], vec![root().join("docs")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// The test that runs a console block of a page.
enum Runs {
    /// The suite and the name in the line `<!-- tests/SUITE: NAME -->` above the block.
    Marked(String, String),
    /// The commands of a block without such a line.
    Unmarked(Vec<String>),
}

fn console_blocks(text: &str) -> Vec<Runs> {
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| **line == "```console") {
        let above = if at == 0 { "" } else { lines[at - 1] };
        let marker = above.strip_prefix("<!-- tests/").and_then(|rest| rest.strip_suffix(" -->"));
        blocks.push(match marker.and_then(|marker| marker.split_once(": ")) {
            Some((suite, name)) => Runs::Marked(suite.to_owned(), name.to_owned()),
            None => {
                let block = lines[at + 1..].iter().take_while(|line| **line != "```");
                Runs::Unmarked(block.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect())
            }
        });
    }
    blocks
}

/// Whether a command has a word in capitals that the reader replaces, such as `HOST`. A shell variable is no such word.
fn has_placeholder(command: &str) -> bool {
    let words = command.split(|c: char| !(c.is_ascii_alphanumeric() || c == '$' || c == '_' || c == '='));
    words.into_iter().any(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase()))
}

/// The targets of `[text](target)` and of pictures, without those in code.
fn links(text: &str) -> Vec<&str> {
    let prose = outside_code(text);
    prose
        .flat_map(|line| {
            let ends = [("](", ')'), ("src=\"", '"')];
            let targets =
                move |(start, end)| line.split(start).skip(1).filter_map(move |rest| rest.split(end).next());
            ends.into_iter().flat_map(targets)
        })
        .collect()
}

/// The anchors that a code host gives the headings of a page.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = outside_code(text).filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The comments of the sample config as prose, each above the keys that it explains.
fn config_reference() -> String {
    let sample = fs::read_to_string(root().join("config/callboard.toml")).unwrap();
    let (mut out, mut keys, mut prose) = (String::new(), Vec::new(), Vec::new());
    let mut section = String::new();
    let mut flush = |keys: &mut Vec<String>, prose: &mut Vec<String>| {
        if !keys.is_empty() {
            write!(out, "\n```toml\n{}\n```\n", keys.join("\n")).unwrap();
        }
        if !prose.is_empty() {
            write!(out, "\n{}\n", prose.join("\n")).unwrap();
        }
        keys.clear();
        prose.clear();
    };
    for line in sample.lines().skip_while(|line| !line.is_empty()) {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key = bare
            .split_once(" = ")
            .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        if bare.starts_with('[') && bare.trim_end().ends_with(']') {
            let table = bare.trim_matches(['[', ']']).to_owned();
            flush(&mut keys, &mut prose);
            if table != section {
                prose.push(format!("## `{}`", bare.trim()));
                flush(&mut keys, &mut prose);
                section = table;
            }
        } else if is_key {
            keys.push(bare.to_owned());
        } else if let Some(comment) = line.strip_prefix("# ") {
            if !keys.is_empty() {
                flush(&mut keys, &mut prose);
            }
            prose.push(comment.to_owned());
        } else if line.is_empty() {
            flush(&mut keys, &mut prose);
        }
    }
    flush(&mut keys, &mut prose);
    out
}

/// Every operation of the API's description, by subject.
fn api_reference() -> String {
    let mut subjects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in DESCRIPTIONS {
        let path = root().join(format!("src/http/api/openapi/{part}.json"));
        let description: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for (address, operations) in description["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let Some(summary) = operation["summary"].as_str() else { continue };
                let needs = match operation["security"][0].as_object().and_then(|needs| needs.keys().next()) {
                    Some(scheme) if scheme == "editKey" => "edit key",
                    Some(_) => "organizer secret",
                    None => "",
                };
                let row = format!("| `{} {address}` | {summary} | {needs} |", method.to_uppercase());
                subjects.entry(operation["tags"][0].as_str().unwrap().to_owned()).or_default().push(row);
            }
        }
    }
    let mut out = String::new();
    for (subject, rows) in subjects {
        let rows = rows.join("\n");
        write!(out, "\n## {subject}\n\n| Operation | What it does | Needs |\n| --- | --- | --- |\n{rows}\n")
            .unwrap();
    }
    out
}
