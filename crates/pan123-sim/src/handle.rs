//! One request from its arrival to its answer: route, fault, credentials, parameters, operation, log.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::admin;
use crate::args::{Args, Given, Place};
use crate::body::{Arrived, Asked, Cut, End, Outgoing, Source, StallGuard, Tap};
use crate::clock::http_date;
use crate::credentials;
use crate::disk;
use crate::face::Face;
use crate::fault::{Fault, Script, When};
use crate::form::{self, FilePart, Form, Reading};
use crate::log::RecordedRequest;
use crate::ops::cdn::Fetch;
use crate::ops::{Call, cdn, images, public_share, storage, transcode, upload_v1, upload_v2, web_uploads};
use crate::reply::{Payload, Refusal, Reply};
use crate::route::{self, NoRoute, Route, Run};
use crate::state::Shared;
use crate::wire::Link;

/// Answers a request; an error closes the connection without an answer.
pub(crate) async fn request(
    shared: Arc<Shared>,
    face: Face,
    link: Arc<Link>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Cut> {
    let (head, incoming) = request.into_parts();
    if face == Face::Admin {
        let tap = Tap::new(incoming.into(), Arrived::default(), None, Arc::clone(&shared.stalls));
        let reply = admin::answer(&shared, &head, tap).await.unwrap_or_else(Reply::from);
        return Ok(respond(&shared, &link, &head.method, reply, "", None));
    }
    let mut route = route::find(face, &head.method, &head.uri, shared.config.lenient);
    let mut incoming = Asked::from(incoming);
    if let Ok(found) = route.as_ref()
        && found.needs_body()
    {
        let whole = form::whole(Tap::new(incoming, Arrived::default(), None, Arc::clone(&shared.stalls))).await;
        let whole = whole.unwrap_or_default();
        route = Ok(route::by_body(found, &whole));
        incoming = Asked::Read(whole);
    }
    let (sequence, trace, fault) = {
        let mut state = shared.state();
        let recorded = record(&head, face, route.ok(), state.clock.now());
        let sequence = state.log.begin(recorded, route.ok().and_then(|route| route.also));
        let fault = route.ok().and_then(|route| state.meet_fault(route.id, route.also)).map(made_whole);
        (sequence, state.trace(), fault)
    };
    shared.arrivals.send_replace(sequence);
    let arrived = Arrived::default();
    let end = route.ok().zip(fault.as_ref()).and_then(|(route, fault)| cut_of_upload(route, fault, &head.headers));
    let tap = Tap::new(incoming, arrived.clone(), end, Arc::clone(&shared.stalls));
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.script.delay) {
        tokio::time::sleep(delay).await;
    }
    let before = fault.as_ref().filter(|fault| fault.when == When::Before && !fault.script.only_delays());
    let reply = match (route, before) {
        (_, Some(_)) => {
            form::drain(tap).await;
            Ok(Reply::data(Value::Null))
        }
        (Ok(route), None) => {
            carry_out(&shared, route, &head, tap, link.peer, fault.as_ref().map(|fault| &fault.script)).await
        }
        (Err(none), None) => {
            form::drain(tap).await;
            Err(nothing_there(none, face, &head))
        }
    };
    let reply = reply.unwrap_or_else(Reply::from);
    {
        let (body, body_len) = arrived.start_and_length();
        let mut state = shared.state();
        state.log.change(sequence, |request| {
            (request.body, request.body_len) = (body, body_len);
            let met = fault.as_ref().map(|fault| format!("met a fault {:?} the call", fault.when).to_lowercase());
            let notes: Vec<String> = met.into_iter().chain(reply.note.clone()).collect();
            request.note = (!notes.is_empty()).then(|| notes.join("; "));
        });
        disk::save(&shared, &mut state);
    }
    let reply = match &fault {
        Some(fault) => spoil(&shared, fault, reply, arrived.was_cut()).await?,
        None => reply,
    };
    let (status, code) = (reply.status, reply.code());
    shared.state().log.change(sequence, |request| (request.status, request.code) = (Some(status), code));
    let script = fault.as_ref().filter(|fault| !fault.script.only_delays());
    Ok(respond(&shared, &link, &head.method, reply, &trace, script))
}

fn record(head: &Parts, face: Face, route: Option<&Route>, unix: i64) -> RecordedRequest {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    RecordedRequest {
        sequence: 0,
        unix,
        face,
        operation: route.map(|route| route.id.to_owned()),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: form::pairs(head.uri.query().unwrap_or_default()),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: bytes::Bytes::new(),
        body_len: 0,
        status: None,
        code: None,
        note: None,
    }
}

