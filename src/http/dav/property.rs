//! The properties: which ones there are, which resource has which, and what is asked for.

use super::calendar::Resource;
use crate::http::Problem;
use crate::http::conditional::http_date;
use crate::xml::{Element, Writer};

pub(super) const DAV: &str = "DAV:";
pub(super) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
pub(super) const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";
pub(super) const APPLE: &str = "http://apple.com/ns/ical/";

/// Properties that a request may name, and how long a name may be: each comes back once for every resource.
const MOST: usize = 100;
const LONGEST: usize = 256;

macro_rules! properties {
    ($($name:ident = $namespace:ident, $prefix:literal, $local:literal;)+) => {
        /// A property that some resource has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Property { $($name),+ }

        impl Property {
            const ALL: &[Self] = &[$(Self::$name),+];

            fn of(namespace: &str, local: &str) -> Option<Self> {
                $(if namespace == $namespace && local == $local { return Some(Self::$name); })+
                None
            }

            fn qualified(self) -> &'static str {
                match self { $(Self::$name => concat!($prefix, ":", $local)),+ }
            }
        }
    };
}

properties! {
    ResourceType = DAV, "D", "resourcetype";
    DisplayName = DAV, "D", "displayname";
    ETag = DAV, "D", "getetag";
    ContentType = DAV, "D", "getcontenttype";
    ContentLength = DAV, "D", "getcontentlength";
    LastModified = DAV, "D", "getlastmodified";
    CurrentUserPrincipal = DAV, "D", "current-user-principal";
    PrincipalUrl = DAV, "D", "principal-URL";
    Owner = DAV, "D", "owner";
    PrivilegeSet = DAV, "D", "current-user-privilege-set";
    ReportSet = DAV, "D", "supported-report-set";
    SyncToken = DAV, "D", "sync-token";
    HomeSet = CALDAV, "C", "calendar-home-set";
    Description = CALDAV, "C", "calendar-description";
    TimeZone = CALDAV, "C", "calendar-timezone";
    ComponentSet = CALDAV, "C", "supported-calendar-component-set";
    DataSet = CALDAV, "C", "supported-calendar-data";
    CollationSet = CALDAV, "C", "supported-collation-set";
    CalendarData = CALDAV, "C", "calendar-data";
    CTag = CALENDAR_SERVER, "CS", "getctag";
    Colour = APPLE, "A", "calendar-color";
}

/// What allprop means (RFC 4918, 9.1): the properties of that standard, none that is costly to make.
const ALLPROP: &[Property] = &[
    Property::ResourceType,
    Property::DisplayName,
    Property::ETag,
    Property::ContentType,
    Property::ContentLength,
    Property::LastModified,
];

