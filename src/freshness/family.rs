//! Families of calendar clients, recognised by their user agents.

use serde::{Deserialize, Serialize};

macro_rules! families {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $display_name:literal, [$($mark:literal),*];)+) => {
        /// A family of clients.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Family { $($(#[$doc])* $name),+ }

        impl Family {
            /// The first family with a mark in the user agent, else [`Family::Other`].
            pub fn of(agent: &str) -> Self {
                let agent = agent.to_ascii_lowercase();
                let table: &[(Self, &[&str])] = &[$((Self::$name, &[$($mark),*])),+];
                let is = |marks: &[&str]| marks.iter().any(|mark| agent.contains(mark));
                table.iter().find(|(_, marks)| is(marks)).map_or(Self::Other, |(family, _)| *family)
            }

            /// The name on pages and in the API.
            pub fn display_name(self) -> &'static str {
                match self { $(Self::$name => $display_name),+ }
            }

            pub(super) fn code(self) -> u8 {
                match self { $(Self::$name => $code),+ }
            }

            pub(super) fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

families! {
    /// Google Calendar's importer.
    Google = 1, "Google Calendar", ["google-calendar", "googlebot-calendar"];
    /// Exchange, Outlook on the web and Outlook.
    Outlook = 2, "Outlook", ["microsoft.exchange", "outlook", "microsoft office", "msoffice"];
    /// Thunderbird.
    Thunderbird = 3, "Thunderbird", ["thunderbird", "lightning"];
    /// ICSx5 and DAVx5.
    Icsx5 = 4, "ICSx5", ["icsx5", "icsdroid", "davx5"];
    /// Calendar of macOS and iOS.
    Apple = 5, "Apple Calendar", ["dataaccessd", "calendaragent", "icalendar/", "ios/", "macos/", "mac os x/", "remindd", "calendar/"];
    /// Giggity.
    Giggity = 6, "Giggity", ["giggity"];
    /// vdirsyncer.
    Vdirsyncer = 7, "vdirsyncer", ["vdirsyncer"];
    /// Nextcloud.
    Nextcloud = 8, "Nextcloud", ["nextcloud"];
    /// A web browser.
    Browser = 9, "a browser", ["mozilla/"];
    /// Anything else.
    Other = 0, "another client", [];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_are_recognised() {
        for (agent, family) in [
            ("Google-Calendar-Importer", Family::Google),
            ("Microsoft.Exchange/15.20 (Microsoft.Exchange.Calendar.Sharing)", Family::Outlook),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0",
                Family::Thunderbird,
            ),
            ("ICSx5/2.2 (ical4j/4.0) Android/14", Family::Icsx5),
            ("iOS/17.4 (21E219) dataaccessd/1.0", Family::Apple),
            ("macOS/14.4 (23E214) CalendarAgent/988.5.2", Family::Apple),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120", Family::Browser),
            ("curl/8.5", Family::Other),
        ] {
            assert_eq!(Family::of(agent), family, "{agent}");
            assert_eq!(Family::from_code(family.code()), Some(family));
        }
    }
}
