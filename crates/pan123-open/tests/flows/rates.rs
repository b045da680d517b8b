//! Rate limits: kept without one refusal, and used up.

use std::{sync::Arc, time::Duration};

use pan123_core::{BoxFuture, Runtime, Timestamp, testing::VirtualRuntime};
use pan123_open::{Client, FileId, Hosts, RateLimiter, Tier};
use pan123_sim::Simulator;

use crate::world::NOW;

/// One clock for both sides: when the client sleeps, the simulator's clock goes on too.
#[derive(Clone)]
struct OneClock {
    client: VirtualRuntime,
    sim: Arc<Simulator>,
}

impl std::fmt::Debug for OneClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.client.fmt(f)
    }
}

impl Runtime for OneClock {
    fn now(&self) -> Timestamp {
        self.client.now()
    }

    fn elapsed(&self) -> Duration {
        self.client.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let this = self.clone();
        Box::pin(async move {
            this.client.sleep(duration).await;
            this.sim.set_clock(this.client.now().unix());
        })
    }

    fn timer(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.client.timer(duration)
    }

    fn random(&self, bytes: &mut [u8]) {
        self.client.random(bytes);
    }
}

async fn one_clock() -> OneClock {
    let sim = Arc::new(Simulator::builder().rate_limits(true).start().await.unwrap());
    sim.set_clock(NOW);
    OneClock { client: VirtualRuntime::new(NOW, 1), sim }
}

fn client(clock: &OneClock, limiter: RateLimiter) -> Client {
    Client::builder()
        .app(clock.sim.client_id(), clock.sim.client_secret())
        .hosts(Hosts::default().with_open(&clock.sim.urls().open).unwrap())
        .rate_limiter(limiter)
        .runtime(clock.clone())
        .build()
        .unwrap()
}

#[tokio::test]
async fn three_hundred_mixed_calls_meet_no_429_and_use_what_is_allowed() {
    let clock = one_clock().await;
    let limiter = RateLimiter::new(Tier::Free.limits());
    // Two clients of one account share what it may do.
    let clients = [client(&clock, limiter.clone()), client(&clock, limiter)];
    clients[0].user_info().await.unwrap();
    let begun = clock.elapsed();

    // Each path at its own pace, in the order in which their turns come: 10, 5 and 5 a second.
    let mut turns: Vec<(u32, &str)> = Vec::new();
    turns.extend((0..150).map(|turn| (turn * 100, "user")));
    turns.extend((0..75).map(|turn| (turn * 200, "list")));
    turns.extend((0..75).map(|turn| (turn * 200, "mkdir")));
    turns.sort();
    for (number, (_, call)) in turns.iter().enumerate() {
        let client = &clients[number % 2];
        match *call {
            "user" => drop(client.user_info().await.unwrap()),
            "list" => drop(client.list(FileId::ROOT).next().await.unwrap()),
            _ => drop(client.mkdir(FileId::ROOT, format!("folder {number}")).await.unwrap()),
        }
    }
    assert!(clock.sim.requests().iter().all(|request| request.code != Some(429)));
    let took = (clock.elapsed() - begun).as_secs_f64();
    // 150 calls at 10 a second and 75 at 5 a second are 15 seconds of what is allowed.
    let used = 15.0 / took;
    assert!((0.98..=1.01).contains(&used), "{used} of the allowed rate was used");
}

#[tokio::test]
async fn too_many_is_got_over_when_somebody_else_uses_the_account_too() {
    let clock = one_clock().await;
    // A limiter that allows twice what the service does.
    let client = client(&clock, RateLimiter::new(Tier::Member.limits()));
    for _ in 0..30 {
        client.list(FileId::ROOT).next().await.unwrap();
    }
    let refused = clock.sim.requests().iter().filter(|request| request.code == Some(429)).count();
    assert!(refused > 0, "the service did refuse some");
}
