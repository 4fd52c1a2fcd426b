//! `/payment-accounts`: a shop's own credentials with payment providers.

use axum::response::Response;
use domain::command::Reply;
use domain::decide::SetPaymentAccount;
use domain::needs::Needs;
use domain::payment::Provider;
use domain::rejection::Rejection;
use serde_json::Value;
use wire::input::{AccountMembers, stripe_account, vnpay_account, yookassa_account};
use wire::problem::Problem;

use crate::call::Call;
use crate::operation::{Answer, Body, Operation, Verb};

pub(super) fn operations() -> Vec<Operation> {
    let get = |id, path, handler| Operation {
        answer: Answer::One("PaymentAccount"),
        problems: &["not_found"],
        ..Operation::new(
            id,
            Verb::Get,
            path,
            "The account, without its secrets",
            handler,
        )
    };
    let put = |id, schema: fn() -> Value, of: Operation, handler| Operation {
        id,
        method: Verb::Put,
        summary: "Set the account, in place of what stood there; its secrets are sealed",
        body: Body::Required(schema),
        problems: &["forbidden"],
        handler,
        ..of
    };
    let vnpay = get("get_vnpay_account", "/payment-accounts/vnpay", |call| {
        Box::pin(show(call, Provider::Vnpay))
    });
    let yookassa = get(
        "get_yookassa_account",
        "/payment-accounts/yookassa",
        |call| Box::pin(show(call, Provider::Yookassa)),
    );
    let stripe = get("get_stripe_account", "/payment-accounts/stripe", |call| {
        Box::pin(show(call, Provider::Stripe))
    });
    vec![
        vnpay,
        put("set_vnpay_account", vnpay_account, vnpay, |call| {
            Box::pin(set(call, Provider::Vnpay))
        }),
        yookassa,
        put("set_yookassa_account", yookassa_account, yookassa, |call| {
            Box::pin(set(call, Provider::Yookassa))
        }),
        stripe,
        put("set_stripe_account", stripe_account, stripe, |call| {
            Box::pin(set(call, Provider::Stripe))
        }),
    ]
}

async fn show(call: Call, provider: Provider) -> Result<Response, Problem> {
    let state = call.load(Needs::default()).await?;
    call.show(&state, Reply::PaymentAccount(provider))
}

async fn set(mut call: Call, provider: Provider) -> Result<Response, Problem> {
    let body = call.take_body();
    let plain = call.services.plain_providers;
    let usual = call.services.providers.usual_urls(provider);
    let members = AccountMembers::read(provider, body, usual, plain);
    let members = members.map_err(|faults| Problem::from_rejection(&Rejection::Invalid(faults)))?;
    let sealed =
        call.services
            .providers
            .seal(call.tenant(), provider, &members.values, &members.secrets);
    let sealed = sealed.map_err(|error| Problem::new("forbidden", error.to_string()))?;
    let command = SetPaymentAccount {
        provider,
        values: members.values,
        sealed,
    };
    call.submit(Ok(command.into())).await
}
