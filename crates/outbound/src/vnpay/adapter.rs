//! VNPAY as a provider.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::decide::RefundOutcome;
use domain::ids::TypedId as _;
use domain::money::{Amount, Currency};
use domain::payment::{PayPage, Payment, PaymentStatus, Refund, parse_provider_key};
use domain::time::Timestamp;
use engine::provider::{Begun, Fault, Message, Named, NotTaken, Said, Says, Standing};
use sha2::{Digest as _, Sha256};

use super::api::{self, About, Verified};
use super::{Account, Notice as Ipn, Payment as Asked, date, payment_url};
use crate::adapter::{Adapter, Around, Beginning, Notice};
use crate::client::Reply;
use crate::exchange::{Request, unreadable};
use crate::texts::{self, hex};

/// Where the payer's address is not known: our own.
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// How long an address can be paid by that has no deadline.
const OPEN_ENDED: i64 = 86_400_000;
/// How long after its deadline a payment that VNPAY has not ended counts as given up: whoever was
/// at the bank by then has come back.
const GIVEN_UP: i64 = 1_800_000;

/// VNPAY with a shop's terminal.
pub(crate) struct Vnpay(pub(crate) Account);

fn deadline(payment: &Payment) -> Timestamp {
    let open_ended = payment.created_at.plus_millis(OPEN_ENDED);
    payment.expires_at.unwrap_or(open_ended)
}

/// Notes what a payment is for.
fn info(payment: &Payment) -> String {
    format!("Order {}", payment.order_id)
}

impl Vnpay {
    fn about<'a>(
        payment: &'a Payment,
        (request_id, info): (&'a str, &'a str),
        now: Timestamp,
    ) -> About<'a> {
        About {
            request_id,
            reference: &payment.provider_reference,
            created_at: payment.created_at,
            transaction_no: payment.provider_payment_id.as_deref().unwrap_or_default(),
            ip: "127.0.0.1",
            info,
            now,
        }
    }

    /// A question's own name: VNPAY takes none twice a day.
    fn question(&self, payment: &Payment, now: Timestamp) -> Request {
        let name = format!("{}:{}", payment.id, now.millis());
        let digest = hex(&Sha256::digest(name.as_bytes())[..16]);
        let info = info(payment);
        api::query(&self.0, &Self::about(payment, (&digest, &info), now))
    }
}

impl Adapter for Vnpay {
    fn begin(&self, payment: &Payment, around: &Around<'_>) -> Option<Beginning> {
        let ip = around.payer.unwrap_or(HERE).to_canonical().to_string();
        let url = payment_url(
            &self.0,
            &Asked {
                reference: &payment.provider_reference,
                amount: payment.amount,
                currency: payment.currency,
                info: &info(payment),
                ip: &ip,
                return_url: around.return_url,
                created_at: payment.created_at,
                expires_at: deadline(payment),
            },
        )?;
        Some(Beginning::Known(Begun {
            provider_payment_id: None,
            page: PayPage {
                payment_url: Some(url),
                client_secret: None,
            },
        }))
    }

    fn begun(&self, reply: &Reply) -> Result<Begun, Fault> {
        Err(unreadable(reply))
    }

    fn ask(&self, payment: &Payment, around: &Around<'_>) -> Option<Request> {
        Some(self.question(payment, around.now))
    }

    fn standing(&self, payment: &Payment, reply: &Reply) -> Result<Standing, Fault> {
        Verified::read(reply, &self.0.hash_secret)?.standing(payment.currency)
    }

    fn capture(&self, _payment: &Payment) -> Option<Request> {
        None
    }

    fn close(&self, _payment: &Payment, _standing: &Standing) -> Option<Request> {
        None
    }

    fn given_up(&self, payment: &Payment, standing: Standing, now: Timestamp) -> Standing {
        let over = deadline(payment).plus_millis(GIVEN_UP) <= now;
        let given_up = payment.status != PaymentStatus::Pending;
        let says_nothing = match standing {
            Standing::Open => true,
            // Somebody has looked, and does not want it.
            Standing::Suspicious => given_up,
            Standing::Authorised | Standing::Captured { .. } | Standing::Failed { .. } => false,
        };
        if says_nothing && over {
            Standing::Failed {
                code: "expired".to_owned(),
            }
        } else {
            standing
        }
    }

    fn refund(&self, payment: &Payment, refund: &Refund, around: &Around<'_>) -> Option<Request> {
        let id = refund.id.uuid().simple().to_string();
        let info = format!("Refund {}", refund.id);
        let about = Self::about(payment, (&id, &info), around.now);
        let whole = refund.amount == payment.captured_amount;
        api::refund(&self.0, &about, (refund.amount, whole), "stockhold")
    }

    fn refunded(&self, reply: &Reply) -> Result<RefundOutcome, Fault> {
        Verified::read(reply, &self.0.hash_secret)?.refund()
    }

    /// A refund has no name of its own.
    fn ask_refund(&self, _refund: &Refund) -> Option<Request> {
        None
    }

    /// A request is known by its name for a day of VNPAY's.
    fn may_be_there(&self, refund: &Refund, now: Timestamp) -> bool {
        let another_day = date(refund.created_at)[..8] != date(now)[..8];
        another_day || refund.created_at.plus_millis(60_000) <= now
    }

    fn find_refund(&self, payment: &Payment, around: &Around<'_>) -> Option<Request> {
        Some(self.question(payment, around.now))
    }

    fn found_refund(
        &self,
        (refund, others): (&Refund, &BTreeSet<String>),
        reply: &Reply,
    ) -> Result<Option<RefundOutcome>, Fault> {
        let verified = Verified::read(reply, &self.0.hash_secret)?;
        verified.found_refund(refund.amount, others)
    }

    fn is_repeated(&self, _reply: &Reply) -> bool {
        false
    }

    fn verify(&self, message: &Message, _now: Timestamp) -> Result<Vec<u8>, NotTaken> {
        Ipn::read(&message.query, &self.0.hash_secret)?;
        Ok(message.query.clone().into_bytes())
    }

    fn notice(&self, body: &[u8]) -> Option<Notice> {
        let query = std::str::from_utf8(body).ok()?;
        let ipn = Ipn::read(query, &self.0.hash_secret).ok()?;
        let amount = ipn.amount.map_or(-1, Amount::minor);
        let (response, status) = &ipn.codes;
        let number = &ipn.transaction_no;
        let event_id = format!("{}:{number}:{response}:{status}:{amount}", ipn.reference);
        let named = parse_provider_key(&ipn.reference);
        let currency = Currency::parse("VND")?;
        let says = match named.filter(|_| ipn.tmn_code == self.0.tmn_code) {
            Some((order, attempt)) => {
                let amount = ipn.amount.unwrap_or_default();
                let named = Named::Attempt(order, attempt);
                Says::Standing(named, ipn.standing(currency), Some(amount))
            }
            None => Says::Unknown,
        };
        let said = Said {
            kind: format!("ipn.{}", texts::kept(response)),
            says,
        };
        Some(Notice::Said {
            event_id: texts::name(&event_id),
            said,
        })
    }

    fn told(&self, _kind: &str, reply: &Reply) -> Result<Said, Fault> {
        Err(unreadable(reply))
    }
}