/// Fills in what a fault leaves open: one that says nothing but when is a status 500, and one that only changes a true
/// answer lets the call be carried out.
fn made_whole(mut fault: Fault) -> Fault {
    let script = &mut fault.script;
    if fault.when == When::Before && !script.replaces_answer() && !script.spoils_wire() {
        if let Some(text) = &script.code_text {
            script.code = Some(text.parse().unwrap_or(1));
        } else if !script.headers.is_empty() {
            fault.when = When::After;
        }
    }
    let says_nothing = !script.replaces_answer()
        && !script.spoils_wire()
        && script.headers.is_empty()
        && script.code_text.is_none()
        && script.delay.is_none();
    if says_nothing && fault.when != When::During {
        script.status = Some(500);
    }
    fault
}

/// Where a fault ends the body of an upload that is arriving.
fn cut_of_upload(route: &Route, fault: &Fault, headers: &HeaderMap) -> Option<(u64, End)> {
    if fault.when != When::During || !route.run.is_upload() {
        return None;
    }
    let declared = headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let half = declared.map_or(1, |length| length / 2);
    match fault.script.stall_after {
        Some(after) => Some((after.unwrap_or(half), End::Stall(None))),
        None => Some((fault.script.cut_after.unwrap_or(half), End::Cut)),
    }
}

fn nothing_there(none: NoRoute, face: Face, head: &Parts) -> Refusal {
    let (method, path) = (&head.method, head.uri.path());
    match none {
        NoRoute::Path => Refusal::rule(format!("nothing answers {path} on the {face} face")).with_status(404),
        NoRoute::Method => {
            Refusal::rule(format!("{path} on the {face} face does not answer {method}")).with_status(405)
        }
    }
}

async fn carry_out(
    shared: &Arc<Shared>,
    route: &Route,
    head: &Parts,
    tap: Tap,
    peer: Option<IpAddr>,
    script: Option<&Script>,
) -> Result<Reply, Refusal> {
    let admitted = credentials::check(shared, route, &head.headers)
        .and_then(|asker| check_rate(shared, route, &asker.token).map(|()| asker))
        .and_then(|asker| Ok((asker, credentials::unsigned(shared, route, head)?)));
    let (asker, mut query) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            form::drain(tap).await;
            return Err(refusal);
        }
    };
    query.extend(route.in_path(head.uri.path()).map(|(name, value)| (name.to_owned(), value.to_owned())));
    let lenient = shared.config.lenient;
    let oddity = script.and_then(|script| script.oddity);
    let reading = |file, piece, most| Reading { file, lenient, keep: shared.config.verify, piece, most };
    let query = query.into_iter().map(|(name, value)| (Place::Query, name, Value::from(value)));
    match route.run {
        Run::Relay => {
            form::drain(tap).await;
            Ok(cdn::relay(shared, head.uri.query().unwrap_or_default()))
        }
        Run::Thumbnail => {
            form::drain(tap).await;
            Ok(cdn::thumbnail(shared, head.uri.path()))
        }
        Run::Download | Run::DirectLink | Run::Image | Run::Playlist => {
            form::drain(tap).await;
            let fetch = Fetch {
                method: &head.method,
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                headers: &head.headers,
                peer,
                ignore_range: script.is_some_and(|script| script.ignore_range),
            };
            Ok(match route.run {
                Run::Download => cdn::download(shared, &fetch),
                Run::Image => cdn::image(shared, &fetch),
                Run::Playlist => cdn::playlist(shared, &fetch),
                _ => cdn::direct_link(shared, &fetch),
            })
        }
        Run::Slice | Run::SingleCreate => {
            let (name, piece, most) = match route.run {
                Run::Slice => ("slice", usize::MAX, MOST_IN_SLICE),
                _ => ("file", upload_v2::PIECE, upload_v2::MOST_AT_ONCE),
            };
            let form = Form::read(&head.headers, tap, reading(name, piece, most)).await?;
            let texts = form.texts.into_iter().map(|(name, value)| (Place::Form, name, Value::from(value)));
            let args = Args::read(route.params, query.chain(texts).collect(), lenient)?;
            match route.run {
                Run::Slice => upload_v2::slice(shared, &args, form.file),
                _ => upload_v2::single_create(shared, &args, form.file),
            }
        }
        Run::PutSlice | Run::PutStored => {
            if !lenient && !head.headers.contains_key(http::header::CONTENT_LENGTH) {
                form::drain(tap).await;
                return Ok(upload_v1::storage_error(
                    411,
                    "MissingContentLength",
                    "sim: a slice is sent with its length",
                ));
            }
            let file = FilePart::raw(tap, reading("", usize::MAX, MOST_IN_SLICE)).await?;
            Ok(match route.run {
                Run::PutStored => storage::put(shared, head, file).await,
                _ => upload_v1::put_slice(shared, head.uri.path(), head.uri.query().unwrap_or_default(), file),
            })
        }
        Run::Storage(action) => {
            let body = form::whole(tap).await?;
            Ok(storage::manage(shared, action, head, &body))
        }
        Run::CompleteWeb | Run::CompleteStored => {
            let args = read_args(route, query.chain(fields(route, head, tap, lenient).await?).collect(), lenient)?;
            match route.run {
                Run::CompleteWeb => web_uploads::complete_v2(shared, &args, oddity).await,
                _ => web_uploads::complete(shared, &args, oddity).await,
            }
        }
        Run::Complete | Run::CompleteV1 | Run::AsyncResult | Run::CompleteImage | Run::AsyncImageResult => {
            let args =
                Args::read(route.params, query.chain(fields(route, head, tap, lenient).await?).collect(), lenient)?;
            match route.run {
                Run::Complete => upload_v2::complete(shared, &args, oddity).await,
                Run::CompleteV1 => upload_v1::complete(shared, &args, oddity).await,
                Run::CompleteImage => images::complete(shared, &args, oddity).await,
                Run::AsyncImageResult => images::async_result(shared, &args, oddity).await,
                _ => upload_v1::async_result(shared, &args, oddity).await,
            }
        }
        Run::WithFile(name, run) => {
            // The operation reads the file, whether or not uploads are verified.
            let reading = Reading { keep: true, ..reading(name, usize::MAX, SMALL_FILE) };
            let form = Form::read(&head.headers, tap, reading).await?;
            let texts = form.texts.into_iter().map(|(name, value)| (Place::Form, name, Value::from(value)));
            let args = read_args(route, query.chain(texts).collect(), lenient)?;
            let mut state = shared.state();
            let now = state.clock.now();
            run(&mut Call { shared, state: &mut state, args: &args, asker: &asker, oddity, now }, form.file)
        }
        Run::Plain(run) => {
            let args = read_args(route, query.chain(fields(route, head, tap, lenient).await?).collect(), lenient)?;
            let mut state = shared.state();
            if let Some(page) = public_share::wrong_host(&state, &asker, &args, lenient) {
                return Ok(page);
            }
            let now = state.clock.now();
            run(&mut Call { shared, state: &mut state, args: &args, asker: &asker, oddity, now })
        }
    }
}

