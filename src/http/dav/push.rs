//! WebDAV-Push (a draft by bitfire, of May 2026): calendar programs subscribe to a calendar and are notified when it
//! changes.
//!
//! A POST of `push-register` to a calendar subscribes, and the same again renews. A DELETE of the address in its Location
//! ends the subscription. One rule of the draft is relaxed, because DAVx5 relies on it: a missing trigger means content
//! updates.

use super::calendar::DavResource;
use super::refusal::{PUSH, Refusal};
use super::report::{child, parse};
use super::{DavRequest, Tree};
use crate::config::Push;
use crate::http::agendas::{AgendaError, Device};
use crate::http::conditional::http_date;
use crate::http::reply::no_content;
use crate::http::{Body, Problem};
use crate::reach::{Endpoint, are_usable_keys};
use crate::store::FollowedCalendar;
use crate::xml::Element;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use http::header::{CONTENT_TYPE, EXPIRES, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response};

/// How long a subscription lasts if the program asks for no time. DAVx5 asks for 3 days.
const DEFAULT_LIFETIME: TimeDelta = TimeDelta::days(3);

/// The shortest and the longest time that a program gets.
const MIN_LIFETIME: TimeDelta = TimeDelta::hours(1);
const MAX_LIFETIME: TimeDelta = TimeDelta::days(7);

/// The most characters of a program's name.
const MAX_NAME: usize = 40;

/// The media type of the body. Browsers send no form of another site with it.
const XML: &str = "application/xml";

impl DavRequest<'_> {
    /// The public key that signs push messages; none if they are off.
    pub(super) fn push_key(&self) -> Option<String> {
        self.publisher.push()?;
        Some(self.publisher.push_key().ok()??.public())
    }

    /// Subscribes a calendar program to a calendar. Any other POST is a write.
    pub(super) async fn post(self, resource: DavResource) -> Result<Response<Body>, Problem> {
        let is_xml = is_xml(&self.request.headers);
        let root = if is_xml { Some(parse(&self.body)?) } else { None };
        let Some(root) = root.filter(|root| root.is(PUSH, "push-register")) else {
            return Err(Refusal::NeedPrivileges(resource.href()).into());
        };
        let tree = resource.tree();
        let DavResource::Calendar(calendar) = resource else {
            return Err(unavailable("Subscribe to a calendar, not to a collection or session."));
        };
        let (Some(push), Some(_)) = (self.publisher.push(), self.push_key()) else {
            return Err(unavailable("This server sends no push messages."));
        };
        if !wants_content(&root) {
            let reason = "Only content updates are sent. Ask for the trigger content-update.";
            return Err(Refusal::Push("P:no-supported-trigger", reason.to_owned()).into());
        }
        let device = device(&root, &push, name_of(&self.request.headers))
            .map_err(|reason| Refusal::Push("P:invalid-subscription", reason))?;
        let expires = expires(&root, self.now);
        let followed = FollowedCalendar { source: calendar.source(), topic: calendar.topic(), expires };
        let id = self.agendas.follow(device, followed, || self.allowed.calendar()).await;
        let id = id.map_err(|problem| match problem {
            Problem::Agenda(AgendaError::TooManyDevices) => {
                unavailable("Too many calendar programs subscribe already. The calendar can still be polled.")
            }
            Problem::Agenda(AgendaError::NoSuchDevice) => unavailable("This agenda is no longer shared."),
            other => other,
        })?;
        let location =
            self.release.program.conference.link(&format!("{}subscriptions/{id}", plain(tree).home()));
        let mut response = no_content();
        let headers = response.headers_mut();
        headers.insert(EXPIRES, http_date(expires));
        if let Ok(location) = HeaderValue::try_from(location) {
            headers.insert(LOCATION, location);
        }
        Ok(response)
    }

    /// Ends the subscription of a calendar program.
    pub(super) async fn unsubscribe(self, tree: Tree, id: &str) -> Result<Response<Body>, Problem> {
        let token = if tree.is_agenda { Some(self.open(tree)?.1) } else { None };
        match self.agendas.unfollow(token.as_ref(), id).await {
            Ok(()) => Ok(no_content()),
            Err(AgendaError::NoSuchDevice) => Err(Problem::NotFound),
            Err(error) => Err(error.into()),
        }
    }
}

