//! The devices that are notified of changes, on the agenda page: this browser subscribes by script, the others can be
//! removed without one.

use super::PageRequest;
use super::visitor::done;
use crate::http::agendas::AgendaError;
use crate::http::api::DeviceFields;
use crate::http::reply::json;
use crate::http::{Body, Problem};
use crate::web::AgendaDone;
use http::header::USER_AGENT;
use http::{Response, StatusCode};

/// The marks of browsers in `User-Agent`. Most browsers also carry the marks below their own.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
];

impl PageRequest<'_> {
    /// Subscribes this browser to messages.
    pub(in crate::http) async fn add_device(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let owned = self.own_for_change()?;
        let agent = self.request.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let fields = DeviceFields {
            endpoint: form.one("endpoint"),
            p256dh: form.one("p256dh"),
            auth: form.one("auth"),
            label: &device_name(agent.unwrap_or_default()),
            reminders: match form.one("reminders") {
                "" => None,
                choice => Some(choice == "yes"),
            },
        };
        let (device, _) =
            self.agendas.subscribe(&owned, fields.check(self.publisher)?, form.one("replaces")).await?;
        self.publisher.check_reminders();
        Ok(json(StatusCode::OK, &serde_json::json!({ "id": device.id })))
    }

    /// Ends the subscription of a device or mailbox. A repetition changes nothing.
    pub(in crate::http) async fn remove_device(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let owned = self.own_for_change()?;
        let (id, removed) = match form.one("mailbox") {
            "" => (form.one("device"), AgendaDone::DeviceRemoved),
            mailbox => (mailbox, AgendaDone::MailRemoved),
        };
        match self.agendas.unsubscribe(&owned, id).await {
            Ok(()) | Err(AgendaError::NoSuchDevice) => done(removed),
            Err(error) => Err(error.into()),
        }
    }
}

/// The name of a device, such as `Firefox, Android`; empty if the browser does not say. Names are the same in every
/// language.
fn device_name(agent: &str) -> String {
    let find = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let parts: Vec<&str> = [find(&BROWSERS), find(&SYSTEMS)].into_iter().flatten().collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_its_browser_and_system() {
        for (agent, name) in [
            ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox, Android"),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome, Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0.0.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari, iPhone",
            ),
            ("curl/8", ""),
        ] {
            assert_eq!(device_name(agent), name);
        }
    }
}
