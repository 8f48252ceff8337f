//! Compares the catalogues with the American one and with CLDR, and finds texts outside of the catalogues.

use super::languages::{AMERICAN, LANGUAGES, Language, negotiate};
use super::*;
use chrono::{NaiveDate, NaiveTime};
use fluent_syntax::ast::{Entry, Message};
use fluent_syntax::parser::parse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The messages of a catalogue file.
fn messages(language: &Language) -> BTreeMap<&'static str, Message<&'static str>> {
    let resource = parse(language.source)
        .unwrap_or_else(|(_, errors)| panic!("{}.ftl has errors: {errors:#?}", language.tag));
    let mut messages = BTreeMap::new();
    for entry in resource.body {
        match entry {
            Entry::Message(message) => {
                let id = message.id.name;
                assert!(messages.insert(id, message).is_none(), "{}.ftl has {id} twice", language.tag);
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
            other => panic!("{}.ftl contains something other than messages: {other:?}", language.tag),
        }
    }
    messages
}

fn values_of(pattern: &Pattern<&'static str>, found: &mut BTreeSet<&'static str>) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { .. } => {}
            PatternElement::Placeable { expression: Expression::Inline(it) } => match it {
                InlineExpression::VariableReference { id } => drop(found.insert(id.name)),
                InlineExpression::StringLiteral { .. } => {}
                other => panic!("scripts cannot print {other:?}"),
            },
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                let InlineExpression::VariableReference { id } = selector else {
                    panic!("{selector:?} selects a variant; only a number can")
                };
                found.insert(id.name);
                variants.iter().for_each(|variant| values_of(&variant.value, found));
            }
        }
    }
}

/// The number that selects a variant of a message, and the keys of the variants. The second flag marks the default.
fn selector(message: &Message<&'static str>) -> Option<(&'static str, Vec<(String, bool)>)> {
    message.value.iter().flat_map(|pattern| &pattern.elements).find_map(|element| match element {
        PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
            let InlineExpression::VariableReference { id } = selector else { return None };
            let keys = variants.iter().map(|variant| match variant.key {
                VariantKey::Identifier { name: key } | VariantKey::NumberLiteral { value: key } => {
                    (key.to_owned(), variant.default)
                }
            });
            Some((id.name, keys.collect()))
        }
        _ => None,
    })
}

/// The plural categories that the numbers up to 1,000 have in a language. Larger counts do not occur on pages.
fn categories(tag: &str) -> BTreeSet<String> {
    let probe = "probe = { $n ->\n [zero] zero\n [one] one\n [two] two\n [few] few\n [many] many\n *[other] other\n }\n";
    let mut bundle =
        fluent_bundle::concurrent::FluentBundle::new_concurrent(vec![tag.parse().expect("a tag")]);
    let resource = fluent_bundle::FluentResource::try_new(probe.to_owned()).expect("a resource");
    bundle.add_resource(resource).expect("one message");
    let pattern = bundle.get_message("probe").and_then(|message| message.value()).expect("a text");
    let category = |n: u32| {
        let values: FluentArgs<'_> = [("n", n.value())].into_iter().collect();
        bundle.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned()
    };
    (0..=1000).map(category).collect()
}

#[test]
fn every_catalogue_has_every_message() {
    let wanted: BTreeSet<&str> = messages(&AMERICAN).into_keys().collect();
    for language in LANGUAGES {
        let known: BTreeSet<&str> = messages(language).into_keys().collect();
        let unknown: Vec<_> = known.difference(&wanted).collect();
        assert!(
            unknown.is_empty(),
            "{}.ftl has messages that en-US.ftl does not have: {unknown:?}",
            language.tag
        );
        let missing: Vec<_> = wanted.difference(&known).collect();
        // British English has only the messages that differ.
        assert!(language.tag == "en-GB" || missing.is_empty(), "{}.ftl lacks {missing:?}", language.tag);
    }
}

