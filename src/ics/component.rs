//! Nests content lines into components (RFC 5545, 3.6).

use super::flaw::{Flaw, FlawKind};
use super::line::Line;

/// A component with its properties and inner components.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// The component's name, in capitals.
    pub name: String,
    /// The line number of the component's BEGIN.
    pub line: usize,
    /// The properties, in the order of the file.
    pub properties: Vec<Line>,
    /// The inner components, in the order of the file.
    pub components: Vec<Component>,
}

/// The most levels of components. iCalendar needs three.
const MAX_DEPTH: usize = 8;

impl Component {
    /// The first property with a name (in capitals).
    pub fn property(&self, name: &str) -> Option<&Line> {
        self.properties.iter().find(|line| line.name == name)
    }

    /// Every property with a name (in capitals).
    pub fn properties<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.properties.iter().filter(move |line| line.name == name)
    }

    /// The first property with a name as TEXT; empty if there is none.
    pub fn text(&self, name: &str) -> String {
        self.property(name).map(Line::text).unwrap_or_default()
    }

    /// Every direct inner component with a name (in capitals).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.components.iter().filter(move |component| component.name == name)
    }
}

/// Nests the lines between BEGIN and END into components.
pub(super) fn nest(lines: Vec<Line>, flaws: &mut Vec<Flaw>) -> Vec<Component> {
    let mut flaw = |line, kind| flaws.push(Flaw { line, kind });
    let mut roots = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    for line in lines {
        match line.name.as_str() {
            "BEGIN" => {
                if open.len() >= MAX_DEPTH {
                    flaw(line.number, FlawKind::TooDeep);
                    return roots;
                }
                let name = line.value.trim().to_ascii_uppercase();
                open.push(Component { name, line: line.number, ..Component::default() });
            }
            "END" => {
                let name = line.value.trim().to_ascii_uppercase();
                match open.last().map(|component| component.name.clone()) {
                    None => flaw(line.number, FlawKind::Unopened(name)),
                    Some(expected) => {
                        let inside = open.iter().any(|component| component.name == name);
                        if expected != name {
                            flaw(line.number, FlawKind::Mismatched(name.clone(), expected));
                        }
                        // The END of an outer component also closes the inner components. A stray END closes the
                        // innermost component.
                        while let Some(component) = open.pop() {
                            let last = component.name == name || !inside;
                            close(component, &mut open, &mut roots);
                            if last {
                                break;
                            }
                        }
                    }
                }
            }
            _ => match open.last_mut() {
                Some(component) => component.properties.push(line),
                None => flaw(line.number, FlawKind::Outside(line.name)),
            },
        }
    }
    while let Some(component) = open.pop() {
        flaw(component.line, FlawKind::Unclosed(component.name.clone()));
        close(component, &mut open, &mut roots);
    }
    roots
}

fn close(component: Component, open: &mut [Component], roots: &mut Vec<Component>) {
    match open.last_mut() {
        Some(parent) => parent.components.push(component),
        None => roots.push(component),
    }
}
