//! Health and metrics.

use std::fmt::Write as _;

use axum::response::Response;
use serde_json::json;
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Access, Answer, Operation, Verb};
use crate::respond;

pub(super) fn operations() -> Vec<Operation> {
    let open = Operation {
        unversioned: true,
        access: Access::Open,
        answer: Answer::One("Health"),
        ..Operation::new(
            "health_live",
            Verb::Get,
            "/health/live",
            "The process runs",
            |call| Box::pin(live(call)),
        )
    };
    vec![
        open,
        Operation {
            id: "health_ready",
            path: "/health/ready",
            summary: "The process can serve; 503 when the database is away",
            success: &[200, 503],
            answer: Answer::One("Readiness"),
            handler: |call| Box::pin(ready(call)),
            ..open
        },
        Operation {
            id: "metrics",
            path: "/metrics",
            summary: "Counters in Prometheus' format, for this machine unless configured",
            answer: Answer::Other("text/plain"),
            problems: &["forbidden"],
            handler: |call| Box::pin(metrics(call)),
            ..open
        },
    ]
}

async fn live(_call: Call) -> Result<Response, Problem> {
    Ok(respond::json(200, json!({"status": "ok"}).to_string()))
}

async fn ready(call: Call) -> Result<Response, Problem> {
    let database = call.services.reader.ping().await.is_ok();
    let status = &call.services.sweeper;
    let redis = match &call.services.shared {
        None => "disabled",
        Some(shared) if shared.link.is_up() => "ok",
        Some(_) => "unavailable",
    };
    let body = json!({
        "status": if database { "ok" } else { "unavailable" },
        "database": if database { "ok" } else { "unavailable" },
        "redis": redis,
        "expiry": {
            "last_run": status.last_run().map(wire::time::format),
            "lag_ms": status.lag_millis(),
            "failures": status.failures(),
        },
        "queue_depth": call.services.handle.depth(),
    });
    Ok(respond::json(
        if database { 200 } else { 503 },
        body.to_string(),
    ))
}

async fn metrics(call: Call) -> Result<Response, Problem> {
    let local = call.peer.is_none_or(|peer| peer.ip().is_loopback());
    if !local && !call.services.options.metrics_open {
        return Err(Problem::new(
            "forbidden",
            "metrics are for this machine only",
        ));
    }
    let mut text = String::new();
    let mut counters = call.services.handle.stats().read();
    if let Some(shared) = &call.services.shared {
        let (found, made) = shared.pages.counts();
        counters.extend([
            ("cache_hits", found),
            ("cache_misses", made),
            ("cache_losses", shared.link.losses()),
        ]);
    }
    for (name, value) in counters {
        let metric = format!("stockhold_{name}_total");
        // Writing to a String cannot fail.
        let _written = writeln!(text, "# TYPE {metric} counter\n{metric} {value}");
    }
    let depth = call.services.handle.depth();
    let _written = writeln!(
        text,
        "# TYPE stockhold_queue_depth gauge\nstockhold_queue_depth {depth}"
    );
    Ok(respond::metrics(text))
}