/// The tree below which subscriptions to calendars of a tree have their addresses.
fn plain(tree: Tree) -> Tree {
    if tree.is_agenda { Tree::AGENDAS } else { Tree::PUBLIC }
}

fn unavailable(reason: &str) -> Problem {
    Refusal::Push("P:push-not-available", reason.to_owned()).into()
}

fn is_xml(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    [XML, "text/xml"].iter().any(|xml| essence.eq_ignore_ascii_case(xml))
}

/// The name of a calendar program, such as `DAVx5`; empty if it does not say.
fn name_of(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = agent.split(['/', ' ', '(']).next().unwrap_or_default();
    name.chars().take(MAX_NAME).collect()
}

/// Whether the program wants to know when sessions change. A depth that no calendar has counts as the only one that they
/// have.
fn wants_content(root: &Element) -> bool {
    child(root, PUSH, "trigger").is_none_or(|trigger| child(trigger, PUSH, "content-update").is_some())
}

/// When a subscription ends that is made now. A date that cannot be read counts as none.
fn expires(root: &Element, now: DateTime<Utc>) -> DateTime<Utc> {
    let asked = child(root, PUSH, "expires").map(|asked| asked.text.trim());
    let asked = asked.and_then(|asked| httpdate::parse_http_date(asked).ok()).map(DateTime::<Utc>::from);
    asked.map_or(now + DEFAULT_LIFETIME, |asked| asked.clamp(now + MIN_LIFETIME, now + MAX_LIFETIME))
}

/// The device of a `push-register`. The error is a text for people.
fn device(root: &Element, push: &Push, label: String) -> Result<Device, String> {
    let subscription = child(root, PUSH, "subscription")
        .and_then(|subscription| child(subscription, PUSH, "web-push-subscription"))
        .ok_or("The subscription needs a web-push-subscription.")?;
    let text = |name: &str| child(subscription, PUSH, name).map(|found| found.text.trim());
    let endpoint = Endpoint::parse(text("push-resource").unwrap_or_default(), &push.allow_networks)
        .map_err(|error| format!("push-resource: {error}."))?;
    if text("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("aes128gcm")) {
        return Err("content-encoding: write aes128gcm.".to_owned());
    }
    let key = child(subscription, PUSH, "subscription-public-key");
    if key.and_then(|key| key.attribute("type")).is_some_and(|kind| kind != "p256dh") {
        return Err("subscription-public-key: its type must be p256dh.".to_owned());
    }
    let decoded = |text: &str| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok();
    let keys = text("subscription-public-key").and_then(decoded).zip(text("auth-secret").and_then(decoded));
    let (p256dh, auth) = keys.filter(|(p256dh, auth)| are_usable_keys(p256dh, auth)).ok_or(
        "Write subscription-public-key and auth-secret as the push service gives them, in base64url.",
    )?;
    Ok(Device { endpoint, p256dh, auth, label, reminders: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_by_its_product() {
        for (agent, name) in [
            ("DAVx5/4.5.3-ose (2026-08-04; dav4jvm; okhttp/5.1.0) Android/16", "DAVx5"),
            ("My Calendar", "My"),
            ("", ""),
        ] {
            let headers = [(USER_AGENT, HeaderValue::from_static(agent))].into_iter().collect();
            assert_eq!(name_of(&headers), name);
        }
    }

    #[test]
    fn a_program_gets_the_time_that_it_asks_for_within_bounds() {
        let now = DateTime::from_timestamp(1_742_900_000, 0).unwrap();
        let asked = |text: &str| {
            let body = format!("<push-register xmlns='{PUSH}'>{text}</push-register>");
            expires(&parse(body.as_bytes()).unwrap(), now) - now
        };
        let date = |days: i64| {
            let at = http_date(now + TimeDelta::days(days));
            asked(&format!("<expires> {} </expires>", at.to_str().unwrap()))
        };
        assert_eq!([date(3), date(5), date(400)], [3, 5, 7].map(TimeDelta::days));
        assert_eq!(date(-9), MIN_LIFETIME);
        assert_eq!([asked(""), asked("<expires>soon</expires>")], [DEFAULT_LIFETIME, DEFAULT_LIFETIME]);
    }
}
