//! The baseline of the benchmark: hyper 1 and nothing else, with the bodies in memory.
//!
//! `bench-bare ADDRESS:PORT MANIFEST`; each line of the manifest is a path, an entity tag, a content coding
//! (or `-`), a media type and a file, tab-separated. A request whose If-None-Match is that tag gets a 304.
//! The server has no routes, conditions, limits or logs, so its cost is that of hyper and the kernel.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

struct Answer {
    tag: HeaderValue,
    coding: Option<HeaderValue>,
    media_type: HeaderValue,
    body: Bytes,
}

type Answers = HashMap<String, Answer>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(manifest)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bench-bare ADDRESS:PORT MANIFEST".into());
    };
    let answers = Arc::new(read(&manifest)?);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(&address, answers))
}

fn read(manifest: &str) -> Result<Answers, Box<dyn Error>> {
    let mut answers = HashMap::new();
    for line in std::fs::read_to_string(manifest)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, tag, coding, media_type, file] = fields.as_slice() else {
            return Err(format!("a line of the manifest has five fields: {line}").into());
        };
        let answer = Answer {
            tag: HeaderValue::from_str(tag)?,
            coding: if *coding == "-" { None } else { Some(HeaderValue::from_str(coding)?) },
            media_type: HeaderValue::from_str(media_type)?,
            body: std::fs::read(file)?.into(),
        };
        answers.insert((*path).to_owned(), answer);
    }
    Ok(answers)
}

async fn serve(address: &str, answers: Arc<Answers>) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let answers = Arc::clone(&answers);
        let answer = service_fn(move |request: Request<Incoming>| {
            let response = respond(&request, &answers);
            async move { Ok::<_, Infallible>(response) }
        });
        // The timer is hyper's only protection against silent connections, so the baseline has one.
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(60))
            .serve_connection(TokioIo::new(socket), answer);
        tokio::spawn(connection);
    }
}

fn respond(request: &Request<Incoming>, answers: &Answers) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let Some(answer) = answers.get(request.uri().path()) else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    response.headers_mut().insert(ETAG, answer.tag.clone());
    if request.headers().get(IF_NONE_MATCH) == Some(&answer.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    response.headers_mut().insert(CONTENT_TYPE, answer.media_type.clone());
    if let Some(coding) = &answer.coding {
        response.headers_mut().insert(CONTENT_ENCODING, coding.clone());
    }
    *response.body_mut() = Full::new(answer.body.clone());
    response
}
