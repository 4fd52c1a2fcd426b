//! `/ledger`: what money did, double entry.

use axum::response::Response;
use domain::ids::TypedId as _;
use domain::ledger::Account;
use domain::rejection::Rejection;
use engine::reader::{AccountBalance, LedgerFilter};
use wire::cursor;
use wire::problem::Problem;
use wire::views::{LedgerAccountView, LedgerTransactionView, TrialBalanceView};

use crate::call::{Call, unreadable};
use crate::operation::{Answer, Operation, Verb};
use crate::query::{CURSOR, Kind, LIMIT, Param, ROW_CURSOR};
use crate::{reading, respond};

const REFERENCE: Param = Param {
    name: "reference",
    kind: Kind::Text(200),
    about: "the transaction of this reference: `payment_confirmed:{payment_id}`, `refund:{refund_id}`",
};
const ORDER: Param = Param {
    name: "order_id",
    kind: Kind::Id,
    about: "transactions of this order only",
};
const ACCOUNT: Param = Param {
    name: "account",
    kind: Kind::Text(100),
    about: "transactions that touch this account only",
};

/// Accounts that are shown unless the query says how many: most shops have no more.
const ACCOUNTS: usize = 100;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            query: &[LIMIT, ROW_CURSOR],
            answer: Answer::List("LedgerAccount"),
            ..Operation::new(
                "list_ledger_accounts",
                Verb::Get,
                "/ledger/accounts",
                "Every account with what it comes to, by currency",
                |call| Box::pin(accounts(call)),
            )
        },
        Operation {
            query: &[REFERENCE, ORDER, ACCOUNT, LIMIT, CURSOR],
            answer: Answer::List("LedgerTransaction"),
            ..Operation::new(
                "list_ledger_transactions",
                Verb::Get,
                "/ledger/transactions",
                "Transactions of the ledger, newest first; each balances",
                |call| Box::pin(transactions(call)),
            )
        },
        Operation {
            answer: Answer::One("TrialBalance"),
            ..Operation::new(
                "get_trial_balance",
                Verb::Get,
                "/ledger/trial-balance",
                "The sums of all accounts: debits are credits in every currency",
                |call| Box::pin(trial_balance(call)),
            )
        },
    ]
}

async fn balances(call: &Call) -> Result<Vec<AccountBalance>, Problem> {
    let found = call.services.reader.balances(call.tenant()).await;
    found.map_err(|error| unreadable(&error))
}

async fn accounts(call: Call) -> Result<Response, Problem> {
    let found = balances(&call).await?;
    let render = |account| serde_json::to_vec(&LedgerAccountView::new(account)).unwrap_or_default();
    let items = found.iter().map(render).collect();
    Ok(reading::page(&call, items, ACCOUNTS))
}

async fn transactions(call: Call) -> Result<Response, Problem> {
    let named = call.query.text("account");
    let account = named.as_deref().and_then(Account::parse);
    if named.is_some() && account.is_none() {
        let unknown = Rejection::invalid("/query/account", "there is no such account");
        return Err(Problem::from_rejection(&unknown));
    }
    let filter = LedgerFilter {
        reference: call.query.text("reference"),
        order_id: call.query.id("order_id"),
        account,
    };
    let page = call.query.page();
    let found = call.services.reader.ledger(call.tenant(), filter, page);
    let (found, more) = found.await.map_err(|error| unreadable(&error))?;
    let render = |found| serde_json::to_vec(&LedgerTransactionView::new(found)).unwrap_or_default();
    let items = found.iter().map(render).collect();
    let last = found.last().filter(|_| more);
    let next = last.map(|last| cursor::after(last.seq, last.order_id.uuid()));
    Ok(respond::json(200, wire::codec::list(items, next, &[])))
}

async fn trial_balance(call: Call) -> Result<Response, Problem> {
    let found = balances(&call).await?;
    let view = TrialBalanceView::new(&found);
    let body = serde_json::to_vec(&view).unwrap_or_default();
    Ok(respond::json(200, body))
}
