// SPDX-License-Identifier: BSL-1.0
// The measured loop over aws-sdk-rust: tasks on Tokio's current-thread runtime, which is the cheaper
// one on a single core; the SDK's own HTTP client, whose pool keeps every idle connection.
use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{types::AttributeValue, Client};
use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration, time::Instant};

#[derive(PartialEq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

struct Run {
    client: Client,
    table: String,
    key: String,
    expected: Vec<u8>,
    phase: RefCell<Phase>,
    latencies: RefCell<Vec<u64>>,
    errors: RefCell<u64>,
    first_failure: RefCell<Option<String>>,
}

async fn get_once(run: &Run) -> Result<(), String> {
    let key = AttributeValue::S(run.key.clone());
    let request = run.client.get_item().table_name(&run.table).key("key", key);
    let answer = request.send().await.map_err(|why| format!("{why:?}"))?;
    match answer.item().and_then(|item| item.get("value")) {
        Some(AttributeValue::B(value)) if value.as_ref() == run.expected => Ok(()),
        other => Err(format!("another value: {other:?}")),
    }
}

async fn lane(run: Rc<Run>) {
    while *run.phase.borrow() != Phase::Over {
        let begin = Instant::now();
        let outcome = get_once(&run).await;
        let measured = *run.phase.borrow() == Phase::Measured;
        match outcome {
            Ok(()) if measured => {
                run.latencies.borrow_mut().push(begin.elapsed().as_nanos() as u64)
            }
            Ok(()) => {}
            Err(why) => {
                *run.errors.borrow_mut() += u64::from(measured);
                run.first_failure.borrow_mut().get_or_insert(why);
                // Or the clock would starve when it fails at once.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

fn usage() -> libc::rusage {
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut used) };
    used
}

fn cpu_us(used: &libc::rusage) -> f64 {
    let us = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    us(used.ru_utime) + us(used.ru_stime)
}

fn percentile(sorted: &[u64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share) as usize;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).map_or(0.0, |&ns| ns as f64 / 1000.0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let given: HashMap<_, _> = words.chunks(2).map(|pair| (&pair[0][2..], &pair[1])).collect();
    let number = |name: &str, default: f64| {
        given.get(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let shared = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let config = aws_sdk_dynamodb::config::Builder::from(&shared)
        .endpoint_url(given["endpoint"])
        .build();
    let run = Rc::new(Run {
        client: Client::from_conf(config),
        table: given["table"].to_string(),
        key: given["key"].to_string(),
        expected: "0123456789abcdef".repeat(64).into_bytes(),
        phase: RefCell::new(Phase::WarmUp),
        latencies: RefCell::default(),
        errors: RefCell::default(),
        first_failure: RefCell::default(),
    });
    let local = tokio::task::LocalSet::new();
    for _ in 0..number("concurrency", 32.0) as usize {
        local.spawn_local(lane(run.clone()));
    }
    let clock = run.clone();
    let window = local.run_until(async move {
        tokio::time::sleep(Duration::from_secs_f64(number("warmup", 1.0))).await;
        clock.phase.replace(Phase::Measured);
        let (begin, before) = (Instant::now(), usage());
        tokio::time::sleep(Duration::from_secs_f64(number("seconds", 10.0))).await;
        clock.phase.replace(Phase::Over);
        (begin.elapsed().as_secs_f64(), cpu_us(&usage()) - cpu_us(&before))
    });
    let (seconds, cpu) = window.await;

    let mut sorted = run.latencies.take();
    sorted.sort_unstable();
    let ops = sorted.len();
    let failure = run.first_failure.take();
    let result = serde_json::json!({
        "version": format!("aws-sdk-dynamodb {}", aws_sdk_dynamodb::meta::PKG_VERSION),
        "ops": ops, "errors": run.errors.take(), "seconds": seconds,
        "ops_per_s": ops as f64 / seconds, "cpu_us_per_op": cpu / ops.max(1) as f64,
        "allocations_per_op": null,
        "latency_us": {"p50": percentile(&sorted, 0.5), "p90": percentile(&sorted, 0.9),
            "p99": percentile(&sorted, 0.99), "p999": percentile(&sorted, 0.999),
            "max": percentile(&sorted, 1.0)},
        "peak_rss_bytes": usage().ru_maxrss * 1024,
    });
    std::fs::write(given["json"], format!("{result}\n")).expect("the JSON file is writable");
    if let Some(why) = &failure {
        eprintln!("first failure: {why}");
    }
    std::process::exit(if ops > 0 && failure.is_none() { 0 } else { 3 });
}