fn read_args(route: &Route, given: Vec<Given>, lenient: bool) -> Result<Args, Refusal> {
    // The web API has a code of its own for arguments that are wrong.
    let coded = |refusal: Refusal| if route.is_web() { refusal.with_code(400) } else { refusal };
    Args::read(route.params, given, lenient).map_err(coded)
}

fn check_rate(shared: &Shared, route: &Route, token: &str) -> Result<(), Refusal> {
    let mut state = shared.state();
    let now_ms = state.clock.now_ms();
    if shared.config.rate_limits && !state.rates.admit(token, route.also.unwrap_or(route.id), now_ms) {
        return Err(Refusal::too_fast());
    }
    Ok(())
}

/// Reads the parameters in a body that is no upload.
async fn fields(route: &Route, head: &Parts, tap: Tap, lenient: bool) -> Result<Vec<Given>, Refusal> {
    let content_type = head.headers.get(http::header::CONTENT_TYPE);
    let content_type =
        content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase()).unwrap_or_default();
    let place = |place: Place| move |(name, value): (String, String)| (place, name, Value::from(value));
    if lenient && content_type.starts_with("multipart/form-data") {
        let form =
            Form::read(&head.headers, tap, Reading { file: "", lenient, keep: false, piece: 1, most: 0 }).await?;
        return Ok(form.texts.into_iter().map(place(Place::Form)).collect());
    }
    let body = form::whole(tap).await?;
    if lenient {
        // Some clients send forms and call them JSON.
        let text = String::from_utf8_lossy(&body);
        let is_form = content_type.starts_with("application/x-www-form-urlencoded") || text.contains('=');
        if is_form && !text.trim_start().starts_with(['{', '[']) {
            return Ok(form::pairs(&text).into_iter().map(place(Place::Form)).collect());
        }
    }
    let takes_json = route.params.iter().any(|param| param.place == Place::Json);
    let is_json = content_type.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    if !lenient {
        let needs_body = takes_json && (head.method != Method::GET || !body.is_empty());
        if needs_body && !is_json {
            return Err(Refusal::rule("the content type is not application/json"));
        }
        // Of calls without parameters, those that are posted may have an empty object.
        let empty_object = head.method == Method::POST && is_json && body.as_ref() == b"{}";
        // The web page sends its content type with everything.
        let typed = head.method == Method::GET && !content_type.is_empty() && !route.is_web();
        let unasked = !body.is_empty() || typed;
        if !takes_json && unasked && !empty_object {
            return Err(Refusal::rule("this call takes no body and no content type"));
        }
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Object(fields)) => Ok(fields.into_iter().map(|(name, value)| (Place::Json, name, value)).collect()),
        Ok(list @ Value::Array(_)) if route.params.iter().any(|param| param.name == transcode::BODY) => {
            Ok(vec![(Place::Json, transcode::BODY.to_owned(), list)])
        }
        Ok(Value::Null) if lenient => Ok(Vec::new()),
        Ok(_) => Err(Refusal::rule("the body is not a JSON object")),
        Err(error) => Err(Refusal::rule(format!("the body is not JSON: {error}"))),
    }
}

