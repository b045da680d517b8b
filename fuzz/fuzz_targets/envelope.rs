//! Any answer is read or refused by the pipeline, with or without an envelope, and no token is in the error.

#![no_main]

use std::{borrow::Cow, sync::Arc};

use http::{HeaderMap, Response};
use libfuzzer_sys::fuzz_target;
use pan123_core::{
    Body, BoxFuture, ErrorKind, Hosts, Meta, Operation, Pipeline, PipelineConfig, Profile, Rate, RateLimiter,
    RateLimits, Reply, Request, Result, RetryPolicy, Shape, Timeouts, Token, Tokens, Transport, TransportError,
    testing::VirtualRuntime,
};
use serde_json::{Value, json};

const PLANTED: &str = "planted-token";

fuzz_target!(|bytes: &[u8]| {
    for status in [200, 500] {
        hides_the_token(&send(&Enveloped, status, bytes));
        hides_the_token(&send(&Flat, status, bytes));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // Whatever the service says, what it says about the token is struck out.
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(place, _)| place);
    let (head, tail) = text.split_at(middle);
    let refusal = json!({"code": 77, "message": format!("{head}{PLANTED}{tail}"), "x-traceID": text}).to_string();
    for result in [send(&Enveloped, 200, refusal.as_bytes()), send(&Flat, 200, refusal.as_bytes())] {
        hides_the_token(&result);
        assert_eq!(result.expect_err("77 is no success").code(), Some(77));
    }

    // Whatever data the service sends is what the operation gets.
    let Ok(data) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let answer = json!({"code": 0, "message": "ok", "data": data}).to_string();
    let Ok(mut read) = serde_json::from_str::<Value>(&answer) else {
        return;
    };
    assert_eq!(send(&Enveloped, 200, answer.as_bytes()).expect("it is an answer"), read["data"].take());
});

fn hides_the_token(result: &Result<Value>) {
    if let Err(error) = result {
        let shown = format!("{error} {error:?} {:?} {:?}", error.message(), std::error::Error::source(error));
        assert!(!shown.contains(PLANTED), "{shown}");
    }
}

/// Sends an operation to a service that gives this one answer.
fn send(operation: &impl Operation<Output = Value>, status: u16, answer: &[u8]) -> Result<Value> {
    let runtime = Arc::new(VirtualRuntime::new(1_700_000_000, 7));
    let pipeline = Pipeline::new(PipelineConfig {
        profile: Arc::new(Plain),
        hosts: Hosts::default(),
        transport: Arc::new(Answer(status, answer.to_vec())),
        runtime: runtime.clone(),
        limiter: RateLimiter::new(RateLimits::new(Rate::per_second(5))),
        retry: RetryPolicy::none(),
        timeouts: Timeouts::default(),
        tokens: Some(Tokens::held(Token::new(PLANTED), runtime)),
    });
    let executor = tokio::runtime::Builder::new_current_thread().build().expect("it needs no driver");
    executor.block_on(pipeline.send(operation))
}

#[derive(Debug)]
struct Enveloped;

impl Operation for Enveloped {
    type Output = Value;
    const META: Meta = Meta::get("fuzz/enveloped", "/enveloped");

    fn encode(&self, _request: &mut Request) {}

    fn decode(&self, reply: Reply) -> Result<Value> {
        reply.data()
    }
}

#[derive(Debug)]
struct Flat;

impl Operation for Flat {
    type Output = Value;
    const META: Meta = Meta::get("fuzz/flat", "/flat").shape(Shape::Flat);

    fn encode(&self, _request: &mut Request) {}

    fn decode(&self, reply: Reply) -> Result<Value> {
        reply.flat()
    }
}

#[derive(Debug)]
struct Plain;

impl Profile for Plain {
    fn headers(&self) -> HeaderMap {
        HeaderMap::new()
    }

    fn classify(&self, _endpoint: &'static str, _code: i64, _message: &str) -> (ErrorKind, Cow<'static, str>) {
        (ErrorKind::Api, "refused".into())
    }
}

#[derive(Debug)]
struct Answer(u16, Vec<u8>);

impl Transport for Answer {
    fn send(&self, _request: http::Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let answer = Response::builder().status(self.0).body(Body::from(self.1.clone()));
        Box::pin(async { answer.map_err(TransportError::lost) })
    }
}
