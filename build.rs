//! Turns the American catalogue into the struct `Texts`: a field for each message without values, and a method for each
//! message with values. So the compiler finds unknown messages, missing values and messages that nothing shows.
//!
//! The comment above a message declares its values, one per line: `# $n (number)` or `# $title (text)`.

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement};
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

const SOURCE: &str = "src/texts/en-US.ftl";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let source = fs::read_to_string(SOURCE)?;
    let resource = fluent_syntax::parser::parse(source.as_str())
        .map_err(|(_, errors)| format!("{SOURCE} has errors: {errors:?}"))?;
    let mut code = Code::default();
    for entry in &resource.body {
        if let Entry::Message(message) = entry {
            code.add(message)?;
        }
    }
    let out = PathBuf::from(env::var("OUT_DIR")?).join("messages.rs");
    fs::write(out, code.finish())?;
    Ok(())
}

/// The parts of the generated file.
#[derive(Default)]
struct Code {
    fields: String,
    values: String,
    methods: String,
    scripts: String,
    ids: String,
}

impl Code {
    fn add(&mut self, message: &Message<&str>) -> Result<(), Box<dyn Error>> {
        let id = message.id.name;
        let pattern = message.value.as_ref().ok_or_else(|| format!("{SOURCE}: {id} has no text"))?;
        let comment: Vec<&str> =
            message.comment.iter().flat_map(|comment| &comment.content).copied().collect();
        let declared =
            declared(&comment).ok_or_else(|| format!("{SOURCE}: a value of {id} is no number or text"))?;
        let mut used = BTreeSet::new();
        variables(pattern, &mut used);
        if used != declared.iter().map(|(name, _)| *name).collect() {
            return Err(
                format!("{SOURCE}: the comment above {id} must name exactly its values {used:?}").into()
            );
        }
        let is_for_scripts = comment.contains(&"For scripts.");
        let allow = "#[allow(dead_code, reason = \"a script shows this message; a page may\")]";
        let allow = if is_for_scripts { allow } else { "" };
        let name = id.replace('-', "_");
        if is_for_scripts {
            write!(self.scripts, "\"{id}\",")?;
        }
        let kinds: Vec<String> =
            declared.iter().map(|(name, is_number)| format!("(\"{name}\", {is_number})")).collect();
        write!(self.ids, "(\"{id}\", &[{}]),", kinds.join(", "))?;
        if declared.is_empty() {
            writeln!(self.fields, "{allow} pub(crate) {name}: &'static str,")?;
            writeln!(self.values, "{name}: catalogue.text(\"{id}\"),")?;
            return Ok(());
        }
        let (mut parameters, mut values) = (String::new(), String::new());
        for (name, is_number) in &declared {
            let kind = if *is_number { "impl Number" } else { "&str" };
            write!(parameters, ", {name}: {kind}")?;
            let value = if *is_number { ".value()" } else { ".into()" };
            write!(values, "(\"{name}\", {name}{value}),")?;
        }
        writeln!(
            self.methods,
            "{allow} pub(crate) fn {name}(&self{parameters}) -> String {{ self.catalogue.format(\"{id}\", [{values}]) }}"
        )?;
        Ok(())
    }

    fn finish(&self) -> String {
        let Self { fields, values, methods, scripts, ids } = self;
        format!(
            "/// The texts of one language.\n\
             pub(crate) struct Texts {{ catalogue: &'static Catalogue, {fields} }}\n\
             impl Texts {{\n\
             fn load(catalogue: &'static Catalogue) -> Self {{ Self {{ catalogue, {values} }} }}\n\
             {methods}\n\
             }}\n\
             /// The messages that scripts show.\n\
             const FOR_SCRIPTS: &[&str] = &[{scripts}];\n\
             /// Every message with its values, and whether each value is a number.\n\
             #[cfg(test)]\n\
             const MESSAGES: &[(&str, &[(&str, bool)])] = &[{ids}];\n"
        )
    }
}

/// The values that a comment declares, and whether each is a number.
fn declared<'a>(comment: &[&'a str]) -> Option<Vec<(&'a str, bool)>> {
    let lines = comment.iter().filter_map(|line| line.strip_prefix('$'));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(' ')?;
            match rest.split_once(')')?.0 {
                "(number" => Some((name, true)),
                "(text" => Some((name, false)),
                _ => None,
            }
        })
        .collect()
}

fn variables<'a>(pattern: &Pattern<&'a str>, found: &mut BTreeSet<&'a str>) {
    for element in &pattern.elements {
        match element {
            PatternElement::Placeable { expression: Expression::Inline(inline) } => variable(inline, found),
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                variable(selector, found);
                variants.iter().for_each(|variant| variables(&variant.value, found));
            }
            PatternElement::TextElement { .. } => {}
        }
    }
}

fn variable<'a>(expression: &InlineExpression<&'a str>, found: &mut BTreeSet<&'a str>) {
    match expression {
        InlineExpression::VariableReference { id } => {
            found.insert(id.name);
        }
        InlineExpression::Placeable { expression } => {
            if let Expression::Inline(inline) = expression.as_ref() {
                variable(inline, found);
            }
        }
        _ => {}
    }
}