/// A property's value.
enum Value {
    Text(String),
    Href(String),
    /// Elements within elements, each path from the outermost to an empty one.
    Paths(&'static [&'static [&'static str]]),
    /// An empty element with attributes.
    Bare(&'static str, &'static [(&'static str, &'static str)]),
    /// Elements with a text each.
    Leaves(&'static str, &'static [&'static str]),
}

impl Property {
    fn value(self, resource: &Resource) -> Option<Value> {
        use Property as P;
        let home = resource.tree().home();
        Some(match (self, resource) {
            (P::ResourceType, Resource::Root(..)) => Value::Paths(&[&["D:collection"]]),
            (P::ResourceType, Resource::Home(_)) => Value::Paths(&[&["D:collection"], &["D:principal"]]),
            (P::ResourceType, Resource::Calendar(_)) => Value::Paths(&[&["D:collection"], &["C:calendar"]]),
            (P::ResourceType, Resource::Object(..)) => Value::Paths(&[]),
            (P::CurrentUserPrincipal | P::Owner, _)
            | (P::PrincipalUrl | P::HomeSet, Resource::Root(..) | Resource::Home(_)) => {
                Value::Href(home.to_owned())
            }
            // Reading free and busy times comes with reading (RFC 4791, 6.1.1).
            (P::PrivilegeSet, _) => Value::Paths(&[
                &["D:privilege", "D:read"],
                &["D:privilege", "D:read-current-user-privilege-set"],
                &["D:privilege", "C:read-free-busy"],
            ]),
            (P::ReportSet, Resource::Calendar(_)) => Value::Paths(&[
                &["D:supported-report", "D:report", "D:sync-collection"],
                &["D:supported-report", "D:report", "C:calendar-multiget"],
                &["D:supported-report", "D:report", "C:calendar-query"],
                &["D:supported-report", "D:report", "C:free-busy-query"],
            ]),
            (P::ReportSet, _) => Value::Paths(&[]),
            (P::DisplayName, Resource::Root(_, _, release)) => {
                Value::Text(release.program.conference.title.to_string())
            }
            (P::DisplayName, Resource::Home(home)) => Value::Text(home.title().to_string()),
            (P::DisplayName, Resource::Calendar(calendar)) => Value::Text(calendar.title.to_string()),
            (P::Description, Resource::Calendar(calendar)) => Value::Text(calendar.about()),
            (P::TimeZone, Resource::Calendar(calendar)) => Value::Text(calendar.release.feeds.timezone()?),
            (P::ComponentSet, Resource::Calendar(_)) => Value::Bare("C:comp", &[("name", "VEVENT")]),
            (P::DataSet, Resource::Calendar(_)) => {
                Value::Bare("C:calendar-data", &[("content-type", "text/calendar"), ("version", "2.0")])
            }
            (P::CollationSet, Resource::Calendar(_)) => {
                Value::Leaves("C:supported-collation", super::matching::COLLATIONS)
            }
            (P::SyncToken, Resource::Calendar(calendar)) => Value::Text(calendar.token()),
            (P::CTag, Resource::Calendar(calendar)) => Value::Text(calendar.tag()),
            // Apple's form has an alpha channel.
            (P::Colour, Resource::Calendar(calendar)) => {
                Value::Text(format!("{}FF", calendar.colour().to_uppercase()))
            }
            (P::ETag, Resource::Object(calendar, event)) => {
                Value::Text(format!("\"{}\"", calendar.object(event).hash()))
            }
            (P::ContentType, Resource::Object(..)) => Value::Text(super::CALENDAR.to_owned()),
            (P::ContentLength, Resource::Object(calendar, event)) => {
                Value::Text(calendar.object(event).length().to_string())
            }
            (P::LastModified, Resource::Object(calendar, event)) => Value::Text(
                http_date(calendar.object(event).modified()).to_str().unwrap_or_default().to_owned(),
            ),
            (P::CalendarData, Resource::Object(calendar, event)) => {
                Value::Text(String::from_utf8_lossy(&calendar.object(event).bytes()).into_owned())
            }
            _ => return None,
        })
    }

    fn write(self, value: &Value, xml: &mut Writer) {
        let name = self.qualified();
        match value {
            Value::Text(text) => xml.leaf(name, &[], text),
            Value::Href(href) => {
                xml.open(name, &[]);
                xml.leaf("D:href", &[], href);
                xml.close();
            }
            Value::Paths([]) => xml.empty(name, &[]),
            Value::Paths(paths) => {
                xml.open(name, &[]);
                for path in *paths {
                    if let Some((last, outer)) = path.split_last() {
                        outer.iter().for_each(|element| xml.open(element, &[]));
                        xml.empty(last, &[]);
                        outer.iter().for_each(|_| xml.close());
                    }
                }
                xml.close();
            }
            Value::Bare(element, attributes) => {
                xml.open(name, &[]);
                xml.empty(element, attributes);
                xml.close();
            }
            Value::Leaves(element, texts) => {
                xml.open(name, &[]);
                texts.iter().for_each(|text| xml.leaf(element, &[], text));
                xml.close();
            }
        }
    }
}

/// A property as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Known(Property),
    Unknown { namespace: String, name: String },
}

/// What is asked for of each resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    asked: Vec<Asked>,
    /// Names without values.
    names_only: bool,
    /// Whether what is not there is passed over in silence.
    quiet: bool,
}

impl Wanted {
    pub(super) fn all() -> Self {
        let asked = ALLPROP.iter().copied().map(Asked::Known).collect();
        Self { asked, names_only: false, quiet: true }
    }

    pub(super) fn names() -> Self {
        let listed = Property::ALL.iter().filter(|property| **property != Property::CalendarData);
        Self { asked: listed.copied().map(Asked::Known).collect(), names_only: true, quiet: true }
    }

    /// The properties in a DAV:prop or DAV:include. Sessions themselves are given in reports only.
    pub(super) fn listed(prop: &Element, with_data: bool) -> Result<Self, Problem> {
        let mut wanted = Self { asked: Vec::new(), names_only: false, quiet: false };
        wanted.include(prop, with_data)?;
        Ok(wanted)
    }

    pub(super) fn include(&mut self, prop: &Element, with_data: bool) -> Result<(), Problem> {
        for element in &prop.children {
            let known = Property::of(&element.namespace, &element.name);
            let asked = match known.filter(|known| with_data || *known != Property::CalendarData) {
                Some(property) => Asked::Known(property),
                None => Asked::Unknown {
                    namespace: sound_namespace(&element.namespace)?,
                    name: sound_name(&element.name)?,
                },
            };
            if !self.asked.contains(&asked) {
                self.asked.push(asked);
            }
            if self.asked.len() > MOST {
                return Err(Problem::BadBody(format!("at most {MOST} properties can be asked for")));
            }
        }
        Ok(())
    }

    /// Leaves out what is not there (RFC 8144, 2.1).
    pub(super) fn minimal(&mut self) {
        self.quiet = true;
    }

    /// The propstats of a resource: what it has, then what it has not.
    pub(super) fn write(&self, resource: &Resource, xml: &mut Writer) {
        let found: Vec<(&Asked, Option<(Property, Value)>)> = self
            .asked
            .iter()
            .map(|asked| match asked {
                Asked::Known(property) => (asked, property.value(resource).map(|value| (*property, value))),
                Asked::Unknown { .. } => (asked, None),
            })
            .collect();
        let missing = || found.iter().filter(|(_, value)| value.is_none()).map(|(asked, _)| *asked);
        let tells_missing = !self.quiet && missing().next().is_some();
        let has_some = found.iter().any(|(_, value)| value.is_some());
        // A response has one propstat at least.
        if has_some || !tells_missing {
            xml.open("D:propstat", &[]);
            xml.open("D:prop", &[]);
            for (property, value) in found.iter().filter_map(|(_, value)| value.as_ref()) {
                match self.names_only {
                    true => xml.empty(property.qualified(), &[]),
                    false => property.write(value, xml),
                }
            }
            xml.close();
            xml.leaf("D:status", &[], "HTTP/1.1 200 OK");
            xml.close();
        }
        if tells_missing {
            xml.open("D:propstat", &[]);
            xml.open("D:prop", &[]);
            for asked in missing() {
                match asked {
                    Asked::Known(property) => xml.empty(property.qualified(), &[]),
                    Asked::Unknown { namespace, name } => xml.empty(name, &[("xmlns", namespace)]),
                }
            }
            xml.close();
            xml.leaf("D:status", &[], "HTTP/1.1 404 Not Found");
            xml.close();
        }
    }
}

/// The reader takes names that XML does not; one that comes back must be one.
fn sound_name(name: &str) -> Result<String, Problem> {
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let is_sound = starts && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    match is_sound && name.len() <= LONGEST {
        true => Ok(name.to_owned()),
        false => Err(Problem::BadBody("a property's name is no name".to_owned())),
    }
}

/// The two namespaces that XML keeps for itself cannot be declared again.
fn sound_namespace(namespace: &str) -> Result<String, Problem> {
    let is_reserved = namespace.starts_with("http://www.w3.org/XML/1998/namespace")
        || namespace.starts_with("http://www.w3.org/2000/xmlns/");
    match namespace.len() <= LONGEST && !is_reserved {
        true => Ok(namespace.to_owned()),
        false => Err(Problem::BadBody("a property's namespace cannot be used".to_owned())),
    }
}
