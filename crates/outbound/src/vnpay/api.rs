//! VNPAY's interface for questions (`querydr`) and refunds. Hashes are over values joined with `|`,
//! not encoded; one that is missing is empty.

use std::collections::BTreeSet;

use domain::decide::RefundOutcome;
use domain::money::{Amount, Currency};
use domain::time::Timestamp;
use engine::provider::{Fault, Standing};
use serde_json::{Map, Value};

use super::{Account, VERSION, date, is_signature, sign, standing};
use crate::amounts;
use crate::client::Reply;
use crate::exchange::{Request, refused, unreadable};

/// A refund that VNPAY works on; it has no name of its own.
const PENDING: RefundOutcome = RefundOutcome::Pending {
    provider_refund_id: None,
};

/// A question or a refund about a payment.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Unique per terminal and day: the same one again is refused with 94.
    pub request_id: &'a str,
    /// Our name for the payment.
    pub reference: &'a str,
    /// When the payment was begun.
    pub created_at: Timestamp,
    /// What VNPAY calls the payment; empty when that is not known.
    pub transaction_no: &'a str,
    /// This server's address.
    pub ip: &'a str,
    /// What it is for.
    pub info: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// A request whose `order` of values is signed.
fn request(account: &Account, fields: &[(&str, String)], order: &[&str]) -> Request {
    let value = |name: &&str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let signed = order.iter().map(value).collect::<Vec<_>>().join("|");
    let mut body: Map<String, Value> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
        .collect();
    let hash = sign(&account.hash_secret, &signed);
    body.insert("vnp_SecureHash".to_owned(), hash.into());
    Request {
        method: "POST",
        url: account.api_url.clone(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: Value::Object(body).to_string().into_bytes(),
    }
}

fn common(account: &Account, about: &About<'_>, command: &str) -> Vec<(&'static str, String)> {
    vec![
        ("vnp_RequestId", about.request_id.to_owned()),
        ("vnp_Version", VERSION.to_owned()),
        ("vnp_Command", command.to_owned()),
        ("vnp_TmnCode", account.tmn_code.clone()),
        ("vnp_TxnRef", about.reference.to_owned()),
        ("vnp_TransactionDate", date(about.created_at)),
        ("vnp_CreateDate", date(about.now)),
        ("vnp_IpAddr", about.ip.to_owned()),
        ("vnp_OrderInfo", about.info.to_owned()),
    ]
}

/// Asks where a payment stands.
#[must_use]
pub fn query(account: &Account, about: &About<'_>) -> Request {
    let fields = common(account, about, "querydr");
    let order: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let mut sent = fields.clone();
    if !about.transaction_no.is_empty() {
        sent.push(("vnp_TransactionNo", about.transaction_no.to_owned()));
    }
    request(account, &sent, &order)
}

/// Asks for money to go back: all of the payment, or a part of it. `None` where VNPAY does not take
/// that amount.
#[must_use]
pub fn refund(
    account: &Account,
    about: &About<'_>,
    (amount, whole): (Amount, bool),
    by: &str,
) -> Option<Request> {
    let vnd = Currency::parse("VND")?;
    let mut fields = common(account, about, "refund");
    let kind = if whole { "02" } else { "03" };
    // One that is not known is "0", in the body as in the hash.
    let number = if about.transaction_no.is_empty() {
        "0"
    } else {
        about.transaction_no
    };
    fields.push(("vnp_TransactionType", kind.to_owned()));
    fields.push(("vnp_Amount", amounts::to_vnpay(amount, vnd)?));
    fields.push(("vnp_TransactionNo", number.to_owned()));
    fields.push(("vnp_CreateBy", by.to_owned()));
    let order = [
        "vnp_RequestId",
        "vnp_Version",
        "vnp_Command",
        "vnp_TmnCode",
        "vnp_TransactionType",
        "vnp_TxnRef",
        "vnp_Amount",
        "vnp_TransactionNo",
        "vnp_TransactionDate",
        "vnp_CreateBy",
        "vnp_CreateDate",
        "vnp_IpAddr",
        "vnp_OrderInfo",
    ];
    Some(request(account, &fields, &order))
}

/// The values of an answer that are signed; a refund's have no promotion.
const SIGNED: [&str; 15] = [
    "vnp_ResponseId",
    "vnp_Command",
    "vnp_ResponseCode",
    "vnp_Message",
    "vnp_TmnCode",
    "vnp_TxnRef",
    "vnp_Amount",
    "vnp_BankCode",
    "vnp_PayDate",
    "vnp_TransactionNo",
    "vnp_TransactionType",
    "vnp_TransactionStatus",
    "vnp_OrderInfo",
    "vnp_PromotionCode",
    "vnp_PromotionAmount",
];

/// An answer whose signature was verified.
#[derive(Clone, Debug)]
pub struct Verified(Value);

impl Verified {
    /// Verifies an answer. One without a signature, or with a wrong one, says nothing.
    pub fn read(reply: &Reply, secret: &str) -> Result<Self, Fault> {
        let body: Value = serde_json::from_slice(&reply.body).map_err(|_| unreadable(reply))?;
        let verified = Self(body);
        let signed = match verified.text("vnp_Command").as_str() {
            "refund" => &SIGNED[..13],
            _ => &SIGNED,
        };
        let values: Vec<String> = signed.iter().map(|name| verified.text(name)).collect();
        if is_signature(secret, &values.join("|"), &verified.text("vnp_SecureHash")) {
            Ok(verified)
        } else {
            Err(Fault::Unknown(
                "an answer of VNPAY does not verify".to_owned(),
            ))
        }
    }

    /// A value as text; numbers come as either.
    fn text(&self, name: &str) -> String {
        match &self.0[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        }
    }

    /// Where the payment that was asked for stands.
    pub fn standing(&self, currency: Currency) -> Result<Standing, Fault> {
        match self.text("vnp_ResponseCode").as_str() {
            "00" => {
                let amount = amounts::from_vnpay(&self.text("vnp_Amount"));
                let status = self.text("vnp_TransactionStatus");
                let number = self.text("vnp_TransactionNo");
                // The last thing that happened to it may be that its money went back.
                match (self.text("vnp_TransactionType").as_str(), status.as_str()) {
                    ("02", "00" | "06") => Ok(Standing::Failed {
                        code: "refunded".to_owned(),
                    }),
                    ("02" | "03", _) => Ok(Standing::Open),
                    _ => Ok(standing(("00", &status), &number, amount, currency)),
                }
            }
            // The payer never got as far as the page.
            "91" => Ok(Standing::Open),
            "94" | "99" => Err(Fault::Unknown("VNPAY answered 94 or 99".to_owned())),
            code => Err(refused(code)),
        }
    }

    /// Where the refund that was asked for stands. Sent to the bank (06) is as far as it can be
    /// followed.
    pub fn refund(&self) -> Result<RefundOutcome, Fault> {
        let status = self.text("vnp_TransactionStatus");
        match (self.text("vnp_ResponseCode").as_str(), status.as_str()) {
            ("00", "09") => Ok(RefundOutcome::Failed {
                provider_refund_id: Some(self.text("vnp_TransactionNo"))
                    .filter(|no| !no.is_empty()),
                code: status,
            }),
            ("00", "00" | "06") => Ok(RefundOutcome::Succeeded {
                provider_refund_id: self.text("vnp_TransactionNo"),
            }),
            ("00" | "94", _) => Ok(PENDING),
            ("99", _) => Err(Fault::Unknown("VNPAY answered 99".to_owned())),
            (code, _) => Ok(RefundOutcome::Failed {
                provider_refund_id: None,
                code: code.to_owned(),
            }),
        }
    }

    /// A refund of this amount, by the answer to a question about its payment: VNPAY tells of the
    /// last thing that happened to it. `others` are the numbers of other refunds.
    pub fn found_refund(
        &self,
        amount: Amount,
        others: &BTreeSet<String>,
    ) -> Result<Option<RefundOutcome>, Fault> {
        let code = self.text("vnp_ResponseCode");
        if code != "00" {
            return Err(Fault::Unknown(format!("VNPAY answered {code}")));
        }
        let number = self.text("vnp_TransactionNo");
        let is_refund = matches!(self.text("vnp_TransactionType").as_str(), "02" | "03");
        let same = amounts::from_vnpay(&self.text("vnp_Amount")) == Some(amount);
        if !is_refund || !same || others.contains(&number) {
            return Ok(None);
        }
        let status = self.text("vnp_TransactionStatus");
        Ok(Some(match status.as_str() {
            "00" | "06" => RefundOutcome::Succeeded {
                provider_refund_id: number,
            },
            "09" => RefundOutcome::Failed {
                provider_refund_id: Some(number),
                code: status,
            },
            _ => PENDING,
        }))
    }
}
