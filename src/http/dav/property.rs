//! WebDAV properties: their names, the values of each resource, and the properties that a request names.

use super::calendar::DavResource;
use super::refusal::{APPLE, CALDAV, CALENDAR_SERVER, DAV, PUSH};
use crate::http::Problem;
use crate::http::conditional::http_date;
use crate::xml::{Element, XmlWriter};

/// The most properties that a request may name, and the longest name in bytes: the response repeats each name for
/// every resource.
const MAX_PROPERTIES: usize = 100;
const MAX_NAME_BYTES: usize = 256;

macro_rules! properties {
    ($($name:ident = $namespace:ident, $prefix:literal, $local:literal;)+) => {
        /// A known property.
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
    Transports = PUSH, "P", "transports";
    Topic = PUSH, "P", "topic";
    Triggers = PUSH, "P", "supported-triggers";
    Colour = APPLE, "A", "calendar-color";
}

/// The properties of allprop (RFC 4918, 9.1): those that RFC 4918 defines, none of which is costly.
const ALLPROP: &[Property] = &[
    Property::ResourceType,
    Property::DisplayName,
    Property::ETag,
    Property::ContentType,
    Property::ContentLength,
    Property::LastModified,
];

/// A property's value.
enum PropertyValue {
    Text(String),
    Href(String),
    /// Nested elements, each path from the outermost to an empty one.
    Paths(&'static [&'static [&'static str]]),
    /// An empty element with attributes.
    Bare(&'static str, &'static [(&'static str, &'static str)]),
    /// An element with attributes and text within another.
    Inner(&'static str, &'static str, &'static [(&'static str, &'static str)], String),
    /// Elements with text.
    Leaves(&'static str, &'static [&'static str]),
}

impl Property {
    /// The property's value. `push_key` is the public key that signs push messages; none if they are off.
    fn value(self, resource: &DavResource, push_key: Option<&str>) -> Option<PropertyValue> {
        use Property as P;
        let home = resource.tree().home();
        Some(match (self, resource) {
            (P::ResourceType, DavResource::Root(..)) => PropertyValue::Paths(&[&["D:collection"]]),
            (P::ResourceType, DavResource::Home(_)) => {
                PropertyValue::Paths(&[&["D:collection"], &["D:principal"]])
            }
            (P::ResourceType, DavResource::Calendar(_)) => {
                PropertyValue::Paths(&[&["D:collection"], &["C:calendar"]])
            }
            (P::ResourceType, DavResource::Object(..)) => PropertyValue::Paths(&[]),
            (P::CurrentUserPrincipal | P::Owner, _)
            | (P::PrincipalUrl | P::HomeSet, DavResource::Root(..) | DavResource::Home(_)) => {
                PropertyValue::Href(home.to_owned())
            }
            // The read privilege includes read-free-busy (RFC 4791, 6.1.1).
            (P::PrivilegeSet, _) => PropertyValue::Paths(&[
                &["D:privilege", "D:read"],
                &["D:privilege", "D:read-current-user-privilege-set"],
                &["D:privilege", "C:read-free-busy"],
            ]),
            (P::ReportSet, DavResource::Calendar(_)) => PropertyValue::Paths(&[
                &["D:supported-report", "D:report", "D:sync-collection"],
                &["D:supported-report", "D:report", "C:calendar-multiget"],
                &["D:supported-report", "D:report", "C:calendar-query"],
                &["D:supported-report", "D:report", "C:free-busy-query"],
            ]),
            (P::ReportSet, _) => PropertyValue::Paths(&[]),
            (P::DisplayName, DavResource::Root(_, _, release)) => {
                PropertyValue::Text(release.program.conference.title.to_string())
            }
            (P::DisplayName, DavResource::Home(home)) => PropertyValue::Text(home.title().to_string()),
            (P::DisplayName, DavResource::Calendar(calendar)) => {
                PropertyValue::Text(calendar.title.to_string())
            }
            (P::Description, DavResource::Calendar(calendar)) => PropertyValue::Text(calendar.about()),
            (P::TimeZone, DavResource::Calendar(calendar)) => {
                PropertyValue::Text(calendar.release.feeds.timezone()?)
            }
            (P::ComponentSet, DavResource::Calendar(_)) => {
                PropertyValue::Bare("C:comp", &[("name", "VEVENT")])
            }
            (P::DataSet, DavResource::Calendar(_)) => PropertyValue::Bare(
                "C:calendar-data",
                &[("content-type", "text/calendar"), ("version", "2.0")],
            ),
            (P::CollationSet, DavResource::Calendar(_)) => {
                PropertyValue::Leaves("C:supported-collation", super::filter::COLLATIONS)
            }
            (P::SyncToken, DavResource::Calendar(calendar)) => PropertyValue::Text(calendar.token()),
            (P::CTag, DavResource::Calendar(calendar)) => PropertyValue::Text(calendar.tag()),
            (P::Transports, DavResource::Calendar(_)) => PropertyValue::Inner(
                "P:web-push",
                "P:vapid-public-key",
                &[("type", "p256ecdsa")],
                push_key?.to_owned(),
            ),
            (P::Topic, DavResource::Calendar(calendar)) => {
                push_key?;
                PropertyValue::Text(calendar.topic())
            }
            (P::Triggers, DavResource::Calendar(_)) => {
                push_key?;
                PropertyValue::Inner("P:content-update", "D:depth", &[], "1".to_owned())
            }
            // Apple's colours have an alpha channel.
            (P::Colour, DavResource::Calendar(calendar)) => {
                PropertyValue::Text(format!("{}FF", calendar.colour().to_uppercase()))
            }
            (P::ETag, DavResource::Object(calendar, event)) => {
                PropertyValue::Text(format!("\"{}\"", calendar.object(event).hash()))
            }
            (P::ContentType, DavResource::Object(..)) => PropertyValue::Text(super::CALENDAR.to_owned()),
            (P::ContentLength, DavResource::Object(calendar, event)) => {
                PropertyValue::Text(calendar.object(event).length().to_string())
            }
            (P::LastModified, DavResource::Object(calendar, event)) => PropertyValue::Text(
                http_date(calendar.object(event).modified()).to_str().unwrap_or_default().to_owned(),
            ),
            (P::CalendarData, DavResource::Object(calendar, event)) => {
                PropertyValue::Text(String::from_utf8_lossy(&calendar.object(event).bytes()).into_owned())
            }
            _ => return None,
        })
    }

    fn write(self, value: &PropertyValue, xml: &mut XmlWriter) {
        let name = self.qualified();
        match value {
            PropertyValue::Text(text) => xml.leaf(name, &[], text),
            PropertyValue::Href(href) => {
                xml.open(name, &[]);
                xml.leaf("D:href", &[], href);
                xml.close();
            }
            PropertyValue::Paths([]) => xml.empty(name, &[]),
            PropertyValue::Paths(paths) => {
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
            PropertyValue::Bare(element, attributes) => {
                xml.open(name, &[]);
                xml.empty(element, attributes);
                xml.close();
            }
            PropertyValue::Inner(outer, element, attributes, text) => {
                xml.open(name, &[]);
                xml.open(outer, &[]);
                xml.leaf(element, attributes, text);
                xml.close();
                xml.close();
            }
            PropertyValue::Leaves(element, texts) => {
                xml.open(name, &[]);
                texts.iter().for_each(|text| xml.leaf(element, &[], text));
                xml.close();
            }
        }
    }
}

/// A property that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NamedProperty {
    Known(Property),
    Unknown { namespace: String, name: String },
}

/// The properties that a request wants of each resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    named: Vec<NamedProperty>,
    /// Only the names, without values.
    names_only: bool,
    /// Whether missing properties are left out of the response.
    quiet: bool,
    /// The public key that signs push messages; none if they are off.
    push_key: Option<String>,
}

impl Wanted {
    pub(super) fn all() -> Self {
        let named = ALLPROP.iter().copied().map(NamedProperty::Known).collect();
        Self { named, names_only: false, quiet: true, push_key: None }
    }

    pub(super) fn names() -> Self {
        let listed = Property::ALL.iter().filter(|property| **property != Property::CalendarData);
        Self { named: listed.copied().map(NamedProperty::Known).collect(), names_only: true, ..Self::all() }
    }

    /// The properties in a DAV:prop or DAV:include. Only reports may include calendar data.
    pub(super) fn listed(prop: &Element, with_data: bool) -> Result<Self, Problem> {
        let mut wanted = Self { named: Vec::new(), quiet: false, ..Self::all() };
        wanted.include(prop, with_data)?;
        Ok(wanted)
    }

    pub(super) fn include(&mut self, prop: &Element, with_data: bool) -> Result<(), Problem> {
        for element in &prop.children {
            let known = Property::of(&element.namespace, &element.name);
            let named = match known.filter(|known| with_data || *known != Property::CalendarData) {
                Some(property) => NamedProperty::Known(property),
                None => NamedProperty::Unknown {
                    namespace: sound_namespace(&element.namespace)?,
                    name: sound_name(&element.name)?,
                },
            };
            if !self.named.contains(&named) {
                self.named.push(named);
            }
            if self.named.len() > MAX_PROPERTIES {
                return Err(Problem::BadBody(format!(
                    "a request may name at most {MAX_PROPERTIES} properties"
                )));
            }
        }
        Ok(())
    }

    /// Sets the key that `read` finds, if one of the properties of WebDAV-Push is wanted.
    pub(super) fn with_push_key(self, read: impl FnOnce() -> Option<String>) -> Self {
        const PUSHED: [Property; 3] = [Property::Transports, Property::Topic, Property::Triggers];
        let is_wanted = PUSHED.iter().any(|known| self.named.contains(&NamedProperty::Known(*known)));
        Self { push_key: if is_wanted { read() } else { None }, ..self }
    }

    /// Leaves out missing properties (RFC 8144, 2.1).
    pub(super) fn minimal(&mut self) {
        self.quiet = true;
    }

    /// Writes the propstats of a resource: first of its properties, then of missing ones.
    pub(super) fn write(&self, resource: &DavResource, xml: &mut XmlWriter) {
        let found: Vec<(&NamedProperty, Option<(Property, PropertyValue)>)> = self
            .named
            .iter()
            .map(|named| match named {
                NamedProperty::Known(property) => (
                    named,
                    property.value(resource, self.push_key.as_deref()).map(|value| (*property, value)),
                ),
                NamedProperty::Unknown { .. } => (named, None),
            })
            .collect();
        let missing = || found.iter().filter(|(_, value)| value.is_none()).map(|(named, _)| *named);
        let tells_missing = !self.quiet && missing().next().is_some();
        let has_some = found.iter().any(|(_, value)| value.is_some());
        // A response needs at least one propstat.
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
            for named in missing() {
                match named {
                    NamedProperty::Known(property) => xml.empty(property.qualified(), &[]),
                    NamedProperty::Unknown { namespace, name } => xml.empty(name, &[("xmlns", namespace)]),
                }
            }
            xml.close();
            xml.leaf("D:status", &[], "HTTP/1.1 404 Not Found");
            xml.close();
        }
    }
}

/// Checks a name before it is written back: the reader accepts names that are not valid in XML.
fn sound_name(name: &str) -> Result<String, Problem> {
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let is_sound = starts && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    match is_sound && name.len() <= MAX_NAME_BYTES {
        true => Ok(name.to_owned()),
        false => Err(Problem::BadBody("a property has an invalid name".to_owned())),
    }
}

/// Checks a namespace: XML reserves two that cannot be declared.
fn sound_namespace(namespace: &str) -> Result<String, Problem> {
    let is_reserved = namespace.starts_with("http://www.w3.org/XML/1998/namespace")
        || namespace.starts_with("http://www.w3.org/2000/xmlns/");
    match namespace.len() <= MAX_NAME_BYTES && !is_reserved {
        true => Ok(namespace.to_owned()),
        false => Err(Problem::BadBody("a property's namespace cannot be used".to_owned())),
    }
}
