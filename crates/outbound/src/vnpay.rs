//! VNPAY 2.1.0: the payer is sent to a signed address, VNPAY tells us by a signed GET.
//!
//! Source: sandbox.vnpayment.vn/apis/docs/thanh-toan-pay/pay.html, as told in
//! shared/protocols/payment-protocols.md, section 1.

mod adapter;
pub mod api;

pub(crate) use adapter::Vnpay;

use std::collections::BTreeMap;

use domain::money::{Amount, Currency};
use domain::time::Timestamp;
use engine::provider::{NotTaken, Receipt, Standing};
use form_urlencoded::{byte_serialize, parse};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;
use subtle::ConstantTimeEq as _;

use crate::amounts;
use crate::texts::hex;

/// The sandbox's page, and its interface for questions and refunds.
pub const SANDBOX: (&str, &str) = (
    "https://sandbox.vnpayment.vn/paymentv2/vpcpay.html",
    "https://sandbox.vnpayment.vn/merchant_webapi/api/transaction",
);
const VERSION: &str = "2.1.0";
const HASH: &str = "vnp_SecureHash";
/// Never part of what is signed.
const UNSIGNED: [&str; 2] = [HASH, "vnp_SecureHashType"];

/// A shop's terminal.
#[derive(Clone)]
pub struct Account {
    /// Its code, issued by VNPAY.
    pub tmn_code: String,
    /// Its secret.
    pub hash_secret: String,
    /// The payment page.
    pub payment_url: String,
    /// Where questions and refunds are sent.
    pub api_url: String,
}

/// A payment that is to be begun.
#[derive(Clone, Copy, Debug)]
pub struct Payment<'a> {
    /// Our name for it, unique per terminal and day.
    pub reference: &'a str,
    /// How much.
    pub amount: Amount,
    /// In which currency: VND.
    pub currency: Currency,
    /// What it is for; kept to what all encoders agree on.
    pub info: &'a str,
    /// The payer's address.
    pub ip: &'a str,
    /// Where the payer comes back to.
    pub return_url: &'a str,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Until when it may be paid.
    pub expires_at: Timestamp,
}

/// A time on the wall clock of GMT+7, `yyyyMMddHHmmss`.
#[must_use]
pub fn date(at: Timestamp) -> String {
    let there = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    let there = there.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(7)));
    there.strftime("%Y%m%d%H%M%S").to_string()
}

