//! Problems with providers.

use domain::command::Reply;
use engine::provider::Fault;
use engine::saga::Stuck;
use wire::problem::Problem;

use crate::call::{problem_of, unreadable};

/// Seconds after which a client may ask again.
const AGAIN: u32 = 2;

/// What a client is told of a provider that gave no answer to go by.
pub(crate) fn fault(fault: &Fault) -> Problem {
    match fault {
        Fault::Timeout => Problem::new(
            "provider_timeout",
            "the provider did not answer in time; it is asked again, nothing is lost",
        )
        .retry_after(AGAIN),
        Fault::Unknown(why) => {
            tracing::warn!(why, "a provider failed");
            Problem::new(
                "provider_failed",
                "the provider failed; it is asked again, nothing is lost",
            )
            .retry_after(AGAIN)
        }
        Fault::Refused { code } => {
            let mut problem = Problem::new("provider_failed", "the provider refused");
            let code = code.as_str().into();
            problem.members.insert("provider_code".to_owned(), code);
            problem
        }
    }
}

/// What a client is told when a provider could not be asked: nothing is lost.
pub(crate) fn problem(stuck: &Stuck, reply: Reply) -> Problem {
    let mut problem = match stuck {
        Stuck::Gone => Problem::not_found(),
        Stuck::Busy => Problem::new(
            "idempotency_in_flight",
            "the provider is being asked by another request",
        )
        .retry_after(AGAIN),
        Stuck::Store(error) => unreadable(error),
        Stuck::NotTaken(failure) => problem_of(failure.clone()),
        Stuck::Provider(asked) => fault(asked),
    };
    let mut name = |member: &str, id: String| {
        problem.members.insert(member.to_owned(), id.into());
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "nothing else asks a provider"
    )]
    match reply {
        Reply::Payment(id) => name("payment_id", id.to_string()),
        Reply::Checkout { order, payment } => {
            name("order_id", order.to_string());
            if let Some(id) = payment {
                name("payment_id", id.to_string());
            }
        }
        Reply::Refund(order, id) => {
            name("order_id", order.to_string());
            name("refund_id", id.to_string());
        }
        _ => {}
    }
    problem
}