#[test]
fn every_message_uses_exactly_its_values() {
    let declared: BTreeMap<&str, BTreeSet<&str>> =
        MESSAGES.iter().map(|(id, values)| (*id, values.iter().map(|(name, _)| *name).collect())).collect();
    for language in LANGUAGES {
        for (id, message) in messages(language) {
            let mut used = BTreeSet::new();
            message.value.iter().for_each(|pattern| values_of(pattern, &mut used));
            assert_eq!(Some(&used), declared.get(id), "the values of {id} in {}.ftl", language.tag);
        }
    }
}

#[test]
fn every_count_has_every_plural_form() {
    let american = messages(&AMERICAN);
    for language in LANGUAGES {
        let categories = categories(language.tag);
        for (id, message) in messages(language) {
            let (tag, found) = (language.tag, selector(&message));
            if let Some((value, keys)) = &found {
                let is_number =
                    MESSAGES.iter().any(|(known, values)| *known == id && values.contains(&(*value, true)));
                assert!(is_number, "{id} in {tag}.ftl selects by {value}, which is not a number");
                let default = keys.iter().find(|(_, is_default)| *is_default).map(|(key, _)| key.as_str());
                assert_eq!(default, Some("other"), "the default of {id} in {tag}.ftl");
                let known = |category: &String| keys.iter().any(|(key, _)| key == category);
                let has_numbers_only =
                    keys.iter().all(|(key, _)| key == "other" || key.parse::<u32>().is_ok());
                let is_counted_in_english =
                    selector(&american[id]).is_some_and(|(_, keys)| keys.iter().any(|(key, _)| key == "one"));
                if !has_numbers_only || is_counted_in_english {
                    let missing: Vec<_> = categories.iter().filter(|it| !known(it)).collect();
                    assert!(missing.is_empty(), "{id} in {tag}.ftl lacks the plural forms {missing:?}");
                }
            } else if selector(&american[id]).is_some() {
                assert_eq!(categories.len(), 1, "{id} in {tag}.ftl has no plural forms");
            }
        }
    }
}

#[test]
fn every_message_can_be_printed() {
    for language in LANGUAGES {
        let catalogue = language.catalogue();
        for (id, values) in MESSAGES {
            for n in [0_u32, 1, 2, 5, 1234] {
                let value = |(name, is_number): &(&'static str, bool)| {
                    (*name, if *is_number { n.value() } else { "x".into() })
                };
                let values: FluentArgs<'_> = values.iter().map(value).collect();
                let mut errors = Vec::new();
                let pattern = catalogue.pattern(id).unwrap_or_else(|| panic!("{id} is missing"));
                let text = catalogue.bundle.format_pattern(pattern, Some(&values), &mut errors);
                assert!(errors.is_empty(), "{id} in {}.ftl: {errors:?}", language.tag);
                let is_clean = !text.trim().is_empty() && !text.contains(['{', '}', '\u{2068}', '\n']);
                assert!(is_clean, "{id} in {}.ftl is {text:?}", language.tag);
            }
        }
    }
}

#[test]
fn tags_get_the_nearest_catalogue() {
    let nearest = |tag: &str| negotiate(tag).map(|language| language.tag);
    for (tag, catalogue) in [
        ("en-US", "en-US"),
        ("EN-us", "en-US"),
        ("en", "en-US"),
        ("en-Latn-US", "en-US"),
        ("en-GB", "en-GB"),
        ("en-AU", "en-GB"),
        ("en-001", "en-GB"),
        ("de-AT", "de"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("es-MX", "es"),
        ("fr-CA", "fr"),
        ("ja-JP", "ja"),
    ] {
        assert_eq!(nearest(tag), Some(catalogue), "{tag}");
    }
    assert_eq!((nearest("tlh"), Texts::of("tlh").tag()), (None, "en-US"));
}

#[test]
fn the_config_and_the_guide_name_every_language() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["config/callboard.toml", "docs/guide/organizers.md"] {
        let text = fs::read_to_string(root.join(file)).expect("a text");
        for tag in Texts::all_tags() {
            assert!(
                text.contains(&format!("{tag},")) || text.contains(&format!("{tag})")),
                "{file} lacks {tag}"
            );
        }
    }
}