/// HMAC-SHA512 in lower-case hexadecimal.
fn sign(secret: &str, message: &str) -> String {
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn is_signature(secret: &str, message: &str, given: &str) -> bool {
    let expected = sign(secret, message);
    // Upper case is the same number, and one of the official samples sends it.
    let given = given.to_ascii_lowercase();
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// What is signed: every `vnp_` parameter with a value, sorted by name, form-encoded.
#[must_use]
pub fn signed_text(params: &BTreeMap<String, String>) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let signed = params.iter().filter(|(name, value)| {
        name.starts_with("vnp_") && !UNSIGNED.contains(&name.as_str()) && !value.is_empty()
    });
    let pairs: Vec<String> = signed
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

/// The address that these parameters make: what is signed, and its signature.
#[must_use]
pub fn address(account: &Account, params: &BTreeMap<String, String>) -> String {
    let signed = signed_text(params);
    let hash = sign(&account.hash_secret, &signed);
    format!("{}?{signed}&{HASH}={hash}", account.payment_url)
}

/// Where a payer is sent; `None` where VNPAY does not take that money.
#[must_use]
pub fn payment_url(account: &Account, payment: &Payment<'_>) -> Option<String> {
    let amount = amounts::to_vnpay(payment.amount, payment.currency)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || " :._-".contains(c);
    let info: String = payment
        .info
        .chars()
        .filter(|c| plain(*c))
        .take(255)
        .collect();
    let params = [
        ("vnp_Version", VERSION),
        ("vnp_Command", "pay"),
        ("vnp_TmnCode", &account.tmn_code),
        ("vnp_Amount", &amount),
        ("vnp_CreateDate", &date(payment.created_at)),
        ("vnp_ExpireDate", &date(payment.expires_at)),
        ("vnp_CurrCode", "VND"),
        ("vnp_IpAddr", payment.ip),
        ("vnp_Locale", "vn"),
        ("vnp_OrderInfo", &info),
        ("vnp_OrderType", "other"),
        ("vnp_ReturnUrl", payment.return_url),
        ("vnp_TxnRef", payment.reference),
    ];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(address(account, &params.into()))
}

/// What VNPAY tells us (IPN), or lets the payer's browser bring (return): the same, and signed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The terminal that it is for.
    pub tmn_code: String,
    /// Our name for the payment.
    pub reference: String,
    /// How much was paid; `None` when it is no amount.
    pub amount: Option<Amount>,
    /// What VNPAY calls the payment.
    pub transaction_no: String,
    /// How it went, in two codes.
    pub codes: (String, String),
}

impl Notice {
    /// Verifies and reads a query.
    pub fn read(query: &str, secret: &str) -> Result<Self, NotTaken> {
        let mut params: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in parse(query.as_bytes()).filter(|(name, _)| name.starts_with("vnp_")) {
            if params
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return Err(NotTaken::Unverified);
            }
        }
        if params.is_empty() {
            return Err(NotTaken::Empty);
        }
        let given = params.get(HASH).map_or("", String::as_str);
        if !is_signature(secret, &signed_text(&params), given) {
            return Err(NotTaken::Unverified);
        }
        let mut take = |name: &str| params.remove(name).unwrap_or_default();
        Ok(Self {
            tmn_code: take("vnp_TmnCode"),
            reference: take("vnp_TxnRef"),
            amount: amounts::from_vnpay(&take("vnp_Amount")),
            transaction_no: take("vnp_TransactionNo"),
            codes: (take("vnp_ResponseCode"), take("vnp_TransactionStatus")),
        })
    }

    /// Where the payment stands.
    #[must_use]
    pub fn standing(&self, currency: Currency) -> Standing {
        let (response, status) = (self.codes.0.as_str(), self.codes.1.as_str());
        standing(
            (response, status),
            &self.transaction_no,
            self.amount,
            currency,
        )
    }
}

/// Where a payment stands by its two codes. Paid is what both call so: a response code alone says
/// that the question was answered.
fn standing(
    (response, status): (&str, &str),
    transaction_no: &str,
    amount: Option<Amount>,
    currency: Currency,
) -> Standing {
    match (response, status, amount) {
        // An amount that cannot be read is none that was asked for.
        ("00", "00", amount) => Standing::Captured {
            provider_payment_id: transaction_no.to_owned(),
            amount: amount.unwrap_or_default(),
            currency,
            fee: None,
        },
        ("07", _, _) | (_, "07", _) => Standing::Suspicious,
        (_, "01", _) => Standing::Open,
        _ => Standing::Failed {
            code: if response == "00" { status } else { response }.to_owned(),
        },
    }
}

/// What an IPN is answered, as a code and its message; VNPAY calls again after all but `00` and `02`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was recorded, whatever it said.
    Confirmed,
    /// There is no such payment on this terminal.
    NotFound,
    /// It was recorded before.
    AlreadyConfirmed,
    /// It names another amount.
    InvalidAmount,
    /// Its signature does not verify.
    InvalidSignature,
    /// Something went wrong here, or it said nothing.
    Unknown,
}

impl Answer {
    /// What VNPAY is told of a notification.
    #[must_use]
    pub const fn of(receipt: Receipt) -> Self {
        match receipt {
            Receipt::Taken => Self::Confirmed,
            Receipt::Known => Self::AlreadyConfirmed,
            Receipt::NotOurs => Self::NotFound,
            Receipt::OtherMoney => Self::InvalidAmount,
            Receipt::Unverified => Self::InvalidSignature,
            Receipt::Failed => Self::Unknown,
        }
    }

    /// The code and its message.
    #[must_use]
    pub const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Confirmed => ("00", "Confirm Success"),
            Self::NotFound => ("01", "Order not found"),
            Self::AlreadyConfirmed => ("02", "Order already confirmed"),
            Self::InvalidAmount => ("04", "Invalid amount"),
            Self::InvalidSignature => ("97", "Fail checksum"),
            Self::Unknown => ("99", "Unknown error"),
        }
    }

    /// The body that is sent with status 200.
    #[must_use]
    pub fn body(self) -> String {
        let (code, message) = self.parts();
        serde_json::json!({"RspCode": code, "Message": message}).to_string()
    }
}
