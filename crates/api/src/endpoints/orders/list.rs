//! Lists and statistics of orders.

use axum::response::Response;
use domain::ids::TypedId as _;
use domain::limits::{AMOUNT_MAX, TEXT_MAX};
use domain::money::Amount;
use domain::order::{OrderStatus, PaymentState};
use engine::reader::{OrderFilter, OrderSort, Page, Start};
use wire::cursor;
use wire::problem::Problem;
use wire::views::StatsView;

use crate::call::{Call, unreadable};
use crate::operation::{Answer, Operation, Verb};
use crate::query::{CURSOR, Kind, LIMIT, Param, Query};
use crate::respond;

const FROM_DATE: Param = Param {
    name: "from_date",
    kind: Kind::Time,
    about: "made at or after this time",
};
const TO_DATE: Param = Param {
    name: "to_date",
    kind: Kind::Time,
    about: "made at or before this time",
};

const FILTERS: &[Param] = &[
    Param {
        name: "status",
        kind: Kind::OneOf(&[
            "draft",
            "pending",
            "paid",
            "processing",
            "shipped",
            "delivered",
            "cancelled",
            "refunded",
        ]),
        about: "where they stand",
    },
    Param {
        name: "payment_status",
        kind: Kind::OneOf(&[
            "pending",
            "paid",
            "partially_refunded",
            "refunded",
            "failed",
            "expired",
        ]),
        about: "what became of the money",
    },
    Param {
        name: "customer_id",
        kind: Kind::Text(64),
        about: "the caller's own id",
    },
    Param {
        name: "customer_email",
        kind: Kind::Text(254),
        about: "the whole address",
    },
    FROM_DATE,
    TO_DATE,
    Param {
        name: "min_amount",
        kind: Kind::Integer(0, AMOUNT_MAX),
        about: "costing at least",
    },
    Param {
        name: "max_amount",
        kind: Kind::Integer(0, AMOUNT_MAX),
        about: "costing at most",
    },
    Param {
        name: "search",
        kind: Kind::Text(TEXT_MAX),
        about: "a part of number, customer id, e-mail address or tracking number",
    },
    Param {
        name: "sort_by",
        kind: Kind::OneOf(&["created_at", "total_amount"]),
        about: "created_at by default",
    },
    Param {
        name: "order",
        kind: Kind::OneOf(&["asc", "desc"]),
        about: "desc by default",
    },
    Param {
        name: "page",
        kind: Kind::Integer(1, 1_000_000),
        about: "a page by its number, answered with `total` and `page`",
    },
    LIMIT,
    CURSOR,
];

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            query: FILTERS,
            answer: Answer::CountedList("Order"),
            ..Operation::new("list_orders", Verb::Get, "/orders", "Orders", |call| {
                Box::pin(list(call))
            })
        },
        Operation {
            query: &[FROM_DATE, TO_DATE],
            answer: Answer::One("OrderStats"),
            ..Operation::new(
                "get_order_stats",
                Verb::Get,
                "/orders/stats",
                "Orders of a span of time, counted and summed",
                |call| Box::pin(stats(call)),
            )
        },
    ]
}

fn filter(query: &Query) -> OrderFilter {
    let amount = |name| query.integer(name).and_then(Amount::new);
    OrderFilter {
        status: query.text("status").as_deref().and_then(OrderStatus::parse),
        payment_status: query
            .text("payment_status")
            .as_deref()
            .and_then(PaymentState::parse),
        customer_id: query.text("customer_id"),
        customer_email: query.text("customer_email"),
        from_date: query.time("from_date"),
        to_date: query.end_time("to_date"),
        min_amount: amount("min_amount"),
        max_amount: amount("max_amount"),
        search: query.text("search"),
        sort: match query.text("sort_by").as_deref() {
            Some("total_amount") => OrderSort::TotalAmount,
            _ => OrderSort::CreatedAt,
        },
        ascending: query.text("order").as_deref() == Some("asc"),
    }
}

async fn list(call: Call) -> Result<Response, Problem> {
    let mut page = call.query.page();
    let number = call.query.integer("page");
    if let Some(number) = number {
        let before = usize::try_from(number - 1).unwrap_or(0);
        page = Page {
            from: Start::Offset(before * page.limit),
            count: true,
            ..page
        };
    }
    let listed = call
        .services
        .reader
        .orders(call.tenant(), filter(&call.query), page)
        .await;
    let listed = listed.map_err(|error| unreadable(&error))?;
    let render = |id: &_| {
        let reply = domain::command::Reply::Order {
            id: *id,
            to_maker: false,
        };
        call.services.codec.render(&listed.state, reply)
    };
    let items: Vec<_> = listed.ids.iter().map(render).collect();
    let next = listed
        .next
        .zip(listed.ids.last())
        .map(|(at, id)| cursor::after(at, id.uuid()));
    let extra: Vec<_> = match number.zip(listed.total) {
        Some((number, total)) => vec![("total", total), ("page", number)],
        None => Vec::new(),
    };
    Ok(respond::json(200, wire::codec::list(items, next, &extra)))
}

async fn stats(call: Call) -> Result<Response, Problem> {
    let (from, to) = (call.query.time("from_date"), call.query.end_time("to_date"));
    let stats = call
        .services
        .reader
        .order_stats(call.tenant(), from, to)
        .await;
    let stats = stats.map_err(|error| unreadable(&error))?;
    let state = call.load(domain::needs::Needs::default()).await?;
    let currency = state
        .settings()
        .map_or_else(String::new, |s| s.default_currency.to_string());
    Ok(respond::json(
        200,
        StatsView::render(&stats, &currency).to_string(),
    ))
}