/// What `Intl` prints in a language, with ICU 78 and CLDR 48.
struct Cldr {
    tag: &'static str,
    day: &'static str,
    medium_day: &'static str,
    full_date: &'static str,
    times: [&'static str; 2],
    lists: [&'static str; 2],
    numbers: [&'static str; 2],
    short_weekdays: &'static str,
    short_months: &'static str,
}

const CLDR: [Cldr; 7] = [
    Cldr {
        tag: "en-US",
        day: "Wednesday, March 26",
        medium_day: "Wed, Mar 26",
        full_date: "March 26, 2025",
        times: ["12:30 AM", "4:00 PM"],
        lists: ["a and b", "a, b, and c"],
        numbers: ["1,234", "12,345"],
        short_weekdays: "Mon Tue Wed Thu Fri Sat Sun",
        short_months: "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    },
    Cldr {
        tag: "en-GB",
        day: "Wednesday 26 March",
        medium_day: "Wed 26 Mar",
        full_date: "26 March 2025",
        times: ["12:30 am", "4:00 pm"],
        lists: ["a and b", "a, b and c"],
        numbers: ["1,234", "12,345"],
        short_weekdays: "Mon Tue Wed Thu Fri Sat Sun",
        short_months: "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec",
    },
    Cldr {
        tag: "de",
        day: "Mittwoch, 26. März",
        medium_day: "Mi., 26. März",
        full_date: "26. März 2025",
        times: ["12:30 AM", "4:00 PM"],
        lists: ["a und b", "a, b und c"],
        numbers: ["1.234", "12.345"],
        short_weekdays: "Mo. Di. Mi. Do. Fr. Sa. So.",
        short_months: "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    },
    Cldr {
        tag: "es",
        day: "miércoles, 26 de marzo",
        medium_day: "mié, 26 mar",
        full_date: "26 de marzo de 2025",
        times: ["12:30 a.\u{a0}m.", "4:00 p.\u{a0}m."],
        lists: ["a y b", "a, b y c"],
        numbers: ["1234", "12.345"],
        short_weekdays: "lun mar mié jue vie sáb dom",
        short_months: "ene feb mar abr may jun jul ago sept oct nov dic",
    },
    Cldr {
        tag: "fr",
        day: "mercredi 26 mars",
        medium_day: "mer. 26 mars",
        full_date: "26 mars 2025",
        times: ["12:30 AM", "4:00 PM"],
        lists: ["a et b", "a, b et c"],
        numbers: ["1\u{202f}234", "12\u{202f}345"],
        short_weekdays: "lun. mar. mer. jeu. ven. sam. dim.",
        short_months: "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    },
    Cldr {
        tag: "ja",
        day: "3月26日水曜日",
        medium_day: "3月26日(水)",
        full_date: "2025年3月26日",
        times: ["午前0:30", "午後4:00"],
        lists: ["a、b", "a、b、c"],
        numbers: ["1,234", "12,345"],
        short_weekdays: "月 火 水 木 金 土 日",
        short_months: "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
    },
    Cldr {
        tag: "pt-BR",
        day: "quarta-feira, 26 de março",
        medium_day: "qua., 26 de mar.",
        full_date: "26 de março de 2025",
        times: ["12:30 AM", "4:00 PM"],
        lists: ["a e b", "a, b e c"],
        numbers: ["1.234", "12.345"],
        short_weekdays: "seg. ter. qua. qui. sex. sáb. dom.",
        short_months: "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    },
];

#[test]
fn dates_lists_and_numbers_are_those_of_cldr() {
    let date = |month, day| NaiveDate::from_ymd_opt(2025, month, day).expect("a date");
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).expect("a time");
    assert_eq!(CLDR.map(|cldr| cldr.tag), LANGUAGES.map(|language| language.tag));
    for cldr in CLDR {
        let (texts, tag) = (Texts::of(cldr.tag), cldr.tag);
        let wednesday = date(3, 26);
        assert_eq!(texts.day(wednesday), cldr.day);
        assert_eq!(texts.medium_day(wednesday), cldr.medium_day);
        assert_eq!(texts.day_heading(wednesday).to_lowercase(), cldr.day.to_lowercase());
        assert_eq!(texts.full_date(wednesday), cldr.full_date);
        // Pages write am and pm small, as American typography permits.
        let times = [time(0, 30), time(16, 0)].map(|time| texts.time_of_12(time).to_lowercase());
        assert_eq!(times, cldr.times.map(str::to_lowercase), "{tag}");
        assert_eq!([texts.list(&["a", "b"]), texts.list(&["a", "b", "c"])], cldr.lists, "{tag}");
        let printed = [1234_u32, 12345].map(|n| texts.release_heading(n));
        assert!(printed.iter().zip(cldr.numbers).all(|(text, n)| text.contains(n)), "{tag}: {printed:?}");
        let weekdays: Vec<_> = (24..31).map(|day| texts.short_weekday(date(3, day))).collect();
        assert_eq!(weekdays.join(" "), cldr.short_weekdays, "{tag}");
        let months: Vec<_> = (1..=12).map(|month| texts.short_month(date(month, 1))).collect();
        assert_eq!(months.join(" "), cldr.short_months, "{tag}");
    }
}

#[test]
fn ranges_of_dates_share_what_is_equal() {
    let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a date");
    let (american, british) = (Texts::of("en-US"), Texts::of("en-GB"));
    let first = date(2025, 3, 25);
    assert_eq!(american.dates(first, date(2025, 3, 27)), "March 25–27, 2025");
    assert_eq!(british.dates(first, date(2025, 3, 27)), "25–27 March 2025");
    assert_eq!(american.dates(first, date(2025, 4, 2)), "March 25 – April 2, 2025");
    assert_eq!(british.dates(first, date(2025, 4, 2)), "25 March – 2 April 2025");
    assert_eq!(american.dates(first, date(2026, 1, 2)), "March 25, 2025 – January 2, 2026");
    assert_eq!(american.dates(first, first), "March 25, 2025");
    let within_march = |tag: &str| Texts::of(tag).dates(first, date(2025, 3, 27));
    let into_april = |tag: &str| Texts::of(tag).dates(first, date(2025, 4, 2));
    for (tag, march, april) in [
        ("de", "25.–27. März 2025", "25. März – 2. April 2025"),
        ("es", "25–27 de marzo de 2025", "25 de marzo – 2 de abril de 2025"),
        ("fr", "25–27 mars 2025", "25 mars – 2 avril 2025"),
        ("ja", "2025年3月25日～27日", "2025年3月25日～4月2日"),
        ("pt-BR", "25–27 de março de 2025", "25 de março – 2 de abril de 2025"),
    ] {
        assert_eq!((within_march(tag).as_str(), into_april(tag).as_str()), (march, april));
    }
}

#[test]
fn counts_take_the_plural_form_of_their_language() {
    let american = Texts::of("en-US");
    assert_eq!(
        [0_u32, 1, 2, 1234].map(|n| american.sessions(n)),
        ["0 sessions", "1 session", "2 sessions", "1,234 sessions"]
    );
    assert_eq!([0_u32, 1, 2].map(|n| Texts::of("fr").sessions(n)), ["0 session", "1 session", "2 sessions"]);
    assert_eq!([0_u32, 1, 2].map(|n| Texts::of("de").sessions(n)), ["0 Sessions", "1 Session", "2 Sessions"]);
    let ScriptText::Plural(forms) = american.for_scripts()["results-for"].clone() else { panic!("no forms") };
    assert_eq!(forms["one"], "{n} result for “{text}”");
    assert_eq!(forms["other"], "{n} results for “{text}”");
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)
}

/// The files of a folder below `src` with an extension, with their names.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![source(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push((path.display().to_string(), fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    found
}

#[test]
fn every_message_is_shown_somewhere() {
    let scripts: String = files("web/assets", "js").into_iter().map(|(_, text)| text).collect();
    let mut said: BTreeSet<&str> = BTreeSet::new();
    for (at, call) in scripts.match_indices("say(") {
        let call = &scripts[at + call.len()..];
        // `say("id", …)`, or `say(condition ? "id" : "id")`
        let end = call.find([')', ',', '{']).unwrap_or(call.len());
        said.extend(call[..end].split('"').skip(1).step_by(2));
    }
    // The labels of moments are set by state.
    said.extend(["now", "next"]);
    let declared: BTreeSet<&str> = FOR_SCRIPTS.iter().copied().collect();
    assert_eq!(said, declared, "the messages of scripts, and those marked “For scripts.”");
    let mut code: String =
        files("", "rs").into_iter().chain(files("web/templates", "html")).map(|(_, text)| text).collect();
    code = code.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
    let is_shown = |id: &str| {
        let call = format!(".{}", id.replace('-', "_"));
        let is_whole = |(at, call): (usize, &str)| {
            !code[at + call.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        };
        code.match_indices(&call).any(is_whole)
    };
    let unused: Vec<_> =
        MESSAGES.iter().map(|(id, _)| id).filter(|id| !declared.contains(**id) && !is_shown(id)).collect();
    assert!(unused.is_empty(), "nothing shows {unused:?}");
}

/// A template without its expressions and statements.
fn without_askama(mut rest: &str) -> String {
    let mut out = String::new();
    while let Some(at) = ["{{", "{%", "{#"].iter().filter_map(|open| rest.find(open)).min() {
        out.push_str(&rest[..at]);
        let close = match &rest[at..at + 2] {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        rest = rest[at..].find(close).map_or("", |end| &rest[at + end + 2..]);
    }
    out + rest
}

/// The texts of a template: between tags, and in attributes that people read or hear.
fn literal_texts(template: &str) -> Vec<String> {
    let html = without_askama(template);
    let mut found = Vec::new();
    for part in html.split('<').skip(1) {
        let Some((tag, text)) = part.split_once('>') else { continue };
        let is_code = tag.starts_with("script") || tag.starts_with("style");
        for attribute in
            ["aria-label", "placeholder", "title", "alt", "aria-description", "aria-roledescription"]
        {
            let value =
                tag.split_once(&format!(" {attribute}=\"")).and_then(|(_, rest)| rest.split_once('"'));
            found.extend(value.map(|(value, _)| value.to_owned()));
        }
        if !is_code {
            found.push(text.replace("&nbsp;", "").replace("&amp;", ""));
        }
    }
    found.extend(html.split('<').next().map(str::to_owned));
    found.retain(|text| text.chars().any(char::is_alphabetic));
    found
}

#[test]
fn templates_contain_no_texts() {
    for (name, template) in files("web/templates", "html") {
        assert_eq!(literal_texts(&template), [""; 0], "{name}: move the text to src/texts/en-US.ftl");
    }
    let found = literal_texts("a{{ b }}<p title=\"c {{ d }}\" class=\"e\">f {% if g %}·{% endif %}</p>");
    assert_eq!(found, ["c ", "f ·", "a"]);
}

/// The string literals of a script that look like sentences, or that the script prints.
fn script_texts(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in script.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let mut rest = line;
        while let Some(at) = rest.find(['"', '`']) {
            let quote = &rest[at..=at];
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            let Some((literal, next)) = after.split_once(quote) else { break };
            let printers = [
                "textContent = ",
                "notify(",
                "ariaLabel = ",
                "placeholder = ",
                "title = ",
                "\"aria-label\", ",
            ];
            let is_printed = printers.iter().any(|printer| before.ends_with(printer));
            let words =
                literal.split(' ').filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
            let is_prose = literal.chars().all(|c| c.is_alphanumeric() || " ’'“”.,!?…–".contains(c));
            let is_sentence =
                is_prose && !literal.contains(", ") && words.count() > 1 && literal.contains(' ');
            if (is_printed && literal.chars().any(char::is_alphabetic) && !literal.contains("${"))
                || is_sentence
            {
                found.push(literal.to_owned());
            }
            rest = next;
        }
    }
    found
}

#[test]
fn scripts_contain_no_texts() {
    for (name, script) in files("web/assets", "js") {
        assert_eq!(script_texts(&script), [""; 0], "{name}: move the text to src/texts/en-US.ftl");
    }
    let script = "button.textContent = \"Go\";\nnotify(\"Try again.\");\nlet x = `Not saved yet`; it.append(\"li\", \".a .b\");";
    assert_eq!(script_texts(script), ["Go", "Try again.", "Not saved yet"]);
}
