//! 207 Multi-Status (RFC 4918, 13). A small response is rendered whole and has a length. A large one is rendered in
//! pieces while it is sent, and is never whole in memory.

use super::Tree;
use super::calendar::{Calendar, DavResource, Home};
use super::property::Wanted;
use super::refusal::NAMESPACES;
use crate::feed::RenderedEvent;
use crate::http::Body;
use crate::http::body::Stream;
use crate::release::Release;
use crate::xml::XmlWriter;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The bytes of one piece.
const PIECE_BYTES: usize = 64 * 1024;

/// One response within a Multi-Status.
#[derive(Debug)]
pub(super) enum ResponseItem {
    Root(&'static str, Tree, Arc<Release>),
    Home(Home),
    Calendar(Calendar),
    /// A member of the requested calendar.
    Object(Arc<RenderedEvent>),
    /// A missing or removed member.
    Gone(String),
    /// There are more results than the client's limit (RFC 6578, 3.6).
    More(String),
}

/// The rest of the response that is not sent yet.
pub(super) struct Multistatus {
    calendar: Option<Calendar>,
    wanted: Wanted,
    items: std::vec::IntoIter<ResponseItem>,
    token: Option<String>,
    /// None once the document is closed.
    xml: Option<XmlWriter>,
}

impl Multistatus {
    /// The response for items below a resource.
    pub(super) fn new(resource: DavResource, wanted: Wanted, items: Vec<ResponseItem>) -> Self {
        let calendar = match resource {
            DavResource::Root(..) | DavResource::Home(_) => None,
            DavResource::Calendar(calendar) | DavResource::Object(calendar, _) => Some(calendar),
        };
        let mut xml = XmlWriter::default();
        xml.open("D:multistatus", NAMESPACES);
        Self { calendar, wanted, items: items.into_iter(), token: None, xml: Some(xml) }
    }

    pub(super) fn with_token(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    pub(super) fn answer(mut self) -> Response<Body> {
        let first = self.piece().unwrap_or_default();
        let body = match self.xml {
            None => Body::from(first),
            Some(_) => Body::Stream(Box::pin(MultistatusStream { first: Some(first), rest: self })),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::MULTI_STATUS;
        let media_type = HeaderValue::from_static("application/xml; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }

    fn piece(&mut self) -> Option<Bytes> {
        let mut xml = self.xml.take()?;
        let mut out = Vec::with_capacity(PIECE_BYTES);
        while out.len() < PIECE_BYTES {
            let Some(item) = self.items.next() else {
                if let Some(token) = &self.token {
                    xml.leaf("D:sync-token", &[], token);
                }
                out.extend(xml.finish());
                return Some(out.into());
            };
            self.item(item, &mut xml);
            out.extend(xml.drain());
        }
        self.xml = Some(xml);
        Some(out.into())
    }

    fn item(&self, item: ResponseItem, xml: &mut XmlWriter) {
        let resource = match item {
            ResponseItem::Root(href, tree, release) => DavResource::Root(href, tree, release),
            ResponseItem::Home(home) => DavResource::Home(home),
            ResponseItem::Calendar(calendar) => DavResource::Calendar(calendar),
            ResponseItem::Object(event) => match &self.calendar {
                Some(calendar) => DavResource::Object(calendar.clone(), event),
                None => return,
            },
            ResponseItem::Gone(href) => return plain(&href, "HTTP/1.1 404 Not Found", None, xml),
            ResponseItem::More(href) => {
                let reason = Some("D:number-of-matches-within-limits");
                return plain(&href, "HTTP/1.1 507 Insufficient Storage", reason, xml);
            }
        };
        xml.open("D:response", &[]);
        xml.leaf("D:href", &[], &resource.href());
        self.wanted.write(&resource, xml);
        xml.close();
    }
}

fn plain(href: &str, status: &str, reason: Option<&str>, xml: &mut XmlWriter) {
    xml.open("D:response", &[]);
    xml.leaf("D:href", &[], href);
    xml.leaf("D:status", &[], status);
    if let Some(reason) = reason {
        xml.open("D:error", &[]);
        xml.empty(reason, &[]);
        xml.close();
    }
    xml.close();
}

struct MultistatusStream {
    first: Option<Bytes>,
    rest: Multistatus,
}

impl Stream for MultistatusStream {
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let first = self.first.take();
        Poll::Ready(first.or_else(|| self.rest.piece()))
    }
}