/// Applies what a fault does to an answer; what it does to the sending comes later.
async fn spoil(shared: &Arc<Shared>, fault: &Fault, mut reply: Reply, upload_was_cut: bool) -> Result<Reply, Cut> {
    let script = &fault.script;
    if script.only_delays() {
        return Ok(reply);
    }
    if script.drop_answer || (upload_was_cut && !script.replaces_answer()) {
        return Err(Cut);
    }
    if script.stall_after == Some(None) && fault.when != When::During {
        let _stalled = StallGuard::new(&shared.stalls);
        return std::future::pending().await;
    }
    if let Some((content_type, bytes)) = &script.body {
        reply = Reply::other(script.status.unwrap_or(200), content_type, bytes.clone());
    } else if script.code.is_some() || script.message.is_some() {
        let code = script.code.unwrap_or(1);
        let message = script.message.clone().unwrap_or_else(|| default_message(code).to_owned());
        let mark = script.challenge.then(|| shared.state().logins.challenge(shared.config.seed));
        let data = mark.map_or(Value::Null, |mark| json!({"hashCode": mark}));
        reply = Reply::envelope(script.status.unwrap_or(200), json!(code), message, data);
    } else if let Some(status) = script.status {
        reply = Reply::gateway(status);
    }
    if let (Some(text), Payload::Envelope { code, .. }) = (&script.code_text, &mut reply.payload) {
        *code = Value::from(text.as_str());
    }
    reply.headers.extend(script.headers.iter().cloned());
    Ok(reply)
}

fn default_message(code: i64) -> &'static str {
    match code {
        0 => "ok",
        401 => "access token expired",
        429 => "操作频繁,请稍后再试",
        5066 => "文件不存在",
        5113 | 5114 => "本月免费流量不足",
        20101 => "cookie token is empty",
        20103 => "文件正在校验中,请间隔1秒后再试",
        _ => "sim: scripted",
    }
}

/// Puts the answer on the wire, spoilt if a fault says so.
fn respond(
    shared: &Arc<Shared>,
    link: &Arc<Link>,
    method: &Method,
    reply: Reply,
    trace: &str,
    fault: Option<&Fault>,
) -> Response<Outgoing> {
    let Reply { status, headers, payload, held, note: _ } = reply;
    let (content_type, mut source) = payload.encode(trace);
    let mut announced = None;
    if method == Method::HEAD {
        announced = Some(source.length());
        source = Source::Bytes(bytes::Bytes::new());
    }
    let length = source.length();
    let mut body = Outgoing::new(source, Arc::clone(link), Arc::clone(&shared.stalls));
    body.hold(held);
    if let Some(fault) = fault {
        let script = &fault.script;
        if script.corrupt {
            body.corrupt();
        }
        if let Some(claimed) = script.content_length {
            announced = Some(claimed);
            body.lie(claimed);
        }
        if let Some(Some(bytes)) = script.stall_after {
            body.stop_after(bytes, End::Stall(None));
        } else if let Some(bytes) = script.cut_after {
            body.stop_after(bytes, End::Cut);
        } else if fault.when == When::During && !script.replaces_answer() {
            let end = if script.stall_after.is_some() { End::Stall(None) } else { End::Cut };
            body.stop_after(length / 2, end);
        }
        if script.duplicate {
            link.start_echo();
        }
    }
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let date = http_date(shared.state().clock.now());
    let fixed = [("content-type".to_owned(), content_type), ("date".to_owned(), date)];
    let length = announced.map(|length| ("content-length".to_owned(), length.to_string()));
    for (name, value) in fixed.into_iter().chain(length).chain(headers) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// No small file is larger.
const SMALL_FILE: u64 = 8 << 20;
/// No slice is larger than this, so that a client cannot fill the memory.
const MOST_IN_SLICE: u64 = 1 << 30;
