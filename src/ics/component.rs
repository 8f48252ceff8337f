//! Content lines to components (RFC 5545, 3.6).

use super::{Flaw, FlawKind, Line};

/// A component with its properties and the components in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// In capitals.
    pub name: String,
    /// The line of its BEGIN.
    pub line: usize,
    /// In the order of the file.
    pub properties: Vec<Line>,
    /// In the order of the file.
    pub components: Vec<Component>,
}

/// Components within components; iCalendar needs three.
const MOST_DEPTH: usize = 8;

impl Component {
    /// The first property of that name (in capitals).
    pub fn property(&self, name: &str) -> Option<&Line> {
        self.properties.iter().find(|line| line.name == name)
    }

    /// Every property of that name.
    pub fn properties<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.properties.iter().filter(move |line| line.name == name)
    }

    /// The first property of that name as TEXT; empty where there is none.
    pub fn text(&self, name: &str) -> String {
        self.property(name).map(Line::text).unwrap_or_default()
    }

    /// Every component of that name (in capitals) directly in it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.components.iter().filter(move |component| component.name == name)
    }
}

pub(super) fn nest(lines: Vec<Line>, flaws: &mut Vec<Flaw>) -> Vec<Component> {
    let mut flaw = |line, kind| flaws.push(Flaw { line, kind });
    let mut roots = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    for line in lines {
        match line.name.as_str() {
            "BEGIN" => {
                if open.len() >= MOST_DEPTH {
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
                    Some(due) => {
                        let inside = open.iter().any(|component| component.name == name);
                        if due != name {
                            flaw(line.number, FlawKind::Mismatched(name.clone(), due));
                        }
                        // An END of an outer component closes those within; a stray one closes the innermost.
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
